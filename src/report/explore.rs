//! What the page knows of a circuit beyond its figure: scores, intervals and draws of its edges, and its nodes' portraits.

use crate::circuit::{Circuit, Link, Portraits, View, ends};
use crate::page::Explorer;
use crate::table::{Table, visible};
use serde::Serialize;
use std::collections::BTreeMap;

#[derive(Serialize)]
struct Known<'a> {
    edges: Vec<Edge>,
    views: Vec<View>,
    nodes: &'a [crate::circuit::Portrait],
}

#[derive(Serialize)]
struct Edge {
    name: String,
    from: String,
    to: String,
    score: f64,
    low: Option<f64>,
    high: Option<f64>,
    inclusion: Option<f64>,
    carries: Option<String>,
}

/// Six digits: more than are shown, and the same whether the number has been through a file or not.
fn rounded(value: f64) -> f64 {
    format!("{value:.5e}").parse().unwrap_or(value)
}

/// The data of the interactive figure of a table's circuit.
pub(super) fn explorer(table: &Table, circuit: &Circuit, portraits: Option<&Portraits>) -> Explorer {
    let shares: BTreeMap<&str, f64> = table
        .rows
        .iter()
        .filter(|row| row.metric == "inclusion")
        .filter_map(|row| Some((row.site.as_deref()?, row.effect)))
        .collect();
    let edge = |link: &Link| {
        let name = link.edge.to_string();
        let [from, to] = ends(link.edge);
        Edge {
            from,
            to,
            score: rounded(link.score),
            low: link.interval.map(|ends| rounded(ends.low)),
            high: link.interval.map(|ends| rounded(ends.high)),
            inclusion: shares.get(name.as_str()).map(|share| rounded(*share)),
            carries: portraits.and_then(|portraits| portraits.carries.get(&name).cloned()),
            name,
        }
    };
    let shown = |view: &View| {
        let tokens = view.tokens.iter().map(|token| visible(token)).collect();
        View { name: visible(&view.name), tokens, ..view.clone() }
    };
    let views = portraits.map_or(&[][..], |portraits| &portraits.views).iter().map(shown).collect();
    let nodes = portraits.map_or(&[][..], |portraits| &portraits.nodes);
    Explorer::new(&Known { edges: circuit.edges().map(edge).collect(), views, nodes })
}
