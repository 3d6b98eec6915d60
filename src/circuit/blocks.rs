//! What nodes and edges a model has: the order that ties fall in, and the place of each in a graph.

use crate::node::{Edge, Flow, Node, NodeError, Port};
use std::fmt;
use std::str::FromStr;

/// Neurons that are named; more are counted.
const NAMED: usize = 6;

/// The blocks of a model, as far as a circuit knows them.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Blocks {
    /// How many.
    pub layers: usize,
    /// Heads of each; where keys and values are shared, those that ask.
    pub heads: usize,
    /// Whether heads feed the MLP of their block.
    pub flow: Flow,
    /// The neurons that are nodes of their own, layer and neuron, in this order and each once.
    neurons: Vec<(usize, usize)>,
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
    /// Blocks whose MLPs are whole.
    pub const fn new(layers: usize, heads: usize, flow: Flow) -> Self {
        Blocks { layers, heads, flow, neurons: Vec::new() }
    }

    /// The same with these neurons, layer and neuron each, as nodes of their own; those beyond the layers are left out.
    pub fn with_neurons(&self, neurons: impl IntoIterator<Item = (usize, usize)>) -> Self {
        let mut neurons: Vec<_> = neurons.into_iter().filter(|(layer, _)| *layer < self.layers).collect();
        neurons.sort_unstable();
        neurons.dedup();
        Blocks { neurons, ..self.clone() }
    }

    /// The neurons that are nodes of their own, layer and neuron each, in order.
    pub fn neurons(&self) -> &[(usize, usize)] {
        &self.neurons
    }

    /// The neurons of a layer that are nodes of their own, and how many there are in the layers before.
    fn neurons_of(&self, layer: usize) -> (&[(usize, usize)], usize) {
        let [first, end] = [layer, layer + 1].map(|end| self.neurons.partition_point(|(of, _)| *of < end));
        (&self.neurons[first..end], first)
    }

    /// What writes, in the order of the stream: input, the heads of a block, its MLP, neurons of that.
    pub fn nodes(&self) -> Vec<Node> {
        let own = |node: Node| {
            let layer = matches!(node, Node::Mlp(_)).then(|| node.layer()).flatten();
            let neurons = layer.map_or(&[][..], |layer| self.neurons_of(layer).0);
            std::iter::once(node).chain(neurons.iter().map(|(layer, neuron)| Node::Neuron(*layer, *neuron)))
        };
        Node::all(self.layers, self.heads).into_iter().flat_map(own).collect()
    }

    /// What reads, in the order of the stream.
    pub fn ports(&self) -> Vec<Port> {
        let own = |port: Port| {
            let layer = matches!(port, Port::Mlp(_)).then(|| port.layer()).flatten();
            let neurons = layer.map_or(&[][..], |layer| self.neurons_of(layer).0);
            std::iter::once(port).chain(neurons.iter().map(|(layer, neuron)| Port::Neuron(*layer, *neuron)))
        };
        Port::all(self.layers, self.heads).into_iter().flat_map(own).collect()
    }

    /// Every node, in the order of the stream, the logits last: 2 + L(H + 1), and neurons.
    pub fn vertices(&self) -> Vec<Vertex> {
        self.nodes().into_iter().map(Vertex::Node).chain([Vertex::Logits]).collect()
    }

    /// Every edge that the blocks allow, by sender and then by port, both in the order of the stream.
    pub fn edges(&self) -> Vec<Edge> {
        let ports = self.ports();
        let reached = |from: Node| ports.iter().filter(move |to| from.precedes(**to, self.flow));
        let from = |from| reached(from).map(move |to| Edge { from, to: *to });
        self.nodes().into_iter().flat_map(from).collect()
    }

    /// Whether a node of this name is in the model.
    pub fn has(&self, node: Node) -> bool {
        match node {
            Node::Input => true,
            Node::Head(layer, head) => layer < self.layers && head < self.heads,
            Node::Mlp(layer) => layer < self.layers,
            Node::Neuron(layer, neuron) => self.neurons.binary_search(&(layer, neuron)).is_ok(),
        }
    }

    /// The place of a node among [`Blocks::vertices`].
    pub fn place(&self, vertex: Vertex) -> usize {
        let block = |layer: usize| 1 + layer * (self.heads + 1) + self.neurons_of(layer).1;
        match vertex {
            Vertex::Node(Node::Input) => 0,
            Vertex::Node(Node::Head(layer, head)) => block(layer) + head,
            Vertex::Node(Node::Mlp(layer)) => block(layer) + self.heads,
            Vertex::Node(Node::Neuron(layer, neuron)) => {
                let place = self.neurons_of(layer).0.partition_point(|(_, other)| *other < neuron);
                block(layer) + self.heads + 1 + place
            }
            Vertex::Logits => block(self.layers),
        }
    }

    /// What edges are ordered by: the places of sender and port.
    pub fn order(&self, edge: Edge) -> (usize, usize) {
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
        write!(out, "{} layers of {} heads{flow}", self.layers, self.heads)?;
        if self.neurons.is_empty() {
            return Ok(());
        }
        let named = self.neurons.iter().take(NAMED).map(|(layer, neuron)| Node::Neuron(*layer, *neuron).to_string());
        let more = self.neurons.len().saturating_sub(NAMED);
        let more = if more > 0 { format!(" and {more} more") } else { String::new() };
        write!(out, ", with {}{more} as nodes of their own", named.collect::<Vec<_>>().join(", "))
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
