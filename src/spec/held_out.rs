//! Words for items that something learned is tested on, and not learned from.

use super::Apart;
use serde::{Deserialize, Serialize};

/// Which items a fit never sees.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct HeldOut {
    /// The share of items that are held out, at the least.
    pub share: f64,
    /// What never stands on both sides; the two ways round of a pair never do.
    pub apart: Apart,
}

/// Half and half, by pairs: words may hang so together that nothing is left to hold out.
impl Default for HeldOut {
    fn default() -> Self {
        HeldOut { share: 0.5, apart: Apart::Items }
    }
}
