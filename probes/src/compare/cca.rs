//! Canonical correlations: are two spaces of the same items alike up to any linear map?
//!
//! **What it measures.** The correlations of the pairs of directions, one in each space, that correlate most, then of those
//! at right angles to them that do, and so on. [`Cca::mean`] is their mean. [`svcca`] first keeps only as many principal
//! components of each space as hold a share of its variance; [`pwcca`] weighs each correlation by how much of the first
//! space its direction accounts for.
//!
//! **What it cannot show.** Nothing where columns outnumber items: any two spaces then correlate perfectly, so give many
//! more items than columns. Plain CCA gives a direction of noise the weight of any other.
//!
//! **Reference.** Hotelling 1936, *Relations between two sets of variates*, Biometrika 28; Raghu et al. 2017, *SVCCA*,
//! NeurIPS; Morcos, Raghu & Bengio 2018, *Insights on representational similarity in neural networks with canonical
//! correlation*, NeurIPS.
//!
//! **Example.**
//! ```
//! use ndarray::array;
//! use patchclamp_probes::compare::cca;
//!
//! let states = array![[1.0, 0.0], [0.0, 2.0], [3.0, 1.0], [1.0, 5.0]];
//! let mapped = states.dot(&array![[1.0, 7.0], [0.0, 0.1]]);
//! assert!((cca(states.view(), mapped.view())?.mean() - 1.0).abs() < 1e-12);
//! # Ok::<(), patchclamp_probes::DataError>(())
//! ```

use super::kernel::checked;
use crate::data::DataError;
use crate::matrix::{cross, singular};
use ndarray::{Array1, Array2, ArrayView2, Axis};

/// Canonical correlations.
#[derive(Clone, Debug, PartialEq)]
pub struct Cca {
    /// Falling, 0 to 1, as many as the smaller space has dimensions.
    pub correlations: Vec<f64>,
    /// The directions of the first space as values of the items, `[item, place]`, orthonormal columns.
    pub variates: Array2<f64>,
}

impl Cca {
    /// The mean correlation, 0 to 1.
    pub fn mean(&self) -> f64 {
        self.correlations.iter().sum::<f64>() / self.correlations.len() as f64
    }
}

/// Of the largest singular value, what is no more than rounding: those of collinear columns.
const ROUNDING: f64 = 1e-10;

/// The canonical correlations of `x` `[item, width]` and `y` `[item, other width]`.
///
/// # Errors
/// If they are not of the same items, at least two, a value is not finite, or one of them does not vary.
pub fn cca(x: ArrayView2<f64>, y: ArrayView2<f64>) -> Result<Cca, DataError> {
    correlations(x, y, 1.0)
}

/// Those of the principal components that hold a `share` (a fraction, 0.99 by custom) of the variance of each space.
///
/// # Errors
/// As [`cca`].
///
/// # Panics
/// If the share is not above 0 and at most 1.
pub fn svcca(x: ArrayView2<f64>, y: ArrayView2<f64>, share: f64) -> Result<Cca, DataError> {
    assert!(share > 0.0 && share <= 1.0, "share {share} must be above 0 and at most 1");
    correlations(x, y, share)
}

/// The mean correlation of `x` `[item, width]` and `y` `[item, other width]`, 0 to 1, each weighed by the sum of the
/// magnitudes of its direction's products with the columns of `x`. Not the same the other way round.
///
/// # Errors
/// As [`cca`].
pub fn pwcca(x: ArrayView2<f64>, y: ArrayView2<f64>) -> Result<f64, DataError> {
    let [centred, _] = checked(x, y)?;
    let found = cca(x, y)?;
    let weights = cross(found.variates.view(), centred.view()).mapv(f64::abs).sum_axis(Axis(1)); // [place]
    Ok(weights.dot(&Array1::from(found.correlations)) / weights.sum())
}

fn correlations(x: ArrayView2<f64>, y: ArrayView2<f64>, share: f64) -> Result<Cca, DataError> {
    let [x, y] = checked(x, y)?;
    let (x, y) = (basis("x", &x, share)?, basis("y", &y, share)?);
    let split = singular("x and y", cross(x.view(), y.view()).view())?;
    let correlations = split.values.iter().map(|value| value.clamp(0.0, 1.0)).collect(); // rounding can leave it above
    Ok(Cca { correlations, variates: x.dot(&split.left) })
}

/// An orthonormal basis of what the columns span, in the order of variance, up to a share of it.
fn basis(what: &'static str, centred: &Array2<f64>, share: f64) -> Result<Array2<f64>, DataError> {
    let split = singular(what, centred.view())?;
    let total: f64 = split.values.iter().map(|value| value * value).sum();
    let real = split.values.iter().take_while(|value| **value > ROUNDING * split.values[0]).count();
    let mut held = 0.0;
    let before_share = split.values.iter().take_while(|value| {
        let more = held < share * total * (1.0 - ROUNDING);
        held += **value * **value;
        more
    });
    let kept = if share < 1.0 { before_share.count().min(real) } else { real };
    Ok(split.left.slice_axis(Axis(1), (..kept).into()).to_owned())
}
