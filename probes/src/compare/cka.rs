//! Centred kernel alignment: are two spaces of the same items alike, whatever their rotation and scale?
//!
//! **What it measures.** The cosine of two centred kernels of the items, K = X Xᵀ for [`linear_cka`]: 1 where one space is
//! the other turned and scaled, for any widths. With [`rbf_cka`] near neighbours count and far ones are all alike.
//! [`debiased_cka`] and [`debiased_rbf_cka`] take unbiased estimates of the three products, so that independent spaces have
//! 0 on average however wide they are; the plain ones tend to 1 as widths outgrow the items.
//!
//! **What it cannot show.** Which directions agree, or that a model uses what agrees. A few directions of large variance
//! decide linear CKA; a single outlying item can.
//!
//! **Reference.** Kornblith et al. 2019, *Similarity of neural network representations revisited*, ICML; Song et al. 2012,
//! *Feature selection via dependence maximization*, JMLR 13, and Nguyen, Raghu & Kornblith 2021, ICLR, for the unbiased
//! estimate.
//!
//! **Example.**
//! ```
//! use ndarray::array;
//! use patchclamp_probes::compare::linear_cka;
//!
//! let states = array![[1.0, 0.0], [0.0, 2.0], [3.0, 1.0], [1.0, 5.0]];
//! let turned_and_scaled = states.dot(&array![[0.0, 3.0], [-3.0, 0.0]]);
//! assert!((linear_cka(states.view(), turned_and_scaled.view())? - 1.0).abs() < 1e-12);
//! # Ok::<(), patchclamp_probes::DataError>(())
//! ```

use super::kernel::Products;
use crate::data::DataError;
use ndarray::ArrayView2;

/// Linear CKA of `x` `[item, width]` and `y` `[item, other width]`, 0 to 1. Takes the items' or the columns' products,
/// whichever are less work.
///
/// # Errors
/// If they are not of the same items, at least two, a value is not finite, or one of them does not vary.
pub fn linear_cka(x: ArrayView2<f64>, y: ArrayView2<f64>) -> Result<f64, DataError> {
    Ok(Products::linear(x, y)?.alignment())
}

/// Linear CKA by unbiased estimates, at most 1, and below 0 by chance.
///
/// # Errors
/// As [`linear_cka`], below four items, or where an unbiased estimate of a space with itself is not above zero.
pub fn debiased_cka(x: ArrayView2<f64>, y: ArrayView2<f64>) -> Result<f64, DataError> {
    Products::linear(x, y)?.debiased()
}

/// CKA of the kernels exp(−d² / 2σ²), 0 to 1, with σ of each space `fraction` times the median distance of its items.
/// Takes memory for the square of the items.
///
/// # Errors
/// As [`linear_cka`], or where half of the items are the same.
///
/// # Panics
/// If the fraction is not above 0.
pub fn rbf_cka(x: ArrayView2<f64>, y: ArrayView2<f64>, fraction: f64) -> Result<f64, DataError> {
    Ok(bells(x, y, fraction)?.alignment())
}

/// The same by unbiased estimates, at most 1, and below 0 by chance.
///
/// # Errors
/// As [`rbf_cka`] and [`debiased_cka`].
///
/// # Panics
/// If the fraction is not above 0.
pub fn debiased_rbf_cka(x: ArrayView2<f64>, y: ArrayView2<f64>, fraction: f64) -> Result<f64, DataError> {
    bells(x, y, fraction)?.debiased()
}

fn bells(x: ArrayView2<f64>, y: ArrayView2<f64>, fraction: f64) -> Result<Products, DataError> {
    assert!(fraction > 0.0 && fraction.is_finite(), "fraction {fraction} must be above 0");
    Products::rbf(x, y, fraction)
}
