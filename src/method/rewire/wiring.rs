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

/// What hears of a change at a port, or of one in what a node writes, in the order of the pass.
#[derive(Default)]
pub struct Down {
    /// The nodes that make something else, each with its ports that read something else; a port where the change is stands
    /// first, and hears it from no node.
    pub nodes: Vec<(Node, Vec<Heard>)>,
    /// The nodes that the logits hear it from.
    pub logits: Vec<Node>,
    /// Those of the nodes that the logits alone hear: what they make matters where the logits are read, and nowhere else.
    pub last: BTreeSet<Node>,
}

impl Wiring {
    /// Nothing is decided, every edge is there.
    pub fn whole(blocks: Blocks) -> Self {
        Wiring { blocks, kept: BTreeMap::new() }
    }

    /// The ports in the order in which they are decided on: the reverse of the pass.
    pub fn ports(blocks: &Blocks) -> Vec<Port> {
        blocks.ports().into_iter().rev().collect()
    }

    /// What a port may read from, later nodes first.
    pub fn parents(&self, port: Port) -> Vec<Node> {
        let nodes = self.blocks.nodes().into_iter().rev();
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

    /// Whether no port but the logits hears a node. All ports behind it must be decided on.
    fn is_last(&self, node: Node) -> bool {
        self.kept.iter().all(|(to, kept)| *to == Port::Logits || !kept.contains(&node))
    }

    /// Whether an edge is left.
    pub fn holds(&self, edge: Edge) -> bool {
        self.kept.get(&edge.to).is_none_or(|kept| kept.contains(&edge.from))
    }

    /// What hears of a change at a port behind which all is decided.
    pub fn behind_port(&self, port: Port) -> Down {
        let Some(first) = port.node() else { return Down::default() };
        let mut down = self.behind_node(first);
        down.nodes.insert(0, (first, vec![(port, Vec::new())]));
        down
    }

    /// What hears of a change in what a node writes behind which all is decided.
    pub fn behind_node(&self, first: Node) -> Down {
        let mut down = Down::default();
        let mut changed = BTreeSet::from([first]);
        let hears = |to: &Port, changed: &BTreeSet<Node>| -> Vec<Node> {
            self.kept.get(to).map_or(Vec::new(), |kept| kept.intersection(changed).copied().collect())
        };
        for node in self.blocks.nodes() {
            let ports = self.kept.keys().filter(|to| to.node() == Some(node));
            let heard: Vec<Heard> = ports.map(|to| (*to, hears(to, &changed))).collect();
            let heard: Vec<_> = heard.into_iter().filter(|(_, from)| !from.is_empty()).collect();
            if !heard.is_empty() {
                changed.insert(node);
                down.nodes.push((node, heard));
            }
        }
        down.logits = hears(&Port::Logits, &changed);
        down.last = changed.into_iter().filter(|node| self.is_last(*node)).collect();
        down
    }
}
