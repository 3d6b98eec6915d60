//! What is read from states: by which probe, of which prompts, held out how, and held against what.

use super::defaults::{eight, five, ninety_nine, over_layers, streams, thirty_two, twenty};
use super::{Axis, Only, Role, Sites, Spot};
use serde::{Deserialize, Serialize};
use std::path::PathBuf;

/// What a probe is to tell of a prompt.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Concept {
    /// The answer that it calls for: of clean and corrupted prompts.
    #[default]
    Answer,
    /// The value of a label: of clean prompts.
    Label(String),
    /// Whether it has a feature: of the prompts that the feature is given by.
    Feature(String),
}

/// What may not stand on both sides of a split, so that a probe is never asked of what it has learnt by heart.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Apart {
    /// Prompts of one word type: the tokens in which a prompt differs from its twin.
    #[default]
    Words,
    /// A prompt.
    Items,
    /// Prompts with one value of a label, such as `template`.
    Label(String),
}

/// A way to see whether the model uses what can be told.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Use {
    /// The directions are taken out.
    Erase,
    /// What lies along them is exchanged for that of the corrupted prompt.
    Swap,
    /// The difference of the means of the two classes is added.
    Steer,
}

/// How a concept is taken out of states.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Erasure {
    /// The least change after which no linear probe tells it.
    #[default]
    Leace,
    /// The same with each prompt's class known: what its class predicts is taken out.
    Oracle,
    /// The directions between the means of the classes.
    Mean,
    /// The directions of linear probes, fitted one after the other to what is left.
    Inlp {
        /// How many times.
        #[serde(default = "eight")]
        rounds: usize,
    },
}

/// Erasers with their settings.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EraseSpec {
    /// Where.
    #[serde(default = "streams")]
    pub sites: Sites,
    /// What the sweep goes over, index by index.
    #[serde(default = "over_layers")]
    pub over: Vec<Axis>,
    /// Indices that the sweep keeps to.
    #[serde(default)]
    pub only: Only,
    /// What is taken out.
    #[serde(default)]
    pub of: Concept,
    /// The position at which states are taken, where positions are not swept.
    #[serde(default = "answer")]
    pub at: Spot,
    /// What never stands on both sides of a split.
    #[serde(default)]
    pub apart: Apart,
    /// How many splits there are.
    #[serde(default = "five")]
    pub folds: usize,
    /// How it is taken out.
    #[serde(default = "every_erasure")]
    pub by: Vec<Erasure>,
    /// The penalty of the linear probes that look for it afterwards.
    #[serde(default = "unit")]
    pub penalty: f64,
    /// Units of the probe with a hidden layer that looks for it; 0 is none.
    #[serde(default = "thirty_two")]
    pub hidden: usize,
    /// Random directions that each is held against.
    #[serde(default = "twenty")]
    pub random_directions: usize,
}

/// A probe with its settings.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ProbeSpec {
    /// Where.
    #[serde(default = "streams")]
    pub sites: Sites,
    /// What the sweep goes over, index by index.
    #[serde(default = "over_layers")]
    pub over: Vec<Axis>,
    /// Indices that the sweep keeps to.
    #[serde(default)]
    pub only: Only,
    /// What is told.
    #[serde(default)]
    pub of: Concept,
    /// The position at which states are taken, where positions are not swept.
    #[serde(default = "answer")]
    pub at: Spot,
    /// What never stands on both sides of a split.
    #[serde(default)]
    pub apart: Apart,
    /// How many splits there are.
    #[serde(default = "five")]
    pub folds: usize,
    /// Penalties to choose from, within what is learnt from.
    #[serde(default = "penalties")]
    pub penalties: Vec<f64>,
    /// Units of the probe with a hidden layer; 0 is none.
    #[serde(default = "thirty_two")]
    pub hidden: usize,
    /// How many of the best features sparse probes may use.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub sparse: Vec<usize>,
    /// Shuffles of the labels; 0 is none.
    #[serde(default = "ninety_nine")]
    pub shuffles: usize,
    /// Twins of the model with random weights; 0 is none. Without it one, where states are not read from files.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub random_models: Option<usize>,
    /// How it is seen whether the model uses what is told.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub used: Vec<Use>,
    /// Random directions that each use is held against.
    #[serde(default = "twenty")]
    pub random_directions: usize,
    /// The folder of a run that has recorded the states of the same prompts to files; they are read where they lie.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub states: Option<PathBuf>,
}

/// Where a sequence has its state for a probe, where nobody says it.
fn answer() -> Spot {
    Spot::Role(Role::Answer)
}

fn penalties() -> Vec<f64> {
    vec![0.1, 1.0, 10.0, 100.0]
}

fn unit() -> f64 {
    1.0
}

fn every_erasure() -> Vec<Erasure> {
    vec![Erasure::Leace, Erasure::Mean, Erasure::Inlp { rounds: eight() }]
}
