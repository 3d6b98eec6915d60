//! Figures of what a head says, each with its draws.

use super::Told;
use super::rates::{GROUPS, Rate, overall, shares, standing};
use crate::method::Bench;
use crate::plan::Classifying;
use patchclamp_probes::Interval;
use patchclamp_probes::fairness::{Cell, Counts, Judged, Standing, cells};
use rand::seq::SliceRandom;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

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
    /// Of clusters of the texts, drawn again.
    draws: Vec<Counts>,
    /// The first group's share of each class, of all texts.
    shares: Vec<f64>,
}

impl<'a> Judge<'a> {
    pub(super) fn new(bench: &'a Bench<'a>, plan: &'a Classifying, told: &Told) -> Option<Self> {
        let test = &plan.parts.test;
        let of = |values: &[usize]| test.iter().map(|item| values[*item]).collect::<Vec<_>>();
        let judged = Judged::new(of(plan.labels.of()), told.classes.clone(), of(&plan.group)).ok()?;
        let judged = judged.of_sizes(plan.classes.len(), plan.groups.len());
        let mut random = ChaCha8Rng::seed_from_u64(bench.seed);
        let clusters = plan.clusters();
        let mut one = || &clusters[random.random_range(0..clusters.len())];
        let mut draw = || judged.counts_of((0..clusters.len()).flat_map(|_| one()).copied().collect::<Vec<_>>());
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
        let figure = |rate: Rate| {
            let count = rate.group.map_or(self.judged.count(), |group| self.counts.of_group(group));
            self.figure(&rate.name, count, &*rate.of)
        };
        let mut figures: Vec<Option<Figure>> = overall(self.plan).into_iter().map(figure).collect();
        figures.insert(1, self.alone("accuracy, likeliest class", self.majority()));
        figures.extend(self.by_chance());
        figures.into_iter().flatten().collect()
    }

    /// The gap of each class, the first group's share of it, and how many texts of each group it has.
    pub(super) fn classes(&self) -> impl Iterator<Item = (usize, Option<Figure>, f64, [usize; 2])> + '_ {
        (0..self.plan.classes.len()).map(|class| {
            let items = GROUPS.map(|group| self.counts.items(group, class));
            let rate = Rate::gap(class);
            let gap = self.figure(&rate.name, items.iter().sum(), &*rate.of);
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

    /// The root mean square of the gaps where groups are exchanged among texts of a class, or clusters of the same classes.
    fn by_chance(&self) -> Option<Option<Figure>> {
        let test = &self.plan.parts.test;
        let of = |values: &[usize]| test.iter().map(|item| values[*item]).collect::<Vec<_>>();
        let (truth, group) = (of(self.plan.labels.of()), of(&self.plan.group));
        let mut random = ChaCha8Rng::seed_from_u64(self.bench.seed.wrapping_add(1));
        let units = self.plan.exchangeable();
        let mut draw = || {
            let mut drawn = group.clone();
            for alike in &units {
                let mut others: Vec<usize> = alike.iter().map(|unit| group[unit[0]]).collect();
                others.shuffle(&mut random);
                for (unit, other) in alike.iter().zip(others) {
                    unit.iter().for_each(|item| drawn[*item] = other);
                }
            }
            let drawn = Judged::new(truth.clone(), self.judged.predictions().to_vec(), drawn).ok()?;
            drawn.of_sizes(self.plan.classes.len(), self.plan.groups.len()).counts().rms_gap(GROUPS)
        };
        let draws: Vec<f64> = (0..self.plan.shuffles).filter_map(|_| draw()).collect();
        let mean = (!draws.is_empty()).then(|| draws.iter().sum::<f64>() / draws.len() as f64)?;
        let interval = Interval::percentile(&draws, self.bench.statistics.level);
        let name = "gap, root mean square, shuffled groups".to_string();
        Some(Some(Figure { name, value: mean, interval, count: draws.len() }))
    }
}
