//! Tuning curves: how each unit responds to each condition.
//!
//! **What it measures.** The mean response of every unit under every condition, and its standard error (with n − 1).
//!
//! **What it cannot show.** Whether the conditions differ: standard errors are of each by itself, and items that share a
//! template are not independent.
//!
//! **Reference.** Dayan & Abbott 2001, *Theoretical Neuroscience*, chapter 1.
//!
//! **Example.**
//! ```
//! use ndarray::array;
//! use patchclamp_probes::unit::tuning;
//!
//! let curves = tuning(array![[1.0], [3.0], [7.0]].view(), &[0, 0, 1])?;
//! assert_eq!(curves.means, array![[2.0], [7.0]]);
//! assert_eq!(curves.standard_error(0, 0), Some(1.0));
//! assert_eq!(curves.standard_error(1, 0), None); // of one item there is none
//! # Ok::<(), patchclamp_probes::DataError>(())
//! ```

use crate::compare::dissimilarity::condition_means;
use crate::data::{self, DataError};
use ndarray::{Array2, ArrayView2};

/// The responses of units to conditions.
#[derive(Clone, Debug, PartialEq)]
pub struct Tuning {
    /// `[condition, unit]`.
    pub means: Array2<f64>,
    /// Variances with n − 1, `[condition, unit]`: 0 of a single item.
    pub variances: Array2<f64>,
    /// How many items each condition has, `[condition]`.
    pub items: Vec<usize>,
}

impl Tuning {
    /// The standard error of a mean; `None` of a single item.
    ///
    /// # Panics
    /// If there is no such condition or unit.
    pub fn standard_error(&self, condition: usize, unit: usize) -> Option<f64> {
        let (items, variance) = (self.items[condition], self.variances[[condition, unit]]);
        (items > 1).then(|| (variance / items as f64).sqrt())
    }
}

/// The tuning of `responses` `[item, unit]` under `conditions` `[item]`.
///
/// # Errors
/// If a response is not finite, lengths differ, or there are not two conditions with items each.
pub fn tuning(responses: ArrayView2<f64>, conditions: &[usize]) -> Result<Tuning, DataError> {
    data::finite("responses", responses)?;
    let means = condition_means(responses, conditions)?;
    let mut items = vec![0; means.nrows()];
    let mut variances = Array2::zeros(means.dim());
    for (row, condition) in responses.rows().into_iter().zip(conditions.iter().copied()) {
        items[condition] += 1;
        let apart = &row - &means.row(condition);
        variances.row_mut(condition).scaled_add(1.0, &(&apart * &apart));
    }
    for (mut row, items) in variances.rows_mut().into_iter().zip(&items) {
        row /= (items - 1).max(1) as f64;
    }
    Ok(Tuning { means, variances, items })
}
