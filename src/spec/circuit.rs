//! Words for circuits: how edges are scored, which are kept, and what stands in for the others.

use serde::{Deserialize, Serialize};
use std::fmt;

/// How edges are scored.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub enum Score {
    /// Edge attribution patching: the source's change times the gradient of the clean run (Syed et al. 2023).
    Eap,
    /// The gradient averaged over embeddings between the corrupted and the clean prompt (Hanna et al. 2024).
    EapIg {
        /// How many.
        #[serde(default = "five")]
        steps: usize,
    },
    /// The gradient averaged over outputs of the source between its two values, all else clean.
    EapIgActivations {
        /// How many.
        #[serde(default = "five")]
        steps: usize,
    },
    /// The mean of the gradients of the clean and the corrupted run.
    CleanCorrupted,
    /// Every edge patched by itself.
    Exact,
    /// How near the source brings the stream that is read (Ferrando & Voita 2024); the metric is not in it.
    InformationFlow,
}

/// The steps of Hanna et al. 2024.
fn five() -> usize {
    5
}

/// The score of Hanna et al. 2024.
impl Default for Score {
    fn default() -> Self {
        Score::EapIg { steps: five() }
    }
}

/// As papers call it.
impl fmt::Display for Score {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Score::Eap => out.write_str("EAP"),
            Score::EapIg { steps } => write!(out, "EAP-IG, {steps} steps"),
            Score::EapIgActivations { steps } => write!(out, "EAP-IG over activations, {steps} steps"),
            Score::CleanCorrupted => out.write_str("clean-corrupted"),
            Score::Exact => out.write_str("exact"),
            Score::InformationFlow => out.write_str("information flow routes"),
        }
    }
}

/// Which neurons are nodes of their own.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Neurons {
    /// None: MLPs are whole.
    #[default]
    None,
    /// So many of the whole model: those that patching would change the metric most by, as estimated from gradients.
    Top(usize),
    /// These: `["m3.n17"]`.
    Named(Vec<String>),
}

impl Neurons {
    /// Whether MLPs are whole.
    pub fn is_none(&self) -> bool {
        *self == Neurons::None
    }
}

/// Whether nodes are of all positions of a prompt, or of each by itself.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Positions {
    /// Of all together: an edge carries what it carries at every position.
    #[default]
    Together,
    /// Of each: an edge is one at each position, and the circuit says where it is needed.
    Each,
}

impl Positions {
    /// Whether nodes are of all positions.
    pub fn are_together(&self) -> bool {
        *self == Positions::Together
    }
}

/// Which edges are kept, before those that lead nowhere are dropped.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub enum Select {
    /// So many of highest rank.
    TopN(usize),
    /// So many of highest rank, each of which leads to the logits over those taken before.
    Greedy(usize),
    /// The fewest of highest rank whose circuit does this share of what all edges do.
    Faithful(f64),
}

/// What of a score counts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Ranking {
    /// Its size.
    #[default]
    Size,
    /// The score itself: what supports the answer comes first.
    Sign,
}

/// What an edge outside the circuit brings.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub enum Stand {
    /// What its source writes after the corrupted prompt.
    #[default]
    Corrupted,
    /// Nothing.
    Zero,
    /// The mean over all prompts and positions.
    Mean,
    /// The mean over all prompts, position by position.
    MeanPerPosition,
    /// Constants fitted to the circuit, a vector a node, so that the least is lost (Li & Janson 2024).
    Optimal {
        /// How many steps they are fitted by.
        #[serde(default = "fifty")]
        steps: usize,
        /// How far a step goes, in root mean squares of what the nodes write.
        #[serde(default = "rate")]
        learning_rate: f64,
    },
}

/// Constants begin at means, which are near.
fn fifty() -> usize {
    50
}

fn rate() -> f64 {
    0.03
}

/// As it is written in a file.
impl fmt::Display for Stand {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Stand::Optimal { steps, learning_rate } => {
                write!(out, "Optimal(steps: {steps}, learning_rate: {learning_rate})")
            }
            other => write!(out, "{other:?}"),
        }
    }
}

/// What a search holds a circuit against the whole model by.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Judge {
    /// The Kullback–Leibler divergence of the next token after the circuit from that after the whole model, nats, summed
    /// over the vocabulary.
    #[default]
    Divergence,
    /// The metric, times −1.
    Metric,
}

/// One threshold, or several.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(untagged, expecting = "expected a threshold such as 0.01, or a list of them: [0.01, 0.1]")]
pub enum Thresholds {
    /// `0.01`.
    One(f64),
    /// `[0.01, 0.1]`: a circuit each.
    Several(Vec<f64>),
}

impl Thresholds {
    /// All of them, in order.
    pub fn values(&self) -> Vec<f64> {
        match self {
            Thresholds::One(value) => vec![*value],
            Thresholds::Several(values) => values.clone(),
        }
    }
}
