//! Calibration: of what is said to hold with probability p, does a share p hold?
//!
//! **What it measures.** The reliability curve of one class (mean probability and observed share, bin by bin), the expected
//! calibration error of the likeliest class, the Brier score, and the temperature that would set the confidence right.
//!
//! **What it cannot show.** Whether a probe is of use: shares of classes said blindly are calibrated. The calibration error
//! depends on the bins, and is above zero for a calibrated probe too, the more the fewer items there are in a bin.
//!
//! **Reference.** Guo et al. 2017, *On calibration of modern neural networks*, ICML; Brier 1950; scikit-learn's
//! `calibration_curve` for the bins.
//!
//! **Example.**
//! ```
//! use patchclamp_probes::decode::{Bins, reliability};
//!
//! let curve = reliability(&[0.1, 0.2, 0.8, 0.9], &[false, false, true, false], Bins::Even(2));
//! assert_eq!((curve[0].observed, curve[1].observed), (0.0, 0.5));
//! assert!((curve[1].predicted - 0.85).abs() < 1e-12);
//! ```

use super::Held;
use super::softmax::log_normalise;
use crate::interval::quantile;

/// How probabilities are put into bins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Bins {
    /// So many of equal width between 0 and 1.
    Even(usize),
    /// So many with about as many items in each.
    Filled(usize),
}

/// A point of a reliability curve.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Reliability {
    /// The mean probability of its items.
    pub predicted: f64,
    /// The share of them for which it holds.
    pub observed: f64,
    /// How many items there are.
    pub items: usize,
}

/// The bins that hold an item, in rising order; an item on an edge belongs below it. Empty where a probability is not finite.
///
/// # Panics
/// If there is not one truth for each probability, or there are no bins.
pub fn reliability(probabilities: &[f64], holds: &[bool], bins: Bins) -> Vec<Reliability> {
    assert_eq!(probabilities.len(), holds.len(), "one truth for each probability");
    let edges = edges(probabilities, bins);
    let mut sums = vec![(0.0, 0.0, 0); edges.len() + 1];
    if edges.iter().chain(probabilities).any(|value| !value.is_finite()) {
        return Vec::new();
    }
    for (probability, holds) in probabilities.iter().zip(holds) {
        let sum = &mut sums[edges.partition_point(|edge| edge < probability)];
        *sum = (sum.0 + probability, sum.1 + f64::from(u8::from(*holds)), sum.2 + 1);
    }
    let filled = sums.into_iter().filter(|(_, _, items)| *items > 0);
    let point = |(predicted, observed, items): (f64, f64, usize)| {
        let count = items as f64;
        Reliability { predicted: predicted / count, observed: observed / count, items }
    };
    filled.map(point).collect()
}

/// Where one bin ends and the next begins.
fn edges(probabilities: &[f64], bins: Bins) -> Vec<f64> {
    let (Bins::Even(count) | Bins::Filled(count)) = bins;
    assert!(count > 0, "at least one bin");
    let parts = (1..count).map(|part| part as f64 / count as f64);
    match bins {
        Bins::Even(_) => parts.collect(),
        Bins::Filled(_) => parts.map(|part| quantile(probabilities, part).unwrap_or(f64::NAN)).collect(),
    }
}

impl Held {
    /// The expected calibration error over `bins` of equal width: how far the confidence in the likeliest class lies from
    /// the share of items for which it is right, 0 to 1. NaN only where a probability is.
    ///
    /// # Panics
    /// If there are no bins.
    pub fn calibration_error(&self, bins: usize) -> f64 {
        let rows = self.log_probabilities();
        let highest = |row: ndarray::ArrayView1<f64>| row.fold(f64::NEG_INFINITY, |most, value| most.max(*value)).exp();
        let confidences: Vec<f64> = rows.rows().into_iter().map(highest).collect();
        let right: Vec<bool> = self.right().into_iter().map(|right| right > 0.5).collect();
        let curve = reliability(&confidences, &right, Bins::Even(bins));
        let parts = curve.iter().map(|point| (point.predicted - point.observed).abs() * point.items as f64);
        parts.sum::<f64>() / confidences.len() as f64
    }

    /// The Brier score: the mean squared gap between the probability of class 1 and whether it holds, 0 to 1, for two
    /// classes; for more the sum over classes of such gaps, 0 to 2.
    pub fn brier(&self) -> f64 {
        let two = self.labels().classes() == 2;
        let rows = self.log_probabilities();
        let gap = |(row, label): (ndarray::ArrayView1<f64>, &usize)| -> f64 {
            let holds = |class: usize| f64::from(u8::from(class == *label));
            let squares = row.iter().enumerate().map(|(class, value)| (value.exp() - holds(class)).powi(2));
            squares.skip(usize::from(two)).sum()
        };
        let labels = self.labels().of();
        rows.rows().into_iter().zip(labels).map(gap).sum::<f64>() / labels.len() as f64
    }

    /// The temperature by which logits would have to be divided to spend the fewest bits: above 1 the probe is too sure.
    /// `None` where no finite temperature above 0.01 and below 100 is best: all items right, or none told apart.
    pub fn temperature(&self) -> Option<f64> {
        let (mut low, mut high) = (COLDEST.ln(), (1.0 / COLDEST).ln());
        if self.pull(low.exp()) >= 0.0 || self.pull(high.exp()) <= 0.0 {
            return None;
        }
        for _ in 0..HALVINGS {
            let middle = f64::midpoint(low, high);
            *(if self.pull(middle.exp()) < 0.0 { &mut low } else { &mut high }) = middle;
        }
        Some((-f64::midpoint(low, high)).exp())
    }

    /// How the nats that are spent change with the factor by which logits are multiplied: rising, as they are convex in it.
    fn pull(&self, factor: f64) -> f64 {
        let rows = self.log_probabilities();
        let one = |(row, label): (ndarray::ArrayView1<f64>, &usize)| -> f64 {
            let mut scaled: Vec<f64> = row.iter().map(|value| value * factor).collect();
            log_normalise(&mut scaled);
            let expected: f64 = scaled.iter().zip(row).map(|(log, value)| log.exp() * value).sum();
            expected - row[*label]
        };
        rows.rows().into_iter().zip(self.labels().of()).map(one).sum()
    }
}

/// The lowest factor, and one over the highest, that is looked at.
const COLDEST: f64 = 0.01;
/// From a range of 9.2 in the logarithm to below the rounding of an `f64`.
const HALVINGS: usize = 60;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::decode::Labels;
    use ndarray::Array2;

    /// Items that a probability of `said` is given for class 1, of which a share of `holds` in ten has it.
    fn held(said: f64, holds: usize) -> Held {
        let labels = Labels::new((0..1000).map(|item| usize::from(item % 10 < holds)).collect(), 2).unwrap();
        let rows =
            Array2::from_shape_fn((1000, 2), |(_, class)| if class == 1 { said.ln() } else { (1.0 - said).ln() });
        Held::new(labels, rows).unwrap()
    }

    #[test]
    fn what_holds_as_often_as_said_is_calibrated() {
        let calibrated = held(0.7, 7);
        assert!(calibrated.calibration_error(10) < 1e-12);
        assert!((calibrated.temperature().unwrap() - 1.0).abs() < 1e-9);
        assert!((calibrated.brier() - 0.21).abs() < 1e-12);
    }

    #[test]
    fn the_temperature_of_one_too_sure_is_above_one() {
        let sure = held(0.9, 7);
        // by hand: ln(0.9/0.1) / T = ln(0.7/0.3)
        let expected = (0.9_f64 / 0.1).ln() / (0.7_f64 / 0.3).ln();
        assert!((sure.temperature().unwrap() - expected).abs() < 1e-9);
        assert!((sure.calibration_error(5) - 0.2).abs() < 1e-12);
        assert_eq!(held(0.9, 10 - 1).temperature().map(|found| (found * 1e6).round()), Some(1e6));
    }

    #[test]
    fn there_is_no_best_temperature_where_each_is_better_than_the_last() {
        assert_eq!(held(0.5, 7).temperature(), None);
        assert_eq!(held(0.9, 3).temperature(), None);
    }

    #[test]
    fn what_is_no_number_has_no_curve() {
        assert_eq!(reliability(&[0.2, f64::NAN], &[true, false], Bins::Filled(2)), []);
        assert_eq!(reliability(&[], &[], Bins::Even(2)), []);
    }
}
