//! The nodes of a circuit's graph: what writes, everywhere or at one position, and the logits.

use crate::node::{Edge, Node, NodeError, Port};
use std::fmt;
use std::str::FromStr;

/// A node of a circuit: something that writes, or the logits, which only read.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Vertex {
    /// It writes to the stream, at all positions.
    Node(Node),
    /// The same at one position.
    At(Node, usize),
    /// The last norm and the unembedding.
    Logits,
}

impl Vertex {
    /// Something that writes, at a position or at all of them.
    pub fn writing(node: Node, position: Option<usize>) -> Self {
        position.map_or(Self::Node(node), |position| Self::At(node, position))
    }

    /// The node that an edge begins at.
    pub fn of_source(edge: Edge) -> Self {
        Self::writing(edge.from, edge.position)
    }

    /// The node that an edge enters; of keys and values the one at the position that they are read at.
    pub fn of_end(edge: Edge) -> Self {
        edge.to.node().map_or(Self::Logits, |node| Self::writing(node, edge.position))
    }

    /// The node that writes; the logits do not.
    pub fn node(self) -> Option<Node> {
        match self {
            Self::Node(node) | Self::At(node, _) => Some(node),
            Self::Logits => None,
        }
    }

    /// The position, of a node at one.
    pub fn position(self) -> Option<usize> {
        if let Self::At(_, position) = self { Some(position) } else { None }
    }
}

/// Whether a head reads by this port what other positions write: their keys and values.
pub fn looks_back(port: Port) -> bool {
    matches!(port, Port::Key(..) | Port::Value(..))
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
            Self::At(node, position) => write!(out, "{node}@{position}"),
            Self::Logits => out.write_str("logits"),
        }
    }
}

impl FromStr for Vertex {
    type Err = NodeError;

    fn from_str(name: &str) -> Result<Self, NodeError> {
        match name.split_once('@') {
            _ if name == "logits" => Ok(Self::Logits),
            None => name.parse().map(Self::Node),
            Some((node, position)) => {
                let digits = !position.is_empty() && position.bytes().all(|byte| byte.is_ascii_digit());
                let position = digits.then(|| position.parse().ok()).flatten();
                Ok(Self::At(node.parse()?, position.ok_or_else(|| NodeError::Position(name.to_string()))?))
            }
        }
    }
}
