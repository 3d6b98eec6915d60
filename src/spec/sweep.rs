//! Words for sweeps: what they go over, which way, and what stands in.

use serde::{Deserialize, Serialize};

/// An axis that a sweep goes over, index by index.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Axis {
    /// Layers.
    Layer,
    /// Heads.
    Head,
    /// Positions.
    Position,
    /// Neurons: channels of the site's width.
    Neuron,
}

/// Which run is patched into which.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Direction {
    /// Clean activations into the corrupted run: what suffices to restore the answer.
    #[default]
    Denoise,
    /// Corrupted activations into the clean run: what is needed for the answer.
    Noise,
}

/// What an ablation puts in place of an activation.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Ablation {
    /// Zero.
    Zero,
    /// The mean over all prompts and positions.
    #[default]
    Mean,
    /// The mean over all prompts, position by position.
    MeanPerPosition,
    /// The activation of another prompt, drawn by the seed.
    Resample,
}

/// Indices that a sweep keeps to; an empty list is all.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Only {
    /// Layers.
    pub layers: Vec<usize>,
    /// Heads.
    pub heads: Vec<usize>,
    /// Positions.
    pub positions: Vec<usize>,
    /// Neurons.
    pub neurons: Vec<usize>,
}
