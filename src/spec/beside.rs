//! Another model beside the experiment's: its weights, or its activations, put into this one.

use super::{Axis, Direction, Only, Shares, Sites};
use crate::model::exchange::Grain;
use serde::{Deserialize, Serialize};

/// Weights of another model put into this one, part by part.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PatchWeights {
    /// The variant of `against` whose weights they are: another model of the same shape, or the same one treated.
    pub with: String,
    /// What is put in at once.
    #[serde(default)]
    pub by: Grain,
    /// The most sets of parts that are run for the shares of parts that act together, 20 times as many as there are parts or more;
    /// 0 leaves shares out. Without it all sets of up to 8 parts are run, and shares of more are left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sets: Option<usize>,
    /// A label whose values are numbers, or have shares: the slope of the metric on them is told too.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub along: Option<String>,
    /// Shares of the label's values, for instance of women in occupations; the slope is then on their log-odds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shares: Option<Shares>,
}

/// Activations of another model put into this one, or the other way round.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PatchModels {
    /// The variant of `against` that the other model is of.
    pub with: String,
    /// What is put in.
    #[serde(default = "super::defaults::streams")]
    pub sites: Sites,
    /// What the sweep goes over.
    #[serde(default = "super::defaults::over_layers")]
    pub over: Vec<Axis>,
    /// `Noise` puts the other model's activations into this one, `Denoise` this one's into the other.
    #[serde(default = "super::defaults::noise")]
    pub direction: Direction,
    /// Indices that the sweep keeps to.
    #[serde(default)]
    pub only: Only,
}
