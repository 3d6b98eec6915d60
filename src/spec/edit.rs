//! Edits, as they are written.

use serde::{Deserialize, Serialize};
use std::path::PathBuf;

/// A change at a place, as it is written.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EditSpec {
    /// A site, with or without its layer.
    pub site: String,
    /// Items; empty is all.
    #[serde(default)]
    pub rows: Vec<usize>,
    /// Heads; empty is all.
    #[serde(default)]
    pub heads: Vec<usize>,
    /// Positions; empty is all, those that are generated among them.
    #[serde(default)]
    pub positions: Vec<usize>,
    /// Neurons; empty is all.
    #[serde(default)]
    pub neurons: Vec<usize>,
    /// What happens there.
    pub change: ChangeSpec,
}

/// A change, as it is written.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum ChangeSpec {
    /// Times 0.
    Zero,
    /// Times a number.
    Scale(f64),
    /// The mean activation over the data's clean prompts less that over the corrupted ones, times a number.
    AddContrast(f64),
    /// A vector from a safetensors file, times a number.
    Add {
        /// The file.
        file: PathBuf,
        /// The tensor in it: its length is the width of the site.
        tensor: String,
        /// The factor.
        times: f64,
    },
}
