//! The noise of states: how their values vary together where the condition stays the same.
//!
//! **What it measures.** The covariance of residuals (items less the mean of their condition), and its inverse, the
//! precision, which weighs distances. With few items for the width the plain covariance is a poor estimate, or has no
//! inverse; shrinkage draws it towards a diagonal or a multiple of the identity, as far as the data say it must be.
//!
//! **What it cannot show.** Noise that depends on the condition: one covariance is taken for all.
//!
//! **Reference.** Ledoit & Wolf 2004, *A well-conditioned estimator for large-dimensional covariance matrices*, Journal of
//! Multivariate Analysis 88; Schäfer & Strimmer 2005, *A shrinkage approach to large-scale covariance matrix estimation*,
//! Statistical Applications in Genetics and Molecular Biology 4. Figures are those of `rsatoolbox`.
//!
//! **Example.**
//! ```
//! use ndarray::array;
//! use patchclamp_probes::compare::{Noise, precision};
//!
//! let residuals = array![[1.0, 2.0], [-1.0, -2.0], [1.0, -2.0], [-1.0, 2.0]];
//! let weights = precision(residuals.view(), 3.0, Noise::Diagonal)?;
//! assert!((weights[[0, 0]] - 0.75).abs() < 1e-12 && weights[[0, 1]] == 0.0);
//! # Ok::<(), patchclamp_probes::DataError>(())
//! ```

use super::dissimilarity::condition_means;
use crate::data::{self, DataError};
use crate::matrix::{array, centred, cross, squares, view, whole};
use faer::Side;
use faer::linalg::solvers::DenseSolveCore;
use ndarray::{Array1, Array2, ArrayView2};

/// How the covariance of the noise is estimated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Noise {
    /// As it is.
    Full,
    /// The variances alone: every value weighed by itself.
    Diagonal,
    /// Shrunk towards a multiple of the identity [Ledoit & Wolf].
    ShrunkToEqual,
    /// Shrunk towards its own diagonal [Schäfer & Strimmer].
    ShrunkToDiagonal,
}

/// What is left of `rows` `[item, width]` when the mean of their condition is taken off, and its degrees of freedom: items
/// less conditions.
///
/// # Errors
/// If there are not two conditions with items each, the lengths differ, or no freedom is left.
pub fn residuals(rows: ArrayView2<f64>, conditions: &[usize]) -> Result<(Array2<f64>, f64), DataError> {
    let means = condition_means(rows, conditions)?;
    data::enough("items", rows.nrows(), means.nrows() + 1)?;
    let mut residuals = rows.to_owned();
    for (mut row, condition) in residuals.rows_mut().into_iter().zip(conditions) {
        row -= &means.row(*condition);
    }
    Ok((residuals, (rows.nrows() - means.nrows()) as f64))
}

/// The covariance of `residuals` `[item, width]` with this `freedom`, `[width, width]`. They are centred first.
///
/// # Errors
/// Below two items, if a value is not finite, or where a column is constant and the estimate divides by its spread.
///
/// # Panics
/// If the freedom is not above 0.
pub fn covariance(residuals: ArrayView2<f64>, freedom: f64, noise: Noise) -> Result<Array2<f64>, DataError> {
    assert!(freedom > 0.0, "freedom {freedom} must be above 0");
    data::enough("items", residuals.nrows(), 2)?;
    data::finite("residuals", residuals)?;
    let (residuals, _) = centred(residuals);
    let sums = cross(residuals.view(), residuals.view());
    Ok(match noise {
        Noise::Full => sums / freedom,
        Noise::Diagonal => Array2::from_diag(&(sums.diag().to_owned() / freedom)),
        Noise::ShrunkToEqual => to_equal(&residuals, sums, freedom)?,
        Noise::ShrunkToDiagonal => to_diagonal(&residuals, sums, freedom)?,
    })
}

/// The inverse of [`covariance`].
///
/// # Errors
/// As [`covariance`], or if it has no inverse.
///
/// # Panics
/// If the freedom is not above 0.
pub fn precision(residuals: ArrayView2<f64>, freedom: f64, noise: Noise) -> Result<Array2<f64>, DataError> {
    let covariance = covariance(residuals, freedom, noise)?;
    let what = "covariance of the noise";
    let rows = whole(covariance.view());
    let factor = view(&rows).llt(Side::Lower).map_err(|_| DataError::Singular { what })?;
    let pivots = || factor.L().diagonal().column_vector().iter();
    if pivots().fold(f64::INFINITY, |least, pivot| pivot.min(least))
        < SINGULAR * pivots().fold(0.0, |most, pivot| pivot.max(most))
    {
        return Err(DataError::Singular { what });
    }
    Ok(array(factor.inverse().as_ref()))
}

/// Below which share of the largest pivot a covariance has no inverse but rounding: the root of some 10⁻¹⁴.
const SINGULAR: f64 = 1e-7;

/// Σ of the squares of the products of each two columns: Σ_i (x_ij x_ik)², `[width, width]`.
fn squared_products(residuals: &Array2<f64>) -> Array2<f64> {
    let squares = residuals.mapv(|value| value * value);
    cross(squares.view(), squares.view())
}

fn to_equal(residuals: &Array2<f64>, sums: Array2<f64>, freedom: f64) -> Result<Array2<f64>, DataError> {
    let (items, width) = (residuals.nrows() as f64, residuals.ncols() as f64);
    let plain = sums / items;
    let mean = plain.diag().sum() / width;
    let mut apart = plain.clone();
    apart.diag_mut().mapv_inplace(|variance| variance - mean);
    let apart = squares(&apart);
    if apart == 0.0 {
        return if mean > 0.0 { Ok(plain * (items / freedom)) } else { Err(DataError::Constant { what: "residuals" }) };
    }
    let doubt = (squared_products(residuals) / items - plain.mapv(|value| value * value)).sum() / items;
    let shrink = doubt.min(apart) / apart;
    let mut shrunk = plain * (1.0 - shrink);
    shrunk.diag_mut().mapv_inplace(|variance| variance + shrink * mean);
    Ok(shrunk * (items / freedom))
}

fn to_diagonal(residuals: &Array2<f64>, sums: Array2<f64>, freedom: f64) -> Result<Array2<f64>, DataError> {
    let items = residuals.nrows() as f64;
    let mut covariance = sums / freedom;
    let deviations: Array1<f64> = covariance.diag().mapv(f64::sqrt);
    if deviations.iter().any(|deviation| *deviation == 0.0) {
        return Err(DataError::Constant { what: "a column of the residuals" });
    }
    let squares = squared_products(residuals);
    let (mut doubt, mut size) = (0.0, 0.0);
    for ((i, j), value) in covariance.indexed_iter().filter(|((i, j), _)| i != j) {
        let by = deviations[i] * deviations[j];
        let mean = value * freedom / by / (items - 1.0);
        let mean_square = squares[[i, j]] / (by * by) / (items - 1.0);
        doubt += items / (freedom * freedom) * (mean_square - mean * mean);
        size += mean * mean;
    }
    let kept = if size > 0.0 { 1.0 - (doubt / size).clamp(0.0, 1.0) } else { 1.0 };
    for ((i, j), value) in covariance.indexed_iter_mut() {
        *value *= if i == j { 1.0 } else { kept };
    }
    Ok(covariance)
}
