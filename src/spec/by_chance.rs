//! Treatments that leave to chance what others choose, as they are written.

use super::treat::Treatment;
use serde::{Deserialize, Serialize};

/// Weights of any kind set to zero, of every map until as much is gone as a pruning would take.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Matched {
    /// The pruning: Magnitude, Wanda or SparseGpt.
    pub step: Box<Treatment>,
    /// Another number draws anew.
    #[serde(default)]
    pub draw: u64,
}

/// So many heads or blocks, whichever.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Whichever {
    /// How many.
    pub count: usize,
    /// Another number draws anew.
    #[serde(default)]
    pub draw: u64,
}
