//! The index of a recording: which states it holds, of which items, in which files.

use crate::data::Side;
use crate::precision::Precision;
use crate::spec::{Role, Spot};
use indexmap::IndexMap;
use serde::{Deserialize, Serialize};

/// The form of the index that this version writes and reads.
pub const FORM: u32 = 1;

/// What stands in `states/NAME.json`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Index {
    /// [`FORM`].
    pub form: u32,
    /// The fingerprint of the run, as 64 hexadecimal digits; every file bears it too.
    pub run: String,
    /// SHA-256 of the weights that the states are of.
    pub weights: String,
    /// The numbers that states are kept in.
    pub numbers: Precision,
    /// The states, by name.
    pub states: Vec<Kept>,
    /// The items, in the order of the data.
    pub items: Vec<Item>,
    /// The files, in the order of their rows.
    pub files: Vec<File>,
}

/// A site, or the gradient at one, that was kept.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Kept {
    /// `blocks.3.hook_resid_post`, or `grad.` and a site.
    pub name: String,
    /// Of a row: `[width]` or `[head, width]`.
    pub shape: Vec<usize>,
}

impl Kept {
    /// How many numbers a row has.
    pub fn numbers(&self) -> usize {
        self.shape.iter().product()
    }
}

/// An item that states are of.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Item {
    /// Tokens of its prompt.
    pub length: usize,
    /// Where its answer is read, if it has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub answer: Option<usize>,
    /// Where its clean and its corrupted prompt differ.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub contrast: Vec<usize>,
    /// Its labels.
    #[serde(default, skip_serializing_if = "IndexMap::is_empty")]
    pub labels: IndexMap<String, String>,
}

impl Item {
    /// Where a spot is in it, in order; positions behind its end are none.
    pub fn positions(&self, spot: Spot) -> Vec<usize> {
        let last = self.length.saturating_sub(1);
        match spot {
            Spot::Position(position) => (0..self.length).filter(|at| *at == position).collect(),
            Spot::Role(Role::Last) => vec![last],
            Spot::Role(Role::Answer) => vec![self.answer.unwrap_or(last)],
            Spot::Role(Role::Contrast) => self.contrast.clone(),
        }
    }
}

/// A file of rows.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct File {
    /// Its path below `states/`.
    pub name: String,
    /// Which prompts its rows are of.
    pub side: Side,
    /// How many rows it has.
    pub rows: usize,
    /// Its SHA-256.
    pub sha256: String,
}
