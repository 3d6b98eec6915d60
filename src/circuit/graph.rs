//! The graph of a model's scored edges, and which of them are in the circuit.

use super::{Blocks, Fault, Faults, Vertex};
use crate::node::{Edge, Node};
use patchclamp_probes::Interval;
use petgraph::graph::{DiGraph, EdgeIndex, NodeIndex};
use petgraph::visit::EdgeRef;

/// An edge with what was measured of it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Link {
    /// The edge.
    pub edge: Edge,
    /// Its effect, in the unit of the metric.
    pub score: f64,
    /// The interval of its score, where there is one.
    pub interval: Option<Interval>,
    /// Whether the circuit holds it.
    pub in_circuit: bool,
}

impl From<(Edge, f64)> for Link {
    fn from((edge, score): (Edge, f64)) -> Self {
        Self { edge, score, interval: None, in_circuit: true }
    }
}

impl From<(Edge, f64, Option<Interval>)> for Link {
    fn from((edge, score, interval): (Edge, f64, Option<Interval>)) -> Self {
        Self { edge, score, interval, in_circuit: true }
    }
}

/// The scored edges of a model, some of them in the circuit.
///
/// Nodes are all that the model has, whether or not an edge of theirs was scored. Edges stand in the order of
/// [`Blocks::edges`], whatever the order they came in, so that ties fall in the same way every time.
#[derive(Clone, Debug)]
pub struct Circuit {
    pub(super) blocks: Blocks,
    pub(super) graph: DiGraph<Vertex, Link>,
}

impl Circuit {
    /// The scored edges of a model; a pair of edge and score is in the circuit, a [`Link`] says whether it is.
    ///
    /// Not every edge of the model must have a score: those without are not in the graph, and no selection finds them.
    ///
    /// # Errors
    /// Everything that is wrong with the edges, each with its place among `scores`.
    pub fn new<L: Into<Link>>(blocks: Blocks, scores: impl IntoIterator<Item = L>) -> Result<Self, Faults> {
        let mut links: Vec<(usize, Link)> = scores.into_iter().map(Into::into).enumerate().collect();
        let mut faults: Vec<_> =
            links.iter().filter_map(|(place, link)| fault(&blocks, link).map(|fault| (*place, fault))).collect();
        // a stable sort: of two that are the same edge the later one is the second
        links.sort_by_key(|(_, link)| blocks.order(link.edge));
        let same = links.windows(2).filter(|pair| pair[0].1.edge == pair[1].1.edge);
        faults.extend(same.map(|pair| (pair[1].0, Fault::Twice(pair[1].1.edge))));
        faults.sort_by_key(|(place, _)| *place);
        match faults.is_empty() {
            true => Ok(Self::sorted(blocks, links.into_iter().map(|(_, link)| link))),
            false => Err(Faults(faults)),
        }
    }

    /// The graph of links that are right and in order.
    fn sorted(blocks: Blocks, links: impl Iterator<Item = Link>) -> Self {
        let mut graph = DiGraph::new();
        for vertex in blocks.vertices() {
            graph.add_node(vertex);
        }
        for link in links {
            let ends = [Vertex::of_source(link.edge), Vertex::of_end(link.edge)];
            let [from, to] = ends.map(|vertex| NodeIndex::new(blocks.place(vertex)));
            graph.add_edge(from, to, link);
        }
        Self { blocks, graph }
    }

    /// The model that it is of.
    pub fn blocks(&self) -> &Blocks {
        &self.blocks
    }

    /// All scored edges, in order: what a matrix of scores has as columns.
    pub fn links(&self) -> impl ExactSizeIterator<Item = &Link> + DoubleEndedIterator + Clone {
        self.graph.raw_edges().iter().map(|edge| &edge.weight)
    }

    /// The edges in the circuit.
    pub fn edges(&self) -> impl Iterator<Item = &Link> + Clone {
        self.links().filter(|link| link.in_circuit)
    }

    /// How many edges are in the circuit.
    pub fn size(&self) -> usize {
        self.edges().count()
    }

    /// Whether the circuit holds an edge.
    pub fn contains(&self, edge: Edge) -> bool {
        self.link(edge).is_some_and(|link| link.in_circuit)
    }

    /// What is known of an edge, if it has a score.
    pub fn link(&self, edge: Edge) -> Option<&Link> {
        let edges = self.graph.raw_edges();
        let found = edges.binary_search_by_key(&self.blocks.order(edge), |other| self.blocks.order(other.weight.edge));
        found.ok().map(|place| &edges[place].weight)
    }

    /// The nodes in the circuit: those that an edge of it enters or leaves, in the order of the stream. A head whose keys or
    /// values are read at a position is one of them there, also where it writes at later ones alone.
    pub fn vertices(&self) -> Vec<Vertex> {
        let mut held = vec![false; self.graph.node_count()];
        for edge in self.graph.edge_references().filter(|edge| edge.weight().in_circuit) {
            held[edge.source().index()] = true;
            held[edge.target().index()] = true;
        }
        self.graph.node_weights().zip(held).filter(|(_, held)| *held).map(|(vertex, _)| *vertex).collect()
    }

    /// The nodes in the circuit that write something which it reads: where it goes by positions, not those that only read keys
    /// or values at one.
    pub fn writers(&self) -> Vec<Vertex> {
        let leaves = |edge: petgraph::graph::EdgeReference<Link>| edge.weight().in_circuit;
        let writes = |vertex: &Vertex| {
            let node = self.graph.node_indices().find(|node| self.graph[*node] == *vertex);
            node.is_some_and(|node| self.graph.edges(node).any(leaves))
        };
        let at_positions = self.blocks.positions().is_some();
        self.vertices().into_iter().filter(|vertex| !at_positions || writes(vertex)).collect()
    }

    /// The graph itself, for the algorithms of petgraph.
    pub fn graph(&self) -> &DiGraph<Vertex, Link> {
        &self.graph
    }

    /// The same scores with another choice: `members` says of each of [`Circuit::links`] whether it is in.
    ///
    /// # Panics
    /// If there is not one for each.
    pub fn with(&self, members: &[bool]) -> Self {
        assert_eq!(members.len(), self.graph.edge_count(), "one choice for each edge");
        let mut chosen = self.clone();
        for (place, member) in members.iter().enumerate() {
            chosen.graph[EdgeIndex::new(place)].in_circuit = *member;
        }
        chosen
    }

    /// Of each of [`Circuit::links`] whether it is in the circuit.
    pub fn members(&self) -> Vec<bool> {
        self.links().map(|link| link.in_circuit).collect()
    }

    /// The scores of [`Circuit::links`].
    pub fn scores(&self) -> Vec<f64> {
        self.links().map(|link| link.score).collect()
    }
}

/// What is wrong with an edge by itself.
fn fault(blocks: &Blocks, link: &Link) -> Option<Fault> {
    let Link { edge, score, interval, .. } = *link;
    let ends = interval.map(|Interval { low, high }| (low, high));
    let unnamed = |node: Node| node.neuron().is_some() && node.layer() < Some(blocks.layers) && !blocks.has(node);
    match ends {
        _ if edge.position.is_some() != blocks.positions().is_some() => {
            Some(Fault::Placed { edge, blocks: blocks.clone() })
        }
        _ if unnamed(edge.from) || edge.to.node().is_some_and(unnamed) => Some(Fault::Unnamed(edge)),
        _ if !blocks.has(edge.from) || !edge.to.node().is_none_or(|node| blocks.has(node)) => {
            Some(Fault::Outside { edge, blocks: blocks.clone() })
        }
        _ if !edge.from.precedes(edge.to, blocks.flow) => Some(Fault::Backwards(edge)),
        _ if !blocks.reads_at(edge.to, edge.position) => Some(Fault::Nowhere { edge, blocks: blocks.clone() }),
        _ if !score.is_finite() => Some(Fault::Score { edge, score }),
        Some((low, high)) if !(low.is_finite() && high.is_finite() && low <= high) => {
            Some(Fault::Interval { edge, low, high })
        }
        _ => None,
    }
}
