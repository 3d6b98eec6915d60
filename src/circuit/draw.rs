//! A circuit as a diagram: the input at the bottom, the logits on top, heads by column, MLPs in a column of their own,
//! and beside it their neurons that are nodes of their own.

use super::unroll::ends;
use super::{Circuit, Link, Vertex};
use crate::figure::{Band, Diagram, Kind, Spot, Wire};
use crate::node::{Edge, Node, Port};
use std::collections::{BTreeMap, BTreeSet};

/// More wires than this are a grey area: the weaker ones are left out, and the legend says how many.
const MOST: usize = 600;

/// Neurons of a layer that stand in one row; more stand in rows above it.
const ACROSS: usize = 12;

/// The fact of a circuit that has the tokens at its positions, a space between.
pub const TOKENS: &str = "tokens";

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
    /// The token at each position, where nodes are at positions and that is known.
    pub tokens: Vec<String>,
}

impl Circuit {
    /// The diagram of what is in the circuit, of very large ones the strongest edges; where nodes are at positions, these stand
    /// side by side.
    pub fn diagram(&self, caption: &Caption) -> Diagram {
        let shown = self.strongest(MOST);
        if self.blocks.positions().is_some() {
            return Diagram { left_out: self.size() - shown.size(), ..shown.unrolled(caption) };
        }
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
        let column = |vertex: Vertex| match vertex.node() {
            Some(Node::Head(_, head)) => columns.get(&head).copied(),
            Some(Node::Mlp(_)) => Some(columns.len()),
            Some(node @ Node::Neuron(..)) => place(node).map(|place| beside + place % ACROSS),
            Some(Node::Input) | None => None,
        };
        let spot = |vertex: &Vertex| {
            let name = vertex.to_string();
            Spot { text: name.clone(), name, row: row(*vertex), column: column(*vertex) }
        };
        let places: BTreeMap<String, usize> = names_of(held.iter().map(Vertex::to_string));
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
            groups: Vec::new(),
            wires: shown.wires(&places, caption),
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

    /// The wires of all edges between boxes, by the names of these.
    pub(super) fn wires(&self, places: &BTreeMap<String, usize>, caption: &Caption) -> Vec<Wire> {
        let wire = |link: &Link| {
            let name = link.edge.to_string();
            let [from, to] = ends(link.edge).map(|end| places[&end]);
            let label = caption.carries.get(&name).cloned();
            let interval = link.interval.map(|ends| format!(" [{:.4e}, {:.4e}]", ends.low, ends.high));
            let carried = label.as_ref().map(|carried| format!(", carries {carried}"));
            Wire {
                from,
                to,
                kind: Kind::Edge,
                port: port(link.edge),
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

/// Where each of some names stands.
pub(super) fn names_of(names: impl Iterator<Item = String>) -> BTreeMap<String, usize> {
    names.enumerate().map(|(place, name)| (name, place)).collect()
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

/// Queries enter at the left, keys in the middle, values at the right; where keys and values have a box of their own keys at
/// the left of that.
fn port(edge: Edge) -> f64 {
    match edge.to {
        Port::Query(..) => -1.0,
        Port::Value(..) => 1.0,
        Port::Key(..) if edge.position.is_some() => -1.0,
        Port::Key(..) | Port::Mlp(_) | Port::Neuron(..) | Port::Logits => 0.0,
    }
}

/// What comes above what: a half block each.
fn time(vertex: Vertex) -> usize {
    vertex.node().map_or(usize::MAX, Node::time)
}
