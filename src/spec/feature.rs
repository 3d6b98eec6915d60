//! Features: what prompts that have something differ in from prompts that do not.

use super::Data;
use serde::{Deserialize, Serialize};

/// A feature, by pairs of prompts: the clean one has it, the corrupted one does not.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Feature {
    /// What it is called in tables and figures.
    pub name: String,
    /// The pairs.
    pub data: Data,
    /// How many directions of every stream stand for it.
    #[serde(default = "one")]
    pub dimensions: usize,
}

fn one() -> usize {
    1
}
