//! Treatments of the weights, as they are written: rounded to few bits, pruned, distilled.

use super::by_chance::{Matched, Whichever};
use super::calibration::{Calibration, Pairs};
use super::defaults::{block_of_64, damping, hundred_and_twenty_eight, tenth_of_bias, yes};
use super::distil::Distil;
use super::sparsity::Sparsity;
use super::structure::{Heads, Merge};
use serde::{Deserialize, Serialize};

/// One step of what is done to the weights; steps are taken in the order in which they are written.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Treatment {
    /// To the nearest of a few evenly spaced levels.
    Round(Round),
    /// To the sixteen levels of a normal distribution (Dettmers et al. 2023).
    Nf4(Nf4),
    /// Column by column, each column's error made up for by those that follow (Frantar et al. 2023).
    Gptq(Gptq),
    /// The same, with stereotypes and anti-stereotypes drawn together (Proskurina, Metzler & Velcin 2025).
    FairGptq(FairGptq),
    /// Rounded after inputs that are large were given more room (Lin et al. 2024).
    Awq(Awq),
    /// The smallest weights are set to zero.
    Magnitude(Mask),
    /// Any weights are set to zero, as many as asked: a much stronger change than the same share of the smallest.
    RandomMask(Mask),
    /// Any weights are set to zero, as much of them as a pruning takes: what that pruning is held against.
    Matched(Matched),
    /// The weights that change outputs least, by their size and that of their input, are set to zero (Sun et al. 2024).
    Wanda(Wanda),
    /// The weights whose loss the others can make up for are set to zero, and it is made up for (Frantar & Alistarh 2023).
    SparseGpt(SparseGpt),
    /// Some heads write nothing.
    PruneHeads(Heads),
    /// Some blocks write nothing: the stream goes through them as it is.
    PruneLayers(Vec<usize>),
    /// So many heads write nothing, whichever.
    RandomHeads(Whichever),
    /// So many blocks write nothing, whichever.
    RandomLayers(Whichever),
    /// Every weight drawn towards that of another model of the same shape.
    Merge(Merge),
    /// A student of fewer blocks, trained to say what the model says (Hinton, Vinyals & Dean 2015; Sanh et al. 2019).
    Distil(Distil),
}

/// Which maps a step is for.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default, rename = "Only")]
pub struct Parts {
    /// Layers; without them all.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub layers: Option<Vec<usize>>,
    /// `attn.q`, `attn.k`, `attn.v`, `attn.out`, `mlp.in`, `mlp.linear`, `mlp.out`, `attn` or `mlp` for all of theirs, `embed`,
    /// `unembed`; without them all maps of blocks.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub parts: Option<Vec<String>>,
}

/// Where the levels of a grid lie.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Scheme {
    /// As far below zero as above: w ≈ s q, with s = max |w| / (2^(bits−1) − 1).
    #[default]
    Symmetric,
    /// From the least weight to the greatest: w ≈ s (q − z), with s = (max − min) / (2^bits − 1).
    Asymmetric,
}

/// Which weights share a scale.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Per {
    /// All of a map.
    Tensor,
    /// Those of one output.
    #[default]
    Channel,
    /// So many neighbours of one output; the last group of an output may be shorter.
    Group(usize),
}

/// Which level a weight between two of them goes to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Rounding {
    /// The nearest.
    #[default]
    Nearest,
    /// Either by chance, the nearer one the likelier, so that the mean over draws is the weight; the squared error is twice that
    /// of the nearest on average. With levels from the least weight to the greatest those two may go to one side alone.
    Stochastic,
}

/// Rounding to a grid.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Round {
    /// Of a weight, 2 to 8.
    pub bits: u32,
    /// Where levels lie.
    #[serde(default)]
    pub scheme: Scheme,
    /// Which weights share a scale.
    #[serde(default)]
    pub per: Per,
    /// Which level is taken.
    #[serde(default)]
    pub rounding: Rounding,
    /// Another number draws anew.
    #[serde(default)]
    pub draw: u64,
    /// Which maps.
    #[serde(default)]
    pub only: Parts,
}

/// Rounding to the levels of NF4.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Nf4 {
    /// Weights that share a scale: neighbours, output after output.
    #[serde(default = "block_of_64")]
    pub block: usize,
    /// Whether the scales are rounded too, to eight bits.
    #[serde(default = "yes")]
    pub double: bool,
    /// Which level is taken.
    #[serde(default)]
    pub rounding: Rounding,
    /// Another number draws anew.
    #[serde(default)]
    pub draw: u64,
    /// Which maps.
    #[serde(default)]
    pub only: Parts,
}

/// Rounding that makes up for its errors.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Gptq {
    /// Of a weight, 2 to 8.
    pub bits: u32,
    /// Where levels lie.
    #[serde(default)]
    pub scheme: Scheme,
    /// Which weights share a scale.
    #[serde(default)]
    pub per: Per,
    /// Whether the inputs of most weight are rounded first.
    #[serde(default)]
    pub act_order: bool,
    /// Added to the diagonal of what inputs are together, as a share of its mean.
    #[serde(default = "damping")]
    pub damping: f64,
    /// Which level is taken.
    #[serde(default)]
    pub rounding: Rounding,
    /// Another number draws anew.
    #[serde(default)]
    pub draw: u64,
    /// Texts whose inputs errors are weighed by.
    #[serde(default)]
    pub calibration: Calibration,
    /// Which maps.
    #[serde(default)]
    pub only: Parts,
}

/// Rounding that makes up for its errors, and draws pairs together.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FairGptq {
    /// Of a weight, 2 to 8.
    pub bits: u32,
    /// Where levels lie.
    #[serde(default)]
    pub scheme: Scheme,
    /// Which weights share a scale.
    #[serde(default = "hundred_and_twenty_eight")]
    pub per: Per,
    /// Whether the inputs of most weight are rounded first.
    #[serde(default)]
    pub act_order: bool,
    /// Added to the diagonal of what inputs are together, as a share of its mean.
    #[serde(default = "damping")]
    pub damping: f64,
    /// How much the difference of pairs counts; at 0 it is GPTQ.
    #[serde(default = "tenth_of_bias")]
    pub alpha: f64,
    /// Stereotypes and anti-stereotypes.
    #[serde(default)]
    pub pairs: Pairs,
    /// Which level is taken.
    #[serde(default)]
    pub rounding: Rounding,
    /// Another number draws anew.
    #[serde(default)]
    pub draw: u64,
    /// Texts whose inputs errors are weighed by.
    #[serde(default)]
    pub calibration: Calibration,
    /// Which maps.
    #[serde(default)]
    pub only: Parts,
}

/// Rounding with more room for large inputs.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Awq {
    /// Of a weight, 2 to 8.
    pub bits: u32,
    /// Where levels lie.
    #[serde(default)]
    pub scheme: Scheme,
    /// Which weights share a scale.
    #[serde(default = "hundred_and_twenty_eight")]
    pub per: Per,
    /// Which level is taken.
    #[serde(default)]
    pub rounding: Rounding,
    /// Another number draws anew.
    #[serde(default)]
    pub draw: u64,
    /// Texts that say which inputs are large.
    #[serde(default)]
    pub calibration: Calibration,
    /// Which maps.
    #[serde(default)]
    pub only: Parts,
}

/// Among which weights the lowest are looked for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Within {
    /// All of a map.
    #[default]
    Tensor,
    /// Those of one output, in each as many.
    Row,
}

/// Pruning that needs no texts.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Mask {
    /// How many weights are set to zero.
    pub sparsity: Sparsity,
    /// Among which the lowest are looked for.
    #[serde(default)]
    pub within: Within,
    /// Another number draws anew.
    #[serde(default)]
    pub draw: u64,
    /// Which maps.
    #[serde(default)]
    pub only: Parts,
}

/// Pruning by weights and inputs, within each output.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Wanda {
    /// How many weights are set to zero.
    pub sparsity: Sparsity,
    /// Texts that say which inputs are large.
    #[serde(default)]
    pub calibration: Calibration,
    /// Which maps.
    #[serde(default)]
    pub only: Parts,
}

/// Pruning that is made up for.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SparseGpt {
    /// How many weights are set to zero.
    pub sparsity: Sparsity,
    /// Added to the diagonal of what inputs are together, as a share of its mean.
    #[serde(default = "damping")]
    pub damping: f64,
    /// Inputs among which the lowest are looked for, of all outputs together.
    #[serde(default = "super::defaults::block_of_128")]
    pub block: usize,
    /// Texts whose inputs errors are weighed by.
    #[serde(default)]
    pub calibration: Calibration,
    /// Which maps.
    #[serde(default)]
    pub only: Parts,
}
