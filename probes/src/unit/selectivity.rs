//! Selectivity: by how much does a unit prefer one set of items to another?
//!
//! **What it measures.** Of the responses `a` and `b` to two sets: the *index* (ā − b̄) / (|ā| + |b̄|), −1 to 1, as in
//! single-unit recordings; *d′* = (ā − b̄) / √((s²_a + s²_b)/2), the difference in units of the spread; and *Welch's t*, in
//! units of its standard error, with a two-sided p-value.
//!
//! **What it cannot show.** The index has no meaning for units whose responses have no zero of their own: shifted, it is
//! another. d′ does not grow with the number of items, t does. None shows that the response is used.
//!
//! **Reference.** Morcos et al. 2018, *On the importance of single directions for generalization*, ICLR, for the index;
//! Green & Swets 1966, *Signal Detection Theory and Psychophysics*; Welch 1947, Biometrika 34.
//!
//! **Example.**
//! ```
//! use patchclamp_probes::unit::{d_prime, selectivity_index};
//!
//! let (preferred, other) = ([5.0, 7.0], [1.0, 3.0]);
//! assert_eq!(selectivity_index(&preferred, &other), Some(0.5));
//! assert!((d_prime(&preferred, &other).unwrap() - 4.0 / 2.0_f64.sqrt()).abs() < 1e-12);
//! ```

use crate::interval::finite;
use crate::special::t_beyond;

/// (ā − b̄) / (|ā| + |b̄|), −1 to 1. `None` without items, if one is not finite, or where both means are 0.
pub fn selectivity_index(a: &[f64], b: &[f64]) -> Option<f64> {
    let (a, b) = (mean(finite(a)?), mean(finite(b)?));
    let index = (a - b) / (a.abs() + b.abs());
    index.is_finite().then_some(index)
}

/// (ā − b̄) / √((s²_a + s²_b)/2), variances with n − 1. `None` below two items of each, if one is not finite, or where
/// neither set varies.
pub fn d_prime(a: &[f64], b: &[f64]) -> Option<f64> {
    Contrast::of(a, b).and_then(|contrast| contrast.d_prime())
}

/// Welch's t and its two-sided p-value. `None` as for [`d_prime`].
pub fn welch(a: &[f64], b: &[f64]) -> Option<(f64, f64)> {
    Contrast::of(a, b).and_then(|contrast| contrast.welch())
}

/// Two sets of responses, summed up.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Contrast {
    /// Items of each.
    pub items: [usize; 2],
    /// Mean of each.
    pub means: [f64; 2],
    /// Variance of each, with n − 1.
    pub variances: [f64; 2],
}

impl Contrast {
    /// Of responses `a` and `b`. `None` below two of each, or if one is not finite.
    pub fn of(a: &[f64], b: &[f64]) -> Option<Self> {
        if a.len() < 2 || b.len() < 2 {
            return None;
        }
        let both = [finite(a)?, finite(b)?];
        Some(Self { items: both.map(<[f64]>::len), means: both.map(mean), variances: both.map(variance) })
    }

    /// The first's mean less the second's.
    pub fn difference(&self) -> f64 {
        self.means[0] - self.means[1]
    }

    /// See [`d_prime`].
    pub fn d_prime(&self) -> Option<f64> {
        let spread = f64::midpoint(self.variances[0], self.variances[1]).sqrt();
        (spread > 0.0).then(|| self.difference() / spread)
    }

    /// Welch's t and its two-sided p-value; `None` where neither set varies.
    pub fn welch(&self) -> Option<(f64, f64)> {
        let [a, b] = [0, 1].map(|set| self.variances[set] / self.items[set] as f64);
        let freedom = [a, b].map(|error| error * error);
        let freedom =
            (a + b) * (a + b) / (freedom[0] / (self.items[0] - 1) as f64 + freedom[1] / (self.items[1] - 1) as f64);
        let t = self.difference() / (a + b).sqrt();
        (a + b > 0.0 && freedom.is_finite()).then(|| (t, t_beyond(t, freedom)))
    }
}

pub(crate) fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len() as f64
}

/// With n − 1, exactly 0 where all are the same.
pub(crate) fn variance(values: &[f64]) -> f64 {
    if values.iter().all(|value| *value == values[0]) {
        return 0.0;
    }
    let mean = mean(values);
    values.iter().map(|value| (value - mean) * (value - mean)).sum::<f64>() / (values.len() - 1) as f64
}
