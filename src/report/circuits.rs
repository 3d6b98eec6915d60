//! Circuits in the run folder: as JSON with every scored edge, for programs that draw and measure graphs, and as a figure.

use super::{Folder, ReportError};
use crate::circuit::exchange;
use crate::circuit::{Caption, Circuit, Meaning, Portraits};
use crate::figure::{Figure, words};
use crate::table::Table;

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

/// The fact that names what scores are a change of, where the first row of a table does not.
pub(super) const SCORE_UNIT: &str = "score unit";

/// The diagram of a circuit.
pub(super) fn figures(table: &Table, circuit: &Circuit, portraits: Option<&Portraits>) -> Vec<(String, Figure)> {
    let diagram = circuit.diagram(&caption(Some(table), portraits));
    vec![(table.name.clone(), Figure::Diagram(diagram))]
}

/// What the drawing of a table's circuit says.
pub(super) fn caption(table: Option<&Table>, portraits: Option<&Portraits>) -> Caption {
    let first = |table: &Table| table.rows.first().map(|row| row.metric.clone());
    let metric = table.and_then(|table| table.facts.get(SCORE_UNIT).cloned().or_else(|| first(table)));
    let metric = metric.map_or(String::new(), |metric| words(&metric));
    let facts = table.map(|table| table.facts.clone().into_iter().collect()).unwrap_or_default();
    let meaning = Meaning::of(&facts);
    let unit = match meaning {
        Meaning::Change => format!("change of the {metric} without the edge"),
        Meaning::Growth => format!("growth of the {metric} without the edge"),
        Meaning::Share => "share of the stream that the edge brings".to_string(),
        Meaning::Chance => "chance that the edge stays".to_string(),
        Meaning::Unknown => metric,
    };
    Caption {
        title: table.map_or(String::new(), |table| table.title.clone()),
        unit,
        signs: meaning.signs(),
        carries: portraits.map(|portraits| portraits.carries.clone()).unwrap_or_default(),
        tokens: table.map(|table| table.positions.clone()).unwrap_or_default(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(sign: &str) -> (String, [String; 2]) {
        let row = crate::table::Row { metric: "logit_diff".into(), ..Default::default() };
        let facts = [("sign".to_string(), sign.to_string())].into_iter().collect();
        let table = Table { name: "t".into(), title: String::new(), facts, positions: Vec::new(), rows: vec![row] };
        let caption = caption(Some(&table), None);
        (caption.unit, caption.signs)
    }

    #[test]
    fn a_legend_says_in_words_what_scores_are() {
        let (unit, signs) =
            told("a score is what the metric changes by without the edge: negative supports the answer");
        assert_eq!(unit, "change of the logit difference without the edge");
        assert_eq!(signs, ["edge supports the answer", "edge works against it"]);
        assert!(told("what the divergence grows by without the edge").0.starts_with("growth of the"));
        assert_eq!(told("a score is the share of the stream that the edge brings").1, ["", ""]);
        assert_eq!(told("?"), ("logit difference".into(), ["below zero".into(), "above zero".into()]));
    }
}
