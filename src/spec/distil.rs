//! Distillation, as it is written: a student of some of its teacher's blocks, trained to say what the teacher says.

use super::calibration::Calibration;
use super::defaults::{
    five_hundred, hundredth_of_decay, share_of_cosine, share_of_entropy, sixteen, student_rate, two,
};
use serde::{Deserialize, Serialize};

/// A student that begins as some of the teacher's blocks, and is trained on texts.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Distil {
    /// The blocks that it has of the teacher's.
    pub layers: Kept,
    /// What it begins with.
    #[serde(default)]
    pub from: Beginning,
    /// Texts that it is trained on.
    #[serde(default)]
    pub calibration: Calibration,
    /// Updates; at 0 it stays as it begins.
    #[serde(default = "five_hundred")]
    pub steps: usize,
    /// Texts a batch.
    #[serde(default = "sixteen")]
    pub rows: usize,
    /// The highest learning rate, after a warm-up over a tenth of the steps; a cosine brings it to a tenth.
    #[serde(default = "student_rate")]
    pub rate: f64,
    /// Decay of the weights of matrices.
    #[serde(default = "hundredth_of_decay")]
    pub weight_decay: f64,
    /// T: what logits of both are divided by before they are compared.
    #[serde(default = "two")]
    pub temperature: f64,
    /// λ: how much the cross-entropy of the texts' own tokens counts.
    #[serde(default = "share_of_entropy")]
    pub lambda: f64,
    /// μ: how much counts that the last stream points elsewhere than the teacher's.
    #[serde(default = "share_of_cosine")]
    pub mu: f64,
    /// Of the order of texts, of which are not trained on, and of which tokens are masked.
    #[serde(default)]
    pub seed: u64,
}

/// What a student begins with.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Beginning {
    /// The teacher's weights: embeddings, unembedding and the blocks that it has.
    #[default]
    Teacher,
    /// Weights of no training, drawn by its seed: what it then knows of the teacher it has of its texts.
    Random,
}

/// Blocks that are kept.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Kept {
    /// These, in order.
    These(Vec<usize>),
    /// So many, spread evenly from the first to the last; one is the first.
    Spread(usize),
}

impl Kept {
    /// The blocks of a model that has so many.
    pub fn of(&self, layers: usize) -> Vec<usize> {
        match self {
            Kept::These(layers) => layers.clone(),
            Kept::Spread(count) => {
                let between = (count.max(&2) - 1) as f64;
                let last = layers.saturating_sub(1) as f64;
                // more than there are is a mistake that the plan tells
                (0..*count.min(&(layers + 1))).map(|at| (at as f64 * last / between).round() as usize).collect()
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks_are_spread_evenly() {
        let spread = |count: usize, of: usize| Kept::Spread(count).of(of);
        assert_eq!(spread(6, 12), [0, 2, 4, 7, 9, 11]); // those of DistilGPT-2
        assert_eq!((spread(2, 4), spread(3, 4), spread(1, 4)), (vec![0, 3], vec![0, 2, 3], vec![0]));
        assert_eq!((spread(4, 4), spread(1, 1)), (vec![0, 1, 2, 3], vec![0]));
    }
}
