//! Figures of what a head says, each with its draws.

use super::Told;
use crate::method::Bench;
use crate::plan::Classifying;
use patchclamp_probes::fairness::{Cell, Counts, Judged, Standing, cells, distance_to_optimum};
use patchclamp_probes::{Interval, pearson, slope};
use rand::seq::SliceRandom;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// The groups whose rates are held against each other.
const GROUPS: [usize; 2] = [0, 1];

/// Bounds of a class's frequency, as a share of what all would have if they were alike.
const FREQUENCIES: [f64; 2] = [0.5, 2.0];

/// Bounds of the first group's share of a class.
const SHARES: [f64; 2] = [0.4, 0.6];

/// A figure of a head: what it is called, its value, and the range of its draws.
pub(super) struct Figure {
    /// A metric of the table.
    pub(super) name: String,
    /// Of the texts as they are.
    pub(super) value: f64,
    /// The middle of the draws.
    pub(super) interval: Option<Interval>,
    /// How many texts, or draws, it is of.
    pub(super) count: usize,
}

/// What one head says, and draws of the texts.
pub(super) struct Judge<'a> {
    bench: &'a Bench<'a>,
    plan: &'a Classifying,
    judged: Judged,
    counts: Counts,
    /// Of the texts, drawn again.
    draws: Vec<Counts>,
    /// The first group's share of each class, of all texts.
    shares: Vec<f64>,
}

impl<'a> Judge<'a> {
    pub(super) fn new(bench: &'a Bench<'a>, plan: &'a Classifying, told: &Told) -> Option<Self> {
        let test = &plan.parts.test;
        let of = |values: &[usize]| test.iter().map(|item| values[*item]).collect::<Vec<_>>();
        let judged = Judged::new(of(plan.labels.of()), told.classes.clone(), of(&plan.group)).ok()?;
        let mut random = ChaCha8Rng::seed_from_u64(bench.seed);
        let count = judged.count();
        let mut draw = || judged.counts_of((0..count).map(|_| random.random_range(0..count)).collect::<Vec<_>>());
        let draws = (0..bench.statistics.resamples).map(|_| draw()).collect();
        let counts = judged.counts();
        Some(Judge { bench, plan, judged, counts, draws, shares: shares(plan) })
    }

    /// How right and how fair it is.
    pub(super) fn standing(&self) -> Option<Standing> {
        standing(&self.counts)
    }

    /// Figures over all classes, with what gaps are by chance.
    pub(super) fn overall(&self) -> Vec<Figure> {
        let all = self.judged.count();
        let named = |name: &str, figure: &dyn Fn(&Counts) -> Option<f64>| self.figure(name, all, figure);
        let [first, second] = [0, 1].map(|group| {
            let items = self.counts.of_group(group);
            self.figure(&format!("accuracy, {}", self.plan.groups[group]), items, &|counts| counts.accuracy(group))
        });
        let mut figures = vec![
            named("accuracy", &Counts::overall_accuracy),
            self.alone("accuracy, likeliest class", self.majority()),
            first,
            second,
            named("accuracy, worst group", &Counts::worst_group),
            named("worst class and group", &Counts::worst_class_and_group),
            named("gap, root mean square", &|counts| counts.rms_gap(GROUPS)),
            named("gap by share: Pearson", &|counts| self.by_share(counts, pearson)),
            named("gap by share: slope", &|counts| self.by_share(counts, |gaps, shares| slope(shares, gaps))),
            named("demographic parity, largest", &|counts| counts.most(Counts::demographic_parity)),
            named("equal opportunity, largest", &|counts| counts.most(Counts::equal_opportunity)),
            named("equalised odds, largest", &|counts| counts.most(Counts::equalised_odds)),
            named("equalised odds, mean", &|counts| counts.mean(Counts::mean_odds)),
            named("DTO, to (1, 1)", &|counts| standing(counts).map(distance_to_optimum)),
        ];
        figures.extend(self.by_chance());
        figures.into_iter().flatten().collect()
    }

    /// The gap of each class, the first group's share of it, and how many texts of each group it has.
    pub(super) fn classes(&self) -> impl Iterator<Item = (usize, Option<Figure>, f64, [usize; 2])> + '_ {
        (0..self.plan.classes.len()).map(|class| {
            let items = GROUPS.map(|group| self.counts.items(group, class));
            let gap = self.figure("gap", items.iter().sum(), &|counts| counts.gap(class, GROUPS));
            (class, gap, self.shares[class], items)
        })
    }

    /// Cells of frequency and imbalance, with accuracy and gaps of their classes.
    pub(super) fn cells(&self) -> Vec<(Cell, Vec<Figure>)> {
        let even = 1.0 / self.plan.classes.len() as f64;
        let found = cells(&self.counts, 0, &FREQUENCIES.map(|times| times * even), &SHARES);
        let figures = |cell: &Cell| {
            let items = cell.items(&self.counts);
            let accuracy = self.figure("accuracy", items, &|counts| cell.accuracy(counts));
            let gap = self.figure("gap, root mean square", items, &|counts| cell.rms_gap(counts, GROUPS));
            accuracy.into_iter().chain(gap).collect()
        };
        found
            .into_iter()
            .map(|cell| {
                let own = figures(&cell);
                (cell, own)
            })
            .collect()
    }

    fn figure(&self, name: &str, count: usize, figure: &dyn Fn(&Counts) -> Option<f64>) -> Option<Figure> {
        let value = figure(&self.counts)?;
        // a draw may leave a class without a text of a group, where the figure is of the others or of none
        let draws: Vec<f64> = self.draws.iter().filter_map(figure).collect();
        let interval = Interval::percentile(&draws, self.bench.statistics.level);
        Some(Figure { name: name.into(), value, interval, count })
    }

    fn alone(&self, name: &str, value: f64) -> Option<Figure> {
        Some(Figure { name: name.into(), value, interval: None, count: self.judged.count() })
    }

    /// The share of the tested texts that are of the class most frequent among those learned from.
    fn majority(&self) -> f64 {
        let learned = self.plan.labels.counts(&self.plan.parts.fit);
        let most = (0..learned.len()).rev().max_by_key(|class| learned[*class]).unwrap_or(0);
        self.counts.of_class(most) as f64 / self.counts.total() as f64
    }

    /// How gaps go with shares.
    fn by_share(&self, counts: &Counts, of: impl Fn(&[f64], &[f64]) -> Option<f64>) -> Option<f64> {
        let both =
            (0..self.plan.classes.len()).filter_map(|class| Some((counts.gap(class, GROUPS)?, self.shares[class])));
        let (gaps, shares): (Vec<f64>, Vec<f64>) = both.unzip();
        of(&gaps, &shares)
    }

    /// The root mean square of the gaps where groups are exchanged among texts of a class.
    fn by_chance(&self) -> Option<Option<Figure>> {
        let test = &self.plan.parts.test;
        let of = |values: &[usize]| test.iter().map(|item| values[*item]).collect::<Vec<_>>();
        let (truth, group) = (of(self.plan.labels.of()), of(&self.plan.group));
        let mut random = ChaCha8Rng::seed_from_u64(self.bench.seed.wrapping_add(1));
        let mut draw = || {
            let mut drawn = group.clone();
            for class in 0..self.plan.classes.len() {
                let own: Vec<usize> = (0..truth.len()).filter(|item| truth[*item] == class).collect();
                let mut others = own.clone();
                others.shuffle(&mut random);
                own.iter().zip(others).for_each(|(item, other)| drawn[*item] = group[other]);
            }
            Judged::new(truth.clone(), self.judged.predictions().to_vec(), drawn).ok()?.counts().rms_gap(GROUPS)
        };
        let draws: Vec<f64> = (0..self.plan.shuffles).filter_map(|_| draw()).collect();
        let mean = (!draws.is_empty()).then(|| draws.iter().sum::<f64>() / draws.len() as f64)?;
        let interval = Interval::percentile(&draws, self.bench.statistics.level);
        let name = "gap, root mean square, shuffled groups".to_string();
        Some(Some(Figure { name, value: mean, interval, count: draws.len() }))
    }
}

/// Accuracy, and one less the root mean square of the gaps.
fn standing(counts: &Counts) -> Option<Standing> {
    Some(Standing { performance: counts.overall_accuracy()?, fairness: 1.0 - counts.rms_gap(GROUPS)? })
}

/// The first group's share of each class among all texts.
fn shares(plan: &Classifying) -> Vec<f64> {
    let share = |class: usize| {
        let own: Vec<usize> = (0..plan.group.len()).filter(|item| plan.labels.of()[*item] == class).collect();
        own.iter().filter(|item| plan.group[**item] == 0).count() as f64 / own.len() as f64
    };
    (0..plan.classes.len()).map(share).collect()
}
