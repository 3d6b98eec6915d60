//! What steering is told: where directions come from, what is done along them, how far, and to which positions.

use super::defaults::{at_answer, over_layers, streams, twenty};
use super::{Apart, Axis, Only, Sites, Spot};
use serde::{Deserialize, Serialize};

/// States changed along the direction in which prompts differ, by several amounts.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Steer {
    /// Where.
    #[serde(default = "streams")]
    pub sites: Sites,
    /// What the sweep goes over: `Layer`, `Position`; without layers all are steered at once, each along its own direction.
    #[serde(default = "over_layers")]
    pub over: Vec<Axis>,
    /// Indices that the sweep keeps to.
    #[serde(default)]
    pub only: Only,
    /// How directions are found.
    #[serde(default = "mean_difference")]
    pub by: Vec<Heading>,
    /// What is done along them.
    #[serde(default = "add")]
    pub operations: Vec<Operation>,
    /// The positions whose states give the direction, as their mean, where positions are not swept; empty is all.
    #[serde(default = "at_answer")]
    pub at: Vec<Spot>,
    /// The positions that are steered, where positions are not swept.
    #[serde(default)]
    pub to: Reach,
    /// How far states are moved: 1 is as far as the means of clean and corrupted prompts stand apart.
    #[serde(default = "coefficients")]
    pub coefficients: Vec<f64>,
    /// What stands in one half as a whole; without it a template, where there are several, else an item.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub apart: Option<Apart>,
    /// A label by whose values the data are parted, each part with a direction of its own, in the place of features.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parts: Option<String>,
    /// How much the mean ln p of the prompts' own tokens may fall, nats a token, for fluency to hold.
    #[serde(default = "tenth")]
    pub fluency: f64,
    /// How many random directions each is held against.
    #[serde(default = "twenty")]
    pub random: usize,
}

/// How a direction is found; all point from corrupted to clean prompts, and are as long as the difference of their means.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Heading {
    /// The mean of clean prompts less that of corrupted ones.
    MeanDifference,
    /// The first principal component of the differences of pairs, not centred.
    PrincipalComponent,
    /// The weights of a logistic regression.
    Logistic,
}

/// What is done along a direction.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Operation {
    /// The direction times the coefficient is added.
    Add,
    /// What lies along it is taken out.
    Ablate,
    /// Taken out, then added: what lies along it becomes the same for all.
    Both,
}

/// Which positions are steered.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub enum Reach {
    /// All.
    #[default]
    Everywhere,
    /// From a position on.
    Onward(Spot),
    /// These.
    At(Vec<Spot>),
}

fn mean_difference() -> Vec<Heading> {
    vec![Heading::MeanDifference]
}

fn add() -> Vec<Operation> {
    vec![Operation::Add, Operation::Ablate]
}

fn coefficients() -> Vec<f64> {
    vec![-2.0, -1.0, -0.5, 0.5, 1.0, 2.0]
}

fn tenth() -> f64 {
    0.1
}
