//! Affine maps of row vectors, `x ↦ x Wᵀ + b`: the changes a probe can make to an activation.
//!
//! **What it measures.** Nothing by itself: it is the change that an intervention applies.
//!
//! **What it cannot show.** [`Affine::project_out`] removes one direction. That a metric then stays
//! does not mean the model had no use for the feature: the feature may lie in other directions too.
//!
//! **Reference.** Ravfogel et al. 2020, *Null It Out: Guarding Protected Attributes by Iterative
//! Nullspace Projection*, ACL, for projection as an intervention.
//!
//! **Example.**
//! ```
//! use ndarray::array;
//! use patchclamp_probes::Affine;
//!
//! let forget_first = Affine::project_out(array![2.0, 0.0].view())?;
//! assert_eq!(forget_first.apply(array![[5.0, 7.0]].view()), array![[0.0, 7.0]]);
//! # Ok::<(), patchclamp_probes::AffineError>(())
//! ```

use ndarray::{Array1, Array2, ArrayView1, ArrayView2, Axis};

/// An affine map of row vectors, `x ↦ x Wᵀ + b`, with `W` `[out, in]` and `b` `[out]`, all finite.
#[derive(Clone, Debug, PartialEq)]
pub struct Affine {
    weight: Array2<f64>,
    bias: Array1<f64>,
}

/// Why there is no such affine map.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AffineError {
    /// The bias must have one value for each row of the weight.
    #[error("bias has {found} values; the weight has {outputs} rows: give {outputs} values")]
    BiasLength {
        /// Rows of the weight.
        outputs: usize,
        /// Values of the bias.
        found: usize,
    },
    /// The weight or the bias holds NaN or an infinity.
    #[error("{part} holds a value that is not finite: look for NaN or infinity where it was made")]
    NotFinite {
        /// `weight` or `bias`.
        part: &'static str,
    },
    /// A direction without length, or with a value that is not finite, points nowhere.
    #[error("direction is zero, empty or not finite: give one with a finite length above zero")]
    NoDirection,
    /// The inner map's outputs are not as many as the outer map's inputs.
    #[error("inner map gives {inner} values, outer map takes {outer}: the two must be equal")]
    Widths {
        /// Values that the inner map gives.
        inner: usize,
        /// Values that the outer map takes.
        outer: usize,
    },
}

impl Affine {
    /// The map with `weight` `[out, in]` and `bias` `[out]`.
    ///
    /// # Errors
    /// [`AffineError::BiasLength`] and [`AffineError::NotFinite`].
    pub fn new(weight: Array2<f64>, bias: Array1<f64>) -> Result<Self, AffineError> {
        let (outputs, found) = (weight.nrows(), bias.len());
        if outputs != found {
            return Err(AffineError::BiasLength { outputs, found });
        }
        if !weight.iter().all(|x| x.is_finite()) {
            return Err(AffineError::NotFinite { part: "weight" });
        }
        if !bias.iter().all(|x| x.is_finite()) {
            return Err(AffineError::NotFinite { part: "bias" });
        }
        Ok(Self { weight, bias })
    }

    /// The map that changes nothing, on vectors of `width` values.
    pub fn identity(width: usize) -> Self {
        Self { weight: Array2::eye(width), bias: Array1::zeros(width) }
    }

    /// The orthogonal projection away from `direction` `[width]`, of any length above zero:
    /// `x ↦ x − (x·u) u` with `u` the unit vector along `direction`.
    ///
    /// # Errors
    /// [`AffineError::NoDirection`].
    pub fn project_out(direction: ArrayView1<f64>) -> Result<Self, AffineError> {
        let unit = unit(direction).ok_or(AffineError::NoDirection)?;
        let row = unit.view().insert_axis(Axis(0)); // [1, width]
        let mut map = Self::identity(unit.len());
        map.weight -= &row.t().dot(&row); // [width, width]
        Ok(map)
    }

    /// The images `[row, out]` of `rows` `[row, in]`.
    ///
    /// # Panics
    /// If the rows are not [`input_width`](Self::input_width) wide.
    pub fn apply(&self, rows: ArrayView2<f64>) -> Array2<f64> {
        let (found, expected) = (rows.ncols(), self.input_width());
        assert_eq!(found, expected, "rows must be as wide as the map's inputs");
        rows.dot(&self.weight.t()) + &self.bias // [row, out]
    }

    /// First `inner`, then this map: `x ↦ self(inner(x))`.
    ///
    /// # Errors
    /// [`AffineError::Widths`], and [`AffineError::NotFinite`] where a product overflows.
    pub fn compose(&self, inner: &Self) -> Result<Self, AffineError> {
        let (inner_width, outer_width) = (inner.output_width(), self.input_width());
        if inner_width != outer_width {
            return Err(AffineError::Widths { inner: inner_width, outer: outer_width });
        }
        Self::new(self.weight.dot(&inner.weight), self.weight.dot(&inner.bias) + &self.bias)
    }

    /// `W`, `[out, in]`.
    pub fn weight(&self) -> ArrayView2<'_, f64> {
        self.weight.view()
    }

    /// `b`, `[out]`.
    pub fn bias(&self) -> ArrayView1<'_, f64> {
        self.bias.view()
    }

    /// How many values a row has before the map.
    pub fn input_width(&self) -> usize {
        self.weight.ncols()
    }

    /// How many values a row has after the map.
    pub fn output_width(&self) -> usize {
        self.weight.nrows()
    }
}

/// `direction` at length one. Divides by the largest magnitude first: the square of 1e-200 is 0.
fn unit(direction: ArrayView1<f64>) -> Option<Array1<f64>> {
    let largest = direction.fold(0.0, |largest: f64, x| largest.max(x.abs()));
    let scaled = direction.mapv(|x| x / largest);
    let length = scaled.dot(&scaled).sqrt();
    length.is_finite().then(|| scaled / length).filter(|u| !u.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;
    use ndarray::array;

    /// Rounding of sums of three products of numbers below 10.
    const ROUNDING: f64 = 1e-13;

    fn rows() -> Array2<f64> {
        array![[1.0, -2.0, 3.0], [0.5, 4.0, -1.5]]
    }

    fn widen() -> Affine {
        let weight = array![[1.0, 2.0, 0.0], [0.0, -1.0, 1.0], [3.0, 0.0, 0.5], [1.0, 1.0, 1.0]];
        Affine::new(weight, array![1.0, 0.0, -1.0, 2.0]).unwrap()
    }

    fn narrow() -> Affine {
        let weight = array![[1.0, 0.0, 2.0, -1.0], [0.5, 1.0, 0.0, 3.0]];
        Affine::new(weight, array![-4.0, 0.25]).unwrap()
    }

    fn assert_close(left: &Array2<f64>, right: &Array2<f64>) {
        assert_eq!(left.dim(), right.dim());
        assert!((left - right).iter().all(|gap| gap.abs() < ROUNDING), "{left}\n{right}");
    }

    #[test]
    fn a_row_is_multiplied_by_the_transposed_weight_and_shifted() {
        let image = widen().apply(rows().view());
        assert_eq!(image.row(0), array![-2.0, 5.0, 3.5, 4.0]);
        assert_eq!(image.row(1), array![9.5, -5.5, -0.25, 5.0]);
    }

    #[test]
    fn identity_changes_nothing_alone_or_composed() {
        assert_eq!(Affine::identity(3).apply(rows().view()), rows());
        assert_eq!(widen().compose(&Affine::identity(3)).unwrap(), widen());
        assert_eq!(Affine::identity(4).compose(&widen()).unwrap(), widen());
    }

    #[test]
    fn composition_is_one_map_after_the_other() {
        let both = narrow().compose(&widen()).unwrap();
        let in_turn = narrow().apply(widen().apply(rows().view()).view());
        assert_close(&both.apply(rows().view()), &in_turn);
    }

    #[test]
    fn projection_is_idempotent_and_symmetric() {
        let project = Affine::project_out(array![3.0, -4.0, 12.0].view()).unwrap();
        let once = project.apply(rows().view());
        assert_close(&project.apply(once.view()), &once);
        assert_close(&project.weight().to_owned(), &project.weight().t().to_owned());
    }

    #[test]
    fn projection_kills_its_direction_and_keeps_the_rest() {
        let project = Affine::project_out(array![3.0, -4.0, 12.0].view()).unwrap();
        let along = array![[3.0, -4.0, 12.0], [-6.0, 8.0, -24.0]];
        let across = array![[4.0, 3.0, 0.0], [0.0, 3.0, 1.0]];
        assert_close(&project.apply(along.view()), &Array2::zeros((2, 3)));
        assert_close(&project.apply(across.view()), &across);
    }

    #[test]
    fn projection_does_not_depend_on_the_length_of_its_direction() {
        let ordinary = Affine::project_out(array![1.0, 1.0].view()).unwrap();
        for tiny_or_huge in [1e-200, 1e200] {
            let scaled = Affine::project_out(array![tiny_or_huge, tiny_or_huge].view()).unwrap();
            assert_close(&scaled.weight, &ordinary.weight);
        }
    }

    #[test]
    fn a_direction_that_points_nowhere_is_refused() {
        for direction in [array![], array![0.0, 0.0], array![1.0, f64::NAN], array![f64::INFINITY, 1.0]] {
            assert_eq!(Affine::project_out(direction.view()), Err(AffineError::NoDirection));
        }
    }

    #[test]
    fn errors_state_what_was_found_and_what_was_expected() {
        let bias_length = Affine::new(Array2::zeros((2, 3)), Array1::zeros(3)).unwrap_err();
        let widths = widen().compose(&narrow()).unwrap_err();
        assert_eq!(bias_length.to_string(), "bias has 3 values; the weight has 2 rows: give 2 values");
        assert_eq!(widths, AffineError::Widths { inner: 2, outer: 3 });
    }

    #[test]
    fn values_that_are_not_finite_are_refused_by_part() {
        let weight = Affine::new(array![[f64::NAN]], array![0.0]);
        let bias = Affine::new(array![[1.0]], array![f64::INFINITY]);
        assert_eq!(weight, Err(AffineError::NotFinite { part: "weight" }));
        assert_eq!(bias, Err(AffineError::NotFinite { part: "bias" }));
    }

    #[test]
    #[should_panic(expected = "as wide as the map's inputs")]
    fn rows_of_another_width_are_a_mistake_of_the_caller() {
        widen().apply(array![[1.0, 2.0]].view());
    }
}
