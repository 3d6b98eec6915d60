//! What the tables of probes and erasers have in common: intervals over groups of samples, and what is said of these.

use super::summary::mean;
use super::{Bench, table};
use crate::plan::{Probed, Samples};
use crate::spec::{Apart, Axis, Concept, Spot};
use crate::table::{Row, Table};
use patchclamp_probes::{Interval, Resamples, benjamini_hochberg_known};

/// An empty table that says of what and how it tells.
pub fn described(bench: &Bench, plan: &Probed, name: &str, title: &str) -> Table {
    let mut table = table(name, title, bench);
    table.facts.shift_remove("metric sign"); // nothing here is the experiment's metric
    table.facts.extend(facts(plan));
    table
}

/// Draws of the groups that the samples fall into.
pub struct Spread {
    resamples: Resamples,
    level: f64,
    groups: usize,
}

impl Spread {
    /// Of the words, or whatever is kept apart.
    pub fn new(bench: &Bench, samples: &Samples) -> Self {
        // not the draws of observations, which samples have nothing to do with
        Spread::of(bench, &samples.groups, bench.seed.wrapping_add(1))
    }

    /// Of groups that are named by any number, one for each value.
    pub fn of(bench: &Bench, groups: &[usize], seed: u64) -> Self {
        let count = groups.iter().collect::<std::collections::BTreeSet<_>>().len();
        let statistics = bench.statistics;
        Spread {
            resamples: Resamples::clustered(groups, statistics.resamples, seed),
            level: statistics.level,
            groups: count,
        }
    }

    /// The means of draws.
    pub fn means(&self, values: &[f64]) -> Option<Vec<f64>> {
        self.resamples.means(values)
    }

    /// A row with a value that has no interval.
    pub fn alone(&self, row: Row, value: f64) -> Row {
        Row { effect: value, n: self.groups, ..row }
    }

    /// A row with the mean of draws of a null, and where the middle of them lies; nothing of none.
    pub fn of_draws(&self, row: Row, draws: &[f64]) -> Option<Row> {
        let interval = Interval::percentile(draws, self.level);
        let (low, high) = (interval.map(|interval| interval.low), interval.map(|interval| interval.high));
        (!draws.is_empty()).then(|| Row { effect: mean(draws), low, high, n: draws.len(), ..row })
    }

    /// A row with a value whose draws are known.
    pub fn known(&self, row: Row, value: f64, draws: Option<&[f64]>) -> Row {
        let found = draws.and_then(|draws| self.of_draws(row.clone(), draws));
        Row { effect: value, n: self.groups, ..found.unwrap_or(row) }
    }

    /// A row with the mean of values by sample, and its interval.
    pub fn row(&self, row: Row, values: &[f64]) -> Row {
        let interval = self.resamples.interval(values, self.level);
        let (low, high) = (interval.map(|interval| interval.low), interval.map(|interval| interval.high));
        Row { effect: mean(values), low, high, n: self.groups, ..row }
    }
}

/// The share of the class that most samples have: what is right without a look at any state.
pub fn majority(samples: &Samples) -> f64 {
    let every: Vec<usize> = (0..samples.labels.count()).collect();
    let most = samples.labels.counts(&every).into_iter().max().unwrap_or(0);
    most as f64 / samples.labels.count() as f64
}

/// Corrects the p-values of a table for their number by Benjamini and Hochberg: with few draws of a null Holm's correction
/// could say nothing of many places.
pub fn correct(table: &mut Table, what: &str) {
    let corrected = benjamini_hochberg_known(&table.rows.iter().map(|row| row.p).collect::<Vec<_>>());
    let tested = corrected.iter().flatten().count();
    table.rows.iter_mut().zip(corrected).for_each(|(row, p)| row.p = p);
    if tested > 0 {
        table.facts.insert("p".into(), format!("{what}, Benjamini-Hochberg over {tested} rows"));
    }
}

fn facts(plan: &Probed) -> Vec<(String, String)> {
    let samples = &plan.samples;
    let every: Vec<usize> = (0..samples.labels.count()).collect();
    let counts = samples.labels.counts(&every);
    let classes: Vec<String> =
        samples.classes.iter().zip(counts).map(|(name, count)| format!("{name} {count}")).collect();
    let of = match &plan.of {
        Concept::Answer => "the answer that a prompt calls for".into(),
        Concept::Label(name) => format!("the label {name:?}"),
        Concept::Feature(name) => format!("the feature {name:?}"),
    };
    let apart = match &plan.apart {
        Apart::Words => "words".into(),
        Apart::Items => "prompts".into(),
        Apart::Label(name) => format!("values of {name:?}"),
    };
    let groups = samples.groups.iter().collect::<std::collections::BTreeSet<_>>().len();
    let mut facts = vec![
        ("told".into(), of),
        ("classes".into(), classes.join(", ")),
        ("splits".into(), format!("{}, which keep {groups} {apart} apart", samples.splits.len())),
        ("intervals".into(), format!("of what is told, bootstrap over the {groups} {apart}")),
    ];
    if !plan.sweep.over.contains(&Axis::Position) {
        facts.push(("position".into(), spot(plan.at)));
    }
    facts
}

fn spot(spot: Spot) -> String {
    match spot {
        Spot::Position(position) => position.to_string(),
        Spot::Role(role) => format!("{role:?}").to_lowercase(),
    }
}
