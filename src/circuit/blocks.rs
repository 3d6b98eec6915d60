//! What nodes and edges a model has: the order that ties fall in, and the place of each in a graph.

use super::places::Places;
use super::vertex::Vertex;
use crate::node::{Edge, Flow, Node, Port};
use std::fmt;
use std::ops::Range;

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
    /// What is told apart beyond heads and MLPs; none where nothing is.
    finer: Option<Box<Finer>>,
}

/// What is told apart beyond heads and MLPs.
#[derive(Clone, Default, PartialEq, Eq, Debug)]
struct Finer {
    /// The neurons that are nodes of their own, layer and neuron, in this order and each once.
    neurons: Vec<(usize, usize)>,
    /// The positions that have nodes of their own.
    positions: Option<Places>,
}

impl Blocks {
    /// Blocks whose MLPs are whole.
    pub const fn new(layers: usize, heads: usize, flow: Flow) -> Self {
        Blocks { layers, heads, flow, finer: None }
    }

    /// The same with these neurons, layer and neuron each, as nodes of their own; those beyond the layers are left out.
    pub fn with_neurons(&self, neurons: impl IntoIterator<Item = (usize, usize)>) -> Self {
        let mut neurons: Vec<_> = neurons.into_iter().filter(|(layer, _)| *layer < self.layers).collect();
        neurons.sort_unstable();
        neurons.dedup();
        self.finer(Finer { neurons, positions: self.positions() })
    }

    /// The same with nodes at each position by themselves. An edge is then one at each of them; the logits are read where the
    /// answer is alone.
    pub fn at_positions(&self, positions: Option<Places>) -> Self {
        self.finer(Finer { neurons: self.neurons().to_vec(), positions })
    }

    fn finer(&self, finer: Finer) -> Self {
        let finer = (finer != Finer::default()).then(|| Box::new(finer));
        Blocks { finer, ..self.clone() }
    }

    /// The positions that have nodes of their own; `None` where nodes are of all positions together.
    pub fn positions(&self) -> Option<Places> {
        self.finer.as_ref().and_then(|finer| finer.positions)
    }

    /// The neurons that are nodes of their own, layer and neuron each, in order.
    pub fn neurons(&self) -> &[(usize, usize)] {
        self.finer.as_ref().map_or(&[], |finer| &finer.neurons)
    }

    /// The neurons of a layer that are nodes of their own, and how many there are in the layers before.
    fn neurons_of(&self, layer: usize) -> (&[(usize, usize)], usize) {
        let [first, end] = [layer, layer + 1].map(|end| self.neurons().partition_point(|(of, _)| *of < end));
        (&self.neurons()[first..end], first)
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

    /// Every node, in the order of the stream, the logits last: 2 + L(H + 1), and neurons; each at every position where
    /// these are told apart.
    pub fn vertices(&self) -> Vec<Vertex> {
        let everywhere = |node: Node| self.places().map(move |position| Vertex::writing(node, position));
        self.nodes().into_iter().flat_map(everywhere).chain([Vertex::Logits]).collect()
    }

    /// The positions of nodes; one that is no position where they are of all together.
    fn places(&self) -> impl Iterator<Item = Option<usize>> + use<> {
        let apart = self.positions();
        (0..apart.map_or(1, |places| places.count)).map(move |position| apart.map(|_| position))
    }

    /// Every edge that the blocks allow, by sender, then by port, both in the order of the stream, then by position.
    pub fn edges(&self) -> Vec<Edge> {
        let ports = self.ports();
        let reached = |from: Node| ports.iter().filter(move |to| from.precedes(**to, self.flow));
        let placed = |from, to: Port| {
            let read = move |position: &Option<usize>| self.reads_at(to, *position);
            self.places().filter(read).map(move |position| Edge::new(from, to).at(position))
        };
        let from = |from| reached(from).flat_map(move |to| placed(from, *to));
        self.nodes().into_iter().flat_map(from).collect()
    }

    /// How many edges the blocks allow.
    pub fn count(&self) -> usize {
        let (ports, apart) = (self.ports(), self.apart());
        // the logits are the last port
        let of = |node: Node| ports.iter().filter(|port| node.precedes(**port, self.flow)).count() - 1;
        self.nodes().into_iter().map(|node| of(node) * apart + 1).sum()
    }

    /// How many nodes there are of each that writes.
    fn apart(&self) -> usize {
        self.positions().map_or(1, |places| places.count)
    }

    /// Whether a port has edges at a position: the logits where the answer is alone.
    pub fn reads_at(&self, port: Port, position: Option<usize>) -> bool {
        match (self.positions(), position) {
            (None, None) => true,
            (Some(places), Some(position)) if port == Port::Logits => position == places.answer,
            (Some(places), Some(position)) => position < places.count,
            _ => false,
        }
    }

    /// Whether a node of this name is in the model.
    pub fn has(&self, node: Node) -> bool {
        match node {
            Node::Input => true,
            Node::Head(layer, head) => layer < self.layers && head < self.heads,
            Node::Mlp(layer) => layer < self.layers,
            Node::Neuron(layer, neuron) => self.neurons().binary_search(&(layer, neuron)).is_ok(),
        }
    }

    /// Whether a node of a circuit is in the model.
    pub fn has_vertex(&self, vertex: Vertex) -> bool {
        match (vertex.node(), vertex.position(), self.positions()) {
            (None, ..) => true,
            (Some(node), None, None) => self.has(node),
            (Some(node), Some(position), Some(places)) => self.has(node) && position < places.count,
            _ => false,
        }
    }

    /// The place of a node among [`Blocks::vertices`].
    pub fn place(&self, vertex: Vertex) -> usize {
        self.number(vertex.node()) * self.apart() + vertex.position().unwrap_or(0)
    }

    /// The place of what writes among [`Blocks::nodes`], the logits behind all.
    fn number(&self, node: Option<Node>) -> usize {
        let block = |layer: usize| 1 + layer * (self.heads + 1) + self.neurons_of(layer).1;
        match node {
            Some(Node::Input) => 0,
            Some(Node::Head(layer, head)) => block(layer) + head,
            Some(Node::Mlp(layer)) => block(layer) + self.heads,
            Some(Node::Neuron(layer, neuron)) => {
                let place = self.neurons_of(layer).0.partition_point(|(_, other)| *other < neuron);
                block(layer) + self.heads + 1 + place
            }
            None => block(self.layers),
        }
    }

    /// What edges are ordered by: the places of sender and port, and the position.
    pub fn order(&self, edge: Edge) -> (usize, usize, Option<usize>) {
        let within = match edge.to {
            Port::Key(..) => 1,
            Port::Value(..) => 2,
            _ => 0,
        };
        (self.number(Some(edge.from)), 3 * self.number(edge.to.node()) + within, edge.position)
    }

    /// The places of the nodes whose output hangs on what an edge brings; `end` is that of the node it enters. Keys and values
    /// read at a position are heard by their head there and at every later one, all else at its own position.
    pub fn heard(&self, edge: Edge, end: usize) -> Range<usize> {
        match (self.positions(), edge.position, edge.to) {
            (Some(places), Some(position), to) if to != Port::Logits => {
                let Range { start, end: last } = places.hearing(edge, position);
                end - position + start..end - position + last
            }
            _ => end..end + 1,
        }
    }
}

impl fmt::Display for Blocks {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let flow = match self.flow {
            Flow::Sequential => "",
            Flow::Parallel => ", heads and MLP of a block in parallel",
        };
        write!(out, "{} layers of {} heads{flow}", self.layers, self.heads)?;
        if let Some(positions) = self.positions() {
            write!(out, ", {positions}")?;
        }
        if self.neurons().is_empty() {
            return Ok(());
        }
        let named = self.neurons().iter().take(NAMED).map(|(layer, neuron)| Node::Neuron(*layer, *neuron).to_string());
        let more = self.neurons().len().saturating_sub(NAMED);
        let more = if more > 0 { format!(" and {more} more") } else { String::new() };
        write!(out, ", with {}{more} as nodes of their own", named.collect::<Vec<_>>().join(", "))
    }
}
