//! Words for attribution patching: how the effect of a place is estimated.

use serde::{Deserialize, Serialize};
use std::fmt;

/// How the effect of patching a place is estimated from gradients.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub enum Estimate {
    /// The change of the activation times the gradient of the run that is patched (Nanda 2023).
    AtP,
    /// The gradient averaged over embeddings between those of both prompts (Hanna et al. 2024, node by node).
    AtPIg {
        /// How many.
        #[serde(default = "five")]
        steps: usize,
    },
    /// With what first order misses put right (Kramár et al. 2024).
    AtPStar {
        /// What is put right.
        #[serde(default = "both")]
        fixes: Vec<Fix>,
    },
}

/// What AtP* puts right.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Fix {
    /// Saturated softmax: queries and keys go through the pattern, which is computed anew.
    Attention,
    /// Cancellation: the mean of absolute estimates, each with one layer's contribution to the gradient dropped.
    GradDrop,
}

/// The first method in the field; the others are dearer.
impl Default for Estimate {
    fn default() -> Self {
        Estimate::AtP
    }
}

/// The steps of Hanna et al. 2024.
fn five() -> usize {
    5
}

fn both() -> Vec<Fix> {
    vec![Fix::Attention, Fix::GradDrop]
}

impl Estimate {
    /// In the names of tables.
    pub fn word(&self) -> &'static str {
        match (self, self.has(Fix::Attention), self.has(Fix::GradDrop)) {
            (Estimate::AtPIg { .. }, ..) => "atp_ig",
            (_, true, true) => "atp_star",
            (_, true, false) => "atp_attention",
            (_, false, true) => "atp_grad_drop",
            (_, false, false) => "atp",
        }
    }

    /// Whether a fix is made.
    pub fn has(&self, fix: Fix) -> bool {
        matches!(self, Estimate::AtPStar { fixes } if fixes.contains(&fix))
    }
}

/// As papers call it.
impl fmt::Display for Estimate {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self, self.has(Fix::Attention), self.has(Fix::GradDrop)) {
            (Estimate::AtPIg { steps }, ..) => write!(out, "AtP-IG, {steps} steps"),
            (_, true, true) => out.write_str("AtP*"),
            (_, true, false) => out.write_str("AtP with the attention fix"),
            (_, false, true) => out.write_str("AtP with GradDrop"),
            (_, false, false) => out.write_str("AtP"),
        }
    }
}
