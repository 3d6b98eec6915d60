//! A fitted linear probe: log-odds that are sums over features.
//!
//! **What it measures.** The log-probability of each class as a linear function of the state; its weights are a direction
//! that an intervention can use.
//!
//! **What it cannot show.** That the model reads that direction: other directions may tell the classes as well, and the
//! weights of features that go together are shared out by the penalty.
//!
//! **Reference.** Alain & Bengio 2016, *Understanding intermediate layers using linear classifier probes*.
//!
//! **Example.** See [`Logistic`](super::Logistic), which fits it.

use super::Probe;
use super::softmax::log_normalise;
use crate::product::add_product;
use crate::rows::{Rows, blocks};
use ndarray::{Array1, Array2, ArrayView1, ArrayView2, s};

/// A linear probe of two classes or more.
#[derive(Clone, Debug, PartialEq)]
pub struct Linear {
    pub(crate) weights: Array2<f64>,
    pub(crate) intercepts: Array1<f64>,
    pub(crate) slope: f64,
    pub(crate) steps: usize,
}

impl Linear {
    /// In the features' own units: `[1, feature]` for two classes, towards class 1; else `[class, feature]`.
    pub fn weights(&self) -> ArrayView2<'_, f64> {
        self.weights.view()
    }

    /// In nats: one for two classes, else one for each.
    pub fn intercepts(&self) -> ArrayView1<'_, f64> {
        self.intercepts.view()
    }

    /// How far from the optimum it stopped: the largest magnitude in the gradient of the loss, in nats per item.
    pub fn slope(&self) -> f64 {
        self.slope
    }

    /// How many steps it took.
    pub fn steps(&self) -> usize {
        self.steps
    }

    /// How many classes it tells apart.
    pub fn classes(&self) -> usize {
        self.weights.nrows().max(2)
    }

    /// Logits in nats: `[item, 1]`, the log-odds of class 1, for two classes; else `[item, class]`.
    ///
    /// # Panics
    /// If the rows are not as wide as those it learnt from.
    pub fn logits(&self, rows: &dyn Rows) -> Array2<f64> {
        assert_eq!(rows.width(), self.weights.ncols(), "rows must be as wide as those that the probe learnt from");
        let mut logits = Array2::zeros((rows.count(), self.weights.nrows()));
        logits += &self.intercepts;
        let mut scratch = Vec::new();
        for range in blocks(rows) {
            let block = rows.block(range.clone(), &mut scratch);
            add_product(logits.slice_mut(s![range, ..]), block, self.weights.t(), 1.0);
        }
        logits
    }
}

impl Probe for Linear {
    fn log_probabilities(&self, rows: &dyn Rows) -> Array2<f64> {
        let logits = self.logits(rows);
        if self.weights.nrows() > 1 {
            return normalised(logits);
        }
        normalised(Array2::from_shape_fn((logits.nrows(), 2), |(row, class)| class as f64 * logits[[row, 0]]))
    }
}

/// Log-probabilities `[item, class]` of logits `[item, class]`.
pub(crate) fn normalised(mut logits: Array2<f64>) -> Array2<f64> {
    for mut row in logits.rows_mut() {
        log_normalise(row.as_slice_mut().expect("a row in standard layout"));
    }
    logits
}
