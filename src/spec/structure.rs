//! Treatments of whole heads and models, as they are written.

use super::ModelSpec;
use super::defaults::half_weight;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// Which heads go.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Heads {
    /// These, layer and head each.
    These(Vec<(usize, usize)>),
    /// As many of the whole model whose output maps are smallest, by the root of the sum of their squares.
    Smallest(usize),
}

impl Heads {
    /// How many go.
    pub fn count(&self) -> usize {
        match self {
            Heads::These(heads) => heads.iter().collect::<BTreeSet<_>>().len(),
            Heads::Smallest(count) => *count,
        }
    }
}

/// A model towards which weights are drawn.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Merge {
    /// The other model.
    pub with: ModelSpec,
    /// Its share: 0 is the model itself, 1 the other.
    #[serde(default = "half_weight")]
    pub weight: f64,
}
