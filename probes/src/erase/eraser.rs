//! What every erasure comes to: a map of low rank that moves states back to where nothing can be told from them.
//!
//! **What it measures.** `x ↦ x − L R (x − μ)`, with as few columns in L and rows in R as there are dimensions taken out.
//! How far it moves the states on average is [`Eraser::moved`].
//!
//! **What it cannot show.** That what was taken out was used: for that the model must run on the states that are left,
//! and on states with as many [random directions](super::random) taken out.
//!
//! **Reference.** Belrose et al. 2023, *LEACE: Perfect linear concept erasure in closed form*, NeurIPS.
//!
//! **Example.**
//! ```
//! use ndarray::array;
//! use patchclamp_probes::erase::Eraser;
//!
//! let forget_first = Eraser::orthogonal(array![[1.0, 0.0]], array![4.0, 0.0]);
//! assert_eq!(forget_first.apply(array![[5.0, 7.0]].view()), array![[4.0, 7.0]]);
//! assert_eq!(forget_first.affine()?.apply(array![[5.0, 7.0]].view()), array![[4.0, 7.0]]);
//! # Ok::<(), patchclamp_probes::AffineError>(())
//! ```

use super::moments::Moments;
use crate::affine::{Affine, AffineError};
use crate::data::DataError;
use crate::matrix::{cross, outer};
use ndarray::{Array1, Array2, ArrayView1, ArrayView2};

/// The map `x ↦ x − L R (x − μ)`.
#[derive(Clone, Debug, PartialEq)]
pub struct Eraser {
    /// Lᵀ, `[rank, width]`.
    left: Array2<f64>,
    /// R, `[rank, width]`.
    right: Array2<f64>,
    mean: Array1<f64>,
}

impl Eraser {
    /// Of Lᵀ and R `[rank, width]` and μ `[width]`, whose sizes agree.
    pub(crate) fn new(left: Array2<f64>, right: Array2<f64>, mean: Array1<f64>) -> Self {
        Self { left, right, mean }
    }

    /// The orthogonal projection away from orthonormal `directions` `[rank, width]` through `mean` `[width]`, which stays
    /// where it is; zeros for a projection of vectors.
    ///
    /// # Panics
    /// If the widths differ.
    pub fn orthogonal(directions: Array2<f64>, mean: Array1<f64>) -> Self {
        assert_eq!(directions.ncols(), mean.len(), "the mean must be as wide as the directions");
        Self { left: directions.clone(), right: directions, mean }
    }

    /// How many dimensions it takes out.
    pub fn rank(&self) -> usize {
        self.right.nrows()
    }

    /// How many values a state has.
    pub fn width(&self) -> usize {
        self.mean.len()
    }

    /// R, `[rank, width]`: what it reads from a state.
    pub fn reads(&self) -> ArrayView2<'_, f64> {
        self.right.view()
    }

    /// Lᵀ, `[rank, width]`: along what it moves a state.
    pub fn moves_along(&self) -> ArrayView2<'_, f64> {
        self.left.view()
    }

    /// The state that stays where it is.
    pub fn mean(&self) -> ArrayView1<'_, f64> {
        self.mean.view()
    }

    /// The `states` `[item, width]` after the erasure.
    ///
    /// # Panics
    /// If they are not [`width`](Self::width) wide.
    pub fn apply(&self, states: ArrayView2<f64>) -> Array2<f64> {
        assert_eq!(states.ncols(), self.width(), "states must be as wide as the eraser");
        let fixed = self.right.dot(&self.mean); // [rank]
        let read = outer(states, self.right.view()) - &fixed; // [item, rank]
        &states - &read.dot(&self.left)
    }

    /// The same map as a whole matrix and a bias, for an intervention in a model.
    ///
    /// # Errors
    /// [`AffineError::NotFinite`] where a product overflows.
    pub fn affine(&self) -> Result<Affine, AffineError> {
        let taken = cross(self.left.view(), self.right.view()); // [width, width]
        let bias = taken.dot(&self.mean);
        Affine::new(Array2::eye(self.width()) - taken, bias)
    }

    /// The mean squared distance by which the states of `moments` are moved.
    ///
    /// # Errors
    /// If the widths differ, or there are fewer than two states.
    pub fn moved(&self, moments: &Moments) -> Result<f64, DataError> {
        crate::data::count("states' columns", moments.width(), self.width())?;
        let spread = self.right.dot(&moments.covariance()?).dot(&self.right.t()); // [rank, rank]
        let along = self.left.dot(&self.left.t());
        let items = moments.items() as f64;
        let shift = self.right.dot(&(&moments.mean() - &self.mean)).dot(&self.left);
        Ok((spread * along).sum() * (items - 1.0) / items + shift.dot(&shift))
    }
}
