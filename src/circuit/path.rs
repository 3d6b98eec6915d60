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

use super::Circuit;
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

/// The rest of a path.
#[derive(Clone, Copy)]
struct Tail {
    strength: f64,
    /// Its first edge.
    edge: usize,
    /// Where it goes on: the node that writes next, and which of the ways from there.
    on: (usize, usize),
}

impl Circuit {
    /// The `count` strongest paths from a node to the logits, strongest first; equals in the order of their edges. Where nodes
    /// are at positions, from the node at any of them; what a head reads at one position it may write at a later one.
    ///
    /// From the logits down, each node keeps the `count` best of its ways on. No other can be part of a better path, so
    /// time goes with edges times `count` and not with the number of paths, which can be astronomical.
    pub fn paths(&self, from: Node, strength: Strength, count: usize) -> Vec<(Path, f64)> {
        if !self.blocks.has(from) {
            return Vec::new();
        }
        let places = self.blocks.positions().map_or(1, |places| places.count);
        let at = |position: usize| self.blocks.positions().map(|_| position);
        let starts: Vec<usize> =
            (0..places).map(|place| self.blocks.place(super::Vertex::writing(from, at(place)))).collect();
        let entering = self.entered(strength);
        let logits = self.graph.node_count() - 1;
        let mut tails: Vec<Vec<Tail>> = vec![Vec::new(); logits];
        for node in (starts[0]..logits).rev() {
            tails[node] = self.best(node, &tails, &entering, strength, count);
        }
        let mut found: Vec<Tail> = starts.iter().flat_map(|start| tails[*start].iter().copied()).collect();
        strongest(&mut found, count);
        found.iter().map(|tail| (self.path(from, tail, &tails), tail.strength)).collect()
    }

    /// The best ways on from a node.
    fn best(&self, node: usize, tails: &[Vec<Tail>], entering: &[f64], strength: Strength, count: usize) -> Vec<Tail> {
        let mut ways = Vec::new();
        let leaving = self.graph.edges_directed(NodeIndex::new(node), Direction::Outgoing);
        for edge in leaving.filter(|edge| edge.weight().in_circuit) {
            let (place, size) = (edge.id().index(), edge.weight().score.abs());
            for vertex in self.heard(place) {
                let weight = strength.weight(size, entering[vertex]);
                match tails.get(vertex) {
                    None => ways.push(Tail { strength: weight, edge: place, on: (vertex, 0) }),
                    Some(further) => ways.extend(further.iter().enumerate().map(|(rank, rest)| Tail {
                        strength: strength.joined(weight, rest.strength),
                        edge: place,
                        on: (vertex, rank),
                    })),
                }
            }
        }
        strongest(&mut ways, count);
        ways
    }

    fn path(&self, from: Node, tail: &Tail, tails: &[Vec<Tail>]) -> Path {
        let mut path = Path::new(from, Vec::new());
        let mut next = Some(tail);
        while let Some(Tail { edge, on: (vertex, rank), .. }) = next {
            let edge = self.graph.raw_edges()[*edge].weight.edge;
            path.ports.push(edge.to);
            path.positions.extend(edge.position);
            next = tails.get(*vertex).and_then(|tails| tails.get(*rank));
        }
        path
    }

    /// The sum of the sizes of all edges of the circuit that a node's output hangs on, where shares of it are asked for.
    fn entered(&self, strength: Strength) -> Vec<f64> {
        let mut entering = vec![0.0; self.graph.node_count()];
        if strength == Strength::Share {
            for (place, link) in self.links().enumerate().filter(|(_, link)| link.in_circuit) {
                entering[self.heard(place)].iter_mut().for_each(|sum| *sum += link.score.abs());
            }
        }
        entering
    }
}

/// The first `count`, strongest first.
fn strongest(ways: &mut Vec<Tail>, count: usize) {
    let order = |a: &Tail, b: &Tail| b.strength.total_cmp(&a.strength).then((a.edge, a.on).cmp(&(b.edge, b.on)));
    ways.sort_by(order);
    ways.truncate(count);
}

impl Strength {
    /// What an edge of this size adds, of so much that enters its node.
    fn weight(self, size: f64, entering: f64) -> f64 {
        match self {
            Self::Weakest => size,
            Self::Share if entering > 0.0 => size / entering,
            Self::Share => 0.0,
        }
    }

    fn joined(self, edge: f64, rest: f64) -> f64 {
        match self {
            Self::Weakest => edge.min(rest),
            Self::Share => edge * rest,
        }
    }
}
