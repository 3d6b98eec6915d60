//! What a localiser is told: where units are looked for, how many are picked, and how they are lesioned.

use super::defaults::{at_answer, twenty};
use super::{Ablation, Apart, Sites, Spot};
use serde::{Deserialize, Serialize};

/// Units picked by what prompts differ in, and lesioned.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Localise {
    /// Where units are looked for: each channel of these sites is one.
    #[serde(default = "neurons")]
    pub sites: Sites,
    /// How many are picked at the most.
    #[serde(default)]
    pub units: Units,
    /// The positions whose responses count, as their mean; empty is all.
    #[serde(default = "at_answer")]
    pub at: Vec<Spot>,
    /// Which difference counts.
    #[serde(default)]
    pub prefers: Prefers,
    /// The share of false alarms, on average, among units that may be picked; 1 lets all through.
    #[serde(default = "twentieth")]
    pub false_discoveries: f64,
    /// What stands in one half as a whole; without it a template, where there are several, else an item.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub apart: Option<Apart>,
    /// What is put in the place of lesioned units, at every position; each is a table of its own.
    #[serde(default = "mean")]
    pub lesion: Vec<Ablation>,
    /// How many lesions of as many random units each is held against.
    #[serde(default = "twenty")]
    pub random: usize,
}

/// How many units are picked.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub enum Units {
    /// So many of all.
    Count(usize),
    /// This share of all, above 0 and up to 1.
    Share(f64),
    /// So many of each site.
    CountPerLayer(usize),
    /// This share of each site.
    SharePerLayer(f64),
}

/// One in a hundred, as AlKhamissi et al. 2025 pick.
impl Default for Units {
    fn default() -> Self {
        Units::Share(0.01)
    }
}

/// Which difference of responses counts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Prefers {
    /// More after clean prompts.
    Clean,
    /// More after corrupted prompts.
    Corrupted,
    /// Either.
    #[default]
    Either,
}

fn neurons() -> Sites {
    Sites::Named(vec!["mlp.hook_post".into()])
}

fn mean() -> Vec<Ablation> {
    vec![Ablation::Mean]
}

fn twentieth() -> f64 {
    0.05
}
