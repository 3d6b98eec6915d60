//! Words for the tuned lens.

use super::defaults::translator_rate;
use super::{HeldOut, Sites};
use serde::{Deserialize, Serialize};

/// Translators of streams, learned so that the lens says what the last layer says.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TunedLens {
    /// The streams that are read; without them the stream behind every block.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sites: Option<Sites>,
    /// How many steps each translator is fitted by.
    #[serde(default = "steps")]
    pub steps: usize,
    /// How far the first step goes; the others go less and less far.
    #[serde(default = "translator_rate")]
    pub learning_rate: f64,
    /// How many positions a step learns from.
    #[serde(default = "batch")]
    pub batch: usize,
    /// Which items are tested on.
    #[serde(default)]
    pub held_out: HeldOut,
}

fn steps() -> usize {
    200
}

fn batch() -> usize {
    128
}
