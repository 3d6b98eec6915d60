//! What the scores of a circuit say, by the fact `sign`, which every search writes beside them.

use super::By;
use super::exchange::Facts;

/// The fact that tells.
pub const SIGN: &str = "sign";

/// What the sign of published scores says: their metric is a loss.
pub const OF_LOSS: &str = "a score is what the loss grows by without the edge: positive supports the answer";

/// What the scores of a circuit are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Meaning {
    /// What a metric changes by without the edge.
    Change,
    /// What a loss grows by without it.
    Growth,
    /// How much of a stream it brings.
    Share,
    /// How sure it is that it stays.
    Chance,
    /// Nobody says.
    Unknown,
}

impl Meaning {
    /// By the facts of a circuit.
    pub fn of(facts: &Facts) -> Self {
        match facts.get(SIGN) {
            Some(sign) if sign.contains("negative supports the answer") => Meaning::Change,
            Some(sign) if sign.contains("grows by without the edge") => Meaning::Growth,
            Some(sign) if sign.contains("share of the stream") => Meaning::Share,
            Some(sign) if sign.contains("the chance that the edge stays") => Meaning::Chance,
            _ => Meaning::Unknown,
        }
    }

    /// What scores below zero mean, and those above; empty where none can be below.
    pub fn signs(self) -> [String; 2] {
        let signs = match self {
            Meaning::Change => ["edge supports the answer", "edge works against it"],
            Meaning::Growth => ["edge leads away from the model", "the model needs the edge"],
            Meaning::Share | Meaning::Chance => ["", ""],
            Meaning::Unknown => ["below zero", "above zero"],
        };
        signs.map(String::from)
    }

    /// The order of scores that has the edges of most use first, where somebody says what scores are.
    pub fn supporting(self) -> Option<By> {
        match self {
            Meaning::Change => Some(By::Loss),
            Meaning::Growth | Meaning::Share | Meaning::Chance => Some(By::Sign),
            Meaning::Unknown => None,
        }
    }
}
