//! The least-squares classifier: the simplest linear probe, as a guard after an erasure and as INLP's classifier.
//!
//! **What it measures.** The regression of class indicators on states, with `penalty` added to every variance (ridge), of
//! least norm where columns are collinear; the class with the largest prediction is taken.
//!
//! **What it cannot show.** How well a classifier of a better loss would do, nor anything nonlinear. After LEACE, none of
//! any convex loss does better than the majority.
//!
//! **Reference.** Hastie, Tibshirani & Friedman 2009, *The Elements of Statistical Learning*, section 4.2.
//!
//! **Example.**
//! ```
//! use ndarray::array;
//! use patchclamp_probes::erase::LeastSquares;
//!
//! let states = array![[0.0, 1.0], [1.0, 3.0], [4.0, 1.0], [5.0, 2.0]];
//! let probe = LeastSquares::fit(states.view(), &[0, 0, 1, 1], 0.0)?;
//! assert_eq!(probe.accuracy(states.view(), &[0, 0, 1, 1])?, 1.0);
//! # Ok::<(), patchclamp_probes::DataError>(())
//! ```

use super::moments::Moments;
use super::whitening::Whitening;
use crate::data::{self, DataError};
use ndarray::{Array1, Array2, ArrayView2};

/// A linear classifier: the class with the largest `W x + b`.
#[derive(Clone, Debug, PartialEq)]
pub struct LeastSquares {
    /// `[class, width]`.
    weights: Array2<f64>,
    bias: Array1<f64>,
}

impl LeastSquares {
    /// Of states `[item, width]` by `labels` `[item]`; `penalty` is added to every variance, 0 for none.
    ///
    /// # Errors
    /// If the states are not finite or do not vary, or there are not two classes with items each.
    pub fn fit(states: ArrayView2<f64>, labels: &[usize], penalty: f64) -> Result<Self, DataError> {
        let classes = data::labels("classes", labels)?;
        let moments = Moments::of_classes(states, labels, classes)?;
        let mut covariance = moments.covariance()?;
        if covariance.diag().iter().all(|variance| *variance <= 0.0) {
            return Err(DataError::Constant { what: "states" });
        }
        covariance.diag_mut().mapv_inplace(|variance| variance + penalty);
        let whitening = Whitening::of(covariance.view())?;
        let weights = whitening.read(&whitening.whiten(&moments.cross_covariance()?)).reversed_axes();
        let bias = &moments.target_mean() - &weights.dot(&moments.mean());
        Ok(Self { weights, bias })
    }

    /// W, `[class, width]`.
    pub fn weights(&self) -> ArrayView2<'_, f64> {
        self.weights.view()
    }

    /// The class of each of the `states` `[item, width]`; of equal predictions the first.
    ///
    /// # Panics
    /// If they are not as wide as those of the fit.
    pub fn classes(&self, states: ArrayView2<f64>) -> Vec<usize> {
        let scores = states.dot(&self.weights.t()) + &self.bias;
        let best = |scores: ndarray::ArrayView1<f64>| {
            (0..scores.len()).fold(0, |best, class| if scores[class] > scores[best] { class } else { best })
        };
        scores.rows().into_iter().map(best).collect()
    }

    /// The share of `states` `[item, width]` that get their own class of `labels` `[item]`.
    ///
    /// # Errors
    /// If there are none, or they are not equally many.
    pub fn accuracy(&self, states: ArrayView2<f64>, labels: &[usize]) -> Result<f64, DataError> {
        data::count("labels", labels.len(), states.nrows())?;
        data::enough("items", labels.len(), 1)?;
        let right = self.classes(states).iter().zip(labels).filter(|(found, label)| found == label).count();
        Ok(right as f64 / labels.len() as f64)
    }
}
