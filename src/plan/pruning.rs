//! Edge pruning: how many edges are to stay, and whether masks can be fitted.

use super::circuit::{blocks, check_draws, check_search};
use super::{Known, Problems};
use crate::circuit::Blocks;
use crate::spec::{Judge, Stand, Target};

/// More steps or seeds than this are a slip of the pen.
const MOST: usize = 100_000;

/// What is asked of edge pruning.
pub(super) struct Asked {
    /// How many edges are to stay.
    pub target: Target,
    /// Steps of the fit.
    pub steps: usize,
    /// How far a step goes.
    pub learning_rate: f64,
    /// What the circuit is held against the whole model by.
    pub judge: Judge,
    /// What a pruned edge brings.
    pub ablate: Stand,
    /// How many fits.
    pub seeds: usize,
    /// Random circuits that it is held against.
    pub random: usize,
}

/// Masks to be fitted.
#[derive(Clone, Debug, PartialEq)]
pub struct Pruning {
    /// The model's edges.
    pub blocks: Blocks,
    /// How many of them are to stay.
    pub count: usize,
    /// Steps of the fit.
    pub steps: usize,
    /// How far a step goes.
    pub learning_rate: f64,
    /// What the circuit is held against the whole model by.
    pub judge: Judge,
    /// What a pruned edge brings.
    pub stand: Stand,
    /// How many fits.
    pub seeds: usize,
    /// Random circuits that it is held against.
    pub random: usize,
}

/// The masks, or what is wrong with them.
pub(super) fn resolve(at: &str, asked: Asked, known: &Known, problems: &mut Problems) -> Option<Pruning> {
    let before = problems.count();
    let blocks = blocks(at, asked.ablate, known, problems);
    check_search(at, asked.ablate, problems);
    for (field, count) in [("steps", asked.steps), ("seeds", asked.seeds)] {
        if count == 0 || count > MOST {
            problems.add(&format!("{at}.{field}"), format!("{count} is not between 1 and {MOST}"));
        }
    }
    check_rate(&format!("{at}.learning_rate"), asked.learning_rate, problems);
    check_draws(&format!("{at}.random_circuits"), asked.random, problems);
    let count = blocks.as_ref().and_then(|blocks| count(&format!("{at}.target"), asked.target, blocks, problems));
    let Asked { steps, learning_rate, judge, ablate: stand, seeds, random, .. } = asked;
    let pruning = Pruning { blocks: blocks?, count: count?, steps, learning_rate, judge, stand, seeds, random };
    (problems.count() == before).then_some(pruning)
}

/// A rate that leads somewhere.
pub(super) fn check_rate(at: &str, rate: f64, problems: &mut Problems) {
    if !(rate > 0.0 && rate.is_finite()) {
        problems.add(at, format!("{rate} is no number above 0; give for instance 0.1"));
    }
}

/// How many edges stay.
fn count(at: &str, target: Target, blocks: &Blocks, problems: &mut Problems) -> Option<usize> {
    let all = blocks.edges().len();
    match target {
        Target::Edges(count) if (1..=all).contains(&count) => Some(count),
        Target::Edges(count) => {
            problems.add(at, format!("{count} edges; this model has 1 to {all} to choose from"));
            None
        }
        Target::Sparsity(share) if share > 0.0 && share <= 1.0 => {
            let count = ((1.0 - share) * all as f64).round() as usize;
            if count == 0 {
                let most = 1.0 - 1.0 / all as f64;
                let what = format!("a share of {share} of {all} edges leaves none; {most:.6} leaves one");
                problems.add(at, what);
            }
            Some(count)
        }
        Target::Sparsity(share) => {
            problems
                .add(at, format!("a share of {share} is not above 0 and at most 1; 0.98 keeps two edges of a hundred"));
            None
        }
    }
}
