//! Folds for cross-validation, in which nothing that belongs together stands on both sides.
//!
//! **What it measures.** Nothing: it says which items are learnt from and which are held out, as evenly by class as whole
//! groups allow.
//!
//! **What it cannot show.** Whether the groups are the right ones. Items that share a template *and* a word with others leak
//! by both: [`Design::Crossed`] holds out some templates and some words at once, and learns from items that have neither, at
//! the cost of the items that have one of the two.
//!
//! **Reference.** Kohavi 1995, *A study of cross-validation and bootstrap*, for strata; Roberts et al. 2017,
//! *Cross-validation strategies for data with temporal, spatial, hierarchical, or phylogenetic structure*, for groups.
//!
//! **Example.**
//! ```
//! use patchclamp_probes::decode::Design;
//!
//! let (classes, templates) = ([0, 1, 0, 1, 0, 1], [7, 7, 8, 8, 9, 9]);
//! let splits = Design::Groups(&templates).splits(&classes, &[0, 1, 2, 3, 4, 5], 3, 0)?;
//! for split in &splits {
//!     assert_eq!((split.train.len(), split.test.len()), (4, 2));
//!     assert_eq!(templates[split.test[0]], templates[split.test[1]]);
//! }
//! # Ok::<(), patchclamp_probes::decode::DecodeError>(())
//! ```

use super::DecodeError;
use crate::draw::shuffle;
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use std::collections::BTreeMap;

/// Items to learn from and items held out, each in rising order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Split {
    /// Learnt from.
    pub train: Vec<usize>,
    /// Held out.
    pub test: Vec<usize>,
}

/// What may not stand on both sides of a split.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Design<'a> {
    /// An item.
    Items,
    /// The items of a group: the group of every item, any numbers.
    Groups(&'a [usize]),
    /// The items of a group of one kind, nor of the other: a template, nor a word.
    Crossed(&'a [usize], &'a [usize]),
}

impl Design<'_> {
    /// `folds` splits of `items`, with the classes as even as groups allow; each item is held out once. Crossed designs have
    /// `folds` times `folds` splits, less those that would hold out nothing.
    ///
    /// # Errors
    /// [`DecodeError::Folds`] below two folds, or with fewer groups; [`DecodeError::Entangled`].
    ///
    /// # Panics
    /// If an item has no class or no group.
    pub fn splits(
        &self,
        classes: &[usize],
        items: &[usize],
        folds: usize,
        seed: u64,
    ) -> Result<Vec<Split>, DecodeError> {
        let mut sorted = items.to_vec();
        sorted.sort_unstable();
        let of = |groups: &[usize], of, seed| shared_out(classes, groups, &sorted, folds, of, seed);
        let (first, second) = match self {
            Self::Items => {
                let own: Vec<usize> = (0..classes.len()).collect();
                (of(&own, "items", seed)?, None)
            }
            Self::Groups(groups) => (of(groups, "groups", seed)?, None),
            Self::Crossed(one, other) => (of(one, "groups", seed)?, Some(of(other, "groups", seed.wrapping_add(1))?)),
        };
        match second {
            None => Ok((0..folds).map(|fold| split(&sorted, |place| first[place] == fold, |_| false)).collect()),
            Some(second) => crossed(&sorted, &first, &second, folds),
        }
    }
}

/// Items that are held out, items that are neither, and the rest.
fn split(items: &[usize], test: impl Fn(usize) -> bool, neither: impl Fn(usize) -> bool) -> Split {
    let chosen = |wanted: &dyn Fn(usize) -> bool| {
        let places = (0..items.len()).filter(|place| wanted(*place));
        places.map(|place| items[place]).collect()
    };
    Split { train: chosen(&|place| !test(place) && !neither(place)), test: chosen(&test) }
}

fn crossed(items: &[usize], first: &[usize], second: &[usize], folds: usize) -> Result<Vec<Split>, DecodeError> {
    let pairs = (0..folds).flat_map(|one| (0..folds).map(move |other| (one, other)));
    let both = |(one, other): (usize, usize)| {
        let test = |place: usize| first[place] == one && second[place] == other;
        split(items, test, |place| first[place] == one || second[place] == other)
    };
    let splits: Vec<Split> = pairs.map(both).filter(|split| !split.test.is_empty()).collect();
    match splits.iter().position(|split| split.train.is_empty()) {
        Some(fold) => Err(DecodeError::Entangled { fold }),
        None => Ok(splits),
    }
}

/// The fold of each of `items`: groups go, the largest first, where their classes are rarest.
fn shared_out(
    classes: &[usize],
    groups: &[usize],
    items: &[usize],
    folds: usize,
    of: &'static str,
    seed: u64,
) -> Result<Vec<usize>, DecodeError> {
    let mut members: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
    items.iter().enumerate().for_each(|(place, item)| members.entry(groups[*item]).or_default().push(place));
    if folds < 2 || members.len() < folds {
        return Err(DecodeError::Folds { folds, groups: members.len(), of });
    }
    let mut order: Vec<Vec<usize>> = members.into_values().collect();
    shuffle(&mut order, &mut ChaCha8Rng::seed_from_u64(seed));
    order.sort_by_key(|places| std::cmp::Reverse(places.len()));
    let kinds = items.iter().map(|item| classes[*item]).max().map_or(0, |largest| largest + 1);
    let mut totals = vec![0.0; kinds];
    items.iter().for_each(|item| totals[classes[*item]] += 1.0);
    let mut held = vec![vec![0.0; kinds]; folds];
    let mut fold_of = vec![0; items.len()];
    for places in order {
        // the sum over folds of squared shares grows least where what the group brings is rarest
        let cost = |fold: &usize| -> (f64, f64) {
            let shares = places.iter().map(|place| classes[items[*place]]);
            let crowd = shares.map(|class| held[*fold][class] / (totals[class] * totals[class])).sum();
            (crowd, held[*fold].iter().sum())
        };
        let best = (0..folds).min_by(|a, b| {
            let (a, b) = (cost(a), cost(b));
            a.0.total_cmp(&b.0).then(a.1.total_cmp(&b.1))
        });
        let best = best.expect("two folds at least");
        for place in places {
            held[best][classes[items[place]]] += 1.0;
            fold_of[place] = best;
        }
    }
    Ok(fold_of)
}
