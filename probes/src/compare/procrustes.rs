//! The orthogonal Procrustes distance: how far apart are two spaces of the same items after the best rotation?
//!
//! **What it measures.** Both spaces are centred and brought to a sum of squares of one; then the least squared distance
//! over all rotations and reflections of one onto the other, `2 − 2 ‖XᵀY‖_*` with the sum of singular values: 0 where they
//! are the same but for rotation and scale, 2 where they have nothing in common. Its root is a metric.
//!
//! **What it cannot show.** Likeness up to other maps; see [`cca`](mod@super::cca). Like CKA it is decided by the directions of
//! large variance, though less so: variance counts by its root.
//!
//! **Reference.** Schönemann 1966, *A generalized solution of the orthogonal Procrustes problem*, Psychometrika 31; Ding,
//! Denain & Steinhardt 2021, *Grounding representation similarity through statistical testing*, NeurIPS.
//!
//! **Example.**
//! ```
//! use ndarray::array;
//! use patchclamp_probes::compare::procrustes;
//!
//! let (along, across) = (array![[1.0, 0.0], [-1.0, 0.0], [0.0, 0.0]], array![[1.0], [1.0], [-2.0]]);
//! assert!(procrustes(along.view(), along.view())?.abs() < 1e-12);
//! assert!((procrustes(along.view(), across.view())? - 2.0).abs() < 1e-12);
//! # Ok::<(), patchclamp_probes::DataError>(())
//! ```

use super::kernel::checked;
use crate::data::DataError;
use crate::matrix::{cross, singular, squares};
use ndarray::ArrayView2;

/// The squared distance of `x` `[item, width]` and `y` `[item, other width]`, 0 to 2.
///
/// # Errors
/// If they are not of the same items, at least two, a value is not finite, or one of them does not vary.
pub fn procrustes(x: ArrayView2<f64>, y: ArrayView2<f64>) -> Result<f64, DataError> {
    let [x, y] = checked(x, y)?;
    let both = singular("x and y", cross(x.view(), y.view()).view())?;
    let common = both.values.iter().sum::<f64>() / (squares(&x).sqrt() * squares(&y).sqrt());
    Ok(2.0 - 2.0 * common.min(1.0)) // rounding can leave it above 1
}
