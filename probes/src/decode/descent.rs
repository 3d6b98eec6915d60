//! Descent to the minimum of a smooth function by limited-memory BFGS, told each value from outside.
//!
//! A descent does not call the function: it names a [`Descent::trial`] and is told the value and the gradient there. So many
//! descents can go in step, and one pass over the data serves them all; and the inverse of a known curvature can stand in for
//! the identity that BFGS begins with. The crates at hand (`argmin`, `lbfgs`) call the function themselves and begin with a
//! multiple of the identity.
//!
//! References: Nocedal & Wright 2006, *Numerical Optimization*, algorithm 7.4; Lewis & Overton 2013, *Nonsmooth optimization
//! via quasi-Newton methods*, for the search along a line, which does well at the kinks of a rectifier too.

use ndarray::{Array1, ArrayView1};
use std::collections::VecDeque;

/// How many pairs of steps and changes of the gradient are kept: the ten of the common implementations.
const MEMORY: usize = 10;
/// A step must bring this part of the decrease that the slope promises. Nocedal & Wright 2006, section 3.1.
const DECREASE: f64 = 1e-4;
/// And must leave at most this part of the slope. Nocedal & Wright 2006, section 3.1.
const FLATTENING: f64 = 0.9;
/// Of the value: sums of many terms can be told apart no better, and near the minimum steps change it less than that.
const ROUNDING: f64 = 1e-12;
/// Halvings and doublings before a line is given up: from 1 to below rounding.
const TRIALS: usize = 50;

/// What a descent wants next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Wants {
    /// The value and the gradient at [`Descent::trial`].
    Value,
    /// Nothing: the gradient is small enough.
    Settled,
    /// Nothing: no step could be taken, or too many were.
    Exhausted,
}

/// One descent.
pub(crate) struct Descent {
    point: Array1<f64>,
    value: f64,
    gradient: Array1<f64>,
    direction: Array1<f64>,
    step: f64,
    /// Between which steps the one to take lies.
    bracket: (f64, f64),
    trials: usize,
    steps: usize,
    limit: usize,
    tolerance: f64,
    pairs: VecDeque<Pair>,
    wants: Wants,
}

/// A step, the change of the gradient over it, and the inverse of their product.
struct Pair {
    step: Array1<f64>,
    change: Array1<f64>,
    inverse: f64,
}

/// The inverse of a known curvature, applied to a vector.
pub(crate) type Inverse<'a> = &'a (dyn Fn(ArrayView1<f64>) -> Array1<f64> + Sync);

impl Descent {
    /// Goes from `start` until no value of the gradient is above `tolerance`, over `limit` steps at most.
    pub(crate) fn new(start: Array1<f64>, tolerance: f64, limit: usize) -> Self {
        Self {
            value: f64::INFINITY,
            gradient: Array1::zeros(0),
            direction: Array1::zeros(start.len()),
            point: start,
            step: 0.0,
            bracket: (0.0, f64::INFINITY),
            trials: 0,
            steps: 0,
            limit,
            tolerance,
            pairs: VecDeque::new(),
            wants: Wants::Value,
        }
    }

    /// What is wanted next.
    pub(crate) fn wants(&self) -> Wants {
        self.wants
    }

    /// Where the value and the gradient are wanted.
    pub(crate) fn trial(&self) -> Array1<f64> {
        &self.point + &(&self.direction * self.step)
    }

    /// The best point so far.
    pub(crate) fn point(&self) -> &Array1<f64> {
        &self.point
    }

    /// The value there.
    pub(crate) fn value(&self) -> f64 {
        self.value
    }

    /// The largest magnitude in the gradient there.
    pub(crate) fn slope(&self) -> f64 {
        self.gradient.fold(0.0, |largest: f64, value| largest.max(value.abs()))
    }

    /// How many steps were taken.
    pub(crate) fn steps(&self) -> usize {
        self.steps
    }

    /// Takes the value and the gradient at the trial; `inverse` is that of the curvature that is known beforehand.
    pub(crate) fn observe(&mut self, value: f64, gradient: Array1<f64>, inverse: Inverse) {
        if self.gradient.is_empty() {
            (self.value, self.gradient) = (value, gradient);
            return self.turn(inverse);
        }
        let (before, now) = (self.gradient.dot(&self.direction), gradient.dot(&self.direction));
        let decreased = value <= self.value + DECREASE * self.step * before;
        // Hager & Zhang 2005: near the minimum the slope tells what the rounded value cannot
        let level = value <= self.value + ROUNDING * self.value.abs() && now <= (2.0 * DECREASE - 1.0) * before;
        self.trials += 1;
        if !(decreased || level) {
            self.bracket.1 = self.step;
        } else if now < FLATTENING * before {
            self.bracket.0 = self.step;
        } else {
            return self.accept(value, gradient, inverse);
        }
        let (low, high) = self.bracket;
        self.step = if high.is_finite() { f64::midpoint(low, high) } else { 2.0 * low };
        if self.trials >= TRIALS {
            self.wants = Wants::Exhausted;
        }
    }

    fn accept(&mut self, value: f64, gradient: Array1<f64>, inverse: Inverse) {
        let step = &self.direction * self.step;
        let change = &gradient - &self.gradient;
        let product = step.dot(&change);
        self.point += &step;
        (self.value, self.gradient) = (value, gradient);
        self.steps += 1;
        if product > 0.0 {
            self.pairs.truncate(MEMORY - 1);
            self.pairs.push_front(Pair { step, change, inverse: 1.0 / product });
        }
        self.turn(inverse);
    }

    /// Chooses the next direction, or comes to rest.
    fn turn(&mut self, inverse: Inverse) {
        if self.slope() <= self.tolerance {
            self.wants = Wants::Settled;
        } else if self.steps >= self.limit {
            self.wants = Wants::Exhausted;
        } else {
            self.direction = -self.two_loops(inverse);
            if self.direction.dot(&self.gradient) >= 0.0 {
                self.pairs.clear(); // rounding made it point uphill: begin again
                self.direction = -self.two_loops(inverse);
            }
            (self.step, self.bracket, self.trials) = (1.0, (0.0, f64::INFINITY), 0);
        }
    }

    /// The inverse curvature by the kept pairs, applied to the gradient.
    fn two_loops(&self, inverse: Inverse) -> Array1<f64> {
        let mut vector = self.gradient.clone();
        let mut parts = Vec::with_capacity(self.pairs.len());
        for pair in &self.pairs {
            let part = pair.inverse * pair.step.dot(&vector);
            vector.scaled_add(-part, &pair.change);
            parts.push(part);
        }
        let mut vector = inverse(vector.view()) * self.size(inverse);
        for (pair, part) in self.pairs.iter().zip(parts).rev() {
            let back = pair.inverse * pair.change.dot(&vector);
            vector.scaled_add(part - back, &pair.step);
        }
        vector
    }

    /// By how much the newest pair says that the known inverse is too small.
    fn size(&self, inverse: Inverse) -> f64 {
        let Some(pair) = self.pairs.front() else { return 1.0 };
        1.0 / (pair.inverse * pair.change.dot(&inverse(pair.change.view())))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ndarray::array;

    fn descend(start: Array1<f64>, inverse: Inverse, function: impl Fn(&Array1<f64>) -> (f64, Array1<f64>)) -> Descent {
        let mut descent = Descent::new(start, 1e-9, 500);
        while descent.wants() == Wants::Value {
            let (value, gradient) = function(&descent.trial());
            descent.observe(value, gradient, inverse);
        }
        descent
    }

    fn rosenbrock(at: &Array1<f64>) -> (f64, Array1<f64>) {
        let (x, y) = (at[0], at[1]);
        let value = (1.0 - x).powi(2) + 100.0 * (y - x * x).powi(2);
        (value, array![-2.0 * (1.0 - x) - 400.0 * x * (y - x * x), 200.0 * (y - x * x)])
    }

    #[test]
    fn a_bent_valley_is_followed_to_its_end() {
        let found = descend(array![-1.2, 1.0], &|vector| vector.to_owned(), rosenbrock);
        assert_eq!(found.wants(), Wants::Settled);
        assert!((found.point() - array![1.0, 1.0]).iter().all(|gap| gap.abs() < 1e-8), "{}", found.point());
    }

    #[test]
    fn a_known_curvature_makes_one_step_of_a_bowl() {
        let bowl = |at: &Array1<f64>| {
            let gradient = array![1e6 * (at[0] - 3.0), 1e-3 * (at[1] + 2.0)];
            (5e5 * (at[0] - 3.0).powi(2) + 5e-4 * (at[1] + 2.0).powi(2), gradient)
        };
        let known = descend(array![0.0, 0.0], &|vector| vector.to_owned() / array![1e6, 1e-3], bowl);
        assert_eq!((known.wants(), known.steps()), (Wants::Settled, 1));
        let unknown = descend(array![0.0, 0.0], &|vector| vector.to_owned(), bowl);
        assert!(unknown.steps() > 1);
        assert!((unknown.point() - known.point()).iter().all(|gap| gap.abs() < 1e-5));
    }

    #[test]
    fn a_kink_does_not_stop_it() {
        let function = |at: &Array1<f64>| {
            let value = at[0].abs() + (at[0] - at[1]).powi(2);
            (value, array![at[0].signum() + 2.0 * (at[0] - at[1]), 2.0 * (at[1] - at[0])])
        };
        let found = descend(array![5.0, -3.0], &|vector| vector.to_owned(), function);
        assert!(found.value() < 1e-6, "{} at {}", found.value(), found.point());
    }

    #[test]
    fn what_has_no_minimum_ends_after_its_steps() {
        let found = descend(array![0.0], &|vector| vector.to_owned(), |at| {
            ((-at[0]).exp() - at[0], array![-(-at[0]).exp() - 1.0])
        });
        assert_eq!(found.wants(), Wants::Exhausted);
    }
}
