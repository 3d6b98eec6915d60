//! Mean projection: the directions between the means of classes are projected away, at right angles.
//!
//! **What it measures.** The span of Σxz, which for classes is that of the differences between their means; then
//! `x ↦ x − Q Qᵀ (x − μ)` with Q an orthonormal basis of it. The means of the classes are equal afterwards, and no linear
//! probe reads them.
//!
//! **What it cannot show.** What a smaller change would do: where columns are correlated it moves states further than
//! [LEACE](mod@super::leace), and takes more out of other properties.
//!
//! **Reference.** Haghighatkhah et al. 2022, *Better hit the nail on the head than beat around the bush: removing protected
//! attributes with a single projection*, EMNLP.
//!
//! **Example.**
//! ```
//! use ndarray::array;
//! use patchclamp_probes::erase::{Moments, mean_projection};
//!
//! let states = array![[0.0, 1.0], [0.0, 3.0], [4.0, 1.0], [4.0, 3.0]];
//! let eraser = mean_projection(&Moments::of_classes(states.view(), &[0, 0, 1, 1], 2)?)?;
//! assert!((eraser.apply(states.view()).column(0).to_owned() - 2.0).iter().all(|gap| gap.abs() < 1e-12));
//! # Ok::<(), patchclamp_probes::DataError>(())
//! ```

use super::eraser::Eraser;
use super::moments::Moments;
use crate::data::DataError;
use crate::directions::Directions;
use ndarray::Array2;

/// The projection away from the span of Σxz. Of rank 0, the identity, where that is zero.
///
/// # Errors
/// Below two items.
pub fn mean_projection(moments: &Moments) -> Result<Eraser, DataError> {
    let between = moments.cross_covariance()?;
    let nothing = || Array2::zeros((0, moments.width()));
    let directions = Directions::spanned(between.t()).map_or_else(nothing, |span| span.vectors().to_owned());
    Ok(Eraser::orthogonal(directions, moments.mean().to_owned()))
}
