//! A circuit held against the true one, where that is known: do its edges score higher than the others?
//!
//! **What it measures.** The area under the curve of true against false positives over all thresholds of the size of the
//! scores ([`roc::area`]), ACDC's pessimistic one ([`roc::staircase`]), and of the edges that were chosen how many are true.
//! Beside them the areas that come out when the labels of the edges, true or not, are shuffled.
//!
//! **What it cannot show.** Why an edge was missed: that its score is 0 may be right where two ways do the same.
//!
//! **Reference.** Conmy et al. 2023, *Towards Automated Circuit Discovery*.
//!
//! **Example.** `found.recovery(&truth, seed)?.area`

use super::{Blocks, Circuit};
use patchclamp_probes::roc;
use rand::SeedableRng;
use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;

/// How often labels are shuffled: enough for the ends of 95 in 100.
const SHUFFLES: usize = 1000;

/// How well a circuit recovers the true one.
#[derive(Clone, Debug, PartialEq)]
pub struct Recovery {
    /// Edges that have a score.
    pub edges: usize,
    /// How many of them are true.
    pub known: usize,
    /// How many were chosen.
    pub chosen: usize,
    /// How many were chosen and are true.
    pub hits: usize,
    /// The area under the curve by size of the scores, with straight lines between its points.
    pub area: Against,
    /// The pessimistic area.
    pub staircase: Against,
}

/// An area, and what shuffled labels give.
#[derive(Clone, Debug, PartialEq)]
pub struct Against {
    /// With the true labels.
    pub found: f64,
    /// With labels shuffled, in order.
    pub shuffled: Vec<f64>,
}

/// A circuit that cannot be held against another.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NoRecovery {
    /// They are of different models.
    #[error("the true circuit is of another model: it has {truth}, and this one {found}")]
    Different {
        /// What the true circuit is of.
        truth: Blocks,
        /// What this one is of.
        found: Blocks,
    },
    /// There is nothing to tell apart.
    #[error("of {edges} edges with scores {known} are in the true circuit; some must be, and some not")]
    OneKind {
        /// Edges with scores.
        edges: usize,
        /// Those in the true circuit.
        known: usize,
    },
}

impl Against {
    fn new(found: f64, mut shuffled: Vec<f64>) -> Self {
        shuffled.sort_by(f64::total_cmp);
        Against { found, shuffled }
    }

    /// The mean with shuffled labels.
    pub fn chance(&self) -> f64 {
        self.shuffled.iter().sum::<f64>() / self.shuffled.len() as f64
    }

    /// The middle 95 in 100 with shuffled labels.
    pub fn middle(&self) -> (f64, f64) {
        let last = (self.shuffled.len() - 1) as f64;
        let at = |share: f64| self.shuffled[(share * last).round() as usize];
        (at(0.025), at(0.975))
    }

    /// How likely shuffled labels reach as much.
    pub fn p(&self) -> f64 {
        let reach = self.shuffled.iter().filter(|area| **area >= self.found).count();
        (1 + reach) as f64 / (1 + self.shuffled.len()) as f64
    }
}

impl Recovery {
    /// The share of true edges that were chosen.
    pub fn found(&self) -> f64 {
        self.hits as f64 / self.known as f64
    }

    /// The share of other edges that were chosen.
    pub fn alarms(&self) -> f64 {
        (self.chosen - self.hits) as f64 / (self.edges - self.known) as f64
    }

    /// The share of chosen edges that are true; none of none.
    pub fn precision(&self) -> Option<f64> {
        (self.chosen > 0).then(|| self.hits as f64 / self.chosen as f64)
    }
}

impl Circuit {
    /// How well the scores and the choice of this circuit's edges tell those of the true circuit from the others.
    ///
    /// # Errors
    /// Where the two are of different models, or all edges with scores are of one kind.
    pub fn recovery(&self, truth: &Circuit, seed: u64) -> Result<Recovery, NoRecovery> {
        let labels = self.labels(truth)?;
        let sizes: Vec<f64> = self.scores().iter().map(|score| score.abs()).collect();
        let [area, staircase] = areas(&labels, seed, |labels| roc::points(&sizes, labels))?;
        let hits = self.links().zip(&labels).filter(|(link, label)| link.in_circuit && **label).count();
        let known = labels.iter().filter(|label| **label).count();
        Ok(Recovery { edges: labels.len(), known, chosen: self.size(), hits, area, staircase })
    }

    /// Both areas, the pessimistic one second, over the points that these circuits are, as of one search at several
    /// thresholds; they are of the same edges.
    ///
    /// # Errors
    /// As [`Circuit::recovery`]; of no circuit there is nothing to tell.
    pub fn recovery_of_all(circuits: &[&Circuit], truth: &Circuit, seed: u64) -> Result<[Against; 2], NoRecovery> {
        let first = circuits.first().ok_or(NoRecovery::OneKind { edges: 0, known: 0 })?;
        let labels = first.labels(truth)?;
        let members: Vec<Vec<bool>> = circuits.iter().map(|circuit| circuit.members()).collect();
        let points = |labels: &[bool]| {
            let known = labels.iter().filter(|label| **label).count();
            let share = |members: &[bool], kind: bool, all: usize| {
                let chosen = members.iter().zip(labels).filter(|(member, label)| **member && **label == kind).count();
                chosen as f64 / all as f64
            };
            let point =
                |members: &Vec<bool>| (share(members, false, labels.len() - known), share(members, true, known));
            let ends = [(0.0, 0.0), (1.0, 1.0)];
            (known > 0 && known < labels.len()).then(|| members.iter().map(point).chain(ends).collect())
        };
        areas(&labels, seed, points)
    }

    /// Of each edge with a score whether it is true.
    fn labels(&self, truth: &Circuit) -> Result<Vec<bool>, NoRecovery> {
        match self.blocks() == truth.blocks() {
            true => Ok(self.links().map(|link| truth.contains(link.edge)).collect()),
            false => Err(NoRecovery::Different { truth: truth.blocks().clone(), found: self.blocks().clone() }),
        }
    }
}

/// The area and the pessimistic one under the points that labels make, and what they are with the labels shuffled.
fn areas(
    labels: &[bool],
    seed: u64,
    points: impl Fn(&[bool]) -> Option<Vec<roc::Point>>,
) -> Result<[Against; 2], NoRecovery> {
    let both = |labels: &[bool]| points(labels).map(|points| (roc::area(&points), roc::staircase(&points)));
    let known = labels.iter().filter(|label| **label).count();
    let (area, staircase) = both(labels).ok_or(NoRecovery::OneKind { edges: labels.len(), known })?;
    let (mut random, mut labels) = (ChaCha8Rng::seed_from_u64(seed), labels.to_vec());
    let shuffle = |_| {
        labels.shuffle(&mut random);
        both(&labels)
    };
    let (shuffled, pessimistic) = (0..SHUFFLES).filter_map(shuffle).unzip();
    Ok([Against::new(area, shuffled), Against::new(staircase, pessimistic)])
}
