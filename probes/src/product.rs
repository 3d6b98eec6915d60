//! Matrix products of `ndarray` views by `faer`, whose kernels are chosen at run time for the processor at hand.

use faer::linalg::matmul::matmul;
use faer::{Accum, MatMut, MatRef, Par};
use ndarray::{Array2, ArrayView2, ArrayViewMut2, CowArray, Ix2};

/// `into += scale · left · right`, with `into` in standard layout.
///
/// # Panics
/// If the shapes do not fit.
pub(crate) fn add_product(mut into: ArrayViewMut2<f64>, left: ArrayView2<f64>, right: ArrayView2<f64>, scale: f64) {
    assert_eq!((into.nrows(), left.ncols(), into.ncols()), (left.nrows(), right.nrows(), right.ncols()));
    if into.is_empty() || left.is_empty() {
        return;
    }
    let (rows, columns) = into.dim();
    let target = into.as_slice_mut().expect("a matrix in standard layout");
    let target = MatMut::from_row_major_slice_mut(target, rows, columns);
    let (left, right) = (dense(left), dense(right));
    matmul(target, Accum::Add, matrix(&left), matrix(&right), scale, Par::Seq);
}

/// `left · right`.
///
/// # Panics
/// If the shapes do not fit.
pub(crate) fn product(left: ArrayView2<f64>, right: ArrayView2<f64>) -> Array2<f64> {
    let mut into = Array2::zeros((left.nrows(), right.ncols()));
    add_product(into.view_mut(), left, right, 1.0);
    into
}

/// The same matrix without gaps between its rows or columns.
fn dense(values: ArrayView2<'_, f64>) -> CowArray<'_, f64, Ix2> {
    let without_gaps = values.is_standard_layout() || values.t().is_standard_layout();
    if without_gaps { values.into() } else { values.as_standard_layout().into_owned().into() }
}

/// A view for `faer` of a matrix that is dense by rows or by columns.
pub(crate) fn matrix<'a>(values: &'a CowArray<'_, f64, Ix2>) -> MatRef<'a, f64> {
    let (rows, columns) = values.dim();
    match values.as_slice() {
        Some(slice) => MatRef::from_row_major_slice(slice, rows, columns),
        None => {
            let slice = values.as_slice_memory_order().expect("a dense matrix");
            MatRef::from_column_major_slice(slice, rows, columns)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ndarray::s;

    /// Rounding of sums of a few dozen products of numbers below 1.
    const ROUNDING: f64 = 1e-13;

    fn irregular(rows: usize, columns: usize) -> Array2<f64> {
        Array2::from_shape_fn((rows, columns), |(row, column)| ((row * 31 + column * 17) as f64 * 0.7).sin())
    }

    #[test]
    fn products_are_those_of_ndarray_in_every_layout() {
        for (rows, inner, columns) in [(3, 5, 4), (1, 40, 1), (33, 65, 2), (70, 20, 90)] {
            let (left, right) = (irregular(rows, inner), irregular(inner, columns));
            let expected = left.dot(&right);
            let (left_turned, right_turned) = (left.t().to_owned(), right.t().to_owned());
            let doubled = Array2::from_shape_fn((rows, inner * 2), |(row, place)| left[[row, place / 2]]);
            let apart = doubled.slice(s![.., ..;2]);
            for left in [left.view(), left_turned.t(), apart] {
                for right in [right.view(), right_turned.t()] {
                    let gap = product(left, right) - &expected;
                    assert!(gap.iter().all(|gap| gap.abs() < ROUNDING), "{rows} {inner} {columns}");
                }
            }
        }
    }

    #[test]
    fn what_is_there_is_added_to() {
        let mut into = Array2::ones((2, 2));
        let left = ndarray::array![[1.0], [2.0]];
        add_product(into.view_mut(), left.view(), left.t(), -0.5);
        assert_eq!(into, ndarray::array![[0.5, 0.0], [0.0, -1.0]]);
    }
}
