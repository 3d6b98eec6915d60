//! What all families of probes have in common: they learn classes of items from states, under a penalty.
//!
//! **What it measures.** Nothing by itself: it is the seam between how a probe is fitted ([`Family`]) and what is asked of it
//! (cross-validation, control tasks, codes), so that each question can be asked of each family.
//!
//! **What it cannot show.** A family that is too weak misses what is there; one that is too strong finds what the model could
//! never use. So report two, and their controls.
//!
//! **Reference.** Belinkov 2022, *Probing classifiers: promises, shortcomings, and advances*, Computational Linguistics 48.
//!
//! **Example.** See [`Logistic`](super::Logistic).

use super::{DecodeError, Labels};
use crate::rows::{Rows, first_not_finite};
use ndarray::Array2;

/// What one probe is to learn: the labels of some items.
#[derive(Clone, Copy, Debug)]
pub struct Task<'a> {
    /// The class of every item.
    pub labels: &'a Labels,
    /// The items to learn from, each once.
    pub items: &'a [usize],
}

impl Task<'_> {
    /// Whether `rows` can teach it.
    ///
    /// # Errors
    /// Where the lengths differ, or a class has no item to learn from.
    pub(crate) fn check(&self, rows: &dyn Rows) -> Result<(), DecodeError> {
        if rows.width() == 0 {
            return Err(DecodeError::Empty { what: "features" });
        }
        let (rows, values) = (rows.count(), self.labels.count());
        if rows != values {
            return Err(DecodeError::Lengths { rows, values });
        }
        self.labels.all_among(self.items)
    }
}

/// A fitted probe.
pub trait Probe: Sync {
    /// The natural logarithm of the probability of each class, `[item, class]`.
    ///
    /// # Panics
    /// If the rows are not as wide as those it learnt from.
    fn log_probabilities(&self, rows: &dyn Rows) -> Array2<f64>;
}

/// A way to fit probes.
pub trait Family: Sync {
    /// What it fits.
    type Probe: Probe;

    /// The probe of each task under each penalty, `[penalty][task]`.
    ///
    /// # Errors
    /// Where rows or labels are such that there is none: see [`DecodeError`].
    fn path(&self, rows: &dyn Rows, tasks: &[Task], penalties: &[f64]) -> Result<Vec<Vec<Self::Probe>>, DecodeError>;

    /// The probe of one task under one penalty.
    ///
    /// # Errors
    /// As for [`Family::path`].
    fn fit(&self, rows: &dyn Rows, task: Task, penalty: f64) -> Result<Self::Probe, DecodeError> {
        let found = self.path(rows, &[task], &[penalty])?;
        Ok(found.into_iter().flatten().next().expect("a probe for the task"))
    }
}

/// Whether every value of every row is a number.
///
/// # Errors
/// [`DecodeError::NotFinite`].
pub(crate) fn all_finite(rows: &dyn Rows) -> Result<(), DecodeError> {
    match first_not_finite(rows) {
        Some((item, feature)) => Err(DecodeError::NotFinite { item, feature }),
        None => Ok(()),
    }
}

/// Penalties that are finite and above zero.
///
/// # Errors
/// [`DecodeError::Penalty`], and [`DecodeError::Empty`] without any.
pub(crate) fn check_penalties(penalties: &[f64]) -> Result<(), DecodeError> {
    if penalties.is_empty() {
        return Err(DecodeError::Empty { what: "penalties" });
    }
    match penalties.iter().find(|penalty| !(penalty.is_finite() && **penalty > 0.0)) {
        Some(found) => Err(DecodeError::Penalty { found: *found }),
        None => Ok(()),
    }
}
