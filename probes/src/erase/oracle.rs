//! LEACE for states whose property is known: less of each state need go.
//!
//! **What it measures.** With the target `z` of each item at hand, `r(x, z) = x − Σxz Σzz⁺ (z − E z)`: the residual of the
//! least-squares regression of states on targets. The means of the classes are equal afterwards and the covariance is zero,
//! as with [LEACE](mod@super::leace), at a smaller distance.
//!
//! **What it cannot show.** What a model does without knowing the property: it must be told item by item, so that this is
//! a bound on how little an erasure need change, and no intervention for new text.
//!
//! The published program takes eigenvalues of Σzz up to 0.01 as none, by which many classes, or rare ones, stay
//! readable; here only rounding counts as none. The figures are the same where no class is so rare.
//!
//! **Reference.** Belrose et al. 2023, *LEACE: Perfect linear concept erasure in closed form*, NeurIPS, section 5.
//!
//! **Example.**
//! ```
//! use ndarray::array;
//! use patchclamp_probes::erase::{Moments, Oracle};
//!
//! let (states, classes) = (array![[0.0, 5.0], [2.0, 7.0], [4.0, 6.0]], [0, 0, 1]);
//! let oracle = Oracle::fit(&Moments::of_classes(states.view(), &classes, 2)?)?;
//! let erased = oracle.apply_classes(states.view(), &classes)?;
//! assert!((erased[[0, 0]] + erased[[1, 0]] - 2.0 * erased[[2, 0]]).abs() < 1e-12);
//! # Ok::<(), patchclamp_probes::DataError>(())
//! ```

use super::moments::Moments;
use super::whitening::Whitening;
use crate::data::{self, DataError};
use ndarray::{Array1, Array2, ArrayView2, Axis};

/// The map `(x, z) ↦ x − Σxz Σzz⁺ (z − E z)`.
#[derive(Clone, Debug, PartialEq)]
pub struct Oracle {
    /// `[target, width]`.
    coefficients: Array2<f64>,
    mean: Array1<f64>,
}

impl Oracle {
    /// The regression of states on targets that `moments` give.
    ///
    /// # Errors
    /// Below two items, or if a decomposition fails.
    pub fn fit(moments: &Moments) -> Result<Self, DataError> {
        let covariance = moments.target_covariance()?;
        let mean = moments.target_mean().to_owned();
        if covariance.diag().iter().all(|variance| *variance == 0.0) {
            return Ok(Self { coefficients: Array2::zeros((mean.len(), moments.width())), mean });
        }
        let whitening = Whitening::of(covariance.view())?;
        let cross = moments.cross_covariance()?.reversed_axes().as_standard_layout().into_owned();
        Ok(Self { coefficients: whitening.read(&whitening.whiten(&cross)), mean })
    }

    /// The `states` `[item, width]` less what their `targets` `[item, target]` predict.
    ///
    /// # Errors
    /// If they do not match each other or the fit, or a target is not finite.
    pub fn apply(&self, states: ArrayView2<f64>, targets: ArrayView2<f64>) -> Result<Array2<f64>, DataError> {
        data::count("states' columns", states.ncols(), self.coefficients.ncols())?;
        data::count("targets' columns", targets.ncols(), self.mean.len())?;
        data::count("targets' rows", targets.nrows(), states.nrows())?;
        data::finite("targets", targets)?;
        Ok(&states - &(&targets - &self.mean).dot(&self.coefficients))
    }

    /// The `states` `[item, width]` less what their classes `[item]` predict.
    ///
    /// # Errors
    /// If they do not match each other or the fit, or there is no such class.
    pub fn apply_classes(&self, states: ArrayView2<f64>, labels: &[usize]) -> Result<Array2<f64>, DataError> {
        let classes = self.mean.len();
        if let Some(label) = labels.iter().copied().find(|label| *label >= classes) {
            return Err(DataError::NoSuchLabel { what: "classes", label, labels: classes });
        }
        let mut targets = Array2::zeros((labels.len(), classes));
        for (mut target, label) in targets.axis_iter_mut(Axis(0)).zip(labels) {
            target[*label] = 1.0;
        }
        self.apply(states, targets.view())
    }
}
