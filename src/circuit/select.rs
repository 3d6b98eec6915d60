//! Which edges make a circuit: the strongest, or those reached from the logits; then pruned.
//!
//! **What it measures.** Nothing: it reads scores. *Top* takes the n edges of highest score. *Greedy* begins with the
//! edges into the logits and takes the highest edge n times, each time adding what enters the node that it comes from,
//! so that everything it takes leads to the logits. *Pruning* drops edges of nodes that nothing enters or nothing
//! leaves, until there are none; input and logits are exempt.
//!
//! **What it cannot show.** That the edges do anything together: scores are of single edges. Ties fall to the edge that
//! is first in the order of [`Blocks::edges`](super::Blocks::edges).
//!
//! **Reference.** Hanna, Pezzelle & Belinkov 2024, *Have Faith in Faithfulness*; pruning as in their code.
//!
//! **Example.** `circuit.select(Rule::Top(By::Size), 800).prune()`

use super::Circuit;
use petgraph::Direction;
use petgraph::graph::{DiGraph, NodeIndex};
use petgraph::visit::EdgeRef;
use std::cmp::Reverse;
use std::collections::BinaryHeap;

/// What of a score counts.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum By {
    /// Its size, whatever its sign.
    Size,
    /// The score itself, the highest first: of published scores, whose metric is a loss, those that support the answer.
    Sign,
    /// What is lost without the edge, the lowest score first: where a score is what the metric changes by when the edge is
    /// ablated, as this program's are.
    Loss,
}

/// How edges are chosen.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Rule {
    /// The first by score.
    Top(By),
    /// The first by score of those that lead to the logits over what was chosen before.
    Greedy(By),
}

/// A score that can be ordered; scores of a circuit are finite.
#[derive(Clone, Copy, PartialEq, Debug)]
struct Rank(f64);

impl Eq for Rank {}

impl PartialOrd for Rank {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Rank {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.0.total_cmp(&other.0)
    }
}

impl By {
    /// By how much an edge of this score comes before others. Zero has one rank, whatever its sign.
    fn rank(self, score: f64) -> Rank {
        let score = match self {
            Self::Size => score.abs(),
            Self::Sign => score,
            Self::Loss => -score,
        };
        Rank(score + 0.0)
    }
}

impl Circuit {
    /// The circuit of `count` edges, or of all that there are; not pruned. Of [`Rule::Greedy`] there may be fewer: those
    /// that lead to the logits.
    pub fn select(&self, rule: Rule, count: usize) -> Self {
        self.with(&self.chosen(&self.scores(), rule, count))
    }

    /// The circuit without edges of nodes that nothing enters or nothing leaves. Pruning it again changes nothing.
    pub fn prune(&self) -> Self {
        let mut members = self.members();
        self.pruned(&mut members);
        self.with(&members)
    }

    /// What [`Circuit::select`] chooses for other scores of the same edges, in the order of [`Circuit::links`].
    pub fn chosen(&self, scores: &[f64], rule: Rule, count: usize) -> Vec<bool> {
        match rule {
            Rule::Top(by) => top(scores, by, count),
            Rule::Greedy(by) => greedy(&self.graph, scores, by, count),
        }
    }

    /// Drops from `members` what [`Circuit::prune`] drops.
    pub fn pruned(&self, members: &mut [bool]) {
        prune(&self.graph, members);
    }
}

/// Whether each is among the `count` first; equals fall to the earlier.
fn top(scores: &[f64], by: By, count: usize) -> Vec<bool> {
    let mut order: Vec<usize> = (0..scores.len()).collect();
    order.sort_by_key(|place| Reverse(by.rank(scores[*place])));
    let mut members = vec![false; scores.len()];
    order.iter().take(count).for_each(|place| members[*place] = true);
    members
}

/// The highest edge that leads to the logits over those taken, `count` times.
fn greedy<N, E>(graph: &DiGraph<N, E>, scores: &[f64], by: By, count: usize) -> Vec<bool> {
    let mut members = vec![false; scores.len()];
    let mut reached = vec![false; graph.node_count()];
    let mut open = BinaryHeap::new();
    let mut opened = graph.node_indices().next_back(); // the logits
    for _ in 0..count {
        if let Some(node) = opened.filter(|node| !std::mem::replace(&mut reached[node.index()], true)) {
            let entering = graph.edges_directed(node, Direction::Incoming).map(|edge| edge.id().index());
            open.extend(entering.map(|place| (by.rank(scores[place]), Reverse(place))));
        }
        let Some((_, Reverse(place))) = open.pop() else { break };
        members[place] = true;
        opened = Some(graph.raw_edges()[place].source());
    }
    members
}

/// Drops edges at nodes other than first and last that nothing enters, or nothing leaves, until all have both.
fn prune<N, E>(graph: &DiGraph<N, E>, members: &mut [bool]) {
    let ends = [0, graph.node_count() - 1];
    let dead = |node: NodeIndex, members: &[bool]| {
        let has = |way| graph.edges_directed(node, way).any(|edge| members[edge.id().index()]);
        !(ends.contains(&node.index()) || has(Direction::Incoming) && has(Direction::Outgoing))
    };
    let mut waiting: Vec<NodeIndex> = graph.node_indices().collect();
    while let Some(node) = waiting.pop() {
        if !dead(node, members) {
            continue;
        }
        for (way, other) in [(Direction::Incoming, 0), (Direction::Outgoing, 1)] {
            for edge in graph.edges_directed(node, way) {
                if std::mem::replace(&mut members[edge.id().index()], false) {
                    waiting.push([edge.source(), edge.target()][other]);
                }
            }
        }
    }
}
