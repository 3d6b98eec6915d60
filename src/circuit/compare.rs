//! Two circuits held against each other over other items: how much they share, beside how much each shares with itself.
//!
//! **What it measures.** Items of both are drawn with replacement, as [`Circuit::resample`] draws them, and from each draw a
//! circuit is chosen. The Jaccard index of draws of one with draws of the other is held against that of neighbouring
//! draws of the same: two circuits that are one agree as draws of it do. The difference of an edge's scores has its
//! interval from the same draws.
//!
//! **What it cannot show.** What the edges do: two features may take the same edges along other directions.
//!
//! **Reference.** As [`Circuit::resample`].
//!
//! **Example.** `circuit.agreement([here, there], Drawn::Apart, &how)`

use super::held::Held;
use super::resample::{Groups, draws};
use super::{Circuit, Items, ItemsError, Resampling};
use patchclamp_probes::Interval;
use rayon::prelude::*;

/// How the items of two circuits are drawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Drawn {
    /// The same items of both: they are prompts that both were asked.
    Together,
    /// Each by itself.
    Apart,
}

/// How two circuits agree over draws.
#[derive(Clone, Debug)]
pub struct Agreement {
    /// Of a draw of the one with one of the other.
    pub between: Vec<f64>,
    /// Of neighbouring draws of the same circuit, of the one and of the other.
    pub within: [Vec<f64>; 2],
    /// For each of [`Circuit::links`] the interval of the other's score less the one's.
    pub differences: Vec<Option<Interval>>,
}

impl Circuit {
    /// The agreement of the circuits that `how` chooses from the scores of two sets of items, both of this circuit's edges;
    /// `level` is that of the intervals.
    ///
    /// # Errors
    /// Where the items do not go with the edges, or are to be drawn together and are not equally many groups.
    pub fn agreement(
        &self,
        items: [&Items; 2],
        drawn: Drawn,
        how: &Resampling,
        level: f64,
    ) -> Result<Agreement, ItemsError> {
        let [one, other] = [self.groups(items[0])?, self.groups(items[1])?];
        if drawn == Drawn::Together && one.count() != other.count() {
            return Err(ItemsError::Groups { found: other.count(), expected: one.count() });
        }
        // other draws than the first's, unless they are to be the same
        let seeds = [how.seed, if drawn == Drawn::Together { how.seed } else { how.seed ^ 0x6f_74_68_65_72 }];
        let draws = [draws(one.count(), how.draws, seeds[0]), draws(other.count(), how.draws, seeds[1])];
        let members = |groups: &Groups, draws: &[Vec<usize>]| -> Vec<Held> {
            draws.par_iter().map(|draw| Held::of(&self.drawn(&groups.mean(draw), how))).collect()
        };
        let [left, right] = [members(&one, &draws[0]), members(&other, &draws[1])];
        let within = |members: &[Held]| members.windows(2).map(|pair| pair[0].jaccard(&pair[1])).collect();
        let difference = |place: usize| {
            let pairs = one.means(place, &draws[0]).into_iter().zip(other.means(place, &draws[1]));
            Interval::percentile(&pairs.map(|(one, other)| other - one).collect::<Vec<f64>>(), level)
        };
        Ok(Agreement {
            between: left.iter().zip(&right).map(|(one, other)| one.jaccard(other)).collect(),
            within: [within(&left), within(&right)],
            differences: (0..self.links().len()).into_par_iter().map(difference).collect(),
        })
    }
}
