//! Texts that treatments of the weights are calibrated on.

use super::defaults::{rows_of_calibration, sixty_four};
use serde::{Deserialize, Serialize};
use std::path::PathBuf;

/// Texts that stand for what a model is used on.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Calibration {
    /// Where they are from.
    pub from: Source,
    /// The most of them.
    pub rows: usize,
    /// Tokens of each, where they are cut from a file or sampled.
    pub length: usize,
    /// Which are taken, and how they are sampled.
    pub seed: u64,
}

impl Default for Calibration {
    fn default() -> Self {
        Calibration { from: Source::default(), rows: rows_of_calibration(), length: sixty_four(), seed: 0 }
    }
}

/// Where texts for calibration are from.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Source {
    /// The clean and corrupted prompts of the experiment.
    #[default]
    Prompts,
    /// A text file, cut into pieces of one length, of which any are taken.
    Text(PathBuf),
    /// What the model itself says, beginning with any token; texts of a student with the token that the tokenizer puts first, where
    /// it does.
    Sampled,
}

/// Stereotypes with their anti-stereotypes.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Pairs {
    /// The clean and corrupted prompts of the experiment.
    #[default]
    Prompts,
    /// A CSV file in the format of CrowS-Pairs: `sent_more` and `sent_less`.
    CrowsPairs(PathBuf),
}
