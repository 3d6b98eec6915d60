//! Comparing models: which of several agrees best with the data, and would it with other subjects or conditions?
//!
//! **What it measures.** The mean agreement of each model with the subjects, its interval over draws with replacement of
//! subjects, conditions, or both, the noise ceiling, and for every two models the difference, its interval, and a
//! two-sided p-value from the same draws, adjusted by Holm over all pairs. Pairs of a condition with itself, which a draw
//! may hold, are left out.
//!
//! **What it cannot show.** Drawing subjects alone says nothing about other conditions, and the other way round; drawing both
//! at once gives intervals that are somewhat too wide. A p-value can be as small as one over the draws.
//!
//! **Reference.** Schütt et al. 2023, *Statistical inference on representational geometries*, eLife 12.
//!
//! **Example.**
//! ```
//! use patchclamp_probes::compare::{Dissimilarities, Resampled, Similarity, compare_models};
//!
//! let of = |values: [f64; 6]| Dissimilarities::new(4, values.to_vec());
//! let subjects = [of([1.0, 2.0, 3.0, 4.0, 5.0, 6.0])?, of([1.0, 2.0, 4.0, 3.0, 5.0, 6.0])?];
//! let models = [of([1.0, 2.0, 3.0, 4.0, 5.0, 6.0])?, of([6.0, 1.0, 5.0, 2.0, 4.0, 3.0])?];
//! let found = compare_models(&models, &subjects, Similarity::Spearman, Resampled::Subjects, 0.95, 200, 7)?;
//! assert!(found.similarities[0] > found.similarities[1]);
//! # Ok::<(), patchclamp_probes::DataError>(())
//! ```

use super::ceiling::{Ceiling, noise_ceiling};
use super::dissimilarity::{Dissimilarities, pairs};
use super::similarity::{Pairs, Similarity};
use crate::data::{self, DataError};
use crate::draw::one_of;
use crate::interval::Interval;
use crate::multiple::holm;
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;

/// What is drawn again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Resampled {
    /// Subjects: for claims about other subjects under these conditions.
    Subjects,
    /// Conditions: for claims about other conditions in these subjects.
    Conditions,
    /// Both at once.
    Both,
}

/// How models agree with the data.
#[derive(Clone, Debug, PartialEq)]
pub struct Comparison {
    /// The mean agreement of each model with the subjects, `[model]`.
    pub similarities: Vec<f64>,
    /// Its interval, `[model]`.
    pub intervals: Vec<Interval>,
    /// What a model could reach; `None` with one subject.
    pub ceiling: Option<Ceiling>,
    /// Every two models.
    pub differences: Vec<Difference>,
}

/// How much better one model agrees than another.
#[derive(Clone, Debug, PartialEq)]
pub struct Difference {
    /// The one.
    pub first: usize,
    /// The other.
    pub second: usize,
    /// Its agreement less the other's.
    pub estimate: f64,
    /// The interval of that.
    pub interval: Interval,
    /// Two-sided, from the draws.
    pub p: f64,
    /// The same, adjusted by Holm over every two models.
    pub adjusted: f64,
}

/// How often a draw is made anew that has fewer than three different conditions or dissimilarities that do not vary.
const TRIES: usize = 100;

/// The `models` held against the `subjects` by `similarity`, with intervals at `level` (a fraction) over `draws`.
///
/// # Errors
/// Without a model, a subject or a draw, if conditions differ or are fewer than three, a model or subject does not vary,
/// or hardly any draw of conditions does.
///
/// # Panics
/// If `level` is not above 0 and below 1.
pub fn compare_models(
    models: &[Dissimilarities],
    subjects: &[Dissimilarities],
    similarity: Similarity,
    resampled: Resampled,
    level: f64,
    draws: usize,
    seed: u64,
) -> Result<Comparison, DataError> {
    data::enough("models", models.len(), 1)?;
    data::enough("subjects", subjects.len(), 1)?;
    data::enough("draws", draws, 1)?;
    data::enough("conditions", subjects[0].conditions(), 3)?;
    let whole: Vec<Vec<f64>> =
        models.iter().map(|model| each(model, subjects, similarity)).collect::<Result<_, _>>()?;
    let similarities: Vec<f64> = whole.iter().map(|values| mean(values)).collect();
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    let mut drawn = vec![Vec::with_capacity(draws); models.len()];
    for _ in 0..draws {
        let figures = match resampled {
            Resampled::Subjects => over_subjects(&whole, &mut random),
            _ => over_conditions(models, subjects, similarity, resampled, &mut random)?,
        };
        drawn.iter_mut().zip(figures).for_each(|(drawn, figure)| drawn.push(figure));
    }
    let interval = |draws: &[f64]| Interval::percentile(draws, level).expect("finite draws");
    let intervals = drawn.iter().map(|draws| interval(draws)).collect();
    let ceiling = if subjects.len() > 1 { Some(noise_ceiling(subjects, similarity)?) } else { None };
    let mut differences: Vec<Difference> = pairs(models.len())
        .map(|(first, second)| {
            let apart: Vec<f64> = drawn[first].iter().zip(&drawn[second]).map(|(a, b)| a - b).collect();
            let (estimate, p) = (similarities[first] - similarities[second], two_sided(&apart));
            Difference { first, second, estimate, interval: interval(&apart), p, adjusted: p }
        })
        .collect();
    let adjusted = holm(&differences.iter().map(|difference| difference.p).collect::<Vec<_>>());
    differences.iter_mut().zip(adjusted).for_each(|(difference, adjusted)| difference.adjusted = adjusted);
    Ok(Comparison { similarities, intervals, ceiling, differences })
}

/// Twice the share of draws on the rarer side of zero, those at zero left out, and no less than one over the draws.
fn two_sided(differences: &[f64]) -> f64 {
    let below = differences.iter().filter(|difference| **difference < 0.0).count();
    let above = differences.iter().filter(|difference| **difference > 0.0).count();
    if below + above == 0 {
        return 1.0;
    }
    let count = differences.len() as f64;
    let share = 2.0 * below.min(above) as f64 / (below + above) as f64;
    (count - 1.0) / count * share + 1.0 / count
}

/// The agreement of a model with each subject.
fn each(model: &Dissimilarities, subjects: &[Dissimilarities], similarity: Similarity) -> Result<Vec<f64>, DataError> {
    subjects.iter().map(|subject| similarity.of(model, subject)).collect()
}

fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len() as f64
}

/// The mean agreement `[model]` with subjects drawn again, of agreements `[model][subject]`.
fn over_subjects(agreements: &[Vec<f64>], random: &mut ChaCha8Rng) -> Vec<f64> {
    let count = agreements[0].len();
    let drawn: Vec<usize> = (0..count).map(|_| one_of(count, random)).collect();
    let of = |values: &Vec<f64>| drawn.iter().map(|subject| values[*subject]).sum::<f64>() / count as f64;
    agreements.iter().map(of).collect()
}

/// The mean agreement `[model]` with conditions drawn again, and subjects too where asked.
fn over_conditions(
    models: &[Dissimilarities],
    subjects: &[Dissimilarities],
    similarity: Similarity,
    resampled: Resampled,
    random: &mut ChaCha8Rng,
) -> Result<Vec<f64>, DataError> {
    for _ in 0..TRIES {
        let conditions: Vec<usize> = {
            let count = subjects[0].conditions();
            (0..count).map(|_| one_of(count, random)).collect()
        };
        let of = |place: usize, random: &mut ChaCha8Rng| match resampled {
            Resampled::Both => &subjects[one_of(subjects.len(), random)],
            _ => &subjects[place],
        };
        let chosen: Vec<&Dissimilarities> = (0..subjects.len()).map(|place| of(place, random)).collect();
        match agreements(models, &chosen, &conditions, similarity) {
            Err(DataError::Constant { .. } | DataError::TooFew { .. }) => continue,
            figures => return figures,
        }
    }
    Err(DataError::Constant { what: "most draws of conditions" })
}

fn agreements(
    models: &[Dissimilarities],
    subjects: &[&Dissimilarities],
    conditions: &[usize],
    similarity: Similarity,
) -> Result<Vec<f64>, DataError> {
    let different: std::collections::BTreeSet<usize> = conditions.iter().copied().collect();
    data::enough("different conditions of a draw", different.len(), 3)?;
    let kept = pairs(conditions.len()).filter(|(i, j)| conditions[*i] != conditions[*j]);
    let some = Pairs { conditions: conditions.len(), pairs: kept.collect() };
    let values = |of: &Dissimilarities| -> Vec<f64> {
        some.pairs.iter().map(|(i, j)| of.between(conditions[*i], conditions[*j])).collect()
    };
    let subjects: Vec<Vec<f64>> = subjects.iter().map(|subject| values(subject)).collect();
    let agreement = |model: &Dissimilarities| {
        let model = values(model);
        let each = subjects.iter().map(|subject| similarity.of_values(&model, subject, Some(&some)));
        Ok(mean(&each.collect::<Result<Vec<f64>, DataError>>()?))
    };
    models.iter().map(agreement).collect()
}
