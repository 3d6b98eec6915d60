//! The words for paths and positions: where a change is sent from, what it may pass through, what a position is.

use serde::{Deserialize, Serialize};

/// Kinds of nodes that a sweep of paths begins at.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Senders {
    /// Every head.
    Heads,
    /// Every MLP.
    Mlps,
    /// The embeddings.
    Input,
    /// All of these.
    All,
}

/// What is not frozen between the ends of an edge.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Through {
    /// Nothing: the edge itself alone.
    #[default]
    Nothing,
    /// MLPs between are recomputed and carry on (Wang et al. 2023).
    Mlps,
}

/// A position: its number, or what it is in each prompt.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged, expecting = "expected a position's number, Answer, Last or Contrast")]
pub enum Spot {
    /// From 0.
    Position(usize),
    /// What it is.
    Role(Role),
}

/// What a position is in a prompt.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Role {
    /// Where the answer is read.
    Answer,
    /// The last token.
    Last,
    /// Every position at which the clean prompt and the corrupted one differ.
    Contrast,
}
