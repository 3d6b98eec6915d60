//! Words for stitching: states of one model that another goes on from.

use super::{HeldOut, ModelSpec, Sites, Spot};
use serde::{Deserialize, Serialize};

/// Maps from the streams of another model to this one's, learned on some items and tried on others.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Stitch {
    /// The model whose states are put in.
    pub from: ModelSpec,
    /// The streams, of both models; without them the streams behind every block.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sites: Option<Sites>,
    /// Which stream of one goes into which of the other.
    #[serde(default)]
    pub layers: Joined,
    /// Positions at which states are put in; empty is all.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub at: Vec<Spot>,
    /// Penalties to choose from, within what is learned from.
    #[serde(default = "penalties")]
    pub penalties: Vec<f64>,
    /// Twins of the other model with random weights whose states are mapped too; 0 is none.
    #[serde(default = "one")]
    pub random_models: usize,
    /// Which items are tested on.
    #[serde(default)]
    pub held_out: HeldOut,
}

/// Which streams of two models are joined.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Joined {
    /// Each of one with each of the other.
    #[default]
    Each,
    /// Each with the one at the same place, as they are listed.
    Same,
}

/// From next to none, as a model's own states need, to many times the number of states.
fn penalties() -> Vec<f64> {
    vec![0.0001, 0.01, 1.0, 100.0]
}

fn one() -> usize {
    1
}
