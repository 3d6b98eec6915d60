//! Sparse probing: how much do the k best features tell?
//!
//! **What it measures.** The held-out accuracy and cross-entropy of a probe that sees k features only, for growing k. In each
//! fold the features are chosen among the items to learn from: by ranking, or by a probe of all of them, of which the weaker
//! half is dropped again and again.
//!
//! **What it cannot show.** That there is no better set of k: the best of all sets cannot be searched. A feature that is told
//! well by one neuron may still be used from many.
//!
//! **Reference.** Gurnee et al. 2023, *Finding neurons in a haystack: case studies with sparse probing*, TMLR.
//!
//! **Example.**
//! ```
//! use ndarray::Array2;
//! use patchclamp_probes::decode::{Choice, Design, Labels, Logistic, Training, sparse};
//!
//! let states = Array2::from_shape_fn((90, 8), |(item, feature)| ((item * 7 + feature * item) as f64).sin());
//! let labels = Labels::new((0..90).map(|item| usize::from(states[[item, 5]] > 0.0)).collect(), 2)?;
//! let every: Vec<usize> = (0..90).collect();
//! let splits = Design::Items.splits(labels.of(), &every, 3, 0)?;
//! let training = Training { family: &Logistic::default(), penalties: &[1.0], design: Design::Items, folds: 3, seed: 0 };
//! let found = sparse(&states.view(), &labels, &splits, &[1, 4], Choice::Anova, &training)?;
//! assert_eq!(found[0].features, [[5], [5], [5]]); // the same neuron in each fold
//! assert!(found[0].held.accuracy() > 0.9);
//! # Ok::<(), patchclamp_probes::decode::DecodeError>(())
//! ```

use super::folds::Split;
use super::held::{assert_each_once, finite};
use super::ranking::{anova, mean_difference};
use super::scale::moments;
use super::training::Training;
use super::{DecodeError, Family, Held, Labels, Linear, Logistic, Probe, Task};
use crate::rows::{Columns, Rows, gathered};
use ndarray::Array2;

/// How features are chosen.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Choice {
    /// The largest F statistics.
    Anova,
    /// The largest differences of class means.
    MeanDifference,
    /// The largest weights of a logistic probe under this penalty, refitted each time that the smaller half is dropped.
    Thinned {
        /// λ.
        penalty: f64,
    },
}

/// Probes of a number of features.
#[derive(Clone, Debug, PartialEq)]
pub struct Sparse {
    /// The features that each fold chose, `[fold][k]`, the best first.
    pub features: Vec<Vec<usize>>,
    /// What was told of items held out.
    pub held: Held,
}

/// A probe of as many features as each of `counts` says, `[count]`.
///
/// # Errors
/// [`DecodeError::Features`] where more are asked for than there are, or none; and as for [`super::held_out`].
///
/// # Panics
/// If the splits do not hold out each item once.
pub fn sparse<F: Family>(
    rows: &dyn Rows,
    labels: &Labels,
    splits: &[Split],
    counts: &[usize],
    choice: Choice,
    training: &Training<F>,
) -> Result<Vec<Sparse>, DecodeError> {
    let width = rows.width();
    if let Some(wanted) = counts.iter().find(|count| **count == 0 || **count > width) {
        return Err(DecodeError::Features { wanted: *wanted, width });
    }
    assert_each_once(splits, labels.count());
    let task = |split| Task { labels, items: trained(split) };
    let ranked: Vec<Vec<Vec<usize>>> =
        splits.iter().map(|split| choice.features(rows, task(split), counts)).collect::<Result<_, _>>()?;
    let of_count = |(place, _): (usize, &usize)| {
        let features: Vec<Vec<usize>> = ranked.iter().map(|fold| fold[place].clone()).collect();
        let mut told = Array2::zeros((labels.count(), labels.classes()));
        for (split, features) in splits.iter().zip(&features) {
            let all = fit(&Columns { rows, features }, task(split), training)?;
            split.test.iter().for_each(|item| told.row_mut(*item).assign(&all.row(*item)));
        }
        Ok(Sparse { features, held: finite(rows, Held::new(labels.clone(), told)?)? })
    };
    counts.iter().enumerate().map(of_count).collect()
}

/// What a probe of few features says of every item: they are brought into memory, unless they are not few.
fn fit<F: Family>(seen: &Columns, task: Task, training: &Training<F>) -> Result<Array2<f64>, DecodeError> {
    if seen.width() * FEW > seen.rows.width() {
        return Ok(training.fit(seen, &[task])?[0].probe.log_probabilities(seen));
    }
    let seen = gathered(seen);
    Ok(training.fit(&seen.view(), &[task])?[0].probe.log_probabilities(&seen.view()))
}

/// Features are few where there are this many times as many: they then take no more memory than half of the states in `f32`.
const FEW: usize = 4;

fn trained(split: &Split) -> &[usize] {
    &split.train
}

impl Choice {
    /// The best features for each of `counts`, `[count][k]`, the best first.
    ///
    /// # Errors
    /// As for fitting a probe to the task.
    fn features(self, rows: &dyn Rows, task: Task, counts: &[usize]) -> Result<Vec<Vec<usize>>, DecodeError> {
        let first = |order: Vec<usize>| counts.iter().map(|count| order[..*count].to_vec()).collect();
        match self {
            Self::Anova => Ok(first(falling(&anova(rows, task)?))),
            Self::MeanDifference => Ok(first(falling(&mean_difference(rows, task)?))),
            Self::Thinned { penalty } => thinned(rows, task, counts, penalty),
        }
    }
}

/// Places in falling order of their scores; of equals the first.
fn falling(scores: &[f64]) -> Vec<usize> {
    let mut order: Vec<usize> = (0..scores.len()).collect();
    order.sort_by(|a, b| scores[*b].total_cmp(&scores[*a]));
    order
}

/// Drops the weaker half until each of `counts` has been passed, largest first.
fn thinned(rows: &dyn Rows, task: Task, counts: &[usize], penalty: f64) -> Result<Vec<Vec<usize>>, DecodeError> {
    let mut wanted: Vec<usize> = (0..counts.len()).collect();
    wanted.sort_by_key(|place| std::cmp::Reverse(counts[*place]));
    let mut found = vec![Vec::new(); counts.len()];
    let mut left: Vec<usize> = (0..rows.width()).collect();
    for place in wanted {
        loop {
            let seen = Columns { rows, features: &left };
            let probe = Logistic::default().fit(&seen, task, penalty)?;
            let order = falling(&strengths(&probe, &seen, task)?);
            let kept = counts[place].max(left.len() / 2);
            left = order[..kept].iter().map(|feature| left[*feature]).collect();
            if kept == counts[place] {
                break;
            }
        }
        found[place] = left.clone();
    }
    Ok(found)
}

/// How much each feature moves the logits: its weights' length times its standard deviation.
fn strengths(probe: &Linear, seen: &Columns, task: Task) -> Result<Vec<f64>, DecodeError> {
    let variance = moments(seen, &[task.items])?.remove(0).variance;
    let weights = probe.weights();
    let length = |feature: usize| weights.column(feature).iter().map(|weight| weight * weight).sum::<f64>();
    Ok((0..seen.width()).map(|feature| (length(feature) * variance[feature]).sqrt()).collect())
}
