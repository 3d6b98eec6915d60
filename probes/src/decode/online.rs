//! Minimum description length by an online code: how many bits it takes to tell the labels to one who has the states.
//!
//! **What it measures.** Portions of the items are sent in turn, each coded with a probe that was trained on those before:
//! `n_1 log2 K + Σ_i −log2 p(portion i + 1 | trained on the first i)`, in bits. Less than `N log2 K` is compression: it
//! holds accuracy and the effort to reach it in one number, and needs no control task to be fair to large probes.
//!
//! **What it cannot show.** The shortest code there is: only that of this family, in this order, with these portions.
//! Portions that no probe can learn from yet (a class is absent, or no inner fold can be made) are sent with the uniform
//! code too.
//!
//! **Reference.** Voita & Titov 2020, *Information-theoretic probing with minimum description length*, EMNLP. (All in bits
//! here; the notebook that goes with the paper mixes bits and nats.)
//!
//! **Example.**
//! ```
//! use ndarray::Array2;
//! use patchclamp_probes::decode::{Design, Labels, Logistic, PORTIONS, Training, online_code};
//!
//! let states = Array2::from_shape_fn((1000, 3), |(item, feature)| ((item * 7 + feature * 3) as f64).sin());
//! let labels = Labels::new((0..1000).map(|item| usize::from(states[[item, 0]] > 0.0)).collect(), 2)?;
//! let training = Training { family: &Logistic::default(), penalties: &[1.0], design: Design::Items, folds: 2, seed: 0 };
//! let code = online_code(&states.view(), &labels, &PORTIONS, &training, 0)?;
//! assert_eq!(code.uniform_bits, 1000.0);
//! assert!(code.compression() > 3.0);
//! # Ok::<(), patchclamp_probes::decode::DecodeError>(())
//! ```

use super::family::all_finite;
use super::folds::Design;
use super::training::Training;
use super::{DecodeError, Family, Labels, Probe, Task};
use crate::draw::shuffle;
use crate::rows::{Picked, Rows};
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use std::collections::BTreeMap;
use std::f64::consts::LN_2;

/// Shares of the items by which portions end, as Voita & Titov have them.
pub const PORTIONS: [f64; 11] = [0.001, 0.002, 0.004, 0.008, 0.016, 0.032, 0.0625, 0.125, 0.25, 0.5, 1.0];

/// The length of a code, and of its parts.
#[derive(Clone, Debug, PartialEq)]
pub struct OnlineCode {
    /// The whole, in bits.
    pub bits: f64,
    /// `N log2 K`: without the states, all classes taken as equally likely.
    pub uniform_bits: f64,
    /// Of each portion: how many items it has, and the bits that it took.
    pub portions: Vec<(usize, f64)>,
}

impl OnlineCode {
    /// How many times shorter the code is than the uniform one.
    pub fn compression(&self) -> f64 {
        self.uniform_bits / self.bits
    }
}

/// The online code of `labels` given `rows`, items in an order drawn from the seed. Portions end with `shares` of the items,
/// growing up to 1. Where the training keeps groups together, so do portions (a crossed design: the groups of its first kind).
///
/// # Errors
/// [`DecodeError::Portions`]; [`DecodeError::ClassUnseen`] where the last portion but one still lacks a class; and as for
/// [`Training::fit`].
pub fn online_code<F: Family>(
    rows: &dyn Rows,
    labels: &Labels,
    shares: &[f64],
    training: &Training<F>,
    seed: u64,
) -> Result<OnlineCode, DecodeError> {
    let order = order(labels.count(), training.design, seed);
    let ends = ends(&order, shares)?;
    let order: Vec<usize> = order.into_iter().flatten().collect();
    let every = Task { labels, items: &order };
    every.check(rows)?;
    all_finite(rows)?;
    if ends.len() > 1 {
        labels.all_among(&order[..ends[ends.len() - 2]])?;
    }
    let uniform = (labels.classes() as f64).log2();
    let mut portions = vec![(ends[0], ends[0] as f64 * uniform)];
    for pair in ends.windows(2) {
        let (known, next) = (&order[..pair[0]], &order[pair[0]..pair[1]]);
        let bits = match training.fit(rows, &[Task { labels, items: known }]) {
            Ok(chosen) => bits(rows, &chosen[0].probe, labels, next),
            Err(DecodeError::ClassUnseen { .. } | DecodeError::Folds { .. } | DecodeError::Entangled { .. }) => {
                next.len() as f64 * uniform
            }
            Err(other) => return Err(other),
        };
        portions.push((next.len(), bits));
    }
    let bits = portions.iter().map(|(_, bits)| bits).sum();
    Ok(OnlineCode { bits, uniform_bits: labels.count() as f64 * uniform, portions })
}

/// Items in the order in which they are sent, those of a group together.
fn order(items: usize, design: Design, seed: u64) -> Vec<Vec<usize>> {
    let mut members: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
    for item in 0..items {
        let group = match design {
            Design::Items => item,
            Design::Groups(groups) | Design::Crossed(groups, _) => groups[item],
        };
        members.entry(group).or_default().push(item);
    }
    let mut order: Vec<Vec<usize>> = members.into_values().collect();
    shuffle(&mut order, &mut ChaCha8Rng::seed_from_u64(seed));
    order
}

/// How many items have been sent when each portion ends: the end of the first group at or after each share.
fn ends(order: &[Vec<usize>], shares: &[f64]) -> Result<Vec<usize>, DecodeError> {
    let growing = shares.windows(2).all(|pair| pair[0] < pair[1]) && shares.first().is_some_and(|share| *share > 0.0);
    if !growing || shares.last() != Some(&1.0) {
        return Err(DecodeError::Portions);
    }
    let sent = |sum: &mut usize, group: &Vec<usize>| {
        *sum += group.len();
        Some(*sum)
    };
    let sent: Vec<usize> = order.iter().scan(0, sent).collect();
    let items = sent.last().copied().unwrap_or(0);
    let end = |share: &f64| {
        let wanted = ((share * items as f64).round() as usize).clamp(1, items.max(1));
        sent[sent.partition_point(|sum| *sum < wanted).min(sent.len() - 1)]
    };
    let mut ends: Vec<usize> = if sent.is_empty() { Vec::new() } else { shares.iter().map(end).collect() };
    ends.dedup(); // few items: the first shares end with the same one
    if ends.is_empty() { Err(DecodeError::Empty { what: "items" }) } else { Ok(ends) }
}

fn bits<P: Probe>(rows: &dyn Rows, probe: &P, labels: &Labels, items: &[usize]) -> f64 {
    let told = probe.log_probabilities(&Picked { rows, items });
    items.iter().zip(told.rows()).map(|(item, row)| -row[labels.of()[*item]] / LN_2).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn portions_end_with_whole_groups_and_with_the_last_item() {
        let groups: Vec<usize> = (0..100).map(|item| item / 10).collect();
        let order = order(100, Design::Groups(&groups), 3);
        assert_eq!(ends(&order, &[0.05, 0.1, 0.25, 1.0]).unwrap(), [10, 30, 100]);
        let mut all: Vec<usize> = order.into_iter().flatten().collect();
        all.sort_unstable();
        assert_eq!(all, (0..100).collect::<Vec<_>>());
    }

    #[test]
    fn shares_that_do_not_grow_to_all_are_refused() {
        let order = order(10, Design::Items, 0);
        for shares in [&[][..], &[0.5], &[0.5, 0.5, 1.0], &[0.0, 1.0], &[0.5, 1.0, 2.0]] {
            assert_eq!(ends(&order, shares), Err(DecodeError::Portions), "{shares:?}");
        }
        assert_eq!(ends(&order, &PORTIONS).unwrap(), [1, 3, 5, 10]);
    }
}
