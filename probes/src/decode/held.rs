//! What probes say of items that they did not learn from, and how right they are.
//!
//! **What it measures.** Accuracy, balanced accuracy (the mean over classes of the share that is recognised), cross-entropy
//! in bits and log-odds, over items held out; item by item, so that a bootstrap or a paired test can go over them.
//!
//! **What it cannot show.** Items of one fold share a probe, and all folds share most of what they learnt from: intervals
//! over items do not hold the variation of training sets.
//!
//! **Reference.** Hastie, Tibshirani & Friedman 2009, *The Elements of Statistical Learning*, section 7.10.
//!
//! **Example.**
//! ```
//! use ndarray::array;
//! use patchclamp_probes::decode::{Held, Labels};
//! use patchclamp_probes::mean_interval;
//!
//! let labels = Labels::new(vec![0, 0, 0, 1], 2)?;
//! let half = 0.5_f64.ln();
//! let held = Held::new(labels, array![[half, half], [-0.1, -2.4], [-0.1, -2.4], [-0.1, -2.4]])?;
//! assert_eq!((held.accuracy(), held.balanced_accuracy()), (0.75, 0.5));
//! assert!(mean_interval(&held.right(), 0.95, 1000, 0).is_some());
//! # Ok::<(), patchclamp_probes::decode::DecodeError>(())
//! ```

use super::family::all_finite;
use super::folds::Split;
use super::training::Training;
use super::{DecodeError, Family, Labels, Probe, Task};
use crate::rows::{Picked, Rows};
use ndarray::{Array2, ArrayView1, ArrayView2};
use std::f64::consts::LN_2;

/// Log-probabilities of items held out.
#[derive(Clone, Debug, PartialEq)]
pub struct Held {
    labels: Labels,
    log_probabilities: Array2<f64>,
    penalties: Vec<f64>,
}

impl Held {
    /// Of `labels`, given natural `log_probabilities` `[item, class]`.
    ///
    /// # Errors
    /// [`DecodeError::Lengths`] where there is not a row for each label.
    pub fn new(labels: Labels, log_probabilities: Array2<f64>) -> Result<Self, DecodeError> {
        let (rows, values) = (log_probabilities.nrows(), labels.count());
        if rows != values || log_probabilities.ncols() != labels.classes() {
            return Err(DecodeError::Lengths { rows, values });
        }
        Ok(Self { labels, log_probabilities, penalties: Vec::new() })
    }

    /// The true classes.
    pub fn labels(&self) -> &Labels {
        &self.labels
    }

    /// Natural logarithms, `[item, class]`.
    pub fn log_probabilities(&self) -> ArrayView2<'_, f64> {
        self.log_probabilities.view()
    }

    /// The penalty that was chosen in each fold, `[fold]`.
    pub fn penalties(&self) -> &[f64] {
        &self.penalties
    }

    /// The likeliest class of each item; of equals the first.
    pub fn predictions(&self) -> Vec<usize> {
        let likeliest = |row: ArrayView1<f64>| (0..row.len()).rev().max_by(|a, b| row[*a].total_cmp(&row[*b]));
        self.log_probabilities.rows().into_iter().map(|row| likeliest(row).unwrap_or(0)).collect()
    }

    /// 1 for each item whose likeliest class is the true one, else 0.
    pub fn right(&self) -> Vec<f64> {
        let both = self.predictions().into_iter().zip(self.labels.of());
        both.map(|(found, label)| f64::from(u8::from(found == *label))).collect()
    }

    /// The share of items whose likeliest class is the true one.
    pub fn accuracy(&self) -> f64 {
        mean(&self.right())
    }

    /// The mean over classes that have an item of the share that is recognised.
    pub fn balanced_accuracy(&self) -> f64 {
        let mut shares = vec![(0.0, 0.0); self.labels.classes()];
        for (right, label) in self.right().into_iter().zip(self.labels.of()) {
            shares[*label].0 += right;
            shares[*label].1 += 1.0;
        }
        let known: Vec<f64> = shares.iter().filter(|(_, all)| *all > 0.0).map(|(right, all)| right / all).collect();
        mean(&known)
    }

    /// `−log2 p(label)` of each item, in bits.
    pub fn item_bits(&self) -> Vec<f64> {
        let rows = self.log_probabilities.rows().into_iter().zip(self.labels.of());
        rows.map(|(row, label)| -row[*label] / LN_2).collect()
    }

    /// The mean cross-entropy in bits an item.
    pub fn bits(&self) -> f64 {
        mean(&self.item_bits())
    }

    /// `ln p/(1 − p)` of `class` for each item, in nats.
    ///
    /// # Panics
    /// If there is no such class.
    pub fn log_odds(&self, class: usize) -> Vec<f64> {
        let against = |row: ArrayView1<f64>| {
            let others = row.iter().enumerate().filter(|(other, _)| *other != class).map(|(_, value)| *value);
            let others: Vec<f64> = others.collect();
            let largest = others.iter().copied().fold(f64::NEG_INFINITY, f64::max);
            row[class] - largest - others.iter().map(|value| (value - largest).exp()).sum::<f64>().ln()
        };
        self.log_probabilities.rows().into_iter().map(against).collect()
    }
}

fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len() as f64
}

/// Each of `labels` told by probes that learn from the other side of each split: all together, so that a control costs little
/// beside its task.
///
/// # Errors
/// See [`DecodeError`]: of rows and labels that do not fit, values that are not finite, classes that a split leaves out.
///
/// # Panics
/// If the splits do not hold out each item once.
pub fn held_out<F: Family>(
    rows: &dyn Rows,
    labels: &[&Labels],
    splits: &[Split],
    training: &Training<F>,
) -> Result<Vec<Held>, DecodeError> {
    let Some(first) = labels.first() else { return Ok(Vec::new()) };
    assert_each_once(splits, first.count());
    let tasks: Vec<Task> =
        labels.iter().flat_map(|labels| splits.iter().map(move |split| Task { labels, items: &split.train })).collect();
    let chosen = training.fit(rows, &tasks)?;
    let told = labels.iter().zip(chosen.chunks(splits.len().max(1))).map(|(labels, chosen)| {
        let mut held = Held::new((*labels).clone(), Array2::from_elem((labels.count(), labels.classes()), f64::NAN))?;
        for (split, chosen) in splits.iter().zip(chosen) {
            let told = chosen.probe.log_probabilities(&Picked { rows, items: &split.test });
            split
                .test
                .iter()
                .zip(told.rows())
                .for_each(|(item, row)| held.log_probabilities.row_mut(*item).assign(&row));
            held.penalties.push(chosen.penalty);
        }
        finite(rows, held)
    });
    told.collect()
}

/// What is said where nothing is looked at: the shares of the classes among the items learnt from in each split.
///
/// # Errors
/// Where a split has no item of some class to learn from.
///
/// # Panics
/// If the splits do not hold out each item once.
pub fn majority(labels: &Labels, splits: &[Split]) -> Result<Held, DecodeError> {
    assert_each_once(splits, labels.count());
    let mut held = Held::new(labels.clone(), Array2::zeros((labels.count(), labels.classes())))?;
    for split in splits {
        labels.all_among(&split.train)?;
        let shares =
            labels.counts(&split.train).into_iter().map(|count| (count as f64 / split.train.len() as f64).ln());
        let shares: ndarray::Array1<f64> = shares.collect();
        split.test.iter().for_each(|item| held.log_probabilities.row_mut(*item).assign(&shares));
    }
    Ok(held)
}

pub(super) fn assert_each_once(splits: &[Split], items: usize) {
    let mut times = vec![0; items];
    splits.iter().flat_map(|split| &split.test).for_each(|item| times[*item] += 1);
    assert!(times.iter().all(|times| *times == 1), "splits must hold out each item once");
}

/// What was told, if it is a number: a row that no probe learns from may hold NaN.
pub(super) fn finite(rows: &dyn Rows, held: Held) -> Result<Held, DecodeError> {
    if held.log_probabilities.iter().any(|value| value.is_nan()) {
        all_finite(rows)?;
    }
    Ok(held)
}
