//! What nodes and edges a model has: the order that ties fall in, and the place of each in a graph.

use crate::node::{Edge, Flow, Node, NodeError, Port};
use std::fmt;
use std::str::FromStr;

/// The blocks of a model, as far as a circuit knows them.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Blocks {
    /// How many.
    pub layers: usize,
    /// Heads of each; where keys and values are shared, those that ask.
    pub heads: usize,
    /// Whether heads feed the MLP of their block.
    pub flow: Flow,
}

/// A node of a circuit: something that writes, or the logits, which only read.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Vertex {
    /// It writes to the stream.
    Node(Node),
    /// The last norm and the unembedding.
    Logits,
}

impl Blocks {
    /// Every node, in the order of the stream: input, the heads of a block, its MLP, logits. 2 + L(H + 1).
    pub fn vertices(self) -> Vec<Vertex> {
        let nodes = Node::all(self.layers, self.heads).into_iter().map(Vertex::Node);
        nodes.chain([Vertex::Logits]).collect()
    }

    /// Every edge that the blocks allow, by sender and then by port, both in the order of the stream.
    pub fn edges(self) -> Vec<Edge> {
        let ports = Port::all(self.layers, self.heads);
        let reached = |from: Node| ports.iter().filter(move |to| from.precedes(**to, self.flow));
        let from = |from| reached(from).map(move |to| Edge { from, to: *to });
        Node::all(self.layers, self.heads).into_iter().flat_map(from).collect()
    }

    /// Whether a node of this name is in the model.
    pub fn has(self, node: Node) -> bool {
        match node {
            Node::Input => true,
            Node::Head(layer, head) => layer < self.layers && head < self.heads,
            Node::Mlp(layer) => layer < self.layers,
        }
    }

    /// The place of a node among [`Blocks::vertices`].
    pub fn place(self, vertex: Vertex) -> usize {
        match vertex {
            Vertex::Node(Node::Input) => 0,
            Vertex::Node(Node::Head(layer, head)) => 1 + layer * (self.heads + 1) + head,
            Vertex::Node(Node::Mlp(layer)) => 1 + layer * (self.heads + 1) + self.heads,
            Vertex::Logits => 1 + self.layers * (self.heads + 1),
        }
    }

    /// What edges are ordered by: the places of sender and port.
    pub fn order(self, edge: Edge) -> (usize, usize) {
        let within = match edge.to {
            Port::Key(..) => 1,
            Port::Value(..) => 2,
            _ => 0,
        };
        (self.place(edge.from.into()), 3 * self.place(Vertex::reading(edge.to)) + within)
    }
}

impl fmt::Display for Blocks {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let flow = match self.flow {
            Flow::Sequential => "",
            Flow::Parallel => ", heads and MLP of a block in parallel",
        };
        write!(out, "{} layers of {} heads{flow}", self.layers, self.heads)
    }
}

impl Vertex {
    /// The node that a port belongs to.
    pub fn reading(port: Port) -> Self {
        port.node().map_or(Self::Logits, Self::Node)
    }

    /// The node that writes; the logits do not.
    pub fn node(self) -> Option<Node> {
        match self {
            Self::Node(node) => Some(node),
            Self::Logits => None,
        }
    }

    /// Whether pruning leaves it alone: nothing enters the input, and nothing leaves the logits.
    pub fn is_end(self) -> bool {
        matches!(self, Self::Node(Node::Input) | Self::Logits)
    }
}

impl From<Node> for Vertex {
    fn from(node: Node) -> Self {
        Self::Node(node)
    }
}

impl fmt::Display for Vertex {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Node(node) => node.fmt(out),
            Self::Logits => out.write_str("logits"),
        }
    }
}

impl FromStr for Vertex {
    type Err = NodeError;

    fn from_str(name: &str) -> Result<Self, NodeError> {
        if name == "logits" { Ok(Self::Logits) } else { name.parse().map(Self::Node) }
    }
}
