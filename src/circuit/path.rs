//! Paths of a circuit to the logits, the strongest first.
//!
//! **What it measures.** By [`Strength::Weakest`] a path is as strong as the least |score| on it, in the unit of the metric.
//! By [`Strength::Share`] each edge has its share of what enters the node it ends in, |score| over the sum of |scores|
//! of all edges of the circuit into that node, and a path has the product of its shares; those of all paths from the input to
//! the logits add up to 1 where everything comes from the input.
//!
//! **What it cannot show.** What the path does: scores are of single edges, each measured with everything else in place.
//!
//! **Example.** `circuit.paths(Node::Input, Strength::Weakest, 10)`

use super::{Circuit, Vertex};
use crate::node::{Node, Path};
use petgraph::Direction;
use petgraph::graph::NodeIndex;
use petgraph::visit::EdgeRef;

/// What makes a path strong.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Strength {
    /// Its weakest edge.
    Weakest,
    /// The product of its edges' shares in what enters their nodes.
    Share,
}

/// The rest of a path: its strength, its first edge, and which of those from that edge's end it goes on with.
type Tail = (f64, usize, usize);

impl Circuit {
    /// The `count` strongest paths from a node to the logits, strongest first; equals in the order of their edges.
    ///
    /// From the logits down, each node keeps the `count` best of its ways on. No other can be part of a better path, so
    /// time goes with edges times `count` and not with the number of paths, which can be astronomical.
    pub fn paths(&self, from: Node, strength: Strength, count: usize) -> Vec<(Path, f64)> {
        if !self.blocks.has(from) {
            return Vec::new();
        }
        let start = self.blocks.place(from.into());
        let weights = self.weights(strength);
        let mut tails: Vec<Vec<Tail>> = vec![Vec::new(); self.graph.node_count()];
        for node in (start..self.graph.node_count() - 1).rev() {
            tails[node] = self.best(node, &tails, &weights, strength, count);
        }
        tails[start].iter().map(|tail| (self.path(from, tail, &tails), tail.0)).collect()
    }

    /// The best ways on from a node.
    fn best(&self, node: usize, tails: &[Vec<Tail>], weights: &[f64], strength: Strength, count: usize) -> Vec<Tail> {
        let mut ways = Vec::new();
        let leaving = self.graph.edges_directed(NodeIndex::new(node), Direction::Outgoing);
        for edge in leaving.filter(|edge| edge.weight().in_circuit) {
            let (place, weight) = (edge.id().index(), weights[edge.id().index()]);
            match self.graph[edge.target()] {
                Vertex::Logits => ways.push((weight, place, 0)),
                Vertex::Node(_) => {
                    let further = tails[edge.target().index()].iter().enumerate();
                    ways.extend(further.map(|(rank, (rest, ..))| (strength.joined(weight, *rest), place, rank)));
                }
            }
        }
        ways.sort_by(|a, b| b.0.total_cmp(&a.0).then((a.1, a.2).cmp(&(b.1, b.2))));
        ways.truncate(count);
        ways
    }

    fn path(&self, from: Node, tail: &Tail, tails: &[Vec<Tail>]) -> Path {
        let mut ports = Vec::new();
        let mut next = Some(*tail);
        while let Some((_, place, rank)) = next {
            let edge = &self.graph.raw_edges()[place];
            ports.push(edge.weight.edge.to);
            next = tails[edge.target().index()].get(rank).copied();
        }
        Path { from, ports }
    }

    /// What each edge adds to the strength of a path.
    fn weights(&self, strength: Strength) -> Vec<f64> {
        let mut entering = vec![0.0; self.graph.node_count()];
        for edge in self.graph.edge_references().filter(|edge| edge.weight().in_circuit) {
            entering[edge.target().index()] += edge.weight().score.abs();
        }
        let share = |score: f64, sum: f64| if sum > 0.0 { score / sum } else { 0.0 };
        let weight = |edge: &petgraph::graph::Edge<super::Link>| match strength {
            Strength::Weakest => edge.weight.score.abs(),
            Strength::Share => share(edge.weight.score.abs(), entering[edge.target().index()]),
        };
        self.graph.raw_edges().iter().map(weight).collect()
    }
}

impl Strength {
    fn joined(self, edge: f64, rest: f64) -> f64 {
        match self {
            Self::Weakest => edge.min(rest),
            Self::Share => edge * rest,
        }
    }
}
