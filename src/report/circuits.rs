//! Circuits in the run folder: as JSON with every scored edge, for programs that draw and measure graphs, and as a figure.

use super::{Folder, ReportError};
use crate::circuit::exchange;
use crate::circuit::{Caption, Circuit, Portraits};
use crate::figure::{Figure, words};
use crate::table::Table;

/// What `sign` among the facts says where scores below zero support the answer.
const SUPPORTS: &str = "negative supports the answer";

/// Writes `circuits/NAME.json`, `.graphml`, `.dot` and, for LaTeX, `.tex`; `table` has the facts.
pub(super) fn write(
    name: &str,
    circuit: &Circuit,
    caption: &Caption,
    table: Option<&Table>,
    folder: &Folder,
) -> Result<(), ReportError> {
    let facts: exchange::Facts = table.map(|table| table.facts.clone().into_iter().collect()).unwrap_or_default();
    let files = [
        ("json", exchange::write(circuit, &facts)),
        ("graphml", circuit.graphml(&facts)),
        ("dot", circuit.dot(&facts)),
        ("tex", circuit.diagram(caption).tikz()),
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

/// Where what the nodes of a circuit look at and write is kept.
pub(super) fn nodes_file(name: &str) -> String {
    format!("circuits/{name}_nodes.json")
}

/// What the nodes of the circuit of a table look at and write, where that was recorded.
pub(super) fn read_nodes(table: &str, folder: &Folder) -> Result<Option<(String, Portraits)>, ReportError> {
    let file = nodes_file(table);
    if !folder.has(&file) {
        return Ok(None);
    }
    let found = Portraits::read(&file, &folder.read_text(&file)?);
    found.map(|found| Some((table.to_string(), found))).map_err(|error| ReportError::NoRun(error.to_string()))
}

/// The diagram of a circuit.
pub(super) fn figures(table: &Table, circuit: &Circuit, portraits: Option<&Portraits>) -> Vec<(String, Figure)> {
    let diagram = circuit.diagram(&caption(Some(table), portraits));
    vec![(table.name.clone(), Figure::Diagram(diagram))]
}

/// What the drawing of a table's circuit says.
pub(super) fn caption(table: Option<&Table>, portraits: Option<&Portraits>) -> Caption {
    let metric = table.and_then(|table| table.rows.first()).map_or(String::new(), |row| words(&row.metric));
    let facts = table.map(|table| table.facts.clone().into_iter().collect()).unwrap_or_default();
    let unit = match supports(&facts) {
        true => format!("change of the {metric} without the edge"),
        false => "share of the stream that the edge brings".to_string(),
    };
    Caption {
        title: table.map_or(String::new(), |table| table.title.clone()),
        unit,
        signs: if supports(&facts) { signs(&facts) } else { Default::default() },
        carries: portraits.map(|portraits| portraits.carries.clone()).unwrap_or_default(),
    }
}

/// What scores below zero mean, and those above, by the facts of a circuit.
pub fn signs(facts: &exchange::Facts) -> [String; 2] {
    match supports(facts) {
        true => ["edge supports the answer", "edge works against it"].map(String::from),
        false => ["below zero", "above zero"].map(String::from),
    }
}

fn supports(facts: &exchange::Facts) -> bool {
    facts.get("sign").is_some_and(|sign| sign.contains(SUPPORTS))
}
