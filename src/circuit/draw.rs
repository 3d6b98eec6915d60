//! A circuit as a diagram: the input at the bottom, the logits on top, heads by column, MLPs in a column of their own.

use super::{Circuit, Vertex};
use crate::figure::{Diagram, Spot, Wire};
use crate::node::{Node, Port};
use std::collections::{BTreeMap, BTreeSet};

impl Circuit {
    /// The diagram of what is in the circuit. `unit` says what the scores are, for the legend: a metric's name.
    pub fn diagram(&self, title: &str, unit: &str) -> Diagram {
        let held = self.vertices();
        let nodes = || held.iter().filter_map(|vertex| vertex.node());
        let heads: BTreeSet<usize> = nodes().filter_map(Node::head).collect();
        let columns: BTreeMap<usize, usize> = heads.iter().enumerate().map(|(column, head)| (*head, column)).collect();
        let has_mlps = nodes().any(|node| matches!(node, Node::Mlp(_)));
        let rows: BTreeSet<usize> = held.iter().map(|vertex| time(*vertex)).collect();
        let row = |vertex: Vertex| rows.iter().position(|row| *row == time(vertex)).unwrap_or(0);
        let column = |vertex: Vertex| match vertex {
            Vertex::Node(Node::Head(_, head)) => columns.get(&head).copied(),
            Vertex::Node(Node::Mlp(_)) => Some(columns.len()),
            Vertex::Node(Node::Input) | Vertex::Logits => None,
        };
        let spot = |vertex: &Vertex| Spot { name: vertex.to_string(), row: row(*vertex), column: column(*vertex) };
        let names = heads.iter().map(|head| format!("head {head}")).chain(has_mlps.then(|| "MLP".to_string()));
        let ports = self.edges().any(|link| matches!(link.edge.to, Port::Query(..) | Port::Key(..) | Port::Value(..)));
        let legend = if ports { vec!["heads read q, k, v".to_string(), "left to right".to_string()] } else { vec![] };
        Diagram {
            title: title.to_string(),
            unit: unit.to_string(),
            columns: names.collect(),
            spots: held.iter().map(spot).collect(),
            wires: self.wires(&held),
            legend,
        }
    }

    fn wires(&self, held: &[Vertex]) -> Vec<Wire> {
        let places: BTreeMap<usize, usize> =
            held.iter().enumerate().map(|(place, vertex)| (self.blocks.place(*vertex), place)).collect();
        let place = |vertex: Vertex| places[&self.blocks.place(vertex)];
        let wire = |link: &super::Link| Wire {
            from: place(link.edge.from.into()),
            to: place(Vertex::reading(link.edge.to)),
            port: port(link.edge.to),
            weight: link.score,
            note: format!("{}: {:.4e}", link.edge, link.score),
        };
        self.edges().map(wire).collect()
    }
}

/// Queries enter at the left, keys in the middle, values at the right.
fn port(port: Port) -> f64 {
    match port {
        Port::Query(..) => -1.0,
        Port::Value(..) => 1.0,
        Port::Key(..) | Port::Mlp(_) | Port::Logits => 0.0,
    }
}

/// What comes above what: a half block each.
fn time(vertex: Vertex) -> usize {
    match vertex {
        Vertex::Node(Node::Input) => 0,
        Vertex::Node(Node::Head(layer, _)) => 2 * layer + 1,
        Vertex::Node(Node::Mlp(layer)) => 2 * layer + 2,
        Vertex::Logits => usize::MAX,
    }
}
