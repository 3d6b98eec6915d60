//! How recorded states go to files, as it is written.

use super::Memory;
use crate::precision::Precision;
use serde::{Deserialize, Serialize};

/// States as rows in files of a bounded size, written as the run goes on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Shards {
    /// What a file holds at the most, unless a single item is more; without it 64 MiB, or an eighth of the experiment's
    /// memory where that is less.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub size: Option<Memory>,
    /// The numbers that states are kept in.
    pub numbers: Precision,
}
