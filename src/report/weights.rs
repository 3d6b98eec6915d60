//! Weights of another model put in, drawn: parts by layers, a map for each figure.

use crate::figure::{Figure, HeatMap, Scale};
use crate::table::{Row, Table, quantity};
use ndarray::Array2;
use std::collections::BTreeSet;

/// Rows below get a dot.
const LEVEL: f64 = 0.05;

/// What a part of no layer is drawn above.
const NO_LAYER: &str = "all";

/// Whether a table tells of weights that were put in.
pub(super) fn is_of(table: &Table) -> bool {
    table.rows.first().is_some_and(|row| row.method.starts_with("patch_weights"))
}

/// A map for each figure, shares first where there are some.
pub(super) fn figures(table: &Table) -> Vec<(String, Figure)> {
    let figure = |kind: &&str| {
        let rows: Vec<&Row> = table.rows.iter().filter(|row| quantity(&row.metric).1 == *kind).collect();
        (!rows.is_empty()).then(|| (format!("{}_{kind}", table.name), Figure::HeatMap(map(table, kind, &rows))))
    };
    ["share", "alone", "last"].iter().filter_map(figure).collect()
}

fn map(table: &Table, kind: &str, rows: &[&Row]) -> HeatMap {
    let layers: BTreeSet<Option<usize>> = rows.iter().map(|row| row.layer).collect();
    let layers: Vec<Option<usize>> = layers.into_iter().collect();
    let mut names: Vec<String> = Vec::new();
    for name in rows.iter().map(|row| name(row)) {
        if !names.contains(&name) {
            names.push(name);
        }
    }
    names.reverse();
    let shares = rows.iter().all(|row| row.normalised.is_some());
    let shape = (names.len(), layers.len());
    let (mut values, mut marks) = (Array2::from_elem(shape, f64::NAN), Array2::from_elem(shape, false));
    for row in rows {
        let up = names.iter().position(|other| *other == name(row)).expect("named above");
        let across = layers.iter().position(|layer| *layer == row.layer).expect("found above");
        values[[up, across]] = if shares { row.normalised.unwrap_or(f64::NAN) } else { row.effect };
        marks[[up, across]] = row.p.is_some_and(|p| p < LEVEL);
    }
    let metric = quantity(&rows[0].metric).0;
    HeatMap {
        title: format!("{}, {kind}", table.title),
        x_title: "Layer".into(),
        y_title: "Part".into(),
        value_title: if shares { "Share of the whole change".into() } else { format!("Change of {metric}") },
        x: layers.iter().map(|layer| layer.map_or(NO_LAYER.into(), |layer| layer.to_string())).collect(),
        y: names,
        values,
        marks,
        mark_title: format!("p < {LEVEL}"),
        scale: Scale::Diverging,
    }
}

/// A part, with its head where it is of one.
fn name(row: &Row) -> String {
    let part = row.site.clone().unwrap_or_default();
    row.head.map_or(part.clone(), |head| format!("{part} head {head}"))
}
