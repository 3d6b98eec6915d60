//! Whitening by a covariance, singular or not: what LEACE and least squares both need.

use crate::data::DataError;
use crate::matrix::{array, columns, product, view, whole};
use faer::dyn_stack::{MemBuffer, MemStack};
use faer::linalg::cholesky::llt_pivoting::factor::{cholesky_in_place, cholesky_in_place_scratch};
use faer::linalg::solvers::{Qr, SolveLstsq};
use faer::linalg::triangular_solve::{solve_lower_triangular_in_place, solve_upper_triangular_in_place};
use faer::{Mat, Par, Side};
use ndarray::{Array2, ArrayView2};

/// A W with W Σ Wᵀ = I on the span of Σ. Any will do: what is erased is the same for all, since another one differs by a
/// rotation R of what is whitened, and W⁺ R U Uᵀ Rᵀ W does not.
pub(super) enum Whitening {
    /// W = L⁻¹ of Σ = L Lᵀ, `[width, width]`.
    Factor(Mat<f64>),
    /// W = L⁺ of Σ = L Lᵀ where Σ is singular, or nearly: L `[width, rank]`, of full rank, and its decomposition.
    Span(Mat<f64>, Qr<f64>),
}

/// Below which share of the largest pivot the smallest counts as near to singular: far above rounding, which is
/// 2·10⁻¹⁶ times the width, and far below what columns of unlike size have.
const PIVOT: f64 = 1e-10;

impl Whitening {
    pub(super) fn of(covariance: ArrayView2<f64>) -> Result<Self, DataError> {
        let rows = whole(covariance);
        if let Ok(factor) = view(&rows).llt(Side::Lower) {
            let factor = factor.L().to_owned();
            let pivots = || factor.diagonal().column_vector().iter().map(|pivot| pivot * pivot);
            if pivots().fold(f64::INFINITY, f64::min) > PIVOT * pivots().fold(0.0, f64::max) {
                return Ok(Self::Factor(factor));
            }
        }
        let factor = full_rank(view(&rows).to_owned())?;
        let split = factor.qr();
        Ok(Self::Span(factor, split))
    }

    /// W `matrix`, `[whitened, column]`.
    pub(super) fn whiten(&self, matrix: &Array2<f64>) -> Array2<f64> {
        let mut solved = columns(matrix.view());
        match self {
            Self::Factor(factor) => {
                solve_lower_triangular_in_place(factor.as_ref(), solved.as_mut(), Par::Seq);
                array(solved.as_ref())
            }
            Self::Span(_, split) => array(split.solve_lstsq(solved).as_ref()),
        }
    }

    /// W⁺ `chosen`, `[width, column]`.
    pub(super) fn colour(&self, chosen: &Array2<f64>) -> Array2<f64> {
        let (Self::Factor(factor) | Self::Span(factor, _)) = self;
        product(factor.as_ref(), view(&whole(chosen.view())))
    }

    /// Wᵀ `chosen`, `[width, column]`.
    pub(super) fn read(&self, chosen: &Array2<f64>) -> Array2<f64> {
        let mut solved = columns(chosen.view());
        match self {
            Self::Factor(factor) => {
                solve_upper_triangular_in_place(factor.transpose(), solved.as_mut(), Par::Seq);
                array(solved.as_ref())
            }
            // L⁺ᵀ = L (LᵀL)⁻¹, with LᵀL = RᵀR
            Self::Span(factor, split) => {
                solve_lower_triangular_in_place(split.thin_R().transpose(), solved.as_mut(), Par::Seq);
                solve_upper_triangular_in_place(split.thin_R(), solved.as_mut(), Par::Seq);
                product(factor.as_ref(), solved.as_ref())
            }
        }
    }
}

/// L `[width, rank]` of full rank with L Lᵀ = `covariance`, by Cholesky's method with the largest pivot first; it ends where that is
/// rounding: below the width times 2·10⁻¹⁶ of the largest variance.
fn full_rank(mut covariance: Mat<f64>) -> Result<Mat<f64>, DataError> {
    let width = covariance.nrows();
    let (mut order, mut inverse) = (vec![0_usize; width], vec![0_usize; width]);
    let scratch = cholesky_in_place_scratch::<usize, f64>(width, Par::Seq, Default::default());
    let (found, _) = cholesky_in_place(
        covariance.as_mut(),
        &mut order,
        &mut inverse,
        Par::Seq,
        MemStack::new(&mut MemBuffer::new(scratch)),
        Default::default(),
    )
    .map_err(|_| DataError::Decomposition { what: "covariance of the states" })?;
    let value =
        |row: usize, column: usize| if inverse[row] < column { 0.0 } else { covariance[(inverse[row], column)] };
    Ok(Mat::from_fn(width, found.rank, value))
}
