//! Words for alignment search: where directions are learned, how many, and by what.

use super::defaults::{one_dimension, small_rate, ten};
use super::{Axis, HeldOut, Only, Sites};
use serde::{Deserialize, Serialize};

/// What of a place is exchanged between two runs, learned.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Das {
    /// Where.
    pub sites: Sites,
    /// What the search goes over, index by index; at positions that it does not go over the same directions are exchanged.
    pub over: Vec<Axis>,
    /// Indices that the search keeps to.
    #[serde(default)]
    pub only: Only,
    /// How many directions are learned: each number is a fit of its own.
    #[serde(default = "one_dimension")]
    pub dimensions: Vec<usize>,
    /// A fit that learns too how many (Wu et al. 2023).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub boundless: Option<Boundless>,
    /// How many steps each fit takes.
    #[serde(default = "hundred")]
    pub steps: usize,
    /// How far the first step goes; the others go less and less far.
    #[serde(default = "small_rate")]
    pub learning_rate: f64,
    /// How many exchanges a step learns from.
    #[serde(default = "sixty_four")]
    pub batch: usize,
    /// What is made small.
    #[serde(default)]
    pub loss: Loss,
    /// Which items are tested on.
    #[serde(default)]
    pub held_out: HeldOut,
    /// How many random spans of each size the learned one is held against.
    #[serde(default = "ten")]
    pub random: usize,
}

/// How many directions may be learned, and what each has to be worth.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Boundless {
    /// At the most.
    pub most: usize,
    /// What a direction costs, in the unit of the loss.
    #[serde(default = "price")]
    pub price: f64,
}

/// What a fit makes small.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Loss {
    /// −ln p of the answer that the exchange calls for.
    #[default]
    CrossEntropy,
    /// The metric times −1, read for that answer.
    Metric,
}

fn hundred() -> usize {
    100
}

fn sixty_four() -> usize {
    64
}

/// A tenth of a nat.
fn price() -> f64 {
    0.1
}
