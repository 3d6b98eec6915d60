//! Multinomial logistic regression with an L2 penalty: the linear probe.
//!
//! **What it measures.** How well classes can be told by a linear function of the states, as the minimum of
//! `Σ_i −ln p(label_i | x_i) + λ/2 ‖w‖²`, intercepts not penalised: the objective of scikit-learn's `LogisticRegression` with
//! `C = 1/λ`. Two classes have one vector of weights.
//!
//! **What it cannot show.** That the model uses what is decodable; nor, without a control task, that the probe read it and
//! did not learn it. A feature that never varies gets no weight; features that are collinear share theirs (the penalty makes
//! the minimum one point); classes that can be told perfectly have weights that grow as λ falls.
//!
//! **Reference.** Hastie, Tibshirani & Friedman 2009, *The Elements of Statistical Learning*, section 4.4. The minimum is
//! found by L-BFGS that begins with the features' second moments; all tasks go in step, so that a pass over the rows serves
//! every fold and every control; a smaller penalty begins where the larger ended.
//!
//! **Example.**
//! ```
//! use ndarray::array;
//! use patchclamp_probes::decode::{Family, Labels, Logistic, Probe, Task};
//!
//! let states = array![[0.0_f32, 1.0], [1.0, 0.0], [2.0, 1.0], [3.0, 0.0]];
//! let labels = Labels::new(vec![0, 0, 1, 1], 2)?;
//! let task = Task { labels: &labels, items: &[0, 1, 2, 3] };
//! let probe = Logistic::default().fit(&states.view(), task, 1.0)?;
//! assert!(probe.weights()[[0, 0]] > 0.5 && probe.slope() < 1e-6);
//! assert!(probe.log_probabilities(&states.view())[[3, 1]].exp() > 0.5);
//! # Ok::<(), patchclamp_probes::decode::DecodeError>(())
//! ```

use super::curvature::{Curvature, Factored};
use super::descent::{Descent, Wants};
use super::family::check_penalties;
use super::learned::Learned;
use super::softmax::{Problem, losses, outputs, unscaled};
use super::{DecodeError, Family, Linear, Task, Units};
use crate::rows::Rows;
use ndarray::{Array1, Array2, ArrayView1, s};
use rayon::prelude::*;

/// Logistic regression, and how closely its minimum is sought.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Logistic {
    /// Which units the penalty sees.
    pub units: Units,
    /// The largest magnitude that may remain in the gradient, in nats per item: scikit-learn's `tol` (there 1e-4).
    pub tolerance: f64,
    /// The most steps; a probe that stops there says so by its slope.
    pub steps: usize,
}

impl Default for Logistic {
    /// Scaled features, to 1e-6 nats per item.
    fn default() -> Self {
        Self { units: Units::Spread, tolerance: 1e-6, steps: 1000 }
    }
}

impl Family for Logistic {
    type Probe = Linear;

    fn path(&self, rows: &dyn Rows, tasks: &[Task], penalties: &[f64]) -> Result<Vec<Vec<Linear>>, DecodeError> {
        check_penalties(penalties)?;
        let learned = Learned::new(rows, tasks)?;
        let picked = learned.rows(rows);
        let rows: &dyn Rows = picked.as_ref().map_or(rows, |picked| picked);
        let scales = learned.scales(rows, self.units)?;
        let (common, own) = scales.split_last().expect("one for all items");
        let curvature = Curvature::new(rows, common);
        let mut order: Vec<usize> = (0..penalties.len()).collect();
        order.sort_by(|a, b| penalties[*b].total_cmp(&penalties[*a]));
        let mut starts: Vec<Array1<f64>> = learned.tasks.iter().map(|task| start(task, rows.width())).collect();
        let mut path: Vec<Vec<Linear>> = penalties.iter().map(|_| Vec::new()).collect();
        for place in order {
            let problems = learned.problems(own, penalties[place]);
            let descents = self.descend(rows, &problems, starts, &curvature)?;
            path[place] = problems.iter().zip(&descents).map(|(problem, descent)| linear(problem, descent)).collect();
            starts = descents.into_iter().map(|descent| descent.point().clone()).collect();
        }
        Ok(path)
    }
}

impl Logistic {
    /// All problems' descents in step, from `starts`.
    fn descend(
        &self,
        rows: &dyn Rows,
        problems: &[Problem],
        starts: Vec<Array1<f64>>,
        curvature: &Curvature,
    ) -> Result<Vec<Descent>, DecodeError> {
        let share = problems.iter().map(spread_of_labels).sum::<f64>() / problems.len().max(1) as f64;
        let penalty = problems.first().map_or(1.0, |problem| problem.penalty);
        let known = curvature.factored(share, penalty)?;
        let fresh = |(problem, start): (&Problem, _)| Descent::new(start, self.tolerance * items(problem), self.steps);
        let mut descents: Vec<Descent> = problems.iter().zip(starts).map(fresh).collect();
        loop {
            let mut active: Vec<_> =
                problems.iter().zip(&mut descents).filter(|(_, descent)| descent.wants() == Wants::Value).collect();
            if active.is_empty() {
                return Ok(descents);
            }
            let own: Vec<&Problem> = active.iter().map(|(problem, _)| *problem).collect();
            let points: Vec<_> =
                active.iter().map(|(problem, descent)| shaped(problem, descent.trial().view())).collect();
            let found = losses(rows, &own, &points);
            active.par_iter_mut().zip(found).for_each(|((problem, descent), (loss, gradient))| {
                let inverse = |vector: ArrayView1<f64>| undo(&known, problem, share, vector);
                descent.observe(loss, flat(gradient), &inverse);
            });
        }
    }
}

/// How many items a problem learns from.
fn items(problem: &Problem) -> f64 {
    problem.learns.iter().filter(|learns| **learns).count() as f64
}

/// The mean over classes of `p(1 − p)` at the shares of the labels.
fn spread_of_labels(problem: &Problem) -> f64 {
    let mut counts = vec![0.0; problem.classes];
    let learnt = problem.labels.iter().zip(&problem.learns).filter(|(_, learns)| **learns);
    learnt.for_each(|(label, _)| counts[*label] += 1.0);
    let shares = counts.iter().map(|count| count / items(problem));
    shares.map(|share| share * (1.0 - share)).sum::<f64>() / problem.classes as f64
}

/// Parameters `[output, feature + 1]` of a problem.
fn shaped(problem: &Problem, parameters: ArrayView1<f64>) -> Array2<f64> {
    let outputs = outputs(problem.classes);
    let shape = (outputs, parameters.len() / outputs);
    Array2::from_shape_vec(shape, parameters.to_vec()).expect("as many parameters as outputs times features")
}

fn flat(parameters: Array2<f64>) -> Array1<f64> {
    parameters.into_iter().collect()
}

/// The known inverse curvature, applied to parameters: features and intercepts apart.
fn undo(known: &Factored, problem: &Problem, share: f64, vector: ArrayView1<f64>) -> Array1<f64> {
    let mut whole = shaped(problem, vector);
    let width = whole.ncols() - 1;
    let features = known.undo(whole.slice(s![.., ..width]));
    whole.slice_mut(s![.., ..width]).assign(&features);
    whole.column_mut(width).mapv_inplace(|value| value / (items(problem) * share));
    flat(whole)
}

/// No weights, and the intercepts that give the shares of the labels.
fn start(task: &super::learned::Own, width: usize) -> Array1<f64> {
    let counts = task.counts();
    let mut start = Array2::zeros((outputs(counts.len()), width + 1));
    let logs: Vec<f64> = counts.iter().map(|count| (*count as f64).ln()).collect();
    let mean = logs.iter().sum::<f64>() / logs.len() as f64;
    for (output, place) in start.column_mut(width).iter_mut().enumerate() {
        *place = if counts.len() == 2 { logs[1] - logs[0] } else { logs[output] - mean };
    }
    flat(start)
}

fn linear(problem: &Problem, descent: &Descent) -> Linear {
    let (weights, intercepts) = unscaled(shaped(problem, descent.point().view()).view(), problem.scale);
    Linear { weights, intercepts, slope: descent.slope() / items(problem), steps: descent.steps() }
}
