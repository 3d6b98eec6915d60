//! Methods side by side: one row a node, one column a method, where at least two give each node a share of the whole.

use crate::figure::{Figure, HeatMap, Scale};
use crate::method::summary::CAUTION;
use crate::table::{Row, Table};
use indexmap::IndexMap;
use ndarray::Array2;
use patchclamp_probes::spearman;
use std::collections::BTreeMap;

/// Nodes in the figure; of more those of largest share.
const SHOWN: usize = 24;
/// Methods whose effect is what is lost, so that their shares are turned.
const TAKING: [&str; 2] = ["ablate", "knockout"];

/// What mediation tells beside the effect through a mediator.
const ASIDE: [&str; 2] = ["NDE", "gap"];
/// Tables whose positions are roles of tokens, and so no positions of the others'.
const ROLES: &str = "_trace";

/// What nodes are: the axes that all rows of a method have.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
enum Axes {
    LayerHead,
    LayerPosition,
}

/// A layer, and a head or a position in it.
type Place = (usize, usize);

/// Several methods' shares of the same nodes.
pub struct Side {
    axes: Axes,
    /// Names of the methods, each with its share of every node that it has.
    columns: IndexMap<String, BTreeMap<Place, f64>>,
    /// The token at each position.
    positions: Vec<String>,
}

/// Every kind of nodes that at least two methods speak of.
pub fn sides(tables: &[Table]) -> Vec<Side> {
    let side = |axes: Axes| {
        let mut columns = IndexMap::new();
        let trusted = tables.iter().filter(|table| !table.facts.contains_key(CAUTION) && !table.name.ends_with(ROLES));
        for table in trusted.clone() {
            columns.extend(columns_of(table, axes));
        }
        let positions = trusted.map(|table| table.positions.clone()).next().unwrap_or_default();
        Side { axes, columns, positions }
    };
    [Axes::LayerHead, Axes::LayerPosition].into_iter().map(side).filter(|side| side.columns.len() > 1).collect()
}

/// The columns of one table: one for each site and metric whose rows all are such nodes.
fn columns_of(table: &Table, axes: Axes) -> Vec<(String, BTreeMap<Place, f64>)> {
    let mut parts: IndexMap<[&str; 2], BTreeMap<Place, f64>> = IndexMap::new();
    let speaks = |row: &&Row| row.item.is_none() && !ASIDE.contains(&row.metric.as_str());
    for row in table.own_rows().into_iter().filter(speaks) {
        if let (Some(place), Some(share)) = (place(row, axes), row.normalised) {
            let part = [row.site.as_deref().unwrap_or_default(), row.metric.as_str()];
            parts.entry(part).or_default().insert(place, share * sign(&table.name));
        }
    }
    parts.retain(|_, nodes| nodes.len() > 1);
    let several = parts.len() > 1 || table.name.contains("path_patch");
    let name = |site: &str| if several { format!("{} {site}", table.name) } else { table.name.clone() };
    parts.into_iter().map(|([site, _], nodes)| (name(site), nodes)).collect()
}

fn place(row: &Row, axes: Axes) -> Option<Place> {
    let place = match (axes, row.head, row.position, row.neuron) {
        (Axes::LayerHead, Some(head), None, None) => head,
        (Axes::LayerPosition, None, Some(position), None) => position,
        _ => return None,
    };
    Some((row.layer?, place))
}

fn sign(table: &str) -> f64 {
    if TAKING.iter().any(|taking| table.contains(taking)) { -1.0 } else { 1.0 }
}

impl Side {
    /// What stands above the section.
    pub fn title(&self) -> &'static str {
        match self.axes {
            Axes::LayerHead => "Methods side by side, head by head",
            Axes::LayerPosition => "Methods side by side, position by position",
        }
    }

    fn nodes(&self) -> Vec<Place> {
        let all: std::collections::BTreeSet<Place> =
            self.columns.values().flat_map(|nodes| nodes.keys().copied()).collect();
        all.into_iter().collect()
    }

    /// Rank correlations of every two methods over the nodes that both have, as a table.
    pub fn agreement(&self) -> Table {
        let mut rows = Vec::new();
        for (first, a) in &self.columns {
            for (second, b) in self.columns.iter().skip_while(|(name, _)| *name != first).skip(1) {
                let (x, y): (Vec<f64>, Vec<f64>) = a.iter().filter_map(|(node, a)| Some((*a, *b.get(node)?))).unzip();
                let Some(rank) = (x.len() > 2).then(|| spearman(&x, &y)).flatten() else { continue };
                let (method, metric) = ("side_by_side".into(), "Spearman's rank correlation".into());
                rows.push(Row {
                    method,
                    site: Some(format!("{first} ~ {second}")),
                    metric,
                    effect: rank,
                    n: x.len(),
                    ..Row::default()
                });
            }
        }
        let facts = [
            ("effect", "Spearman's rank correlation of the two methods' shares, over the nodes that both have"),
            (
                "sign",
                "shares of what is taken away (ablation, knockout) are turned, so that a node which supports the answer is positive",
            ),
        ];
        let facts = facts.map(|(name, value)| (name.to_string(), value.to_string())).into_iter().collect();
        Table { name: "side_by_side".into(), title: self.title().into(), facts, positions: Vec::new(), rows }
    }

    /// Shares as a map, nodes up, methods across.
    pub fn figure(&self) -> Figure {
        let mut nodes = self.nodes();
        let largest = |node: &Place| {
            self.columns.values().filter_map(|nodes| nodes.get(node)).fold(0.0f64, |most, share| most.max(share.abs()))
        };
        let total = nodes.len();
        nodes.sort_by(|a, b| largest(b).total_cmp(&largest(a)).then(a.cmp(b)));
        nodes.truncate(SHOWN);
        nodes.sort_unstable();
        let share = |(row, column): (usize, usize)| self.columns[column].get(&nodes[row]).copied().unwrap_or(f64::NAN);
        let shape = (nodes.len(), self.columns.len());
        let cut = if total > SHOWN { format!(" ({SHOWN} largest of {total})") } else { String::new() };
        Figure::HeatMap(HeatMap {
            title: format!("{}{cut}", self.title()),
            x_title: "Method".into(),
            y_title: if self.axes == Axes::LayerHead { "Head".into() } else { "Layer and position".into() },
            value_title: "Share of the whole effect".into(),
            x: self.columns.keys().map(|name| short(name)).collect(),
            y: nodes.iter().map(|node| self.label(*node)).collect(),
            values: Array2::from_shape_fn(shape, share),
            marks: Array2::default(shape),
            mark_title: String::new(),
            scale: Scale::Diverging,
        })
    }

    fn label(&self, (layer, place): Place) -> String {
        match self.axes {
            Axes::LayerHead => format!("L{layer}H{place}"),
            Axes::LayerPosition => {
                let token = self.positions.get(place).map_or(place.to_string(), |token| crate::table::visible(token));
                format!("L{layer} {token}")
            }
        }
    }
}

/// A table's name as people write it.
fn short(name: &str) -> String {
    let long = [("direct_logit_attribution", "attribution"), ("path_patch", "path"), (".denoise", ""), ("heads->", "")];
    let name = long.iter().fold(name.to_string(), |name, (long, short)| name.replace(long, short));
    name.replace(" through MLPs", " + MLPs").replace('_', " ")
}

/// Every side as one CSV: a row a node, a column a method; empty where a method does not have the node.
pub fn csv(sides: &[Side]) -> String {
    let mut writer = csv::Writer::from_writer(Vec::new());
    let columns: Vec<&String> = sides.iter().flat_map(|side| side.columns.keys()).collect();
    let header = ["layer", "head", "position"].into_iter().chain(columns.iter().map(|name| name.as_str()));
    let mut lines = vec![header.map(str::to_string).collect::<Vec<_>>()];
    for (number, side) in sides.iter().enumerate() {
        for node in side.nodes() {
            let (head, position) = match side.axes {
                Axes::LayerHead => (node.1.to_string(), String::new()),
                Axes::LayerPosition => (String::new(), node.1.to_string()),
            };
            let shares = sides.iter().enumerate().flat_map(|(other, columns)| {
                let here = move |nodes: &BTreeMap<Place, f64>| nodes.get(&node).filter(|_| other == number).copied();
                columns.columns.values().map(move |nodes| here(nodes).map_or(String::new(), |share| share.to_string()))
            });
            lines.push([node.0.to_string(), head, position].into_iter().chain(shares).collect());
        }
    }
    lines.iter().for_each(|line| writer.write_record(line).expect("memory takes it"));
    String::from_utf8(writer.into_inner().expect("memory takes every byte")).expect("strings are UTF-8")
}
