//! What is wrong with data that no figure can be made of, and the checks that say so.
//!
//! **What it measures.** Nothing: it is the one place where matrices and labels are looked over before they are used.
//!
//! **What it cannot show.** Whether the data are the right ones.
//!
//! **Reference.** None.
//!
//! **Example.**
//! ```
//! use ndarray::array;
//! use patchclamp_probes::compare::linear_cka;
//!
//! let (states, broken) = (array![[1.0], [2.0]], array![[1.0], [f64::NAN]]);
//! let error = linear_cka(states.view(), broken.view()).unwrap_err();
//! assert_eq!(error.to_string(), "y: row 1, column 0 is not finite: look for NaN or infinity where it was made");
//! ```

use ndarray::ArrayView2;

/// Why data have no answer.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum DataError {
    /// A matrix holds NaN or an infinity.
    #[error("{what}: row {row}, column {column} is not finite: look for NaN or infinity where it was made")]
    NotFinite {
        /// Which matrix.
        what: &'static str,
        /// Its first row with such a value.
        row: usize,
        /// The first such column of that row.
        column: usize,
    },
    /// Two things that belong together are not equally many.
    #[error("{what}: {found} were given where {expected} were expected: give as many")]
    Count {
        /// What is counted.
        what: &'static str,
        /// How many there are.
        found: usize,
        /// How many there should be.
        expected: usize,
    },
    /// Fewer than the method needs.
    #[error("{what}: {found} are too few: give {needed} or more")]
    TooFew {
        /// What is counted.
        what: &'static str,
        /// How many there are.
        found: usize,
        /// The least that would do.
        needed: usize,
    },
    /// A label without a single item.
    #[error("{what}: number {label} of {labels} has no item: leave it out, or give it items")]
    Empty {
        /// What the labels are.
        what: &'static str,
        /// The label without items.
        label: usize,
        /// How many labels there are.
        labels: usize,
    },
    /// A label that is not one of those announced.
    #[error("{what}: number {label} does not exist: there are {labels}, counted from 0")]
    NoSuchLabel {
        /// What the labels are.
        what: &'static str,
        /// The label in question.
        label: usize,
        /// How many labels there are.
        labels: usize,
    },
    /// Nothing varies, so nothing can be compared or explained.
    #[error("{what} does not vary: every item has the same values, so there is nothing to go by")]
    Constant {
        /// What does not vary.
        what: &'static str,
    },
    /// A row of zeros, which points nowhere.
    #[error("{what}: row {row} is zero and has no direction: leave it out")]
    Zero {
        /// Which matrix.
        what: &'static str,
        /// Its first such row.
        row: usize,
    },
    /// A matrix that has to be positive definite is not.
    #[error("{what} is not positive definite: give more items than columns, or shrink it")]
    Singular {
        /// Which matrix.
        what: &'static str,
    },
    /// Squares that overflow, or vanish, so that nothing can be divided by them.
    #[error("{what}: squares leave the range of numbers: scale the values")]
    Range {
        /// Of which matrix.
        what: &'static str,
    },
    /// An iteration did not come to an end.
    #[error("{what}: the decomposition did not converge: look for values of very different size")]
    Decomposition {
        /// Which matrix.
        what: &'static str,
    },
}

/// That every value of `rows` is finite.
pub(crate) fn finite(what: &'static str, rows: ArrayView2<f64>) -> Result<(), DataError> {
    match rows.indexed_iter().find(|(_, value)| !value.is_finite()) {
        None => Ok(()),
        Some(((row, column), _)) => Err(DataError::NotFinite { what, row, column }),
    }
}

/// That there are as many as expected.
pub(crate) fn count(what: &'static str, found: usize, expected: usize) -> Result<(), DataError> {
    if found == expected { Ok(()) } else { Err(DataError::Count { what, found, expected }) }
}

/// That there are enough.
pub(crate) fn enough(what: &'static str, found: usize, needed: usize) -> Result<(), DataError> {
    if found >= needed { Ok(()) } else { Err(DataError::TooFew { what, found, needed }) }
}

/// `value` where it can be divided by.
pub(crate) fn divisor(what: &'static str, value: f64) -> Result<f64, DataError> {
    if value.is_normal() && value > 0.0 { Ok(value) } else { Err(DataError::Range { what }) }
}

/// How many labels there are (one more than the largest), where each of them has an item and there are two at least.
pub(crate) fn labels(what: &'static str, labels: &[usize]) -> Result<usize, DataError> {
    let count = labels.iter().max().map_or(0, |largest| largest.saturating_add(1));
    enough("items", labels.len(), count.max(2))?;
    let mut items = vec![0; count];
    labels.iter().for_each(|label| items[*label] += 1);
    if let Some(label) = items.iter().position(|items| *items == 0) {
        return Err(DataError::Empty { what, label, labels: count });
    }
    enough(what, count, 2)?;
    Ok(count)
}

#[cfg(test)]
mod tests {
    use super::*;
    use ndarray::array;

    #[test]
    fn the_first_value_that_is_not_finite_is_named() {
        let rows = array![[1.0, 2.0], [3.0, f64::INFINITY], [f64::NAN, 0.0]];
        assert_eq!(finite("x", rows.view()), Err(DataError::NotFinite { what: "x", row: 1, column: 1 }));
        assert_eq!(finite("x", array![[1.0]].view()), Ok(()));
    }

    #[test]
    fn labels_need_two_kinds_with_items_each() {
        assert_eq!(labels("classes", &[1, 0, 2, 0]), Ok(3));
        assert_eq!(labels("classes", &[0, 0]), Err(DataError::TooFew { what: "classes", found: 1, needed: 2 }));
        assert_eq!(labels("classes", &[]), Err(DataError::TooFew { what: "items", found: 0, needed: 2 }));
        assert_eq!(labels("classes", &[0, 9]), Err(DataError::TooFew { what: "items", found: 2, needed: 10 }));
        assert_eq!(labels("classes", &[0, 2, 2]), Err(DataError::Empty { what: "classes", label: 1, labels: 3 }));
    }
}
