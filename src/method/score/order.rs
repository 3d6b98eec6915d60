//! The order of edges: by their source, then by where they end; what a port reads is a prefix of the nodes.

use crate::circuit::Blocks;
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
}

impl Order {
    /// Of a model with these blocks.
    pub fn new(blocks: &Blocks) -> Self {
        let (nodes, ports, flow) = (blocks.nodes(), blocks.ports(), blocks.flow);
        let first: Vec<usize> =
            nodes.iter().map(|node| ports.partition_point(|port| !node.precedes(*port, flow))).collect();
        let reads = ports.iter().map(|port| nodes.partition_point(|node| node.precedes(*port, flow))).collect();
        let mut start = vec![0];
        first.iter().for_each(|first| start.push(start.last().expect("begun with 0") + ports.len() - first));
        Order { nodes, ports, first, start, reads }
    }

    /// How many edges there are.
    pub fn count(&self) -> usize {
        self.start[self.nodes.len()]
    }

    /// The number of the edge from a node to a port that it feeds, both by index.
    pub fn edge(&self, node: usize, port: usize) -> usize {
        self.start[node] + port - self.first[node]
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
        let of =
            |node: usize| self.ports[self.feeds(node)].iter().map(move |to| Edge { from: self.nodes[node], to: *to });
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
        for flow in [Flow::Sequential, Flow::Parallel] {
            let order = Order::new(&Blocks::new(3, 2, flow).with_neurons([(2, 0), (0, 7), (0, 3)]));
            let edges = order.edges();
            assert_eq!(edges.len(), order.count());
            for (node, from) in order.nodes.iter().enumerate() {
                for (port, to) in order.ports.iter().enumerate() {
                    let reads = node < order.reads(port);
                    assert_eq!(from.precedes(*to, flow), reads, "{from} {to}");
                    if reads {
                        assert_eq!(edges[order.edge(node, port)], Edge { from: *from, to: *to });
                    }
                }
            }
        }
    }
}
