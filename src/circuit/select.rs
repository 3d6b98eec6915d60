//! Which edges make a circuit: the strongest, or those reached from the logits; then pruned.
//!
//! **What it measures.** Nothing: it reads scores. *Top* takes the n edges of highest score. *Greedy* begins with the
//! edges into the logits and takes the highest edge n times, each time adding what enters the node that it comes from,
//! so that everything it takes leads to the logits. *Pruning* drops edges of nodes that nothing enters or nothing
//! leaves, until there are none; input and logits are exempt. Since edges go up the stream alone, what is left are the edges on
//! ways from the input to the logits. Where nodes are at positions, a key or value read at one enters its head there and at
//! every later position (of a head that sees no further back than a window too, so that more may be left there).
//!
//! **What it cannot show.** That the edges do anything together: scores are of single edges. Ties fall to the edge that
//! is first in the order of [`Blocks::edges`](super::Blocks::edges).
//!
//! **Reference.** Hanna, Pezzelle & Belinkov 2024, *Have Faith in Faithfulness*; pruning as in their code.
//!
//! **Example.** `circuit.select(Rule::Top(By::Size), 800).prune()`

use super::Circuit;
use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::ops::Range;

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
            Rule::Greedy(by) => self.greedy(scores, by, count),
        }
    }

    /// Drops from `members` what [`Circuit::prune`] drops.
    pub fn pruned(&self, members: &mut [bool]) {
        let logits = self.graph.node_count() - 1;
        let input = self.blocks.positions().map_or(1, |places| places.count);
        let mut entered: Vec<bool> = (0..=logits).map(|vertex| vertex < input).collect();
        // edges stand in the order of their senders, and lead to later nodes alone
        for (place, member) in members.iter_mut().enumerate() {
            *member = *member && entered[self.source(place)];
            if *member {
                entered[self.heard(place)].fill(true);
            }
        }
        let mut heard = vec![false; logits];
        heard.push(true);
        for (place, member) in members.iter_mut().enumerate().rev() {
            *member = *member && heard[self.heard(place)].contains(&true);
            if *member {
                heard[self.source(place)] = true;
            }
        }
    }

    /// The place of the node that an edge, by its own place, leaves.
    pub(super) fn source(&self, place: usize) -> usize {
        self.graph.raw_edges()[place].source().index()
    }

    /// The places of the nodes whose output hangs on an edge, by its own place.
    pub(super) fn heard(&self, place: usize) -> Range<usize> {
        let edge = &self.graph.raw_edges()[place];
        self.blocks.heard(edge.weight.edge, edge.target().index())
    }

    /// The edges that each node's output hangs on, by places.
    fn entering(&self) -> Vec<Vec<usize>> {
        let mut entering = vec![Vec::new(); self.graph.node_count()];
        for place in 0..self.graph.edge_count() {
            self.heard(place).for_each(|vertex| entering[vertex].push(place));
        }
        entering
    }

    /// The highest edge that leads to the logits over those taken, `count` times.
    fn greedy(&self, scores: &[f64], by: By, count: usize) -> Vec<bool> {
        let entering = self.entering();
        let mut members = vec![false; scores.len()];
        let mut offered = members.clone();
        let mut reached = vec![false; entering.len()];
        let mut open = BinaryHeap::new();
        let mut opened = entering.len() - 1; // the logits
        for _ in 0..count {
            if !std::mem::replace(&mut reached[opened], true) {
                // what a head reads at one position it may write at several
                let new = entering[opened].iter().filter(|place| !std::mem::replace(&mut offered[**place], true));
                open.extend(new.map(|place| (by.rank(scores[*place]), Reverse(*place))));
            }
            let Some((_, Reverse(place))) = open.pop() else { break };
            members[place] = true;
            opened = self.source(place);
        }
        members
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
