//! Words for cuts: how a bias is taken out of a model, and what must not be lost with it.

use super::defaults::{at_answer, streams};
use super::{Apart, Data, Erasure, Score, Sites, Spot, Stand};
use serde::{Deserialize, Serialize};
use std::path::PathBuf;

/// A bias cut out of the model: chosen on some items, tried on others.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Cut {
    /// How it is cut; each way by itself.
    pub ways: Vec<CutWay>,
    /// What must not be lost with it.
    pub keep: Keep,
    /// A text in which the loss is measured; without it the prompts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub text: Option<PathBuf>,
    /// Random cuts that each is held against.
    #[serde(default = "fifty")]
    pub random: usize,
    /// Into how many parts items are divided; each is tried on the cut that the others choose.
    #[serde(default = "two")]
    pub folds: usize,
    /// What never stands in two parts.
    #[serde(default)]
    pub apart: Apart,
}

/// A task that must not be lost.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Keep {
    /// Its prompts, in pairs with answers.
    pub data: Data,
}

/// A way to cut.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub enum CutWay {
    /// The edges that the bias hangs on most bring something else.
    Edges(Strongest),
    /// So do all edges of the nodes that it hangs on most.
    Nodes(Strongest),
    /// The output maps of the nodes that it hangs on most write nothing along the direction in which what they write differs.
    Orthogonal(Strongest),
    /// What tells the prompts of a pair apart is taken out of states, at every position.
    Erase {
        /// Of which streams, all at once.
        #[serde(default = "streams")]
        sites: Sites,
        /// How.
        #[serde(default)]
        with: Erasure,
        /// The positions whose states teach it; empty is all.
        #[serde(default = "at_answer")]
        at: Vec<Spot>,
    },
}

/// The edges or nodes that a bias hangs on most.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Strongest {
    /// How edges are scored; a node has the sum over its edges.
    #[serde(default)]
    pub score: Score,
    /// How many are cut: a cut for each.
    pub counts: Vec<usize>,
    /// What a cut edge brings, in scores and in runs: the same in every text.
    #[serde(default = "mean")]
    pub ablate: Stand,
    /// Whether what is kept has a say in the choice.
    #[serde(default)]
    pub spare: Spare,
}

/// What is spared for the sake of what is kept.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Spare {
    /// Nothing: the choice looks at the bias alone.
    #[default]
    Nothing,
    /// As many as are cut of those that what is kept hangs on most.
    Strongest,
    /// By degrees: the share of the bias that goes with each counts less the share by which what is kept changes.
    Shares,
}

fn mean() -> Stand {
    Stand::Mean
}

fn fifty() -> usize {
    50
}

fn two() -> usize {
    2
}
