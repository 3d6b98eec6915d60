//! Words for edge pruning.

use serde::{Deserialize, Serialize};

/// How small a learned circuit is to be.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub enum Target {
    /// So many edges stay.
    Edges(usize),
    /// This share of all edges goes.
    Sparsity(f64),
}
