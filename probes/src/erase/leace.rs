//! LEACE: all that a linear probe could read of a property is taken out, and the states move as little as they can.
//!
//! **What it measures.** Of Σxx, Σxz and μ, with W = Σxx^(−½) and U the left singular vectors of W Σxz:
//! `r(x) = x − W⁺ U Uᵀ W (x − μ)`. Afterwards the means of the classes are equal, the covariance of states and property is
//! zero, and no linear classifier of any convex loss does better than one that never looks. Of all affine maps of which
//! that is true this one has the least mean squared distance from the states, in every norm that comes from an inner
//! product.
//!
//! **What it cannot show.** Nonlinear probes may still read the property, and on states not seen in fitting a linear one
//! can, by as much as the covariances differ. Singular values up to a [`tolerance`](Leace::tolerance) count as none: what
//! lies below it is left.
//!
//! Where some of the states' columns are constant or collinear, W is the pseudo-inverse's root, as in the published
//! program. The program also mixes in the orthogonal projection where the trace of the covariance would grow: with
//! one and the same Σxx throughout, the trace falls by ‖Σxx^½ U‖² and cannot grow but by rounding, so that there is
//! nothing to mix here.
//!
//! **Reference.** Belrose et al. 2023, *LEACE: Perfect linear concept erasure in closed form*, NeurIPS; for shrinkage
//! Bodnar, Gupta & Parolya 2014, *On the strong convergence of the optimal linear shrinkage estimator for large
//! dimensional covariance matrix*, Journal of Multivariate Analysis 132.
//!
//! **Example.**
//! ```
//! use ndarray::array;
//! use patchclamp_probes::erase::{Moments, leace};
//!
//! let states = array![[0.0, 0.0], [0.0, 2.0], [4.0, 1.0], [4.0, 3.0]];
//! let moments = Moments::of_classes(states.view(), &[0, 0, 1, 1], 2)?;
//! let erased = leace(&moments)?.apply(states.view());
//! let (first, second) = (&erased.row(0) + &erased.row(1), &erased.row(2) + &erased.row(3));
//! assert!((first - second).iter().all(|gap| gap.abs() < 1e-12));
//! # Ok::<(), patchclamp_probes::DataError>(())
//! ```

use super::eraser::Eraser;
use super::moments::Moments;
use super::whitening::Whitening;
use crate::data::{self, DataError};
use crate::matrix::{singular, squares};
use ndarray::{Array2, Axis};

/// How the covariance of the states is estimated.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Covariance {
    /// With n − 1: the erasure is exact on the states it was fitted on.
    #[default]
    Sample,
    /// Shrunk towards a multiple of the identity, with n: nearer to the truth where items are few for the width. The
    /// published program's default. The erasure is exact with it too.
    Shrunk,
}

/// What can be chosen about LEACE.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Leace {
    /// Singular values of the whitened covariance up to this are taken as none: 0.01 as in the published program.
    pub tolerance: f64,
    /// How Σxx is estimated.
    pub covariance: Covariance,
}

impl Default for Leace {
    fn default() -> Self {
        Self { tolerance: 0.01, covariance: Covariance::Sample }
    }
}

/// [`Leace::fit`] as it is by default.
///
/// # Errors
/// As [`Leace::fit`].
pub fn leace(moments: &Moments) -> Result<Eraser, DataError> {
    Leace::default().fit(moments)
}

impl Leace {
    /// The erasure of what `moments` relate the states to. Of rank 0, the identity, where they are not related, as for a
    /// single class.
    ///
    /// # Errors
    /// Below two items, where the states do not vary, or a decomposition fails.
    pub fn fit(&self, moments: &Moments) -> Result<Eraser, DataError> {
        let covariance = match self.covariance {
            Covariance::Sample => moments.covariance()?,
            Covariance::Shrunk => shrunk(moments.covariance()?, moments.items() as f64),
        };
        data::finite("covariance of the states", covariance.view())?;
        if covariance.diag().iter().all(|variance| *variance <= 0.0) {
            return Err(DataError::Constant { what: "states" });
        }
        let whitening = Whitening::of(covariance.view())?;
        let split = singular("states and targets", whitening.whiten(&moments.cross_covariance()?).view())?;
        let rank = split.values.iter().take_while(|value| **value > self.tolerance).count();
        let chosen = split.left.slice_axis(Axis(1), (..rank).into()).to_owned(); // [whitened, rank]
        let mean = moments.mean().to_owned();
        Ok(Eraser::new(whitening.colour(&chosen).reversed_axes(), whitening.read(&chosen).reversed_axes(), mean))
    }
}

/// Shrinkage of a covariance that was divided by n − 1, as its authors give it for one divided by n.
fn shrunk(covariance: Array2<f64>, items: f64) -> Array2<f64> {
    let covariance = covariance * ((items - 1.0) / items);
    let width = covariance.nrows() as f64;
    let trace = covariance.diag().sum();
    let even = trace * trace / width; // squared norm of the target, the identity with this trace
    let apart = squares(&covariance) - even;
    // not below 0, as it would be for very few items, where the shrunk matrix would no longer be a covariance
    let kept = if apart > 0.0 { (1.0 - trace * trace / (items * apart)).max(0.0) } else { 0.0 };
    let mut shrunk = covariance * kept;
    shrunk.diag_mut().mapv_inplace(|variance| variance + (1.0 - kept) * trace / width);
    shrunk
}
