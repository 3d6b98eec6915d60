//! Shuffled labels: what a probe would get right if the states knew nothing.
//!
//! **What it measures.** The accuracy on held-out items of probes of the same kind, trained in the same folds on labels that
//! are shuffled, and the share of shuffles that do as well as the true labels: a one-sided p-value.
//!
//! **What it cannot show.** That the states know the label and not something that goes with it. Items of one group are not
//! exchangeable: shuffle them within their groups, or the labels of whole groups ([`Exchange`]).
//!
//! **Reference.** Ojala & Garriga 2010, *Permutation tests for studying classifier performance*, JMLR 11; Phipson & Smyth
//! 2010 for counting the true labels among the shuffles.
//!
//! **Example.**
//! ```
//! use patchclamp_probes::decode::{Exchange, Labels, shuffled};
//!
//! let labels = Labels::new(vec![0, 0, 1, 1, 2, 2], 3)?;
//! let words = [4, 4, 7, 7, 9, 9];
//! let null = &shuffled(&labels, Exchange::Between(&words), 1, 0)?[0];
//! assert!(null.of().chunks(2).all(|word| word[0] == word[1]));
//! # Ok::<(), patchclamp_probes::decode::DecodeError>(())
//! ```

use super::folds::Split;
use super::training::Training;
use super::{DecodeError, Family, Labels, held_out};
use crate::draw::shuffle;
use crate::rows::Rows;
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use std::collections::BTreeMap;

/// Which labels may change places.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exchange<'a> {
    /// Those of any two items.
    Items,
    /// Those of two items of one group, such as a template: each group keeps its shares.
    Within(&'a [usize]),
    /// Those of two whole groups, such as words, whose items have one label each.
    Between(&'a [usize]),
}

/// The accuracy with the true labels and with each shuffle.
#[derive(Clone, Debug, PartialEq)]
pub struct Chance {
    /// With the true labels.
    pub observed: f64,
    /// With each shuffle, `[draw]`.
    pub draws: Vec<f64>,
}

impl Chance {
    /// The share of all labellings, the true one among them, that do at least as well as the true one.
    pub fn p_value(&self) -> f64 {
        let as_well = self.draws.iter().filter(|draw| **draw >= self.observed).count();
        (as_well + 1) as f64 / (self.draws.len() + 1) as f64
    }
}

/// How many shuffles are trained in step: enough that reading the rows costs little, few enough for the memory.
const TOGETHER: usize = 16;

/// `draws` shuffles of `labels`.
///
/// # Errors
/// [`DecodeError::Lengths`], and [`DecodeError::MixedGroup`] where a group to be exchanged whole has two labels.
pub fn shuffled(labels: &Labels, exchange: Exchange, draws: usize, seed: u64) -> Result<Vec<Labels>, DecodeError> {
    let values = labels.count();
    let own: Vec<usize> = match exchange {
        Exchange::Items => vec![0; values],
        Exchange::Within(groups) | Exchange::Between(groups) => groups.to_vec(),
    };
    if own.len() != values {
        return Err(DecodeError::Lengths { rows: own.len(), values });
    }
    let mut members: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
    own.iter().enumerate().for_each(|(item, group)| members.entry(*group).or_default().push(item));
    let members: Vec<Vec<usize>> = members.into_values().collect();
    if let Exchange::Between(_) = exchange {
        one_label_each(labels, &members)?;
    }
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    let draw = |_| Labels::new(exchanged(labels, exchange, &members, &mut random), labels.classes());
    (0..draws).map(draw).collect()
}

fn one_label_each(labels: &Labels, members: &[Vec<usize>]) -> Result<(), DecodeError> {
    let mixed = |items: &&Vec<usize>| items.iter().any(|item| labels.of()[*item] != labels.of()[items[0]]);
    match members.iter().find(mixed) {
        Some(items) => Err(DecodeError::MixedGroup { item: items[0] }),
        None => Ok(()),
    }
}

fn exchanged(labels: &Labels, exchange: Exchange, members: &[Vec<usize>], random: &mut ChaCha8Rng) -> Vec<usize> {
    let mut new = labels.of().to_vec();
    if let Exchange::Between(_) = exchange {
        let mut order: Vec<usize> = (0..members.len()).collect();
        shuffle(&mut order, random);
        for (items, other) in members.iter().zip(order) {
            items.iter().for_each(|item| new[*item] = labels.of()[members[other][0]]);
        }
        return new;
    }
    for items in members {
        let mut order = items.clone();
        shuffle(&mut order, random);
        items.iter().zip(order).for_each(|(item, other)| new[*item] = labels.of()[other]);
    }
    new
}

/// The accuracy of probes on items held out, with the true labels and with `draws` shuffles.
///
/// # Errors
/// As for [`shuffled`] and [`held_out`].
pub fn chance<F: Family>(
    rows: &dyn Rows,
    labels: &Labels,
    splits: &[Split],
    training: &Training<F>,
    exchange: Exchange,
    draws: usize,
    seed: u64,
) -> Result<Chance, DecodeError> {
    let observed = held_out(rows, &[labels], splits, training)?[0].accuracy();
    let null = shuffled(labels, exchange, draws, seed)?;
    let mut accuracies = Vec::with_capacity(draws);
    for some in null.chunks(TOGETHER) {
        let some: Vec<&Labels> = some.iter().collect();
        accuracies.extend(held_out(rows, &some, splits, training)?.iter().map(|held| held.accuracy()));
    }
    Ok(Chance { observed, draws: accuracies })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn labels() -> Labels {
        Labels::new((0..90).map(|item| item / 3 % 3).collect(), 3).unwrap()
    }

    #[test]
    fn a_shuffle_keeps_what_it_says() {
        let (labels, groups) = (labels(), (0..90).map(|item| item / 9).collect::<Vec<_>>());
        let words: Vec<usize> = (0..90).map(|item| item / 3).collect();
        let every: Vec<usize> = (0..90).collect();
        for (exchange, sets) in [
            (Exchange::Items, vec![every.clone()]),
            (Exchange::Within(&groups), every.chunks(9).map(<[usize]>::to_vec).collect()),
            (Exchange::Between(&words), vec![every.clone()]),
        ] {
            let null = shuffled(&labels, exchange, 3, 1).unwrap();
            assert!(null[0] != null[1] && null[1] != null[2] && null[0] != labels, "{exchange:?}");
            for set in &sets {
                assert!(null.iter().all(|null| null.counts(set) == labels.counts(set)), "{exchange:?}");
            }
        }
        let words = shuffled(&labels, Exchange::Between(&words), 3, 1).unwrap();
        assert!(words.iter().all(|null| null.of().chunks(3).all(|word| word.iter().all(|label| *label == word[0]))));
    }

    #[test]
    fn a_group_of_two_labels_cannot_be_exchanged_whole() {
        let groups: Vec<usize> = (0..90).map(|item| item / 9).collect();
        let found = shuffled(&labels(), Exchange::Between(&groups), 1, 0);
        assert_eq!(found, Err(DecodeError::MixedGroup { item: 0 }));
    }

    #[test]
    fn the_true_labels_count_among_the_shuffles() {
        let chance = Chance { observed: 0.7, draws: vec![0.5, 0.7, 0.6] };
        assert_eq!(chance.p_value(), 0.5);
    }
}
