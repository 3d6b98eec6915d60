//! Agreement of dissimilarities: are the same conditions far apart in both?
//!
//! **What it measures.** One figure for two sets of dissimilarities of the same conditions, 1 where they agree.
//! *Cosine* keeps zero where it is (for crossnobis); *Pearson* allows a shift; *Spearman*, *ρ-a* and *τ-a* any rising
//! transformation: ρ-a = 12 Σ r̃₁ r̃₂ / (n³ − n) with centred ranks and τ-a = (agreeing − disagreeing pairs) / all, both of
//! which give a model that predicts ties what it would get if they were broken at random. The *whitened* ones take into
//! account that dissimilarities with a condition in common vary together, which makes them more sensitive.
//!
//! **What it cannot show.** How high it could be, given the noise: see [`ceiling`](super::ceiling).
//!
//! **Reference.** Nili et al. 2014, *A toolbox for representational similarity analysis*, PLOS Computational Biology 10;
//! Schütt et al. 2023, *Statistical inference on representational geometries*, eLife 12, for ρ-a; Diedrichsen et al. 2021,
//! *Comparing representational geometries using whitened unbiased-distance-matrix similarity*, for the whitened ones.
//!
//! **Example.**
//! ```
//! use patchclamp_probes::compare::{Dissimilarities, Similarity};
//!
//! let model = Dissimilarities::new(3, vec![1.0, 2.0, 3.0])?;
//! let data = Dissimilarities::new(3, vec![10.0, 90.0, 40.0])?;
//! assert_eq!(Similarity::TauA.of(&model, &data)?, 1.0 / 3.0); // two pairs of pairs agree, one does not
//! # Ok::<(), patchclamp_probes::DataError>(())
//! ```

use super::dissimilarity::{Dissimilarities, pairs};
use crate::correlation::ranks;
use crate::data::{self, DataError};
use faer::linalg::solvers::Solve;
use faer::{Mat, Side};
use std::f64::consts::SQRT_2;

/// How two sets of dissimilarities are held against each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Similarity {
    /// Cosine.
    Cosine,
    /// Pearson's correlation.
    Pearson,
    /// Spearman's correlation.
    Spearman,
    /// Spearman's without correction for ties.
    RhoA,
    /// Kendall's without correction for ties.
    TauA,
    /// Cosine after whitening by the covariance of the dissimilarities where all conditions are equally noisy.
    WhitenedCosine,
    /// Pearson's after the same.
    WhitenedPearson,
}

impl Similarity {
    /// The similarity of `x` and `y`.
    ///
    /// # Errors
    /// If they are of different conditions, or one of them does not vary (or is zero, for the cosines) and so agrees with
    /// nothing. Of ρ-a and τ-a 0 is the answer then, as it is by chance.
    pub fn of(self, x: &Dissimilarities, y: &Dissimilarities) -> Result<f64, DataError> {
        data::count("conditions", y.conditions(), x.conditions())?;
        self.of_values(x.values(), y.values(), None)
    }

    /// The same of values, those of all pairs of conditions or of some.
    pub(super) fn of_values(self, x: &[f64], y: &[f64], some: Option<&Pairs>) -> Result<f64, DataError> {
        let whitened = |values: &[f64]| some.map_or_else(|| Ok(whitened(values)), |pairs| pairs.whitened(values));
        match self {
            Self::Cosine => cosine(x, y),
            Self::Pearson => cosine(&moved(x), &moved(y)),
            Self::Spearman => cosine(&moved(&ranks(x)), &moved(&ranks(y))),
            Self::RhoA => Ok(rho_a(x, y)),
            Self::TauA => Ok(tau_a(x, y)),
            Self::WhitenedCosine => cosine(&whitened(x)?, &whitened(y)?),
            Self::WhitenedPearson => cosine(&whitened(&moved(x))?, &whitened(&moved(y))?),
        }
    }

    /// The dissimilarities that agree best on average with `subjects`: the mean, each brought to the same scale first.
    pub(super) fn pooled(self, subjects: &[&[f64]]) -> Result<Vec<f64>, DataError> {
        let mut sum = vec![0.0; subjects[0].len()];
        for subject in subjects {
            let alike = match self {
                Self::Cosine | Self::WhitenedCosine => scaled(subject)?,
                Self::Pearson | Self::WhitenedPearson => scaled(&moved(subject))?,
                Self::Spearman | Self::RhoA | Self::TauA => ranks(subject),
            };
            sum.iter_mut().zip(alike).for_each(|(sum, value)| *sum += value);
        }
        // divided last, so that equal sums of ranks stay equal
        Ok(sum.into_iter().map(|sum| sum / subjects.len() as f64).collect())
    }
}

/// Less their mean; exactly zero where they do not vary.
fn moved(values: &[f64]) -> Vec<f64> {
    if values.iter().all(|value| *value == values[0]) {
        return vec![0.0; values.len()];
    }
    let mean = values.iter().sum::<f64>() / values.len() as f64;
    values.iter().map(|value| value - mean).collect()
}

/// At a mean square of one.
fn scaled(values: &[f64]) -> Result<Vec<f64>, DataError> {
    let size = (dot(values, values) / values.len() as f64).sqrt();
    if size == 0.0 { Err(FLAT) } else { Ok(values.iter().map(|value| value / size).collect()) }
}

const FLAT: DataError = DataError::Constant { what: "a set of dissimilarities" };

fn dot(x: &[f64], y: &[f64]) -> f64 {
    x.iter().zip(y).map(|(x, y)| x * y).sum()
}

fn cosine(x: &[f64], y: &[f64]) -> Result<f64, DataError> {
    let (x, y) = (scaled(x)?, scaled(y)?);
    Ok((dot(&x, &y) / (dot(&x, &x) * dot(&y, &y)).sqrt()).clamp(-1.0, 1.0)) // rounding can leave it above 1
}

fn rho_a(x: &[f64], y: &[f64]) -> f64 {
    let count = x.len() as f64;
    if x.len() < 2 {
        return 0.0;
    }
    12.0 * dot(&moved(&ranks(x)), &moved(&ranks(y))) / (count * count * count - count)
}

/// Agreeing less disagreeing pairs over all, counted by sorting [Knight 1966, *A computer method for calculating
/// Kendall's tau with ungrouped data*, Journal of the American Statistical Association 61].
fn tau_a(x: &[f64], y: &[f64]) -> f64 {
    if x.len() < 2 {
        return 0.0;
    }
    let mut both: Vec<(f64, f64)> = x.iter().copied().zip(y.iter().copied()).collect();
    both.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.1.total_cmp(&b.1)));
    let tied_in_x = tied(both.chunk_by(|a, b| a.0 == b.0).map(<[_]>::len));
    let tied_in_both = tied(both.chunk_by(|a, b| a == b).map(<[_]>::len));
    let mut second: Vec<f64> = both.into_iter().map(|pair| pair.1).collect();
    let disagree = inversions(&mut second);
    let tied_in_y = tied(second.chunk_by(|a, b| a == b).map(<[_]>::len));
    let all = (x.len() * (x.len() - 1) / 2) as f64;
    (all - tied_in_x - tied_in_y + tied_in_both - 2.0 * disagree) / all
}

/// Pairs within runs of these lengths.
fn tied(runs: impl Iterator<Item = usize>) -> f64 {
    runs.map(|run| (run * (run - 1) / 2) as f64).sum()
}

/// Sorts, and counts the pairs that stood in falling order.
fn inversions(values: &mut [f64]) -> f64 {
    if values.len() < 2 {
        return 0.0;
    }
    let (left, right) = values.split_at_mut(values.len() / 2);
    let mut count = inversions(left) + inversions(right);
    let (mut merged, mut taken) = (Vec::with_capacity(left.len() + right.len()), 0);
    for value in left.iter() {
        let before = right[taken..].iter().take_while(|other| *other < value).count();
        merged.extend_from_slice(&right[taken..taken + before]);
        taken += before;
        count += taken as f64;
        merged.push(*value);
    }
    merged.extend_from_slice(&right[taken..]);
    values.copy_from_slice(&merged);
    count
}

/// The values as a vector whose entries would vary independently and alike: the doubly centred second moments of the
/// conditions, those off the diagonal once for both sides.
fn whitened(values: &[f64]) -> Vec<f64> {
    let conditions = (2.0 * values.len() as f64).sqrt().ceil() as usize; // n(n − 1)/2 values: n − 1 < √2m < n
    let mut means = vec![0.0; conditions];
    for ((i, j), value) in pairs(conditions).zip(values) {
        means[i] -= value / 2.0 / conditions as f64;
        means[j] -= value / 2.0 / conditions as f64;
    }
    let mean = means.iter().sum::<f64>() / conditions as f64;
    let off = pairs(conditions).zip(values).map(|((i, j), value)| SQRT_2 * (-value / 2.0 - means[i] - means[j] + mean));
    off.chain(means.iter().map(|own| mean - 2.0 * own)).collect()
}

/// Some of the pairs of conditions: those of different ones, where conditions were drawn repeatedly.
pub(super) struct Pairs {
    pub(super) conditions: usize,
    pub(super) pairs: Vec<(usize, usize)>,
}

impl Pairs {
    /// As [`whitened`] where some pairs are missing: centred so that what is there of each condition, itself included,
    /// sums to zero.
    fn whitened(&self, values: &[f64]) -> Result<Vec<f64>, DataError> {
        let mut system: Mat<f64> = Mat::identity(self.conditions, self.conditions);
        let mut sums: Mat<f64> = Mat::zeros(self.conditions, 1);
        for ((i, j), value) in self.pairs.iter().copied().zip(values) {
            for (row, column) in [(i, i), (j, j), (i, j), (j, i)] {
                system[(row, column)] += 0.5;
            }
            sums[(i, 0)] -= value / 2.0;
            sums[(j, 0)] -= value / 2.0;
        }
        let factor = system.llt(Side::Lower).map_err(|_| DataError::Singular { what: "pairs of conditions" })?;
        factor.solve_in_place(sums.as_mut());
        let centre = |(i, j): (usize, usize), value: &f64| SQRT_2 * (-value - sums[(i, 0)] - sums[(j, 0)]) / 2.0;
        let off = self.pairs.iter().zip(values).map(|(pair, value)| centre(*pair, value));
        Ok(off.chain((0..self.conditions).map(|own| -sums[(own, 0)])).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pairs_are_whitened_alike_whether_all_are_there_or_counted_one_by_one() {
        let values: Vec<f64> = (0..15).map(|place| f64::from(place * 7 % 11)).collect();
        let all = Pairs { conditions: 6, pairs: pairs(6).collect() };
        let gaps =
            all.whitened(&values).unwrap().into_iter().zip(whitened(&values)).map(|(some, all)| (some - all).abs());
        assert!(gaps.fold(0.0, f64::max) < 1e-12);
    }

    #[test]
    fn kendalls_tau_is_that_of_counting_pair_by_pair() {
        for count in [2_u32, 3, 10, 67] {
            let x: Vec<f64> = (0..count).map(|place| f64::from(place * 37 % 11)).collect();
            let y: Vec<f64> = (0..count).map(|place| f64::from(place * 53 % 7)).collect();
            let sign = |a: f64, b: f64| f64::from(i8::from(a > b) - i8::from(a < b));
            let agree: f64 = pairs(x.len()).map(|(i, j)| sign(x[i], x[j]) * sign(y[i], y[j])).sum();
            assert!((tau_a(&x, &y) - agree / f64::from(count * (count - 1) / 2)).abs() < 1e-12, "{count}");
        }
    }
}
