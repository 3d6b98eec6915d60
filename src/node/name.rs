//! Names of nodes, ports, edges and paths: printed, and read back.

use super::{Edge, Node, Path, Port};
use std::fmt;
use std::str::FromStr;

impl fmt::Display for Node {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Node::Input => out.write_str("input"),
            Node::Head(layer, head) => write!(out, "a{layer}.h{head}"),
            Node::Mlp(layer) => write!(out, "m{layer}"),
            Node::Neuron(layer, neuron) => write!(out, "m{layer}.n{neuron}"),
        }
    }
}

impl fmt::Display for Port {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Port::Query(layer, head) => write!(out, "a{layer}.h{head}<q>"),
            Port::Key(layer, head) => write!(out, "a{layer}.h{head}<k>"),
            Port::Value(layer, head) => write!(out, "a{layer}.h{head}<v>"),
            Port::Mlp(layer) => write!(out, "m{layer}"),
            Port::Neuron(layer, neuron) => write!(out, "m{layer}.n{neuron}"),
            Port::Logits => out.write_str("logits"),
        }
    }
}

impl fmt::Display for Edge {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}->{}", self.from, self.to)?;
        self.position.map_or(Ok(()), |position| write!(out, "@{position}"))
    }
}

impl fmt::Display for Path {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}", self.from)?;
        self.edges().iter().try_for_each(|edge| match edge.position {
            Some(position) => write!(out, "->{}@{position}", edge.to),
            None => write!(out, "->{}", edge.to),
        })
    }
}

/// A name that is no node, port, edge or path.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NodeError {
    /// Not something that writes.
    #[error("{0:?} is nothing that writes to the stream; write input, a5.h3 for head 3 of layer 5, or m7 for its MLP")]
    Node(String),
    /// Not something that reads.
    #[error(
        "{0:?} is nothing that reads the stream; write a5.h3<q>, a5.h3<k> or a5.h3<v> for what a head reads, m7 for an MLP, or logits"
    )]
    Port(String),
    /// No arrow.
    #[error("{0:?} has no arrow; write for instance a0.h1->logits, or a0.h1->a2.h1<v>->logits")]
    Arrow(String),
    /// No position, or not where it belongs.
    #[error(
        "{0:?} has no position that can be read; write for instance m0->a5.h5<k>@3, counted from 0, and in a path one behind every port or none"
    )]
    Position(String),
}

impl FromStr for Node {
    type Err = NodeError;

    fn from_str(name: &str) -> Result<Self, NodeError> {
        let within = |kind: char, part: &str| {
            let (layer, index) = name.strip_prefix(kind)?.split_once(part)?;
            Some((number(layer)?, number(index)?))
        };
        let head = || within('a', ".h").map(|(layer, head)| Node::Head(layer, head));
        let neuron = || within('m', ".n").map(|(layer, neuron)| Node::Neuron(layer, neuron));
        let mlp = || name.strip_prefix('m').and_then(number).map(Node::Mlp);
        let input = (name == "input").then_some(Node::Input);
        input.or_else(head).or_else(mlp).or_else(neuron).ok_or_else(|| NodeError::Node(name.to_string()))
    }
}

/// Digits alone: a sign or a space would print back as another name.
fn number(text: &str) -> Option<usize> {
    text.bytes().all(|byte| byte.is_ascii_digit()).then(|| text.parse().ok())?
}

impl FromStr for Port {
    type Err = NodeError;

    fn from_str(name: &str) -> Result<Self, NodeError> {
        let port = |inside: &str| match (inside.split_once('<'), inside.parse()) {
            (Some((head, port)), _) => match (head.parse(), port) {
                (Ok(Node::Head(layer, head)), "q>") => Some(Port::Query(layer, head)),
                (Ok(Node::Head(layer, head)), "k>") => Some(Port::Key(layer, head)),
                (Ok(Node::Head(layer, head)), "v>") => Some(Port::Value(layer, head)),
                _ => None,
            },
            (None, Ok(Node::Mlp(layer))) => Some(Port::Mlp(layer)),
            (None, Ok(Node::Neuron(layer, neuron))) => Some(Port::Neuron(layer, neuron)),
            _ => (inside == "logits").then_some(Port::Logits),
        };
        port(name).ok_or_else(|| NodeError::Port(name.to_string()))
    }
}

/// A port, and the position behind it if there is one.
fn placed(text: &str) -> Result<(Port, Option<usize>), NodeError> {
    let Some((port, position)) = text.trim().split_once('@') else { return Ok((text.trim().parse()?, None)) };
    let position = (!position.is_empty()).then(|| number(position)).flatten();
    Ok((port.parse()?, Some(position.ok_or_else(|| NodeError::Position(text.to_string()))?)))
}

impl FromStr for Path {
    type Err = NodeError;

    fn from_str(text: &str) -> Result<Self, NodeError> {
        let (from, rest) = text.split_once("->").ok_or_else(|| NodeError::Arrow(text.to_string()))?;
        let ports: Vec<(Port, Option<usize>)> = rest.split("->").map(placed).collect::<Result<_, _>>()?;
        let positions: Vec<usize> = ports.iter().filter_map(|(_, position)| *position).collect();
        if !positions.is_empty() && positions.len() < ports.len() {
            return Err(NodeError::Position(text.to_string()));
        }
        Ok(Path { from: from.trim().parse()?, ports: ports.into_iter().map(|(port, _)| port).collect(), positions })
    }
}

impl FromStr for Edge {
    type Err = NodeError;

    fn from_str(text: &str) -> Result<Self, NodeError> {
        let (from, to) = text.split_once("->").ok_or_else(|| NodeError::Arrow(text.to_string()))?;
        let (to, position) = placed(to)?;
        Ok(Edge { from: from.trim().parse()?, to, position })
    }
}
