//! What the intervals and p-values promise in the long run, on simulated normal data.

use patchclamp_probes::{Flips, Resamples, sign_flip, two_sample};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use std::f64::consts::TAU;

/// Samples of a simulation: the standard error of a share is then at most 0.5 / √2000 = 0.011.
const SAMPLES: usize = 2000;

/// Four standard errors of a `share` of [`SAMPLES`].
fn allowance(share: f64) -> f64 {
    4.0 * (share * (1.0 - share) / SAMPLES as f64).sqrt()
}

/// Standard normal values by the transform of Box & Muller 1958.
fn normal(items: usize, random: &mut ChaCha8Rng) -> Vec<f64> {
    let mut value = || {
        let (radius, angle): (f64, f64) = (1.0 - random.random::<f64>(), random.random());
        (-2.0 * radius.ln()).sqrt() * (TAU * angle).cos()
    };
    (0..items).map(|_| value()).collect()
}

/// The share of samples of `items` normal values about `mean` for which `claim` holds.
fn share(items: usize, mean: f64, mut claim: impl FnMut(&[f64]) -> bool) -> f64 {
    let mut random = ChaCha8Rng::seed_from_u64(2024);
    let held = (0..SAMPLES).filter(|_| {
        let sample = normal(items, &mut random);
        claim(&sample.iter().map(|value| value + mean).collect::<Vec<_>>())
    });
    held.count() as f64 / SAMPLES as f64
}

/// The share of bootstrap intervals that hold the true mean.
fn coverage(items: usize, level: f64) -> f64 {
    let resamples = Resamples::new(items, 1000, 1);
    share(items, 3.0, |values| resamples.interval(values, level).unwrap().contains(3.0))
}

#[test]
fn a_95_percent_interval_of_30_normal_values_holds_the_mean_as_often_as_theory_says() {
    // The ends are 1.96 standard errors with n for n − 1, so 1.927 in units of Student's t with 29
    // degrees of freedom: 0.936.
    let found = coverage(30, 0.95);
    assert!((found - 0.936).abs() < allowance(0.936), "{found}");
}

#[test]
fn an_interval_of_five_values_is_too_narrow_by_as_much_as_its_documentation_says() {
    let found = coverage(5, 0.95);
    assert!((found - 0.84).abs() < allowance(0.84), "{found}");
}

#[test]
fn an_interval_of_many_values_holds_the_mean_as_often_as_its_level() {
    for level in [0.5, 0.8, 0.95] {
        let found = coverage(200, level);
        assert!((found - level).abs() < allowance(level), "{level}: {found}");
    }
}

#[test]
fn sign_flips_without_effect_give_every_p_value_equally_often() {
    for items in [10, 25] {
        let flips = Flips::new(items, 999, 1);
        for level in [0.05, 0.25, 0.5, 0.75] {
            let found = share(items, 0.0, |values| flips.p_value(values).unwrap() <= level);
            assert!((found - level).abs() < allowance(level), "{items} {level}: {found}");
        }
    }
}

#[test]
fn sign_flips_find_an_effect_about_as_often_as_students_test() {
    // Mean 0.5, 25 values: noncentrality 2.5, for which the t-test at 0.05 has power 0.67.
    let flips = Flips::new(25, 999, 1);
    let found = share(25, 0.5, |values| flips.p_value(values).unwrap() <= 0.05);
    assert!((found - 0.67).abs() < allowance(0.67), "{found}");
}

#[test]
fn swaps_without_effect_give_every_p_value_equally_often() {
    for (items, of_a) in [(11, 5), (20, 7)] {
        for level in [0.05, 0.25, 0.5, 0.75] {
            let found = share(items, 0.0, |values| {
                let (a, b) = values.split_at(of_a);
                two_sample(a, b, 199, 1).unwrap() <= level
            });
            assert!((found - level).abs() < allowance(level), "{items} {level}: {found}");
        }
    }
}

#[test]
fn fresh_draws_for_each_sample_give_every_p_value_equally_often_too() {
    let mut seed = 0;
    let found = share(20, 0.0, |values| {
        seed += 1;
        sign_flip(values, 199, seed).unwrap() <= 0.25
    });
    assert!((found - 0.25).abs() < allowance(0.25), "{found}");
}
