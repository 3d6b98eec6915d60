//! Permutation tests of means: would chance alone give a mean, or a difference of means, so large?
//!
//! **What it measures.** The share of equally likely rearrangements of the data (signs flipped, or
//! labels swapped) whose mean lies at least as far from zero as the observed one: a two-sided p-value.
//! Up to twelve items every rearrangement is counted; above, random ones and the observed one.
//!
//! **What it cannot show.** How large an effect is, nor that there is none. A sign flip supposes
//! that without an effect each item is as likely to be `x` as `−x`; a swap of labels supposes that
//! without an effect both samples are alike in everything, so a difference of spread alone may show.
//! No p-value is below one over the number of rearrangements.
//!
//! **Reference.** Fisher 1935, *The Design of Experiments*, chapter III; Phipson & Smyth 2010,
//! *Permutation P-values Should Never Be Zero*, Statistical Applications in Genetics and Molecular
//! Biology 9, for counting the observed arrangement among the random ones.
//!
//! **Example.** A sweep asks thousands of cells about the same items: draw once, then ask.
//! ```
//! use patchclamp_probes::{Flips, sign_flip};
//!
//! assert_eq!(sign_flip(&[1.0, 2.0, 3.0], 1000, 7), Some(0.25)); // 2 of 8 patterns
//! let flips = Flips::new(40, 1000, 7);
//! assert!(flips.p_value(&[0.5; 40]).unwrap() < 0.001);
//! ```

use crate::interval::finite;
use crate::weights::Weights;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// Up to how many items every rearrangement is counted: 2¹² = 4096 patterns cost about as much as
/// the few thousand random draws that a sweep would otherwise make.
const EXHAUSTIVE_ITEMS: usize = 12;

/// Sums this close, relative to the sum of the magnitudes of their terms, are tied, and ties count
/// against an effect. Equal sums of a few thousand terms in another order differ by rounding, up to
/// about terms × 2⁻⁵³; a true difference is hardly ever so small.
const TIE: f64 = 1e-12;

/// Patterns of signs, drawn once for every cell of a sweep.
#[derive(Clone, Debug)]
pub struct Flips {
    patterns: Weights,
}

impl Flips {
    /// Every pattern of signs of up to twelve `items`; else the observed one and `draws` random
    /// ones. Takes 4 bytes for each item of each pattern.
    pub fn new(items: usize, draws: usize, seed: u64) -> Self {
        let patterns = if items <= EXHAUSTIVE_ITEMS {
            let signs = every_pattern(items).map(|flipped| chosen(items, flipped, -1.0, 1.0));
            listed(items, signs.collect())
        } else {
            drawn(vec![1.0; items], draws, seed, flip)
        };
        Self { patterns }
    }

    /// The two-sided p-value, above 0 and up to 1, of `values` `[item]` having mean zero. `None`
    /// below two items, or if a value is not finite (NaN is never skipped).
    ///
    /// # Panics
    /// If there is not one value for each item.
    pub fn p_value(&self, values: &[f64]) -> Option<f64> {
        let values = self.patterns.usable(values)?;
        Some(share_as_far(&self.patterns, values, 1.0))
    }
}

/// The two-sided sign-flip test of `values` `[item]` having mean zero: a p-value above 0 and up to 1,
/// exact up to twelve items (`draws` and `seed` are then idle), else from `draws` random patterns as
/// (1 + as far) / (1 + draws). `None` below two items, or if a value is not finite.
pub fn sign_flip(values: &[f64], draws: usize, seed: u64) -> Option<f64> {
    finite(values)?;
    Flips::new(values.len(), draws, seed).p_value(values)
}

/// The two-sided permutation test of samples `a` and `b` having one mean: a p-value above 0 and up
/// to 1, exact up to twelve items in all (`draws` and `seed` are then idle), else from `draws` random
/// labellings. `None` if a sample has fewer than two items, or a value is not finite.
///
/// # Panics
/// If there are 2²⁴ items or more.
pub fn two_sample(a: &[f64], b: &[f64], draws: usize, seed: u64) -> Option<f64> {
    if a.len() < 2 || b.len() < 2 {
        return None;
    }
    let pooled = [a, b].concat();
    finite(&pooled)?;
    let largest = a.len().max(b.len()) as f64;
    let patterns = labellings(a.len(), b.len(), draws, seed);
    Some(share_as_far(&patterns, &pooled, largest))
}

/// The share of the patterns whose sum lies at least as far from zero as the first's, which is the
/// data as observed. `largest` is the largest weight.
fn share_as_far(patterns: &Weights, values: &[f64], largest: f64) -> f64 {
    let sums = patterns.sums(values);
    let terms: f64 = values.iter().map(|value| value.abs()).sum();
    let bar = sums[0].abs() - TIE * largest * terms;
    let nearer = sums.iter().filter(|sum| sum.abs() < bar).count(); // none where sums overflow
    (sums.len() - nearer) as f64 / sums.len() as f64
}

/// Weights under which the sum over both samples is the difference of their means times the product
/// of their sizes: whole numbers, and what all items have in common cancels.
fn labellings(a: usize, b: usize, draws: usize, seed: u64) -> Weights {
    let items = a + b;
    assert!(items < 1 << f32::MANTISSA_DIGITS, "fewer than 2^24 items");
    let (for_a, for_b) = (b as f32, -(a as f32));
    if items <= EXHAUSTIVE_ITEMS {
        let keeps_size = |in_a: &u32| in_a.count_ones() as usize == a;
        let labels = every_pattern(items).filter(keeps_size);
        listed(items, labels.map(|in_a| chosen(items, in_a, for_a, for_b)).collect())
    } else {
        let observed = [vec![for_a; a], vec![for_b; b]].concat();
        drawn(observed, draws, seed, shuffle)
    }
}

/// Every subset of `items`, one bit an item. The empty one comes first, and among the subsets of k
/// items the one of the first k: so the data as observed lead.
fn every_pattern(items: usize) -> std::ops::Range<u32> {
    0..1 << items
}

/// `inside` for the items in `subset`, `outside` for the others, `[item]`.
fn chosen(items: usize, subset: u32, inside: f32, outside: f32) -> Vec<f32> {
    let weight = |item| {
        if subset >> item & 1 == 1 { inside } else { outside }
    };
    (0..items).map(weight).collect()
}

/// The `patterns` `[draw][item]` as weights.
fn listed(items: usize, patterns: Vec<Vec<f32>>) -> Weights {
    let draws = patterns.len();
    let mut patterns = patterns.into_iter();
    Weights::new(items, draws, || patterns.next().expect("a pattern for each draw"))
}

/// The `observed` pattern, then `draws` more, each made from the one before by `rearrange`.
fn drawn(observed: Vec<f32>, draws: usize, seed: u64, rearrange: fn(&mut [f32], &mut ChaCha8Rng)) -> Weights {
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    let mut next = observed;
    Weights::new(next.len(), 1 + draws, || {
        let pattern = next.clone();
        rearrange(&mut next, &mut random);
        pattern
    })
}

/// Gives each item a random sign, the top bit of 32.
fn flip(signs: &mut [f32], random: &mut ChaCha8Rng) {
    signs.fill_with(|| if random.random::<bool>() { -1.0 } else { 1.0 });
}

/// Puts the labels into random order (Fisher and Yates), 32 bits a swap on every platform.
fn shuffle(labels: &mut [f32], random: &mut ChaCha8Rng) {
    for last in (1..labels.len()).rev() {
        let other = random.random_range(0..=last as u32);
        labels.swap(last, other as usize);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Four standard errors of a count of `draws` events of chance `share`.
    fn allowance(draws: f64, share: f64) -> f64 {
        4.0 * (draws * share * (1.0 - share)).sqrt()
    }

    #[test]
    fn both_signs_are_equally_likely() {
        let mut signs = vec![0.0; 100_000];
        flip(&mut signs, &mut ChaCha8Rng::seed_from_u64(1));
        let (positive, negative) = (signs.iter().filter(|s| **s == 1.0), signs.iter().filter(|s| **s == -1.0));
        let (positive, negative) = (positive.count(), negative.count());
        assert_eq!(positive + negative, 100_000);
        assert!((positive as f64 - 5e4).abs() < allowance(1e5, 0.5), "{positive}");
    }

    #[test]
    fn all_orders_are_equally_likely() {
        let mut random = ChaCha8Rng::seed_from_u64(1);
        let mut times = std::collections::BTreeMap::new();
        for _ in 0..24_000 {
            let mut labels = [1.0, 2.0, 3.0, 4.0];
            shuffle(&mut labels, &mut random);
            *times.entry(labels.map(f32::to_bits)).or_insert(0.0) += 1.0;
        }
        assert_eq!(times.len(), 24);
        assert!(times.values().all(|times: &f64| (times - 1000.0).abs() < allowance(24e3, 1.0 / 24.0)));
    }
}
