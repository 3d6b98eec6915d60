//! What can be wrong with the edges of a circuit, all of it said at once.

use super::Blocks;
use crate::node::Edge;
use std::fmt;

/// More than this many are counted and not listed.
const LISTED: usize = 8;

/// What is wrong with one edge.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum Fault {
    /// One of its ends is not in the model.
    #[error("{edge} does not exist: the model has {blocks}, counted from 0")]
    Outside {
        /// The edge.
        edge: Edge,
        /// The model.
        blocks: Blocks,
    },
    /// One of its ends is a neuron of an MLP that is whole.
    #[error("{0}: a single neuron is a node only where it is named as one; name it in the `neurons` of the blocks")]
    Unnamed(Edge),
    /// What it reads is written later, so that with it the graph would have a cycle.
    #[error(
        "{0} runs backwards: a port reads only what is written before it, and with this edge the graph would have a cycle"
    )]
    Backwards(Edge),
    /// With a position where edges have none, or without where they have.
    #[error(
        "{edge}: the model has {blocks}; where nodes are at each position every edge names its own, as in m0->a5.h5<k>@3, and none does where they are not"
    )]
    Placed {
        /// The edge.
        edge: Edge,
        /// The model.
        blocks: Blocks,
    },
    /// At a position that nothing is read at.
    #[error(
        "{edge} does not exist: the model has {blocks}, counted from 0; the logits are read where the answer is alone"
    )]
    Nowhere {
        /// The edge.
        edge: Edge,
        /// The model.
        blocks: Blocks,
    },
    /// Said before.
    #[error("{0} stands here a second time; an edge has one score")]
    Twice(Edge),
    /// No number.
    #[error("{edge} has the score {score}; a score must be a finite number")]
    Score {
        /// The edge.
        edge: Edge,
        /// Its score.
        score: f64,
    },
    /// No range of numbers.
    #[error("{edge} has the interval {low} to {high}; its ends must be finite numbers, the lower one first")]
    Interval {
        /// The edge.
        edge: Edge,
        /// Its lower end.
        low: f64,
        /// Its upper end.
        high: f64,
    },
}

/// Edges that make no circuit: each with its place among those given, and what is wrong with it.
#[derive(Clone, Debug, PartialEq)]
pub struct Faults(pub Vec<(usize, Fault)>);

impl fmt::Display for Faults {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&listed(self.0.iter().map(|(place, fault)| format!("edges[{place}]: {fault}"))))
    }
}

impl std::error::Error for Faults {}

/// The first of `lines`, and how many more there are.
pub(super) fn listed(lines: impl ExactSizeIterator<Item = String>) -> String {
    let more = lines.len().saturating_sub(LISTED);
    let more = (more > 0).then(|| format!("… and {more} more"));
    lines.take(LISTED).chain(more).collect::<Vec<_>>().join("\n")
}
