//! How the learning rate goes: a linear warm-up, then a cosine to a tenth.

/// The rates of so many steps.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Schedule {
    /// Updates.
    pub steps: usize,
    /// Steps of warm-up.
    pub warmup: usize,
    /// The highest rate.
    pub highest: f64,
}

impl Schedule {
    /// With a tenth of the steps for the warm-up.
    pub fn new(steps: usize, highest: f64) -> Self {
        Schedule { steps, warmup: steps / 10, highest }
    }

    /// The rate of a step, from 0.
    pub fn rate(&self, step: usize) -> f64 {
        let warm = (step + 1) as f64 / self.warmup.max(1) as f64;
        let done = step as f64 / self.steps as f64;
        let cosine = 0.55 + 0.45 * (std::f64::consts::PI * done).cos();
        self.highest * warm.min(1.0) * cosine
    }
}
