//! Circuits in the run folder: as JSON with every scored edge, for programs that draw and measure graphs, and as a figure.

use super::{Folder, ReportError};
use crate::circuit::Circuit;
use crate::circuit::exchange;
use crate::figure::{Figure, figures_of};
use crate::table::Table;

/// More edges than this make a figure that nobody reads; the files have them all.
const DRAWN: usize = 150;

/// Writes `circuits/NAME.json`, `.graphml`, `.dot` and, for LaTeX, `.tex`; `table` has the facts.
pub(super) fn write(name: &str, circuit: &Circuit, table: Option<&Table>, folder: &Folder) -> Result<(), ReportError> {
    let facts: exchange::Facts = table.map(|table| table.facts.clone().into_iter().collect()).unwrap_or_default();
    let title = table.map_or(name, |table| table.title.as_str());
    let tikz = circuit.diagram(title, &unit(table)).tikz();
    let files = [
        ("json", exchange::write(circuit, &facts)),
        ("graphml", circuit.graphml(&facts)),
        ("dot", circuit.dot(&facts)),
        ("tex", tikz),
    ];
    files.into_iter().try_for_each(|(ending, text)| folder.write(&format!("circuits/{name}.{ending}"), text.as_bytes()))
}

/// The circuit of a table, where it has one.
pub(super) fn read(table: &str, folder: &Folder) -> Result<Option<(String, Circuit)>, ReportError> {
    let file = format!("circuits/{table}.json");
    if !folder.has(&file) {
        return Ok(None);
    }
    let text = folder.read_text(&file)?;
    let found = exchange::read(&file, &text).map_err(|error| ReportError::NoRun(error.to_string()))?;
    Ok(Some((table.to_string(), found.circuit)))
}

/// The diagram of a circuit, or bars of its strongest edges where it has too many.
pub(super) fn figures(table: &Table, circuit: &Circuit) -> Vec<(String, Figure)> {
    let edges = |table: &Table| {
        let scores = table.rows.iter().filter(|row| row.low.is_some() && row.site.is_some()).cloned().collect();
        Table { rows: scores, ..table.clone() }
    };
    match circuit.size() {
        1..=DRAWN => vec![(table.name.clone(), Figure::Diagram(circuit.diagram(&table.title, &unit(Some(table)))))],
        _ => figures_of(&edges(table)),
    }
}

/// What scores are in.
fn unit(table: Option<&Table>) -> String {
    let first = table.and_then(|table| table.rows.first());
    first.map_or(String::new(), |row| row.metric.clone())
}
