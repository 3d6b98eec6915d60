//! Adam (Kingma & Ba 2015) on plain numbers: steps that can be kept and gone on from.

use serde::{Deserialize, Serialize};

/// How long means remember: gradients, and their squares. As in the paper.
const BETAS: [f64; 2] = [0.9, 0.999];
/// The same.
const EPSILON: f64 = 1e-8;

/// What goes on from step to step.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Adam {
    betas: [f64; 2],
    step: i32,
    means: Vec<f64>,
    squares: Vec<f64>,
}

impl Adam {
    /// Before the first step of so many values.
    pub fn new(count: usize) -> Self {
        Adam { betas: BETAS, step: 0, means: vec![0.0; count], squares: vec![0.0; count] }
    }

    /// The same where slopes that were large at first are forgotten as soon as their mean is, so that small ones count later.
    pub fn forgetful(count: usize) -> Self {
        Adam { betas: [BETAS[0]; 2], ..Adam::new(count) }
    }

    /// Moves values down their slopes, each by at most about `rate`.
    pub fn step(&mut self, values: &mut [f64], slopes: &[f64], rate: f64) {
        self.step += 1;
        let betas = self.betas;
        let [first, second] = betas.map(|beta| 1.0 - beta.powi(self.step));
        let running = self.means.iter_mut().zip(&mut self.squares);
        for ((value, slope), (mean, square)) in values.iter_mut().zip(slopes).zip(running) {
            *mean = betas[0] * *mean + (1.0 - betas[0]) * slope;
            *square = betas[1] * *square + (1.0 - betas[1]) * slope * slope;
            *value -= rate * (*mean / first) / ((*square / second).sqrt() + EPSILON);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The first step is the rate against the sign of the slope, whatever its size; the second by hand.
    #[test]
    fn two_steps_by_hand() {
        let (mut adam, mut values) = (Adam::new(2), [1.0, 1.0]);
        adam.step(&mut values, &[4.0, -0.001], 0.1);
        assert!((values[0] - 0.9).abs() < 1e-6 && (values[1] - 1.1).abs() < 1e-5, "{values:?}");
        adam.step(&mut values, &[-4.0, 0.0], 0.1);
        // (0.9 · 0.4 − 0.4) / (1 − 0.81) over √16: −0.04 / 0.19 / 4
        assert!((values[0] - (0.9 + 0.1 * 0.04 / 0.19 / 4.0)).abs() < 1e-6, "{values:?}");
    }

    /// A slope of 10 at first, then slopes a hundredth as large the other way.
    #[test]
    fn what_was_steep_at_first_is_forgotten() {
        let gone = |mut adam: Adam| {
            let mut values = [0.0];
            adam.step(&mut values, &[10.0], 0.1);
            (0..100).for_each(|_| adam.step(&mut values, &[-0.1], 0.1));
            values[0]
        };
        assert!(gone(Adam::new(1)) < 1.0 && gone(Adam::forgetful(1)) > 2.0);
    }

    #[test]
    fn a_bowl_is_gone_down() {
        let (mut adam, mut values) = (Adam::new(1), [3.0]);
        for _ in 0..400 {
            let slope = 2.0 * (values[0] - 1.0);
            adam.step(&mut values, &[slope], 0.05);
        }
        assert!((values[0] - 1.0f64).abs() < 1e-2, "{values:?}");
    }
}
