//! Words for classifying texts, and for asking whether groups are served alike.

use super::defaults::{hundredth_of_decay, sixteen, three};
use super::{HeldOut, Sites};
use serde::{Deserialize, Serialize};

/// A head on states that tells a label, by itself or with the whole model trained for it, and what it does to two groups.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Classify {
    /// The streams, a head each; without them those behind every block, or the last alone where the whole model is trained.
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
    /// What is trained.
    #[serde(default)]
    pub train: Train,
    /// How the states of a text become one.
    #[serde(default)]
    pub pooled: Pooled,
    /// Penalties of a head by itself to choose from, within what is learned from.
    #[serde(default = "penalties")]
    pub penalties: Vec<f64>,
    /// Draws in which it is left to chance who is of which group; 0 is none.
    #[serde(default = "draws")]
    pub shuffles: usize,
    /// Which items are tested on.
    #[serde(default)]
    pub held_out: HeldOut,
}

/// What is trained.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub enum Train {
    /// A logistic head on the model's states as they are.
    #[default]
    Head,
    /// A linear head and the model together, a model of its own for each stream.
    Whole(Whole),
}

/// How the whole model is trained: AdamW down the cross-entropy, a warm-up over a tenth of the steps, a cosine to a tenth.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Whole {
    /// How often every text is learned from.
    #[serde(default = "three")]
    pub epochs: usize,
    /// Texts a batch.
    #[serde(default = "sixteen")]
    pub rows: usize,
    /// The highest learning rate; a small model wants a higher one.
    #[serde(default = "fine_rate")]
    pub rate: f64,
    /// Decay of the weights of matrices.
    #[serde(default = "hundredth_of_decay")]
    pub weight_decay: f64,
    /// Another number draws the head's first weights and the order of texts anew.
    #[serde(default)]
    pub draw: u64,
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

/// Of Devlin et al. 2019.
fn fine_rate() -> f64 {
    5e-5
}
