//! The noise ceiling: how well the best of models could agree with subjects that do not agree among themselves.
//!
//! **What it measures.** Subjects are sets of dissimilarities of the same conditions: seeds, checkpoints, templates, halves
//! of the items. *Upper*: the mean agreement of each with the mean of all, which no one set of dissimilarities can exceed
//! (for cosine, Pearson, Spearman and ρ-a exactly; for τ-a and the whitened ones nearly). *Lower*: the mean agreement of
//! each with the mean of the others, which a model that knows all but the subject at hand reaches.
//!
//! **What it cannot show.** Between the two, whether a model falls short or the data do: only more subjects narrow it.
//!
//! **Reference.** Nili et al. 2014, *A toolbox for representational similarity analysis*, PLOS Computational Biology 10.
//! Figures are those of `rsatoolbox`.
//!
//! **Example.**
//! ```
//! use patchclamp_probes::compare::{Dissimilarities, Similarity, noise_ceiling};
//!
//! let seed = |values: [f64; 3]| Dissimilarities::new(3, values.to_vec());
//! let seeds = [seed([1.0, 2.0, 3.0])?, seed([1.0, 2.0, 4.0])?, seed([1.0, 3.0, 3.0])?];
//! let ceiling = noise_ceiling(&seeds, Similarity::Pearson)?;
//! assert!(ceiling.lower < ceiling.upper && ceiling.upper < 1.0);
//! # Ok::<(), patchclamp_probes::DataError>(())
//! ```

use super::dissimilarity::Dissimilarities;
use super::similarity::Similarity;
use crate::data::{self, DataError};

/// What the best of models could reach, from below and from above.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Ceiling {
    /// The mean agreement of each subject with the others.
    pub lower: f64,
    /// The mean agreement of each subject with all, itself included.
    pub upper: f64,
}

/// The noise ceiling of `subjects`.
///
/// # Errors
/// Below two subjects, if their conditions differ, or one of them does not vary.
pub fn noise_ceiling(subjects: &[Dissimilarities], similarity: Similarity) -> Result<Ceiling, DataError> {
    data::enough("subjects", subjects.len(), 2)?;
    for subject in subjects {
        data::count("conditions", subject.conditions(), subjects[0].conditions())?;
    }
    let values: Vec<&[f64]> = subjects.iter().map(Dissimilarities::values).collect();
    ceiling(&values, similarity)
}

/// The same of values.
pub(super) fn ceiling(subjects: &[&[f64]], similarity: Similarity) -> Result<Ceiling, DataError> {
    let all = similarity.pooled(subjects)?;
    let (mut lower, mut upper) = (0.0, 0.0);
    for (place, subject) in subjects.iter().enumerate() {
        let others: Vec<&[f64]> =
            subjects.iter().enumerate().filter(|(other, _)| *other != place).map(|s| *s.1).collect();
        lower += similarity.of_values(&similarity.pooled(&others)?, subject, None)?;
        upper += similarity.of_values(&all, subject, None)?;
    }
    let count = subjects.len() as f64;
    Ok(Ceiling { lower: lower / count, upper: upper / count })
}
