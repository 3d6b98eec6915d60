//! A probe with one hidden layer: the non-linear contrast.
//!
//! **What it measures.** How well classes can be told by `ReLU` units over the states and a logistic output: a minimum of
//! `Σ_i −ln p(label_i | x_i) + λ/2 (‖W_1‖² + ‖W_2‖²)`, the objective of scikit-learn's `MLPClassifier` with `alpha = λ`. What
//! it tells beyond a linear probe is there, but not along a direction.
//!
//! **What it cannot show.** The best such probe: the loss has many minima, and the seed decides which is found. It learns
//! control tasks more easily than a linear probe: report its selectivity or its code length, not its accuracy alone.
//!
//! **Reference.** Rumelhart, Hinton & Williams 1986; Glorot & Bengio 2010 for the initial weights; Conneau et al. 2018, *What
//! you can cram into a single vector*, ACL, and Hewitt & Liang 2019 for such probes and their limits.
//!
//! **Example.**
//! ```
//! use ndarray::array;
//! use patchclamp_probes::decode::{Family, Hidden, Labels, Probe, Task};
//!
//! let states = array![[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]];
//! let labels = Labels::new(vec![0, 1, 1, 0], 2)?; // either or: no line can tell
//! let task = Task { labels: &labels, items: &[0, 1, 2, 3] };
//! let probe = Hidden { width: 8, ..Hidden::default() }.fit(&states.view(), task, 1e-3)?;
//! let told = probe.log_probabilities(&states.view());
//! assert!((0..4).all(|item| told[[item, labels.of()[item]]].exp() > 0.9));
//! # Ok::<(), patchclamp_probes::decode::DecodeError>(())
//! ```

use super::descent::{Descent, Wants};
use super::family::check_penalties;
use super::learned::Learned;
use super::linear::normalised;
use super::perceptron::{Layers, Shape, loss};
use super::softmax::{Problem, outputs};
use super::{DecodeError, Family, Probe, Scale, Task, Units};
use crate::rows::{Rows, blocks};
use ndarray::{Array1, Array2, Axis};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rayon::prelude::*;

/// Probes with one hidden layer, and how closely a minimum is sought. Features are scaled.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Hidden {
    /// How many hidden units there are.
    pub width: usize,
    /// For the initial weights.
    pub seed: u64,
    /// The largest magnitude that may remain in the gradient, in nats per item.
    pub tolerance: f64,
    /// The most steps.
    pub steps: usize,
}

impl Default for Hidden {
    /// 64 units, to 1e-4 nats per item: nearer a minimum that is one of many nothing is gained.
    fn default() -> Self {
        Self { width: 64, seed: 0, tolerance: 1e-4, steps: 500 }
    }
}

/// A fitted probe with one hidden layer.
#[derive(Clone, Debug, PartialEq)]
pub struct Perceptron {
    scale: Scale,
    features: usize,
    classes: usize,
    layers: Layers,
    loss: f64,
    slope: f64,
}

impl Perceptron {
    /// The loss at which it was left, with the penalty, in nats.
    pub fn loss(&self) -> f64 {
        self.loss
    }

    /// The largest magnitude in the gradient there, in nats per item.
    pub fn slope(&self) -> f64 {
        self.slope
    }
}

impl Probe for Perceptron {
    fn log_probabilities(&self, rows: &dyn Rows) -> Array2<f64> {
        assert_eq!(rows.width(), self.features, "rows must be as wide as those that the probe learnt from");
        let mut scratch = Vec::new();
        let told: Vec<Array2<f64>> =
            blocks(rows).map(|range| self.layers.logits(rows.block(range, &mut scratch), &self.scale)).collect();
        let told: Vec<_> = told.iter().map(|block| block.view()).collect();
        if told.is_empty() {
            return Array2::zeros((0, self.classes));
        }
        let logits = ndarray::concatenate(Axis(0), &told).expect("blocks of equal width");
        if logits.ncols() > 1 {
            return normalised(logits);
        }
        normalised(Array2::from_shape_fn((rows.count(), 2), |(row, class)| class as f64 * logits[[row, 0]]))
    }
}

impl Family for Hidden {
    type Probe = Perceptron;

    fn path(&self, rows: &dyn Rows, tasks: &[Task], penalties: &[f64]) -> Result<Vec<Vec<Perceptron>>, DecodeError> {
        check_penalties(penalties)?;
        if self.width == 0 {
            return Err(DecodeError::Empty { what: "hidden units" });
        }
        let learned = Learned::new(rows, tasks)?;
        let picked = learned.rows(rows);
        let rows: &dyn Rows = picked.as_ref().map_or(rows, |picked| picked);
        let scales = learned.scales(rows, Units::Spread)?;
        let of_penalty = |penalty: &f64| {
            let problems = learned.problems(&scales, *penalty);
            problems.par_iter().map(|problem| self.descend(rows, problem)).collect()
        };
        Ok(penalties.iter().map(of_penalty).collect())
    }
}

impl Hidden {
    fn descend(&self, rows: &dyn Rows, problem: &Problem) -> Perceptron {
        let shape = Shape { features: rows.width(), hidden: self.width, outputs: outputs(problem.classes) };
        let items = problem.learns.iter().filter(|learns| **learns).count() as f64;
        let mut descent = Descent::new(self.start(shape), self.tolerance * items, self.steps);
        // without a known curvature: steps of a size that a mean over items would take
        let inverse = |vector: ndarray::ArrayView1<f64>| vector.mapv(|value| value / items);
        while descent.wants() == Wants::Value {
            let (value, gradient) = loss(rows, problem, shape, descent.trial().view());
            descent.observe(value, gradient, &inverse);
        }
        let slope = descent.slope() / items;
        let layers = Layers::new(descent.point().view(), shape);
        let (scale, classes) = (problem.scale.clone(), problem.classes);
        Perceptron { scale, features: shape.features, classes, layers, loss: descent.value(), slope }
    }

    /// Weights drawn evenly between ±√(6 / (inputs + outputs)) of their layer, 32 bits a draw.
    fn start(&self, shape: Shape) -> Array1<f64> {
        let mut random = ChaCha8Rng::seed_from_u64(self.seed);
        let mut draw = |inputs: usize, outputs: usize| {
            let bound = (6.0 / (inputs + outputs) as f64).sqrt();
            let mut one = || bound * (f64::from(random.random::<u32>()) / f64::from(u32::MAX) * 2.0 - 1.0);
            (0..outputs * (inputs + 1)).map(|_| one()).collect::<Vec<f64>>()
        };
        let inner = draw(shape.features, shape.hidden);
        inner.into_iter().chain(draw(shape.hidden, shape.outputs)).collect()
    }
}
