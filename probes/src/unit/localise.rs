//! The functional localiser: which units respond to a contrast, and do they on items that did not choose them?
//!
//! **What it measures.** On one half of the items the units with the largest Welch's t between two sets (faces against
//! objects; female against male names) are picked, of those that survive Benjamini and Hochberg's correction over all
//! units; on the other half their contrast is measured, so that the choice does not flatter the figure. [`halves`] splits
//! whole groups, so that a template stands on one side only; [`overlap`] says how much two choices have in common.
//!
//! **What it cannot show.** That a unit does only this, or that it is used: lesion it, and units picked at random.
//!
//! **Reference.** Saxe, Brett & Kanwisher 2006, *Divide and conquer: a defense of functional localizers*, NeuroImage 30;
//! Kriegeskorte et al. 2009, *Circular analysis in systems neuroscience*, Nature Neuroscience 12, for the two halves.
//!
//! **Example.**
//! ```
//! use ndarray::array;
//! use patchclamp_probes::unit::Localiser;
//!
//! let responses = array![[0.1, 3.0], [0.2, 3.1], [0.1, 1.0], [0.3, 1.2], [0.2, 2.9], [0.1, 3.2], [0.1, 1.1], [0.2, 0.9]];
//! let contrast = [true, true, false, false, true, true, false, false];
//! let chooses = [true, true, true, true, false, false, false, false];
//! let found = Localiser { units: 1, ..Default::default() }.find(responses.view(), &contrast, &chooses)?;
//! assert_eq!(found[0].unit, 1);
//! assert!(found[0].tested.difference() > 1.5);
//! # Ok::<(), patchclamp_probes::DataError>(())
//! ```

use super::selectivity::Contrast;
use crate::data::{self, DataError};
use crate::draw::shuffle;
use crate::multiple::benjamini_hochberg;
use ndarray::ArrayView2;
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;

/// Which difference counts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Prefers {
    /// More for the first set.
    #[default]
    First,
    /// More for the second.
    Second,
    /// Either.
    Either,
}

/// What is picked.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Localiser {
    /// How many units at the most.
    pub units: usize,
    /// By which difference.
    pub prefers: Prefers,
    /// The share of false alarms, on average, among units that may be picked: 1 lets all through.
    pub false_discoveries: f64,
}

impl Default for Localiser {
    fn default() -> Self {
        Self { units: 10, prefers: Prefers::First, false_discoveries: 1.0 }
    }
}

/// A unit that was picked.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Found {
    /// Which.
    pub unit: usize,
    /// Welch's t on the half that chose it.
    pub chosen_by: f64,
    /// The two-sided p-value of that, corrected over all units by Benjamini and Hochberg.
    pub p: f64,
    /// Its contrast on the other half.
    pub tested: Contrast,
}

impl Localiser {
    /// The units of `responses` `[item, unit]` with the largest contrast of items `in_first` set `[item]` with the others, on
    /// the half that `chooses` `[item]`; the strongest first, of equal ones the first. Units that do not vary on that half
    /// are never picked, so that there may be fewer than asked for; those that vary between the sets alone have an infinite t.
    ///
    /// # Errors
    /// If a response is not finite, lengths differ, or a half has fewer than two items of a set.
    pub fn find(
        &self,
        responses: ArrayView2<f64>,
        in_first: &[bool],
        chooses: &[bool],
    ) -> Result<Vec<Found>, DataError> {
        data::finite("responses", responses)?;
        data::count("items of the contrast", in_first.len(), responses.nrows())?;
        data::count("items of the halves", chooses.len(), responses.nrows())?;
        let items = |half: bool, set: bool| -> Result<Vec<usize>, DataError> {
            let items: Vec<usize> =
                (0..in_first.len()).filter(|i| chooses[*i] == half && in_first[*i] == set).collect();
            data::enough("items of a set in one half", items.len(), 2)?;
            Ok(items)
        };
        let chosen = [items(true, true)?, items(true, false)?];
        let tested = [items(false, true)?, items(false, false)?];
        let of = |unit: usize, items: &[Vec<usize>; 2]| {
            let [a, b] = [0, 1].map(|set| items[set].iter().map(|item| responses[[*item, unit]]).collect::<Vec<f64>>());
            Contrast::of(&a, &b).expect("two finite items of each set")
        };
        let perfect = |found: &Contrast| (found.difference() != 0.0).then(|| (found.difference() * f64::INFINITY, 0.0));
        let welch = |unit: usize| {
            let found = of(unit, &chosen);
            found.welch().or_else(|| perfect(&found)).map(|(t, p)| (unit, t, p))
        };
        let units: Vec<(usize, f64, f64)> = (0..responses.ncols()).filter_map(welch).collect();
        let corrected = benjamini_hochberg(&units.iter().map(|(_, _, p)| *p).collect::<Vec<_>>());
        let both = units.into_iter().zip(corrected).map(|((unit, t, _), p)| (unit, t, p));
        let mut picked: Vec<(usize, f64, f64)> = both.filter(|(_, _, p)| *p <= self.false_discoveries).collect();
        picked.sort_by(|a, b| self.strength(b.1).total_cmp(&self.strength(a.1)));
        picked.truncate(self.units);
        let found = |(unit, chosen_by, p)| Found { unit, chosen_by, p, tested: of(unit, &tested) };
        Ok(picked.into_iter().map(found).collect())
    }

    fn strength(&self, t: f64) -> f64 {
        match self.prefers {
            Prefers::First => t,
            Prefers::Second => -t,
            Prefers::Either => t.abs(),
        }
    }
}

/// Half of the `groups` `[item]` by chance, each with all its items: whether an item belongs to it, `[item]`.
pub fn halves(groups: &[usize], seed: u64) -> Vec<bool> {
    let different: std::collections::BTreeSet<usize> = groups.iter().copied().collect();
    let mut order: Vec<usize> = different.into_iter().collect();
    shuffle(&mut order, &mut ChaCha8Rng::seed_from_u64(seed));
    let chosen: std::collections::BTreeSet<usize> = order[..order.len().div_ceil(2)].iter().copied().collect();
    groups.iter().map(|group| chosen.contains(group)).collect()
}

/// The Jaccard index of two choices of units, each named once: those in both over those in either, 0 to 1. `None` where
/// neither has any.
pub fn overlap(a: &[usize], b: &[usize]) -> Option<f64> {
    let [a, b] = [a, b].map(|units| units.iter().copied().collect::<std::collections::BTreeSet<usize>>());
    let either = a.union(&b).count();
    (either > 0).then(|| a.intersection(&b).count() as f64 / either as f64)
}
