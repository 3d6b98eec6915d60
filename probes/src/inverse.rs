//! The triangular factor of an inverse, as second-order rounding and pruning want it.

use crate::matrix::{array, view, whole};
use faer::linalg::triangular_solve::solve_upper_triangular_in_place;
use faer::{Mat, Par, Side};
use ndarray::{Array2, ArrayView2};

/// The upper triangular U with H⁻¹ = Uᵀ U of a symmetric, positive definite H; `None` where H is not that.
///
/// H turned about its other diagonal has the lower factor M; turned back that is an upper R with H = R Rᵀ, so U = R⁻¹: the
/// inverse itself is never made, and loses no digits.
///
/// # Panics
/// If `matrix` is not square.
pub fn inverse_factor(matrix: ArrayView2<f64>) -> Option<Array2<f64>> {
    let width = matrix.nrows();
    assert_eq!(width, matrix.ncols(), "a square matrix");
    if matrix.iter().any(|value| !value.is_finite()) {
        return None;
    }
    let rows = whole(matrix);
    let turned = view(&rows).reverse_rows_and_cols().to_owned();
    let factor = turned.llt(Side::Lower).ok()?;
    let upper = factor.L().reverse_rows_and_cols().to_owned();
    let mut inverse = Mat::identity(width, width);
    solve_upper_triangular_in_place(upper.as_ref(), inverse.as_mut(), Par::Seq);
    let inverse = array(inverse.as_ref());
    inverse.iter().all(|value| value.is_finite()).then_some(inverse)
}

#[cfg(test)]
mod tests {
    use super::inverse_factor;
    use ndarray::{Array2, array};

    #[test]
    fn the_factor_is_upper_and_its_square_is_the_inverse() {
        let matrix = array![[4.0, 1.0, 0.5], [1.0, 3.0, -0.25], [0.5, -0.25, 2.0]];
        let upper = inverse_factor(matrix.view()).unwrap();
        let product = upper.t().dot(&upper).dot(&matrix);
        for ((row, column), value) in product.indexed_iter() {
            assert!((value - f64::from(u8::from(row == column))).abs() < 1e-12, "{product}");
            assert!(row <= column || upper[[row, column]] == 0.0, "{upper}");
        }
    }

    #[test]
    fn what_has_no_inverse_has_no_factor() {
        assert!(inverse_factor(Array2::zeros((2, 2)).view()).is_none());
        assert!(inverse_factor(array![[1.0, f64::NAN], [f64::NAN, 1.0]].view()).is_none());
    }
}
