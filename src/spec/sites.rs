//! Sites as they are asked for: by name, or all of them.

use serde::{Deserialize, Serialize};

/// Sites, by name: `All`, or names with or without their layer.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(untagged, expecting = "expected All, or a list of sites in quotes, for instance [\"hook_resid_pre\"]")]
pub enum Sites {
    /// `["hook_resid_pre", "blocks.0.attn.hook_z"]`.
    Named(Vec<String>),
    /// Every site of the model.
    All(AllSites),
}

/// The word `All`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum AllSites {
    /// Every site of the model.
    All,
}
