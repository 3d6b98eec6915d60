//! The loss of logistic probes and its gradient, of many probes in one pass over the rows.
//!
//! `Σ_i −ln p(label_i | x_i) + λ/2 ‖v‖²` with `v` the weights of the scaled features; the intercepts are not penalised. Two
//! classes have one row of weights, the log-odds of class 1; more have a row each. Rows stay in the cache between the product
//! that makes logits and the one that makes the gradient, and all probes' weights stand side by side, so that the rows are
//! read once a step, however many folds, penalties and sets of labels there are.

use super::Scale;
use crate::product::add_product;
use crate::rows::{Rows, within};
use ndarray::{Array1, Array2, ArrayView2, ArrayViewMut1, Axis, s};
use rayon::prelude::*;
use std::ops::Range;

/// How many rows one thread takes at a time at least.
const PART: usize = 1024;
/// Into how many parts the rows are shared out at most: each has sums of its own, which are as large as all weights.
const PARTS: usize = 16;

/// Parts of the rows, which threads share; the sums of all are added in their order, so that threads change nothing.
pub(crate) fn parts(count: usize) -> Vec<Range<usize>> {
    let part = PART.max(count.div_ceil(PARTS));
    (0..count).step_by(part).map(|first| first..(first + part).min(count)).collect()
}

/// What one probe is to learn.
pub(crate) struct Problem<'a> {
    /// The class of each row.
    pub labels: Vec<usize>,
    /// Which rows it learns from.
    pub learns: Vec<bool>,
    /// How many classes there are.
    pub classes: usize,
    /// The units of the features.
    pub scale: &'a Scale,
    /// λ.
    pub penalty: f64,
}

/// How many rows of weights some classes have.
pub(crate) fn outputs(classes: usize) -> usize {
    if classes == 2 { 1 } else { classes }
}

/// Weights and intercepts in the features' own units: `[output, feature]` and `[output]`, of `parameters`
/// `[output, feature + 1]` for scaled features.
pub(crate) fn unscaled(parameters: ArrayView2<f64>, scale: &Scale) -> (Array2<f64>, Array1<f64>) {
    let width = scale.spread().len();
    let weights = &parameters.slice(s![.., ..width]) / &scale.spread();
    let intercepts = &parameters.column(width) - &weights.dot(&scale.centre());
    (weights, intercepts)
}

/// The sums of one part of the rows: of the loss by problem, of the residuals times rows, of the residuals.
struct Sums {
    losses: Vec<f64>,
    slopes: Array2<f64>,
    shifts: Array1<f64>,
}

impl Sums {
    fn none(problems: usize, outputs: usize, width: usize) -> Self {
        Self { losses: vec![0.0; problems], slopes: Array2::zeros((outputs, width)), shifts: Array1::zeros(outputs) }
    }

    fn add(mut self, other: &Self) -> Self {
        self.losses.iter_mut().zip(&other.losses).for_each(|(sum, loss)| *sum += loss);
        self.slopes += &other.slopes;
        self.shifts += &other.shifts;
        self
    }
}

/// The loss of each problem at its point `[output, feature + 1]`, and its gradient there.
pub(crate) fn losses(rows: &dyn Rows, problems: &[&Problem], points: &[Array2<f64>]) -> Vec<(f64, Array2<f64>)> {
    let made: Vec<_> = problems.iter().zip(points).map(|(task, point)| unscaled(point.view(), task.scale)).collect();
    let weights: Vec<_> = made.iter().map(|(weights, _)| weights.view()).collect();
    let intercepts: Vec<_> = made.iter().map(|(_, intercepts)| intercepts.view()).collect();
    let weights = ndarray::concatenate(Axis(0), &weights).expect("equal widths");
    let intercepts = ndarray::concatenate(Axis(0), &intercepts).expect("vectors");
    let part = |part| summed(rows, part, problems, &weights, &intercepts);
    let sums: Vec<Sums> = parts(rows.count()).into_par_iter().map(part).collect();
    let none = Sums::none(problems.len(), weights.nrows(), weights.ncols());
    let whole = sums.iter().fold(none, Sums::add);
    let mut first = 0;
    let apart = problems.iter().zip(points).enumerate().map(|(place, (task, point))| {
        let range = first..first + point.nrows();
        first = range.end;
        let (slopes, shifts) = (whole.slopes.slice(s![range.clone(), ..]), whole.shifts.slice(s![range]));
        penalised(task, point, whole.losses[place], slopes, shifts.to_owned())
    });
    apart.collect()
}

/// The loss and the gradient for scaled features with the penalty, from the sums over rows.
fn penalised(
    task: &Problem,
    point: &Array2<f64>,
    loss: f64,
    slopes: ArrayView2<f64>,
    shifts: Array1<f64>,
) -> (f64, Array2<f64>) {
    let width = slopes.ncols();
    let weights = point.slice(s![.., ..width]);
    let mut gradient = Array2::zeros(point.raw_dim());
    let moved = &slopes - &(&shifts.view().insert_axis(Axis(1)) * &task.scale.centre());
    gradient.slice_mut(s![.., ..width]).assign(&(moved / task.scale.spread() + &weights * task.penalty));
    gradient.column_mut(width).assign(&shifts);
    let squares: f64 = weights.iter().map(|weight| weight * weight).sum();
    (loss + task.penalty / 2.0 * squares, gradient)
}

/// The sums over a part of the rows.
fn summed(
    rows: &dyn Rows,
    part: Range<usize>,
    problems: &[&Problem],
    weights: &Array2<f64>,
    intercepts: &Array1<f64>,
) -> Sums {
    let (outputs, width) = weights.dim();
    let mut sums = Sums::none(problems.len(), outputs, width);
    let mut scratch = Vec::new();
    for range in within(part, width) {
        let block = rows.block(range.clone(), &mut scratch);
        let mut logits = Array2::zeros((range.len(), outputs));
        logits += intercepts;
        add_product(logits.view_mut(), block, weights.t(), 1.0);
        for (row, mut logits) in range.zip(logits.rows_mut()) {
            residuals(problems, row, &mut logits, &mut sums.losses);
        }
        add_product(sums.slopes.view_mut(), logits.t(), block, 1.0);
        sums.shifts += &logits.sum_axis(Axis(0));
    }
    sums
}

/// Puts the residuals of one row in place of all problems' logits, and adds up the losses.
pub(crate) fn residuals(problems: &[&Problem], row: usize, logits: &mut ArrayViewMut1<f64>, losses: &mut [f64]) {
    let mut first = 0;
    for (task, loss) in problems.iter().zip(losses) {
        let end = first + outputs(task.classes);
        let mut own = logits.slice_mut(s![first..end]);
        first = end;
        if !task.learns[row] {
            own.fill(0.0);
        } else if task.classes == 2 {
            *loss += two_classes(&mut own[0], task.labels[row]);
        } else {
            *loss += classes(own.as_slice_mut().expect("a row in standard layout"), task.labels[row]);
        }
    }
}

/// `−ln p(label)` of a logit, which becomes `p(1) − label`. The exponent is never positive: nothing overflows.
fn two_classes(logit: &mut f64, label: usize) -> f64 {
    let is_one = label as f64;
    let small = (-logit.abs()).exp();
    let loss = small.ln_1p() + logit.max(0.0) - is_one * *logit;
    let above = if *logit > 0.0 { 1.0 } else { small };
    *logit = above / (1.0 + small) - is_one;
    loss
}

/// `−ln p(label)` of logits, which become probabilities less 1 at the label.
fn classes(logits: &mut [f64], label: usize) -> f64 {
    let chosen = logits[label];
    let log_sum = log_normalise(logits);
    logits.iter_mut().for_each(|logit| *logit = logit.exp());
    logits[label] -= 1.0;
    log_sum - chosen
}

/// Takes `ln Σ exp` off logits, so that they are log-probabilities, and gives it.
pub(crate) fn log_normalise(logits: &mut [f64]) -> f64 {
    let largest = logits.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let sum: f64 = logits.iter().map(|logit| (logit - largest).exp()).sum();
    let log_sum = largest + sum.ln();
    logits.iter_mut().for_each(|logit| *logit -= log_sum);
    log_sum
}
