//! A circuit as a diagram: the input at the bottom, the logits on top, heads by column, MLPs in a column of their own,
//! and beside it their neurons that are nodes of their own.

use super::{Circuit, Link, Vertex};
use crate::figure::{Band, Diagram, Spot, Wire};
use crate::node::{Node, Port};
use std::collections::{BTreeMap, BTreeSet};

/// More wires than this are a grey area: the weaker ones are left out, and the legend says how many.
const MOST: usize = 600;

/// Neurons of a layer that stand in one row; more stand in rows above it.
const ACROSS: usize = 12;

/// What a drawing says beyond its edges.
#[derive(Clone, Debug, Default)]
pub struct Caption {
    /// Above the drawing.
    pub title: String,
    /// What the scores are, for the legend: the words of a metric.
    pub unit: String,
    /// What scores below zero mean, and those above.
    pub signs: [String; 2],
    /// What edges carry, by their name, where that is known.
    pub carries: BTreeMap<String, String>,
}

impl Circuit {
    /// The diagram of what is in the circuit, of very large ones the strongest edges.
    pub fn diagram(&self, caption: &Caption) -> Diagram {
        let shown = self.strongest(MOST);
        let held = shown.vertices();
        let nodes = || held.iter().filter_map(|vertex| vertex.node());
        let heads: BTreeSet<usize> = nodes().filter_map(Node::head).collect();
        let columns: BTreeMap<usize, usize> = heads.iter().enumerate().map(|(column, head)| (*head, column)).collect();
        let has_mlps = nodes().any(|node| matches!(node, Node::Mlp(_)));
        let mut neurons: BTreeMap<usize, Vec<Node>> = BTreeMap::new();
        for node in nodes().filter(|node| node.neuron().is_some()) {
            neurons.entry(node.time()).or_default().push(node);
        }
        let beside = columns.len() + usize::from(has_mlps);
        let place = |node: Node| neurons.get(&node.time())?.iter().position(|other| *other == node);
        let height = |vertex: Vertex| (time(vertex), vertex.node().and_then(place).unwrap_or(0) / ACROSS);
        let rows: BTreeSet<(usize, usize)> = held.iter().map(|vertex| height(*vertex)).collect();
        let row = |vertex: Vertex| rows.iter().position(|row| *row == height(vertex)).unwrap_or(0);
        let column = |vertex: Vertex| match vertex {
            Vertex::Node(Node::Head(_, head)) => columns.get(&head).copied(),
            Vertex::Node(Node::Mlp(_)) => Some(columns.len()),
            Vertex::Node(node @ Node::Neuron(..)) => place(node).map(|place| beside + place % ACROSS),
            Vertex::Node(Node::Input) | Vertex::Logits => None,
        };
        let spot = |vertex: &Vertex| Spot { name: vertex.to_string(), row: row(*vertex), column: column(*vertex) };
        let names = heads.iter().map(|head| format!("head {head}")).chain(has_mlps.then(|| "MLP".to_string()));
        let most = neurons.values().map(Vec::len).max().unwrap_or(0);
        let names = names.chain(std::iter::repeat_n("neuron".to_string(), most.min(ACROSS)));
        let ports = shown.edges().any(|link| matches!(link.edge.to, Port::Query(..) | Port::Key(..) | Port::Value(..)));
        Diagram {
            title: caption.title.clone(),
            unit: caption.unit.clone(),
            signs: caption.signs.clone(),
            columns: names.collect(),
            bands: bands(&held, row),
            spots: held.iter().map(spot).collect(),
            wires: shown.wires(&held, caption),
            left_out: self.size() - shown.size(),
            legend: if ports { vec!["heads read q, k, v left to right".to_string()] } else { vec![] },
        }
    }

    /// The circuit, or so many of its edges of largest score.
    fn strongest(&self, most: usize) -> Circuit {
        let mut sizes: Vec<(usize, f64)> =
            self.links().enumerate().filter(|(_, link)| link.in_circuit).map(size).collect();
        // a stable sort: of equal scores the earlier edge stays
        sizes.sort_by(|a, b| b.1.total_cmp(&a.1));
        let mut members = vec![false; self.links().len()];
        sizes.iter().take(most).for_each(|(place, _)| members[*place] = true);
        self.with(&members)
    }

    fn wires(&self, held: &[Vertex], caption: &Caption) -> Vec<Wire> {
        let places: BTreeMap<usize, usize> =
            held.iter().enumerate().map(|(place, vertex)| (self.blocks.place(*vertex), place)).collect();
        let place = |vertex: Vertex| places[&self.blocks.place(vertex)];
        let wire = |link: &Link| {
            let name = link.edge.to_string();
            let label = caption.carries.get(&name).cloned();
            let interval = link.interval.map(|ends| format!(" [{:.4e}, {:.4e}]", ends.low, ends.high));
            let carried = label.as_ref().map(|carried| format!(", carries {carried}"));
            Wire {
                from: place(link.edge.from.into()),
                to: place(Vertex::reading(link.edge.to)),
                port: port(link.edge.to),
                weight: link.score,
                note: [
                    format!("{name}: {:.4e}", link.score),
                    interval.unwrap_or_default(),
                    carried.unwrap_or_default(),
                ]
                .concat(),
                label,
                name,
            }
        };
        self.edges().map(wire).collect()
    }
}

fn size((place, link): (usize, &Link)) -> (usize, f64) {
    (place, link.score.abs())
}

/// The rows of each layer.
fn bands(held: &[Vertex], row: impl Fn(Vertex) -> usize) -> Vec<Band> {
    let mut layers: BTreeMap<usize, BTreeSet<usize>> = BTreeMap::new();
    for vertex in held {
        if let Some(layer) = vertex.node().and_then(Node::layer) {
            layers.entry(layer).or_default().insert(row(*vertex));
        }
    }
    let band = |(layer, rows): (usize, BTreeSet<usize>)| {
        let (first, last) = (rows.first().copied()?, rows.last().copied()?);
        Some(Band { name: format!("layer {layer}"), rows: first..last + 1 })
    };
    layers.into_iter().filter_map(band).collect()
}

/// Queries enter at the left, keys in the middle, values at the right.
fn port(port: Port) -> f64 {
    match port {
        Port::Query(..) => -1.0,
        Port::Value(..) => 1.0,
        Port::Key(..) | Port::Mlp(_) | Port::Neuron(..) | Port::Logits => 0.0,
    }
}

/// What comes above what: a half block each.
fn time(vertex: Vertex) -> usize {
    vertex.node().map_or(usize::MAX, Node::time)
}
