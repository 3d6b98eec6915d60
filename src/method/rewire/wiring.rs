//! Which edges are left, and what hears of a change at a port.

use crate::circuit::Blocks;
use crate::node::{Edge, Node, Port};
use std::collections::{BTreeMap, BTreeSet};

/// The edges of a circuit that is decided on from the logits down: of ports that were decided on those that are left, of
/// all others every one.
#[derive(Clone, Debug)]
pub struct Wiring {
    blocks: Blocks,
    kept: BTreeMap<Port, BTreeSet<Node>>,
}

/// A port that reads something else, and the nodes which that comes from.
pub type Heard = (Port, Vec<Node>);

/// What hears of a change at a port, in the order of the pass.
pub struct Down {
    /// Where the change is.
    pub port: Port,
    /// The nodes that make something else, each with its ports that read something else; the port itself stands first, and
    /// hears it from no node.
    pub nodes: Vec<(Node, Vec<Heard>)>,
    /// The nodes that the logits hear it from.
    pub logits: Vec<Node>,
}

impl Wiring {
    /// Nothing is decided, every edge is there.
    pub fn whole(blocks: Blocks) -> Self {
        Wiring { blocks, kept: BTreeMap::new() }
    }

    /// The ports in the order in which they are decided on: the reverse of the pass.
    pub fn ports(blocks: Blocks) -> Vec<Port> {
        Port::all(blocks.layers, blocks.heads).into_iter().rev().collect()
    }

    /// What a port may read from, later nodes first.
    pub fn parents(&self, port: Port) -> Vec<Node> {
        let nodes = Node::all(self.blocks.layers, self.blocks.heads).into_iter().rev();
        nodes.filter(|node| node.precedes(port, self.blocks.flow)).collect()
    }

    /// Leaves a port these edges.
    pub fn decide(&mut self, port: Port, kept: BTreeSet<Node>) {
        self.kept.insert(port, kept);
    }

    /// Whether what a port reads can reach the logits. All ports behind its node must be decided on.
    pub fn is_heard(&self, port: Port) -> bool {
        port.node().is_none_or(|node| self.kept.values().any(|kept| kept.contains(&node)))
    }

    /// Whether an edge is left.
    pub fn holds(&self, edge: Edge) -> bool {
        self.kept.get(&edge.to).is_none_or(|kept| kept.contains(&edge.from))
    }

    /// What hears of a change at a port behind which all is decided.
    pub fn down(&self, port: Port) -> Down {
        let mut down = Down { port, nodes: Vec::new(), logits: Vec::new() };
        let Some(first) = port.node() else { return down };
        down.nodes.push((first, vec![(port, Vec::new())]));
        let mut changed = BTreeSet::from([first]);
        let hears = |to: &Port, changed: &BTreeSet<Node>| -> Vec<Node> {
            self.kept.get(to).map_or(Vec::new(), |kept| kept.intersection(changed).copied().collect())
        };
        for node in Node::all(self.blocks.layers, self.blocks.heads) {
            let ports = self.kept.keys().filter(|to| to.node() == Some(node));
            let heard: Vec<Heard> = ports.map(|to| (*to, hears(to, &changed))).collect();
            let heard: Vec<_> = heard.into_iter().filter(|(_, from)| !from.is_empty()).collect();
            if !heard.is_empty() {
                changed.insert(node);
                down.nodes.push((node, heard));
            }
        }
        down.logits = hears(&Port::Logits, &changed);
        down
    }
}
