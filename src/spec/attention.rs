//! Which attention patterns are shown.

use serde::{Deserialize, Serialize};

/// Which attention patterns are shown.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Weighting {
    /// Probabilities.
    #[default]
    Plain,
    /// Norm of what each key's value writes to the stream through this head.
    ValueWeighted,
}
