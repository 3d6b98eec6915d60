//! Distance to the optimum: how far is a model from one that is both right and fair?
//!
//! **What it measures.** √((1 − p/p\*)² + (1 − f/f\*)²) of a performance p and a fairness f, one less a gap, where
//! (p\*, f\*) is the utopia: (1, 1), or the best of each among the candidates.
//!
//! **What it cannot show.** With the relative utopia, anything about a single model: the figure changes when a candidate is
//! added or left out, and a set of bad candidates looks good. So both are given.
//!
//! **Reference.** Han et al. 2022, *fairlib* (distance to the optimal point, relative utopia); Marler & Arora 2004 (utopia).
//!
//! **Example.**
//! ```
//! use patchclamp_probes::fairness::{Standing, distance_to_optimum, relative_distance};
//!
//! let models = [Standing { performance: 0.8, fairness: 0.9 }, Standing { performance: 0.4, fairness: 1.0 }];
//! assert!((distance_to_optimum(models[0]) - 0.05_f64.sqrt()).abs() < 1e-12);
//! let relative = relative_distance(&models);
//! assert!((relative[0].unwrap() - 0.1).abs() < 1e-12 && (relative[1].unwrap() - 0.5).abs() < 1e-12);
//! ```

/// How right and how fair a model is, each 0 to 1.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Standing {
    /// For instance accuracy.
    pub performance: f64,
    /// For instance one less the root mean square of the gaps.
    pub fairness: f64,
}

/// The distance to (1, 1), 0 to √2.
pub fn distance_to_optimum(model: Standing) -> f64 {
    (1.0 - model.performance).hypot(1.0 - model.fairness)
}

/// The distance of each candidate to the best performance and the best fairness among them. `None` where the best is not
/// above zero.
pub fn relative_distance(candidates: &[Standing]) -> Vec<Option<f64>> {
    let best = |of: fn(&Standing) -> f64| candidates.iter().map(of).fold(f64::NEG_INFINITY, f64::max);
    let (performance, fairness) = (best(|model| model.performance), best(|model| model.fairness));
    let usable = performance > 0.0 && fairness > 0.0 && performance.is_finite() && fairness.is_finite();
    let distance = |model: &Standing| (1.0 - model.performance / performance).hypot(1.0 - model.fairness / fairness);
    candidates.iter().map(|model| usable.then(|| distance(model))).collect()
}
