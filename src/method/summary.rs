//! From one value an item to a row: mean, interval, test; Holm's correction over a whole table.

use super::{Bench, Finding};
use crate::data::observations;
use crate::spec::Statistics;
use crate::table::{Row, Table};
use patchclamp_probes::{Flips, Interval, Resamples, holm_known};
use std::collections::BTreeMap;

/// The fact that tells of a `normalised` which means little.
pub const CAUTION: &str = "caution";

/// Resamples and sign patterns of the observations, drawn once for all rows.
pub struct Summary {
    groups: Vec<Vec<usize>>,
    resamples: Resamples,
    flips: Flips,
    level: f64,
}

impl Summary {
    /// For the items of a bench; those of one pair are one observation.
    pub fn new(bench: &Bench) -> Self {
        Summary::of(bench, &(0..bench.items.len()).collect::<Vec<_>>())
    }

    /// For some of the items: values are given in their order.
    fn of(bench: &Bench, items: &[usize]) -> Self {
        let groups = observations(items.iter().map(|item| &bench.items[*item].labels));
        Summary::over(groups, bench.statistics, bench.seed)
    }

    /// For values of which those of a group, named by their places, are one observation.
    pub fn over(groups: Vec<Vec<usize>>, statistics: Statistics, seed: u64) -> Self {
        Summary {
            resamples: Resamples::new(groups.len(), statistics.resamples, seed),
            flips: Flips::new(groups.len(), statistics.permutations, seed),
            level: statistics.level,
            groups,
        }
    }

    /// How many observations there are.
    pub fn count(&self) -> usize {
        self.groups.len()
    }

    /// The row with mean, bootstrap interval and sign-flip p of `effects`, one an item; `scale` is the effect that counts as 1.
    pub fn row(&self, row: Row, effects: &[f64], scale: Option<f64>) -> Row {
        let p = self.flips.p_value(&self.observations(effects));
        Row { p, ..self.untested(row, effects, scale) }
    }

    /// The same without a test, for values that chance does not scatter around zero.
    pub fn untested(&self, row: Row, values: &[f64], scale: Option<f64>) -> Row {
        let values = self.observations(values);
        let (effect, interval) = (mean(&values), self.interval(&values));
        Row {
            effect,
            normalised: scale.map(|scale| effect / scale),
            low: interval.map(|interval| interval.low),
            high: interval.map(|interval| interval.high),
            n: values.len(),
            ..row
        }
    }

    /// The row of a share: the mean of `parts` over the mean of `wholes`, one an item each, both drawn together for the
    /// interval; NaN where the wholes have a mean of 0.
    pub fn share(&self, row: Row, parts: &[f64], wholes: &[f64]) -> Row {
        let shares = self.share_draws(parts, wholes);
        let [parts, wholes] = [parts, wholes].map(|values| self.observations(values));
        let interval = shares.and_then(|shares| Interval::percentile(&shares, self.level));
        let (low, high) = (interval.map(|interval| interval.low), interval.map(|interval| interval.high));
        Row { effect: mean(&parts) / mean(&wholes), low, high, n: parts.len(), ..row }
    }

    /// Draws of such a share.
    pub fn share_draws(&self, parts: &[f64], wholes: &[f64]) -> Option<Vec<f64>> {
        let [parts, wholes] = [parts, wholes].map(|values| self.resamples.means(&self.observations(values)));
        let both = parts.zip(wholes);
        both.map(|(parts, wholes)| parts.into_iter().zip(wholes).map(|(part, whole)| part / whole).collect())
    }

    /// The observation that each item belongs to.
    pub fn groups(&self) -> Vec<usize> {
        let mut groups = vec![0; self.groups.iter().map(Vec::len).sum()];
        for (number, items) in self.groups.iter().enumerate() {
            items.iter().for_each(|item| groups[*item] = number);
        }
        groups
    }

    /// The mean of `totals`, one an item, as what effects are divided by; none where it is zero. Where its interval holds
    /// zero the facts of the table say so, as a share of what may be nothing means little.
    pub fn scale(&self, totals: &[f64], table: &mut Table) -> Option<f64> {
        let totals = self.observations(totals);
        if let Some(Interval { low, high }) = self.interval(&totals).filter(|interval| interval.contains(0.0)) {
            let caution = format!("normalised is over a total whose interval [{low:.3}, {high:.3}] holds zero");
            table.facts.insert(CAUTION.into(), caution);
        }
        Some(mean(&totals)).filter(|total| *total != 0.0)
    }

    fn interval(&self, observations: &[f64]) -> Option<Interval> {
        self.resamples.interval(observations, self.level)
    }

    /// The mean of each group of items.
    fn observations(&self, values: &[f64]) -> Vec<f64> {
        let of_group = |group: &Vec<usize>| group.iter().map(|item| values[*item]).sum::<f64>() / group.len() as f64;
        self.groups.iter().map(of_group).collect()
    }

    /// Corrects the p-values of a table by Holm, and says what p can be at the least; `rows` have been tested.
    pub fn correct(&self, table: &mut Table, rows: usize, permutations: usize) {
        let corrected = holm_known(&table.rows.iter().map(|row| row.p).collect::<Vec<_>>());
        table.rows.iter_mut().zip(corrected).for_each(|(row, p)| row.p = p);
        let count = self.groups.len();
        // every sign pattern is tried where there are at most 12 observations, and the two of one sign count
        let least = if count <= 12 { 0.5f64.powi(count as i32 - 1) } else { 1.0 / (permutations + 1) as f64 };
        let least = (least * rows as f64).min(1.0);
        let words = format!("sign-flip test of {count} observations, Holm over {rows} rows; {least:.2e} at the least");
        table.facts.insert("p".into(), words);
    }
}

/// Values at a place, one an item; none for an item that has no such place.
pub type Values = Vec<Option<f64>>;

/// Values of some items, among all items.
pub fn on_items(bench: &Bench, items: &[usize], values: &[f64]) -> Values {
    let mut all = vec![None; bench.items.len()];
    items.iter().zip(values).for_each(|(item, value)| all[*item] = Some(*value));
    all
}

/// What a table tells.
#[derive(Default)]
pub struct Told {
    /// Effects, each tested against none.
    pub tested: Vec<(Row, Values)>,
    /// Numbers that follow from others, or that chance does not scatter around zero: they get intervals alone.
    pub described: Vec<(Row, Values)>,
}

/// Values at places, one an item, as the rows of `main` with interval and corrected p, and as a row an item beside it;
/// `totals`, one an item, is what counts as 1.
pub fn tabulate(bench: &Bench, main: Table, places: Vec<(Row, Vec<f64>)>, totals: &[f64]) -> Finding {
    let some = |values: Vec<f64>| values.into_iter().map(Some).collect();
    let tested = places.into_iter().map(|(row, values)| (row, some(values))).collect();
    tabulate_some(bench, main, Told { tested, ..Told::default() }, &some(totals.to_vec()))
}

/// The same where not every item has every place, and not every row is tested.
pub fn tabulate_some(bench: &Bench, mut main: Table, told: Told, totals: &Values) -> Finding {
    let Told { tested, described } = told;
    let items = tested.iter().chain(&described).flat_map(|(row, values)| bench.item_rows(row, values)).collect();
    let singles = Table { rows: items, ..main.clone() };
    let kept = with_values(totals);
    if kept.is_empty() {
        return Finding { tables: vec![main], items: vec![singles], ..Finding::default() };
    }
    let mut summaries = Summaries { bench, by_items: BTreeMap::new() };
    let scale = summaries.of(kept.clone()).scale(&given(totals), &mut main);
    let count = tested.len();
    for (index, (row, values)) in tested.into_iter().chain(described).enumerate() {
        let (items, values) = (with_values(&values), given(&values));
        if !items.is_empty() {
            let summary = summaries.of(items);
            let row =
                if index < count { summary.row(row, &values, scale) } else { summary.untested(row, &values, scale) };
            main.rows.push(row);
        }
    }
    summaries.of(kept).correct(&mut main, count, bench.statistics.permutations);
    Finding { tables: vec![main], items: vec![singles], ..Finding::default() }
}

/// Resamples and sign patterns, drawn once for all rows that speak of the same items.
struct Summaries<'a> {
    bench: &'a Bench<'a>,
    by_items: BTreeMap<Vec<usize>, Summary>,
}

impl Summaries<'_> {
    fn of(&mut self, items: Vec<usize>) -> &Summary {
        let bench = self.bench;
        self.by_items.entry(items).or_insert_with_key(|items| Summary::of(bench, items))
    }
}

fn with_values(values: &Values) -> Vec<usize> {
    (0..values.len()).filter(|item| values[*item].is_some()).collect()
}

fn given(values: &Values) -> Vec<f64> {
    values.iter().flatten().copied().collect()
}

/// The mean of at least one value.
pub fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len() as f64
}
