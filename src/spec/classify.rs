//! Words for classifying texts, and for asking whether groups are served alike.

use super::{HeldOut, Sites};
use serde::{Deserialize, Serialize};

/// A head on states that tells a label, and what it does to two groups.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Classify {
    /// The streams, a head each; without them those behind every block.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sites: Option<Sites>,
    /// The label that is told.
    #[serde(default = "label")]
    pub label: String,
    /// The label whose two values are the groups.
    #[serde(default = "group")]
    pub group: String,
    /// The group whose rates the other's are taken from; without it the first by its name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub first: Option<String>,
    /// How the states of a text become one.
    #[serde(default)]
    pub pooled: Pooled,
    /// Penalties of the head to choose from, within what is learned from.
    #[serde(default = "penalties")]
    pub penalties: Vec<f64>,
    /// Draws in which it is left to chance who is of which group; 0 is none.
    #[serde(default = "draws")]
    pub shuffles: usize,
    /// Which items are tested on.
    #[serde(default)]
    pub held_out: HeldOut,
}

/// How the states of a text become one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Pooled {
    /// Their mean over positions.
    #[default]
    Mean,
    /// The last one.
    Last,
}

fn label() -> String {
    "profession".into()
}

fn group() -> String {
    "gender".into()
}

fn penalties() -> Vec<f64> {
    vec![1.0, 10.0, 100.0]
}

fn draws() -> usize {
    200
}
