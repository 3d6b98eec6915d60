//! Whitening by a covariance, singular or not: what LEACE and least squares both need.

use crate::data::DataError;
use crate::matrix::{array, columns, cross, product, symmetric, view, whole};
use faer::linalg::triangular_solve::{solve_lower_triangular_in_place, solve_upper_triangular_in_place};
use faer::{Mat, Par, Side};
use ndarray::{Array1, Array2, ArrayView2, Axis};

/// A W with W Σ Wᵀ = I on the span of Σ. Any will do: the erasure is the same for all.
pub(super) enum Whitening {
    /// W = L⁻¹ of Σ = L Lᵀ, `[width, width]`: fast.
    Factor(Mat<f64>),
    /// W = Λ^(−½) Vᵀ of Σ = V Λ Vᵀ where Σ is singular, or nearly: V `[width, rank]` and the roots.
    Span(Array2<f64>, Array1<f64>),
}

/// Below which share of the largest pivot the smallest counts as near to singular: far above rounding, which is
/// 2·10⁻¹⁶ times the width, and far below what columns of unlike size have.
const PIVOT: f64 = 1e-10;

impl Whitening {
    pub(super) fn of(covariance: ArrayView2<f64>) -> Result<Self, DataError> {
        if let Ok(factor) = view(&whole(covariance)).llt(Side::Lower) {
            let factor = factor.L().to_owned();
            let pivots = || factor.diagonal().column_vector().iter().map(|pivot| pivot * pivot);
            if pivots().fold(f64::INFINITY, f64::min) > PIVOT * pivots().fold(0.0, f64::max) {
                return Ok(Self::Factor(factor));
            }
        }
        let (values, vectors) = symmetric("covariance of the states", covariance)?;
        let largest = values.last().copied().unwrap_or(0.0);
        let least = largest * values.len() as f64 * f64::EPSILON; // that of the usual pseudo-inverse
        let kept = values.iter().position(|value| *value > least).unwrap_or(values.len());
        let roots = values[kept..].iter().map(|value| value.sqrt()).collect();
        Ok(Self::Span(vectors.slice_axis(Axis(1), (kept..).into()).to_owned(), roots))
    }

    /// W `matrix`, `[whitened, column]`.
    pub(super) fn whiten(&self, matrix: &Array2<f64>) -> Array2<f64> {
        match self {
            Self::Factor(factor) => {
                let mut solved = columns(matrix.view());
                solve_lower_triangular_in_place(factor.as_ref(), solved.as_mut(), Par::Seq);
                array(solved.as_ref())
            }
            Self::Span(vectors, roots) => cross(vectors.view(), matrix.view()) / roots.view().insert_axis(Axis(1)),
        }
    }

    /// W⁺ `chosen`, `[width, column]`.
    pub(super) fn colour(&self, chosen: &Array2<f64>) -> Array2<f64> {
        match self {
            Self::Factor(factor) => product(factor.as_ref(), view(&whole(chosen.view()))),
            Self::Span(vectors, roots) => vectors.dot(&(chosen * &roots.view().insert_axis(Axis(1)))),
        }
    }

    /// Wᵀ `chosen`, `[width, column]`.
    pub(super) fn read(&self, chosen: &Array2<f64>) -> Array2<f64> {
        match self {
            Self::Factor(factor) => {
                let mut solved = columns(chosen.view());
                solve_upper_triangular_in_place(factor.transpose(), solved.as_mut(), Par::Seq);
                array(solved.as_ref())
            }
            Self::Span(vectors, roots) => vectors.dot(&(chosen / &roots.view().insert_axis(Axis(1)))),
        }
    }
}
