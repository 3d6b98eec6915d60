//! The order of edges: by their source, then by where they end, then by position; what a port reads is a prefix of the nodes.

use crate::circuit::{Blocks, Places};
use crate::model::Model;
use crate::node::{Edge, Flow, Node, Port};
use crate::site::Site;
use std::ops::Range;

/// Every edge of a model, numbered.
///
/// Nodes and ports stand in the order of the forward pass, so a port reads from the first nodes, and a node feeds the last
/// ports. An edge has then a number without a table of edges.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Order {
    /// What writes.
    pub nodes: Vec<Node>,
    /// What reads.
    pub ports: Vec<Port>,
    /// The first port that each node feeds.
    first: Vec<usize>,
    /// The number of each node's first edge, and behind the last the count of all.
    start: Vec<usize>,
    /// How many nodes each port reads from.
    reads: Vec<usize>,
    /// The positions that are told apart, where they are.
    positions: Option<Places>,
}

impl Order {
    /// Of a model with these blocks.
    pub fn new(blocks: &Blocks) -> Self {
        let (nodes, ports, flow) = (blocks.nodes(), blocks.ports(), blocks.flow);
        let first: Vec<usize> =
            nodes.iter().map(|node| ports.partition_point(|port| !node.precedes(*port, flow))).collect();
        let reads = ports.iter().map(|port| nodes.partition_point(|node| node.precedes(*port, flow))).collect();
        let mut start = vec![0];
        let (positions, apart) = (blocks.positions(), blocks.positions().map_or(1, |places| places.count));
        // the logits are the last port, and read at one position
        let edges = |first: &usize| (ports.len() - 1 - first) * apart + 1;
        first.iter().for_each(|first| start.push(start.last().expect("begun with 0") + edges(first)));
        Order { nodes, ports, first, start, reads, positions }
    }

    /// How many edges there are.
    pub fn count(&self) -> usize {
        self.start[self.nodes.len()]
    }

    /// The number of the edge from a node to a port that it feeds, both by index; of several at positions the first.
    pub fn edge(&self, node: usize, port: usize) -> usize {
        self.start[node] + (port - self.first[node]) * self.places()
    }

    /// The number of the same edge at one of the positions that are told apart, if it has one there; where they are not
    /// the one place is 0.
    pub fn edge_at(&self, node: usize, port: usize, place: usize) -> Option<usize> {
        match port + 1 == self.ports.len() {
            true => (place == self.positions.map_or(0, |places| places.answer)).then(|| self.edge(node, port)),
            false => (place < self.places()).then(|| self.edge(node, port) + place),
        }
    }

    /// The numbers of all edges from a node to a port that it feeds.
    pub fn edges_between(&self, node: usize, port: usize) -> Range<usize> {
        let last = port + 1 == self.ports.len();
        self.edge(node, port)..self.edge(node, port) + if last { 1 } else { self.places() }
    }

    /// The positions that are told apart, where they are.
    pub fn positions(&self) -> Option<Places> {
        self.positions
    }

    /// How many sums a score has for all its positions: one, or one each.
    pub fn places(&self) -> usize {
        self.positions.map_or(1, |places| places.count)
    }

    /// The numbers of a node's edges, which lead to its ports in order.
    pub fn edges_of(&self, node: usize) -> Range<usize> {
        self.start[node]..self.start[node + 1]
    }

    /// How many nodes, the first ones, a port reads from.
    pub fn reads(&self, port: usize) -> usize {
        self.reads[port]
    }

    /// The ports that a node feeds: from here on all.
    pub fn feeds(&self, node: usize) -> Range<usize> {
        self.first[node]..self.ports.len()
    }

    /// Every edge, in order.
    pub fn edges(&self) -> Vec<Edge> {
        let placed = |node: usize, port: usize| {
            let there = (0..self.places()).filter(move |place| self.edge_at(node, port, *place).is_some());
            let edge = Edge::new(self.nodes[node], self.ports[port]);
            there.map(move |place| edge.at(self.positions.map(|_| place)))
        };
        let of = |node: usize| self.feeds(node).flat_map(move |port| placed(node, port));
        (0..self.nodes.len()).flat_map(of).collect()
    }
}

/// Ports that read one and the same stream.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Reader {
    /// The heads of a layer.
    Heads(usize),
    /// The MLP of a layer.
    Mlp(usize),
    /// The last norm and the unembedding.
    Logits,
}

impl Reader {
    /// All of a model, in the order of their ports.
    pub fn all(layers: usize) -> Vec<Reader> {
        (0..layers).flat_map(|layer| [Reader::Heads(layer), Reader::Mlp(layer)]).chain([Reader::Logits]).collect()
    }

    /// That of a port.
    pub fn of(port: Port) -> Reader {
        match port {
            Port::Query(layer, _) | Port::Key(layer, _) | Port::Value(layer, _) => Reader::Heads(layer),
            Port::Mlp(layer) | Port::Neuron(layer, _) => Reader::Mlp(layer),
            Port::Logits => Reader::Logits,
        }
    }

    /// The numbers of its ports: of heads first head 0's query, key and value, of an MLP first its own, then its neurons'.
    pub fn ports(self, order: &Order) -> Range<usize> {
        let here = |port: &Port| Reader::of(*port) == self;
        let first = order.ports.iter().position(here).unwrap_or(order.ports.len());
        first..first + order.ports[first..].iter().take_while(|port| here(port)).count()
    }

    /// Where the stream is recorded.
    pub fn stream(self, model: &dyn Model) -> Site {
        match self {
            Reader::Heads(layer) => Site::ResidPre(layer),
            Reader::Mlp(layer) if model.flow() == Some(Flow::Parallel) => Site::ResidPre(layer),
            Reader::Mlp(layer) => Site::ResidMid(layer),
            Reader::Logits => model.last_stream(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_edge_is_where_its_number_says() {
        for (flow, positions) in [Flow::Sequential, Flow::Parallel].into_iter().flat_map(|flow| {
            [None, Some(Places::causal(1)), Some(Places::causal(4)), Some(Places { answer: 1, ..Places::causal(4) })]
                .map(|some| (flow, some))
        }) {
            let blocks = Blocks::new(3, 2, flow).with_neurons([(2, 0), (0, 7), (0, 3)]).at_positions(positions);
            let order = Order::new(&blocks);
            let edges = order.edges();
            assert_eq!((edges.len(), blocks.count()), (order.count(), order.count()));
            assert_eq!(edges, blocks.edges());
            for (node, from) in order.nodes.iter().enumerate() {
                for (port, to) in order.ports.iter().enumerate() {
                    let reads = node < order.reads(port);
                    assert_eq!(from.precedes(*to, flow), reads, "{from} {to}");
                    for place in (0..order.places() + 1).filter(|_| reads) {
                        let edge = Edge::new(*from, *to).at(positions.map(|_| place));
                        let found = order.edge_at(node, port, place).map(|number| edges[number]);
                        assert_eq!(found, edges.contains(&edge).then_some(edge).filter(|_| place < order.places()));
                    }
                }
            }
        }
    }
}
