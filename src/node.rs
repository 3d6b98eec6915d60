//! Nodes of a model's graph: what writes to the stream, what reads it, and the edges and paths between.
//!
//! Names are those of the circuit literature: `input`, `a5.h3`, `m7`, `logits`; what a head reads is `a5.h3<q>`, `<k>` or
//! `<v>`; an edge is `m0->a5.h5<k>`, a path `a0.h1->a2.h1<v>->logits`.

use std::fmt;
use std::str::FromStr;

/// Whether the heads of a block feed its MLP.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Flow {
    /// They do.
    Sequential,
    /// They do not: both read the stream before the block (GPT-J, GPT-NeoX).
    Parallel,
}

/// What writes to the stream.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Node {
    /// The embeddings, as they enter the first block.
    Input,
    /// A head: layer, head.
    Head(usize, usize),
    /// An MLP: layer.
    Mlp(usize),
}

/// What reads the stream.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Port {
    /// The queries of a head: layer, head.
    Query(usize, usize),
    /// The keys of a head; where heads share keys, as this head alone sees them.
    Key(usize, usize),
    /// The values of a head; where heads share values, as this head alone sees them.
    Value(usize, usize),
    /// An MLP: layer.
    Mlp(usize),
    /// The last norm and the unembedding.
    Logits,
}

/// From a node that writes to a port that reads.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Edge {
    /// Where it begins.
    pub from: Node,
    /// Where it ends.
    pub to: Port,
}

/// From a node through the nodes of further ports: `a0.h1->a2.h1<v>->logits`.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Path {
    /// Where it begins.
    pub from: Node,
    /// The ports it goes through, in order; there is at least one.
    pub ports: Vec<Port>,
}

impl Node {
    /// The layer of a head or an MLP.
    pub fn layer(self) -> Option<usize> {
        match self {
            Node::Input => None,
            Node::Head(layer, _) | Node::Mlp(layer) => Some(layer),
        }
    }

    /// The head, of a head.
    pub fn head(self) -> Option<usize> {
        if let Node::Head(_, head) = self { Some(head) } else { None }
    }

    /// Where it writes, counted in half blocks: the input 0, heads odd, MLPs even.
    fn time(self) -> usize {
        match self {
            Node::Input => 0,
            Node::Head(layer, _) => 2 * layer + 1,
            Node::Mlp(layer) => 2 * layer + 2,
        }
    }

    /// Whether what it writes is in what the port reads.
    pub fn precedes(self, port: Port, flow: Flow) -> bool {
        let read = match (port, flow) {
            (Port::Query(layer, _) | Port::Key(layer, _) | Port::Value(layer, _), _) => 2 * layer + 1,
            (Port::Mlp(layer), Flow::Sequential) => 2 * layer + 2,
            (Port::Mlp(layer), Flow::Parallel) => 2 * layer + 1,
            (Port::Logits, _) => usize::MAX,
        };
        self.time() < read
    }

    /// Every node of a model: 1 + L(H + 1).
    pub fn all(layers: usize, heads: usize) -> Vec<Node> {
        let block = |layer| (0..heads).map(move |head| Node::Head(layer, head)).chain([Node::Mlp(layer)]);
        std::iter::once(Node::Input).chain((0..layers).flat_map(block)).collect()
    }
}

impl Port {
    /// The node that writes what it makes of what is read here; nothing behind the logits.
    pub fn node(self) -> Option<Node> {
        match self {
            Port::Query(layer, head) | Port::Key(layer, head) | Port::Value(layer, head) => {
                Some(Node::Head(layer, head))
            }
            Port::Mlp(layer) => Some(Node::Mlp(layer)),
            Port::Logits => None,
        }
    }

    /// Its layer; the logits have none.
    pub fn layer(self) -> Option<usize> {
        self.node().and_then(Node::layer)
    }

    /// Every port of a model: L(3H + 1) + 1.
    pub fn all(layers: usize, heads: usize) -> Vec<Port> {
        let head = |layer, head| [Port::Query(layer, head), Port::Key(layer, head), Port::Value(layer, head)];
        let block = |layer| (0..heads).flat_map(move |index| head(layer, index)).chain([Port::Mlp(layer)]);
        (0..layers).flat_map(block).chain([Port::Logits]).collect()
    }
}

impl Path {
    /// The last port.
    pub fn end(&self) -> Port {
        *self.ports.last().expect("a path has a port")
    }

    /// Its edges, in order.
    pub fn edges(&self) -> Vec<Edge> {
        let between = self.ports.iter().filter_map(|port| port.node());
        std::iter::once(self.from).chain(between).zip(&self.ports).map(|(from, to)| Edge { from, to: *to }).collect()
    }
}

impl fmt::Display for Node {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Node::Input => out.write_str("input"),
            Node::Head(layer, head) => write!(out, "a{layer}.h{head}"),
            Node::Mlp(layer) => write!(out, "m{layer}"),
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
            Port::Logits => out.write_str("logits"),
        }
    }
}

impl fmt::Display for Edge {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}->{}", self.from, self.to)
    }
}

impl fmt::Display for Path {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}", self.from)?;
        self.ports.iter().try_for_each(|port| write!(out, "->{port}"))
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
}

impl FromStr for Node {
    type Err = NodeError;

    fn from_str(name: &str) -> Result<Self, NodeError> {
        let head =
            || name.strip_prefix('a')?.split_once(".h").and_then(|(l, h)| Some(Node::Head(number(l)?, number(h)?)));
        let mlp = || name.strip_prefix('m').and_then(number).map(Node::Mlp);
        let input = (name == "input").then_some(Node::Input);
        input.or_else(head).or_else(mlp).ok_or_else(|| NodeError::Node(name.to_string()))
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
            _ => (inside == "logits").then_some(Port::Logits),
        };
        port(name).ok_or_else(|| NodeError::Port(name.to_string()))
    }
}

impl FromStr for Path {
    type Err = NodeError;

    fn from_str(text: &str) -> Result<Self, NodeError> {
        let (from, rest) = text.split_once("->").ok_or_else(|| NodeError::Arrow(text.to_string()))?;
        let ports: Result<Vec<Port>, _> = rest.split("->").map(|port| port.trim().parse()).collect();
        Ok(Path { from: from.trim().parse()?, ports: ports? })
    }
}

impl FromStr for Edge {
    type Err = NodeError;

    fn from_str(text: &str) -> Result<Self, NodeError> {
        let (from, to) = text.split_once("->").ok_or_else(|| NodeError::Arrow(text.to_string()))?;
        Ok(Edge { from: from.trim().parse()?, to: to.trim().parse()? })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_print_and_parse_the_same() {
        for name in ["input->m0", "a9.h9->logits", "m0->a5.h5<k>", "a0.h1->a2.h1<v>->m3->logits"] {
            assert_eq!(name.parse::<Path>().unwrap().to_string(), name);
        }
        assert_eq!("m0->a5.h5<k>".parse::<Edge>().unwrap().to_string(), "m0->a5.h5<k>");
    }

    #[test]
    fn what_is_no_name_is_refused() {
        for name in ["a0.h1", "a0->logits", "m0->a5.h5", "logits->m0", "m+1->logits", "m->logits", "a0.h1->a2.h1<x>"] {
            assert!(name.parse::<Path>().is_err(), "{name}");
        }
    }

    /// The figures of the reference: GPT-2 small has 158 nodes, the logits counted, and 32,491 edges.
    #[test]
    fn gpt2_has_as_many_nodes_and_edges_as_the_reference_says() {
        let (nodes, ports) = (Node::all(12, 12), Port::all(12, 12));
        let edges =
            nodes.iter().map(|node| ports.iter().filter(|port| node.precedes(**port, Flow::Sequential)).count());
        assert_eq!((nodes.len() + 1, edges.sum::<usize>()), (158, 32_491));
    }

    #[test]
    fn heads_of_a_parallel_block_do_not_feed_its_mlp() {
        assert!(Node::Head(1, 0).precedes(Port::Mlp(1), Flow::Sequential));
        assert!(!Node::Head(1, 0).precedes(Port::Mlp(1), Flow::Parallel));
        assert!(Node::Mlp(0).precedes(Port::Mlp(1), Flow::Parallel));
    }
}
