//! Products and decompositions of large matrices: `faer`'s kernels, tile by tile on every core.
//!
//! A tile is made by one thread from beginning to end, so that how many threads there are changes no bit.

use crate::data::DataError;
use faer::linalg::matmul::matmul;
use faer::{Accum, Mat, MatMut, MatRef, Par, Side};
use ndarray::{Array1, Array2, ArrayView2, Axis, CowArray, Ix2};
use rayon::prelude::*;

/// Rows and columns of a tile: large enough for the kernel to run at full speed, and small enough that a matrix of a
/// language model's width gives every core some.
const TILE: usize = 256;

/// The rows in one piece, copied only where they are not already.
pub(crate) fn whole(rows: ArrayView2<f64>) -> CowArray<f64, Ix2> {
    match rows.is_standard_layout() {
        true => CowArray::from(rows),
        false => CowArray::from(rows.as_standard_layout().into_owned()),
    }
}

/// `faer`'s view of rows in one piece.
///
/// # Panics
/// If they are not, see [`whole`].
pub(crate) fn view<'a>(rows: &'a CowArray<f64, Ix2>) -> MatRef<'a, f64> {
    let (height, width) = rows.dim();
    MatRef::from_row_major_slice(rows.as_slice().expect("rows in one piece"), height, width)
}

/// `left · right`, `[left's row, right's column]`.
pub(crate) fn product(left: MatRef<f64>, right: MatRef<f64>) -> Array2<f64> {
    let (height, width) = (left.nrows(), right.ncols());
    let mut out = Array2::zeros((height, width));
    let tall = (height / (2 * rayon::current_num_threads())).clamp(16, TILE); // even a matrix of few rows is shared
    let slice: &mut [f64] = out.as_slice_mut().expect("rows in one piece");
    slice.par_chunks_mut((tall * width).max(1)).enumerate().for_each(|(place, chunk)| {
        let rows = chunk.len() / width;
        let part = left.subrows(place * tall, rows);
        matmul(MatMut::from_row_major_slice_mut(chunk, rows, width), Accum::Replace, part, right, 1.0, Par::Seq);
    });
    out
}

/// `x · yᵀ` or `xᵀ · y` of rows as `ndarray` has them.
pub(crate) fn outer(x: ArrayView2<f64>, y: ArrayView2<f64>) -> Array2<f64> {
    product(view(&whole(x)), view(&whole(y)).transpose())
}

/// `xᵀ · y`, `[x's column, y's column]`.
pub(crate) fn cross(x: ArrayView2<f64>, y: ArrayView2<f64>) -> Array2<f64> {
    product(view(&whole(x)).transpose(), view(&whole(y)))
}

/// The lower half of a sum of `rowsᵀ · rows`, in tiles.
#[derive(Clone, Debug)]
pub(crate) struct Gram {
    tiles: Vec<Tile>,
}

/// A part of the lower half: its first row and column, and its values.
#[derive(Clone, Debug)]
struct Tile {
    row: usize,
    column: usize,
    values: Mat<f64>,
}

impl Gram {
    /// Of no rows.
    pub(crate) fn new(width: usize) -> Self {
        let starts = || (0..width).step_by(TILE);
        let size = |start: usize| TILE.min(width - start);
        let lower =
            starts().flat_map(|row| starts().filter(move |column| *column <= row).map(move |column| (row, column)));
        let tile = |(row, column)| Tile { row, column, values: Mat::zeros(size(row), size(column)) };
        Self { tiles: lower.map(tile).collect() }
    }

    /// Adds `rowsᵀ · rows · weight`.
    pub(crate) fn add(&mut self, rows: MatRef<f64>, weight: f64) {
        self.tiles.par_iter_mut().for_each(|tile| {
            let left = rows.subcols(tile.row, tile.values.nrows());
            let right = rows.subcols(tile.column, tile.values.ncols());
            matmul(tile.values.as_mut(), Accum::Add, left.transpose(), right, weight, Par::Seq);
        });
    }

    /// Adds what another has summed.
    pub(crate) fn merge(&mut self, other: &Self) {
        for (tile, other) in self.tiles.iter_mut().zip(&other.tiles) {
            tile.values += &other.values;
        }
    }

    /// Rows `from.0` on and columns `from.1` on of the whole symmetric matrix, `size` of them, times `scale`.
    pub(crate) fn part(&self, from: (usize, usize), size: (usize, usize), scale: f64) -> Array2<f64> {
        let mut whole = Array2::zeros(size);
        for tile in &self.tiles {
            tile.copy(&mut whole, from, scale);
        }
        whole
    }

    /// The sum of squares of the whole symmetric matrix.
    pub(crate) fn squares(&self) -> f64 {
        self.inner(self)
    }

    /// The sum of products of the whole symmetric matrix with another of the same size.
    pub(crate) fn inner(&self, other: &Self) -> f64 {
        let twice = |tile: &Tile| if tile.row == tile.column { 1.0 } else { 2.0 };
        self.tiles.iter().zip(&other.tiles).map(|(tile, other)| twice(tile) * tile.inner(other)).sum()
    }

    /// The trace.
    pub(crate) fn trace(&self) -> f64 {
        let diagonal = self.tiles.iter().filter(|tile| tile.row == tile.column);
        diagonal.flat_map(|tile| tile.values.diagonal().column_vector().iter().copied()).sum()
    }
}

impl Tile {
    /// The sum of products.
    fn inner(&self, other: &Self) -> f64 {
        let columns = self.values.col_iter().zip(other.values.col_iter());
        columns.map(|(column, other)| column.iter().zip(other.iter()).map(|(a, b)| a * b).sum::<f64>()).sum()
    }

    /// Writes where this tile, or its mirror image, meets the window that begins at `from`.
    fn copy(&self, window: &mut Array2<f64>, from: (usize, usize), scale: f64) {
        let (height, width) = window.dim();
        for column in 0..self.values.ncols() {
            for row in 0..self.values.nrows() {
                let value = self.values[(row, column)] * scale;
                for (i, j) in [(self.row + row, self.column + column), (self.column + column, self.row + row)] {
                    let inside = i >= from.0 && j >= from.1 && i < from.0 + height && j < from.1 + width;
                    if inside {
                        window[[i - from.0, j - from.1]] = value;
                    }
                }
            }
        }
    }
}

/// The rows less their mean, in one piece, and the mean.
pub(crate) fn centred(rows: ArrayView2<f64>) -> (Array2<f64>, Array1<f64>) {
    let mean = rows.sum_axis(Axis(0)) / rows.nrows() as f64;
    let mut centred = rows.as_standard_layout().into_owned();
    for mut row in centred.rows_mut() {
        row -= &mean;
    }
    (centred, mean)
}

/// Eigenvalues, rising, and eigenvectors as columns, of a symmetric matrix.
pub(crate) fn symmetric(what: &'static str, matrix: ArrayView2<f64>) -> Result<(Vec<f64>, Array2<f64>), DataError> {
    let split = view(&whole(matrix)).self_adjoint_eigen(Side::Lower).map_err(|_| DataError::Decomposition { what })?;
    let values = split.S().column_vector().iter().copied().collect();
    Ok((values, array(split.U())))
}

/// What is needed of a thin singular value decomposition.
pub(crate) struct Singular {
    /// Left vectors as columns, `[row, place]`.
    pub(crate) left: Array2<f64>,
    /// Values, falling, `[place]`.
    pub(crate) values: Vec<f64>,
}

/// The thin singular value decomposition of a matrix.
pub(crate) fn singular(what: &'static str, matrix: ArrayView2<f64>) -> Result<Singular, DataError> {
    let split = view(&whole(matrix)).thin_svd().map_err(|_| DataError::Decomposition { what })?;
    let values = split.S().column_vector().iter().copied().collect();
    Ok(Singular { left: array(split.U()), values })
}

/// The values of a `faer` matrix.
pub(crate) fn array(matrix: MatRef<f64>) -> Array2<f64> {
    Array2::from_shape_fn((matrix.nrows(), matrix.ncols()), |(row, column)| matrix[(row, column)])
}

/// The values of an `ndarray` matrix, column by column.
pub(crate) fn columns(matrix: ArrayView2<f64>) -> Mat<f64> {
    Mat::from_fn(matrix.nrows(), matrix.ncols(), |row, column| matrix[[row, column]])
}

/// The sum of squares.
pub(crate) fn squares(matrix: &Array2<f64>) -> f64 {
    matrix.iter().map(|value| value * value).sum()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::draw::normal;
    use rand::SeedableRng;
    use rand_chacha::ChaCha8Rng;

    /// Rounding of sums of a few hundred products of numbers below 5.
    const ROUNDING: f64 = 1e-11;

    fn random(rows: usize, width: usize) -> Array2<f64> {
        normal((rows, width), &mut ChaCha8Rng::seed_from_u64(rows as u64))
    }

    fn apart(left: &Array2<f64>, right: &Array2<f64>) -> f64 {
        assert_eq!(left.dim(), right.dim());
        (left - right).iter().fold(0.0, |most: f64, gap| most.max(gap.abs()))
    }

    #[test]
    fn products_are_those_of_one_thread_and_another_library() {
        let (x, y) = (random(300, 70), random(300, 9));
        assert!(apart(&cross(x.view(), y.view()), &x.t().dot(&y)) < ROUNDING);
        assert!(apart(&outer(x.t(), y.t()), &x.t().dot(&y)) < ROUNDING);
        assert!(apart(&outer(x.view(), x.view()), &x.dot(&x.t())) < ROUNDING);
    }

    #[test]
    fn tiles_make_the_whole_symmetric_matrix() {
        let rows = random(40, TILE + 30);
        let mut gram = Gram::new(rows.ncols());
        for half in [rows.slice_axis(Axis(0), (..15).into()), rows.slice_axis(Axis(0), (15..).into())] {
            gram.add(view(&whole(half)), 0.5);
        }
        let expected = rows.t().dot(&rows) * 0.5;
        let size = (rows.ncols(), rows.ncols());
        assert!(apart(&gram.part((0, 0), size, 1.0), &expected) < ROUNDING);
        let corner = expected.slice_axis(Axis(0), (3..260).into()).slice_axis(Axis(1), (250..).into()).to_owned();
        assert!(apart(&gram.part((3, 250), corner.dim(), 2.0), &(corner * 2.0)) < ROUNDING);
        assert!((gram.squares() - squares(&expected)).abs() < ROUNDING * 1e4);
        assert!((gram.trace() - expected.diag().sum()).abs() < ROUNDING * 100.0);
    }

    #[test]
    fn singular_vectors_are_orthonormal_and_span_the_columns() {
        let x = random(12, 5);
        let split = singular("x", x.view()).unwrap();
        assert!(apart(&split.left.t().dot(&split.left), &Array2::eye(5)) < ROUNDING);
        assert!(apart(&split.left.dot(&split.left.t().dot(&x)), &x) < ROUNDING);
        let lengths = split.left.t().dot(&x).map_axis(Axis(1), |row| row.dot(&row).sqrt());
        assert!(lengths.iter().zip(&split.values).all(|(length, value)| (length - value).abs() < ROUNDING));
    }
}
