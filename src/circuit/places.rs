//! Positions that have nodes of their own, and which of them a head sees.

use super::vertex::looks_back;
use crate::node::Edge;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::ops::Range;

/// What positions have nodes of their own.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Places {
    /// How many, from the first on.
    pub count: usize,
    /// The one where the logits are read.
    pub answer: usize,
    /// Where keys and values are heard.
    pub heard: Heard,
}

/// Where what a head reads as key and value at a position can be heard in what it writes.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Heard {
    /// There and later.
    Onward,
    /// Everywhere: its model sees both ways.
    Everywhere,
}

impl Places {
    /// Of a causal model: up to the one where the answer is read, so many in all, since what stands behind it does nothing.
    pub const fn causal(count: usize) -> Self {
        Places { count, answer: count.saturating_sub(1), heard: Heard::Onward }
    }

    /// The positions at which the output of an edge's node hangs on what the edge brings to it at `position`.
    pub fn hearing(&self, edge: Edge, position: usize) -> Range<usize> {
        match self.heard {
            _ if !looks_back(edge.to) => position..position + 1,
            Heard::Onward => position..self.count,
            Heard::Everywhere => 0..self.count,
        }
    }
}

impl fmt::Display for Places {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "a node at each of {} positions", self.count)?;
        if self.answer + 1 != self.count {
            write!(out, ", the answer at {}", self.answer)?;
        }
        if self.heard == Heard::Everywhere { write!(out, ", heads that see all of them") } else { Ok(()) }
    }
}
