//! Whether a circuit would come out again with other items: resampling, and halves held against each other.
//!
//! **What it measures.** Scores are means over items. Items are drawn with replacement, whole groups of them where items
//! belong together, and each draw's scores are chosen from and pruned as the circuit's own were. Reported are the
//! interval of each edge's score, the share of draws whose circuit holds it, and Jaccard indices: of neighbouring draws
//! with each other, of each draw with the circuit of all items, and of circuits from random halves of the groups, which
//! share no item.
//!
//! **What it cannot show.** That a circuit that comes out again is right: a biased score is stable. A draw repeats some
//! items and lacks others, so draws agree less than new samples of the same size would with the truth, and share items
//! where halves share none; halves have half the items, so they agree less than whole samples would.
//!
//! **Reference.** Efron & Tibshirani 1993, *An Introduction to the Bootstrap*; Meinshausen & Bühlmann 2010, *Stability
//! selection*.
//!
//! **Example.** `circuit.resample(&Items { scores, groups }, &Resampling { rule, chosen: 800, draws: 1000, seed: 0, .. })`

use super::held::Held;
use super::{Circuit, Link, Rule};
use ndarray::{Array1, ArrayView2, Axis};
use patchclamp_probes::{Interval, bootstrap};
use rayon::prelude::*;
use std::collections::BTreeMap;

/// From this mean Jaccard index between halves on a circuit is said to survive; below the other it is said not to.
/// Conventions, as those for agreement are: of 100 edges in either, 75 or 50 in both.
const SURVIVES: (f64, f64) = (0.75, 0.5);
/// The level of all intervals.
const LEVEL: f64 = 0.95;
/// An edge held by this share of draws is said to be stable.
const STABLE: f64 = 0.95;

/// What each item gives each edge.
pub struct Items<'a> {
    /// `[item, edge]`, edges in the order of [`Circuit::links`].
    pub scores: ArrayView2<'a, f64>,
    /// The group of each item: observation or template. Without, each item is a group.
    pub groups: Option<&'a [usize]>,
}

/// How items are drawn and circuits chosen.
#[derive(Clone, Copy, Debug)]
pub struct Resampling {
    /// The rule that the circuit was chosen by.
    pub rule: Rule,
    /// Edges chosen before pruning.
    pub chosen: usize,
    /// How many draws.
    pub draws: usize,
    /// How many random halves.
    pub halves: usize,
    /// What chance begins with.
    pub seed: u64,
}

/// What comes out again.
#[derive(Clone, Debug)]
pub struct Stability {
    /// The circuit of all items, with the interval of each score.
    pub circuit: Circuit,
    /// For each of [`Circuit::links`] the share of draws whose circuit holds it.
    pub inclusion: Vec<f64>,
    /// Each draw's circuit with that of all items.
    pub with_all: Vec<f64>,
    /// Each draw's circuit with that of the next.
    pub between_draws: Vec<f64>,
    /// Circuits of the two halves of the groups, for each way of halving.
    pub between_halves: Vec<f64>,
}

/// Items that do not go with a circuit.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ItemsError {
    /// Another number of edges.
    #[error("scores of {found} edges for each item; the circuit has {expected}")]
    Edges {
        /// Columns of the scores.
        found: usize,
        /// Edges of the circuit.
        expected: usize,
    },
    /// Another number of items.
    #[error("groups of {found} items; there are scores of {expected}")]
    Groups {
        /// Groups given.
        found: usize,
        /// Rows of the scores.
        expected: usize,
    },
    /// Nothing to draw from.
    #[error("groups of items: {0}; at least two are needed to draw from")]
    Few(usize),
    /// No number.
    #[error("item {item} has no finite score for {edge}")]
    Score {
        /// Its row.
        item: usize,
        /// The edge's name.
        edge: String,
    },
}

/// Sums of the scores of each group and how many items it has: a draw's mean is a ratio of sums.
pub(super) struct Groups {
    sums: Vec<Array1<f64>>,
    sizes: Vec<f64>,
}

impl Circuit {
    /// How stable the circuit of these items is, which is chosen from their mean scores as `how` says.
    ///
    /// # Errors
    /// Where the items do not go with the circuit's edges.
    pub fn resample(&self, items: &Items, how: &Resampling) -> Result<Stability, ItemsError> {
        let groups = self.groups(items)?;
        let count = groups.sizes.len();
        let everyone: Vec<usize> = (0..count).collect();
        let circuit = |drawn: &[usize]| Held::of(&self.drawn(&groups.mean(drawn), how));
        let members = self.drawn(&groups.mean(&everyone), how);
        let whole = Held::of(&members);
        let draws = draws(count, how.draws, how.seed);
        let drawn: Vec<_> = draws.par_iter().map(|drawn| circuit(drawn)).collect();
        let halves = halves(count, how);
        let between_halves = halves.par_iter().map(|(one, other)| circuit(one).jaccard(&circuit(other))).collect();
        Ok(Stability {
            circuit: self.with_intervals(&groups, &everyone, &draws, &members),
            inclusion: inclusion(&drawn, members.len()),
            with_all: drawn.iter().map(|draw| draw.jaccard(&whole)).collect(),
            between_draws: drawn.windows(2).map(|pair| pair[0].jaccard(&pair[1])).collect(),
            between_halves,
        })
    }

    /// The circuit with the mean and the interval of each edge's values over bootstrap draws of the items, and for each edge
    /// the share of draws whose mean `keeps` it; which edges are in stays as it is.
    ///
    /// # Errors
    /// Where the items do not go with the circuit's edges.
    pub fn redrawn(
        &self,
        items: &Items,
        (count, seed): (usize, u64),
        keeps: impl Fn(f64) -> bool + Sync,
    ) -> Result<(Self, Vec<f64>), ItemsError> {
        let groups = self.groups(items)?;
        let everyone: Vec<usize> = (0..groups.count()).collect();
        let drawn = draws(groups.count(), count, seed);
        let circuit = self.with_intervals(&groups, &everyone, &drawn, &self.members());
        let share = |place: usize| {
            let means = groups.means(place, &drawn);
            means.iter().filter(|mean| keeps(**mean)).count() as f64 / means.len().max(1) as f64
        };
        let shares = (0..circuit.links().len()).into_par_iter().map(share).collect();
        Ok((circuit, shares))
    }

    pub(super) fn groups(&self, items: &Items) -> Result<Groups, ItemsError> {
        let (rows, columns) = items.scores.dim();
        if columns != self.links().len() {
            return Err(ItemsError::Edges { found: columns, expected: self.links().len() });
        }
        if let Some(groups) = items.groups.filter(|groups| groups.len() != rows) {
            return Err(ItemsError::Groups { found: groups.len(), expected: rows });
        }
        if let Some(((item, place), _)) = items.scores.indexed_iter().find(|(_, score)| !score.is_finite()) {
            let edge = self.links().nth(place).map(|link| link.edge.to_string()).unwrap_or_default();
            return Err(ItemsError::Score { item, edge });
        }
        let mut sums: BTreeMap<usize, (Array1<f64>, f64)> = BTreeMap::new();
        for (item, scores) in items.scores.axis_iter(Axis(0)).enumerate() {
            let group = items.groups.map_or(item, |groups| groups[item]);
            let (sum, size) = sums.entry(group).or_insert_with(|| (Array1::zeros(columns), 0.0));
            *sum += &scores;
            *size += 1.0;
        }
        let (sums, sizes): (Vec<_>, Vec<_>) = sums.into_values().unzip();
        if sizes.len() < 2 { Err(ItemsError::Few(sizes.len())) } else { Ok(Groups { sums, sizes }) }
    }

    /// Chosen and pruned by other scores.
    pub(super) fn drawn(&self, scores: &Array1<f64>, how: &Resampling) -> Vec<bool> {
        let mut members = self.chosen(&scores.to_vec(), how.rule, how.chosen);
        self.pruned(&mut members);
        members
    }

    /// The circuit of all items: mean scores, and the interval of each over the draws.
    fn with_intervals(&self, groups: &Groups, everyone: &[usize], draws: &[Vec<usize>], whole: &[bool]) -> Self {
        let means = groups.mean(everyone);
        let interval = |place: usize| Interval::percentile(&groups.means(place, draws), LEVEL);
        let intervals: Vec<_> = (0..whole.len()).into_par_iter().map(interval).collect();
        let links = self.links().zip(intervals).enumerate().map(|(place, (link, interval))| Link {
            edge: link.edge,
            score: means[place],
            interval,
            in_circuit: whole[place],
        });
        Self::new(self.blocks.clone(), links).expect("the edges are those of a circuit, the scores finite")
    }
}

impl Groups {
    /// How many there are.
    pub(super) fn count(&self) -> usize {
        self.sizes.len()
    }

    /// The mean score of each edge over the items of `drawn` groups.
    pub(super) fn mean(&self, drawn: &[usize]) -> Array1<f64> {
        let mut sum = Array1::zeros(self.sums[0].len());
        drawn.iter().for_each(|group| sum += &self.sums[*group]);
        sum / drawn.iter().map(|group| self.sizes[*group]).sum::<f64>()
    }

    /// The mean score of one edge in each of the draws.
    pub(super) fn means(&self, place: usize, draws: &[Vec<usize>]) -> Vec<f64> {
        let column: Vec<f64> = self.sums.iter().map(|sums| sums[place]).collect();
        let of = |values: &[f64], drawn: &[usize]| drawn.iter().map(|group| values[*group]).sum::<f64>();
        draws.iter().map(|drawn| of(&column, drawn) / of(&self.sizes, drawn)).collect()
    }
}

/// Draws of so many groups with replacement, `count` of them.
pub(super) fn draws(groups: usize, count: usize, seed: u64) -> Vec<Vec<usize>> {
    let mut draws = Vec::new();
    bootstrap(groups, count, seed, |drawn| (draws.push(drawn.to_vec()), 0.0).1);
    draws
}

/// Random halves of the groups, which share none.
fn halves(count: usize, how: &Resampling) -> Vec<(Vec<usize>, Vec<usize>)> {
    use rand::{SeedableRng, seq::SliceRandom};
    let mut random = rand_chacha::ChaCha8Rng::seed_from_u64(how.seed ^ 0x68_61_6c_66); // "half": other draws than the bootstrap's
    let mut groups: Vec<usize> = (0..count).collect();
    let halved = (0..how.halves).map(|_| {
        groups.shuffle(&mut random);
        let (one, other) = groups.split_at(count / 2);
        (one.to_vec(), other.to_vec())
    });
    halved.collect()
}

/// The share of draws that hold each edge.
fn inclusion(draws: &[Held], edges: usize) -> Vec<f64> {
    let mut held = vec![0_u32; edges];
    for draw in draws {
        draw.places().for_each(|place| held[place] += 1);
    }
    held.into_iter().map(|held| f64::from(held) / draws.len().max(1) as f64).collect()
}

impl Stability {
    /// Edges of the circuit that nearly every draw holds, of all that it has.
    pub fn stable(&self) -> (usize, usize) {
        let held = self.circuit.links().zip(&self.inclusion).filter(|(link, _)| link.in_circuit);
        (held.filter(|(_, share)| **share >= STABLE).count(), self.circuit.size())
    }

    /// A sentence on whether the circuit comes out again, with the figures it rests on.
    pub fn verdict(&self) -> String {
        let agreement = mean(&self.between_halves).or_else(|| mean(&self.between_draws));
        let (stable, edges) = self.stable();
        let part = |name: &str, values: &[f64]| mean(values).map(|mean| format!("{mean:.2} between {name}"));
        let figures = [part("halves of the items", &self.between_halves), part("resamples", &self.between_draws)];
        let figures = figures.into_iter().flatten().collect::<Vec<_>>().join(" and ");
        let stable = format!("{stable} of {edges} edges are in 95 % of the resampled circuits or more");
        verdict(edges, agreement, &format!("{figures}; {stable}"))
    }
}

/// A sentence on whether a circuit of so many edges comes out again, by the Jaccard index of circuits from other items and
/// the figures that say it.
pub fn verdict(edges: usize, agreement: Option<f64>, figures: &str) -> String {
    let Some(agreement) = agreement else { return "Nothing was drawn: stability is unknown.".to_string() };
    let what = match agreement {
        _ if edges == 0 => "There is no circuit: nothing is left after pruning",
        high if high >= SURVIVES.0 => "The circuit survives other items",
        middle if middle >= SURVIVES.1 => "Part of the circuit survives other items",
        _ => "The circuit does not survive other items, and should not be read edge by edge",
    };
    format!("{what}: Jaccard index {figures}.")
}

fn mean(values: &[f64]) -> Option<f64> {
    (!values.is_empty()).then(|| values.iter().sum::<f64>() / values.len() as f64)
}
