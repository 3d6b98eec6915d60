//! Routes: which nodes send something else, and which edges carry it on.

use crate::node::{Node, Port};
use crate::site::Site;
use std::collections::BTreeSet;

/// Edges that carry together: from every node here to every port here that it comes before.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Wire {
    /// Where they begin.
    pub from: BTreeSet<Node>,
    /// Where they end.
    pub into: BTreeSet<Port>,
    /// The one position that they carry at; `None` is all.
    pub at: Option<usize>,
}

/// What one row changes. No edge may be in two of its wires: it would carry twice.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Route {
    /// The nodes whose output is given.
    pub senders: BTreeSet<Node>,
    /// The edges that carry.
    pub wires: Vec<Wire>,
}

impl Route {
    /// The first block that an edge leads into; `layers` where all lead to the logits.
    pub fn begin(&self, layers: usize) -> usize {
        let ports = self.wires.iter().flat_map(|wire| &wire.into);
        ports.map(|port| port.layer().unwrap_or(layers)).min().unwrap_or(layers)
    }

    /// Whether a node's output is made anew: an edge enters it and another leaves it.
    pub fn recomputes(&self, node: Node) -> bool {
        let enters = |wire: &Wire| wire.into.iter().any(|port| port.node() == Some(node));
        let leaves = |wire: &Wire| wire.from.contains(&node);
        !self.senders.contains(&node) && self.wires.iter().any(leaves) && self.wires.iter().any(enters)
    }

    /// The nodes whose output is made anew.
    pub fn recomputed(&self) -> BTreeSet<Node> {
        let nodes = self.wires.iter().flat_map(|wire| wire.from.iter().copied());
        nodes.filter(|node| self.recomputes(*node)).collect()
    }
}

/// The site at which a port is edited; the logits are read from the stream behind the last block.
pub fn site_of(port: Port) -> Option<Site> {
    match port {
        Port::Query(layer, _) => Some(Site::QueryIn(layer)),
        Port::Key(layer, _) => Some(Site::KeyIn(layer)),
        Port::Value(layer, _) => Some(Site::ValueIn(layer)),
        Port::Mlp(layer) | Port::Neuron(layer, _) => Some(Site::MlpIn(layer)),
        Port::Logits => None,
    }
}
