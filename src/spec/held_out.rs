//! Words for items that something learned is tested on, and not learned from.

use serde::{Deserialize, Serialize};

/// Which items a fit never sees.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct HeldOut {
    /// The share of items that are held out, at the least.
    pub share: f64,
    /// What never stands on both sides.
    pub apart: Apart,
}

/// What never stands on both sides of a division of the items; the two ways round of a pair never do.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Apart {
    /// Pairs: templates and words may stand on both sides.
    #[default]
    Pairs,
    /// Tokens by which the prompts of a pair differ, such as names: what is tested has words that were not learned from.
    Contrast,
    /// Values of a label of the items, such as `"template"`.
    Label(String),
}

/// Half and half.
impl Default for HeldOut {
    fn default() -> Self {
        HeldOut { share: 0.5, apart: Apart::default() }
    }
}
