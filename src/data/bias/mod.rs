//! Data sets of behavioural bias as their authors publish them, still in words: one reader a file.

mod association;
mod bbq;
mod crows;
mod gap;
mod honest;
mod pairs;
mod shares;
mod stereoset;
mod winobias;
mod winogender;
mod words;

pub use association::associations;
pub use bbq::{Question, bbq};
pub use crows::crows;
pub use gap::{Passage, gap};
pub use honest::{Filled, honest};
pub use pairs::{blimp, pairs};
pub use shares::{shares, winogender_shares};
pub use stereoset::{Triple, stereoset};
pub use winobias::{Twins, winobias};
pub use winogender::{Pronouns, winogender};
pub use words::words;

use super::DataError;
use std::path::Path;

/// Something with the line that it stands on.
pub type Lines<T> = Vec<(usize, T)>;

/// What a file has, and what it has that cannot be measured as it was published.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Kept<T> {
    /// What is measured.
    pub rows: Lines<T>,
    /// The lines that are left out.
    pub left_out: Vec<usize>,
}

/// Two sentences that differ in little: the first is the one that a measure counts, where it is the more probable.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SentencePair {
    /// The more stereotypical one, or the acceptable one.
    pub first: String,
    /// The other.
    pub second: String,
    /// What it is of: a kind of bias, a paradigm.
    pub group: String,
    /// Its direction or a coarser group, where there is one.
    pub also: Option<String>,
    /// Pairs of one cluster are drawn together; each its own where nothing is said.
    pub cluster: Option<String>,
}

/// At least one, or what is missing.
fn some<T>(path: &Path, found: Lines<T>) -> Result<Lines<T>, DataError> {
    if found.is_empty() { Err(DataError::unreadable(path, "has no row")) } else { Ok(found) }
}
