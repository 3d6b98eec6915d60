//! Power: how likely is a test to find an effect of a given size, and how many items does it take?
//!
//! **What it measures.** [`t_power`] and [`two_sample_power`]: of Student's two-sided t-test on normal values, in closed
//! form; [`items_needed`]: the fewest items at which the first reaches a power. [`sign_flip_power`]: of the
//! [sign-flip test](crate::sign_flip) on normal values, by simulation; [`simulated_power`]: of any test on anything.
//!
//! **What it cannot show.** The effect to be expected: a power for the effect that was observed is but its p-value over again.
//!
//! **Reference.** Cohen 1988, *Statistical Power Analysis for the Behavioral Sciences*, chapter 2.
//!
//! **Example.**
//! ```
//! use patchclamp_probes::power::{items_needed, t_power};
//!
//! assert!((t_power(0.5, 34, 0.05).unwrap() - 0.808).abs() < 5e-4);
//! assert_eq!(items_needed(0.5, 0.8, 0.05), Some(34));
//! ```

use crate::draw::gauss;
use crate::permutation::Flips;
use crate::special::{ln_gamma, normal_below, t_critical};
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;

/// The power at `level` (0.05 by custom) of the two-sided t-test of `items` with mean `effect` in units of their standard
/// deviation. `None` below two items, or if the effect is not finite.
///
/// # Panics
/// If `level` is not above 0 and below 1.
pub fn t_power(effect: f64, items: usize, level: f64) -> Option<f64> {
    let usable = items > 1 && effect.is_finite();
    usable.then(|| beyond(effect * (items as f64).sqrt(), (items - 1) as f64, level))
}

/// The same of two samples of `a` and `b` items whose means are `effect` apart. `None` without an item of each or below three
/// in all, or if the effect is not finite.
///
/// # Panics
/// If `level` is not above 0 and below 1.
pub fn two_sample_power(effect: f64, a: usize, b: usize, level: f64) -> Option<f64> {
    let usable = a > 0 && b > 0 && a + b > 2 && effect.is_finite();
    let size = (a as f64 * b as f64 / (a + b) as f64).sqrt();
    usable.then(|| beyond(effect * size, (a + b - 2) as f64, level))
}

/// Beyond how many items none are looked for.
const MOST_ITEMS: usize = 1 << 40;

/// The fewest items with which [`t_power`] is at least `power`. `None` for no effect, or beyond 2⁴⁰ items.
///
/// # Panics
/// If `level` or `power` is not above 0 and below 1.
pub fn items_needed(effect: f64, power: f64, level: f64) -> Option<usize> {
    assert!(power > 0.0 && power < 1.0, "power {power} must be above 0 and below 1");
    let enough = |items: usize| t_power(effect, items, level).is_some_and(|found| found >= power);
    let mut most = 2;
    while !enough(most) {
        most = (most < MOST_ITEMS).then_some(most * 2)?;
    }
    let mut least = most / 2; // not enough, or below two
    while most - least > 1 {
        let middle = usize::midpoint(least, most);
        if enough(middle) { most = middle } else { least = middle }
    }
    Some(most)
}

/// The power at `level` of the sign-flip test with `draws` patterns, of `items` normal values with mean `effect` in units of their
/// standard deviation: the share of `samples` simulated ones. `None` below two items, without samples, or if the effect is not finite.
pub fn sign_flip_power(effect: f64, items: usize, level: f64, draws: usize, samples: usize, seed: u64) -> Option<f64> {
    let flips = Flips::new(items, draws, seed);
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    let sample = || (0..items).map(|_| effect + gauss(&mut random)).collect::<Vec<_>>();
    simulated_power(samples, level, sample, |values| flips.p_value(values))
}

/// The share of `samples` of which `test` gives a p-value of at most `level`. `None` without samples, or if one has no p-value.
pub fn simulated_power<S>(
    samples: usize,
    level: f64,
    mut sample: impl FnMut() -> S,
    mut test: impl FnMut(&S) -> Option<f64>,
) -> Option<f64> {
    let mut found = 0;
    for _ in 0..samples {
        found += usize::from(test(&sample())? <= level);
    }
    (samples > 0).then(|| found as f64 / samples as f64)
}

/// Strips of the integral: the integrand is smooth, and its error falls with their fourth power.
const STRIPS: usize = 4000;

/// How many standard deviations of the estimated spread the integral reaches to either side.
const REACH: f64 = 12.0;

/// The chance that a t with mean moved by `shift` lies beyond the critical values of `level`: over all values s of the
/// estimated spread, that a normal value lies beyond s times them (Simpson's rule).
fn beyond(shift: f64, freedom: f64, level: f64) -> f64 {
    assert!(level > 0.0 && level < 1.0, "level {level} must be above 0 and below 1");
    let critical = t_critical(level, freedom);
    let scale = (freedom / 2.0) * (freedom / 2.0).ln() - ln_gamma(freedom / 2.0) + 2.0_f64.ln();
    let density = |s: f64| (scale + (freedom - 1.0) * s.ln() - freedom * s * s / 2.0).exp();
    let value = |s: f64| density(s) * (normal_below(shift - critical * s) + normal_below(-shift - critical * s));
    let reach = REACH / (2.0 * freedom).sqrt();
    let (low, high) = ((1.0 - reach).max(0.0), 1.0 + reach);
    let step = (high - low) / STRIPS as f64;
    let at = |place: usize| match low + step * place as f64 {
        0.0 if freedom > 1.0 => 0.0,
        0.0 => (scale).exp() * (normal_below(shift) + normal_below(-shift)),
        s => value(s),
    };
    let weight = |place: usize| if place == 0 || place == STRIPS { 1.0 } else { [2.0, 4.0][place % 2] };
    let sum: f64 = (0..=STRIPS).map(|place| weight(place) * at(place)).sum();
    (sum * step / 3.0).min(1.0)
}
