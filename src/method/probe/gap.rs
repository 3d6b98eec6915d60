//! From what can be told to what is used: both as shares, and the gap between them.

use super::told::Told;
use crate::method::along::{self, Along, Way};
use crate::method::concept::{Spread, correct, described, floor};
use crate::method::patch::{axes, names, place};
use crate::method::summary::{Summary, mean};
use crate::method::{Bench, Finding, blank};
use crate::plan::{Probing, Sweep};
use crate::table::{Row, Table};
use patchclamp_probes::Interval;

/// Adds a table of effects for each way, and the table of both.
pub fn add(
    bench: &Bench,
    plan: &Probing,
    told: &[Told],
    (ways, along): (&[Way], &Along),
    corrupt: &[f64],
    finding: &mut Finding,
) {
    let found = along::tables(bench, |way| format!("probe.{}", way.word()), &plan.probed.sweep, (ways, along), corrupt);
    finding.tables.extend(found.tables);
    finding.items.extend(found.items);
    finding.tables.push(gaps(bench, plan, told, (ways, along), corrupt));
}

/// Both shares of every place, those along directions by chance, and the gaps.
fn gaps(bench: &Bench, plan: &Probing, told: &[Told], (ways, along): (&[Way], &Along), corrupt: &[f64]) -> Table {
    let Sweep { cells, .. } = &plan.probed.sweep;
    let title = format!("From decodable to used: {}, {}", names(cells), axes(&plan.probed.sweep));
    let mut table = described(bench, &plan.probed, "probe.gap", &title);
    table.facts.insert("decodable".into(), "(accuracy − majority) / (1 − majority)".into());
    for way in ways {
        table.facts.insert(way.word().into(), format!("effect / {}", way.whole()));
    }
    table.facts.insert("gap".into(), "decodable − what is done".into());
    let shares = Shares {
        bench,
        spread: Spread::new(bench, &plan.probed.samples),
        summary: Summary::new(bench),
        floor: mean(&floor(&plan.probed.samples)),
    };
    for (index, told) in told.iter().enumerate().filter(|(_, told)| told.fault.is_none()) {
        let row = |metric: String| Row { metric, ..place(blank("probe.gap", bench.metric), &cells[index]) };
        table.rows.push(shares.decodable(row("share, decodable".into()), told));
        for (number, way) in ways.iter().enumerate() {
            let (name, wholes) = (way.word(), along::share(*way, &along.clean, corrupt));
            let effects = &along.effects[number][index];
            let chance = along.draws(number, index);
            table.rows.push(shares.used(row(format!("share, {name}")), [effects, &wholes], &chance));
            table.rows.extend(shares.chance(row(format!("share, {name} at random")), &chance, &wholes));
            table.rows.push(shares.gap(row(format!("gap, {name}")), told, [effects, &wholes]));
        }
    }
    correct(&mut table, "share of directions by chance that do as much, either way");
    table
}

struct Shares<'a> {
    bench: &'a Bench<'a>,
    spread: Spread,
    summary: Summary,
    /// The accuracy of the likeliest class.
    floor: f64,
}

impl Shares<'_> {
    fn share(&self, accuracy: f64) -> f64 {
        (accuracy - self.floor) / (1.0 - self.floor)
    }

    /// Draws of the share that can be told.
    fn told(&self, told: &Told) -> Option<Vec<f64>> {
        Some(self.spread.means(&told.right)?.into_iter().map(|accuracy| self.share(accuracy)).collect())
    }

    fn interval(&self, draws: Option<Vec<f64>>) -> (Option<f64>, Option<f64>) {
        let interval = draws.and_then(|draws| Interval::percentile(&draws, self.bench.statistics.level));
        (interval.map(|interval| interval.low), interval.map(|interval| interval.high))
    }

    fn decodable(&self, row: Row, told: &Told) -> Row {
        let (low, high) = self.interval(self.told(told));
        Row { effect: self.share(mean(&told.right)), low, high, n: told.right.len(), ..row }
    }

    /// What a change does, against what directions by chance do.
    fn used(&self, row: Row, [effects, wholes]: [&[f64]; 2], chance: &[&Vec<f64>]) -> Row {
        let own = mean(effects).abs();
        let as_much = chance.iter().filter(|draw| mean(draw).abs() >= own).count();
        let p = (!chance.is_empty()).then(|| (as_much + 1) as f64 / (chance.len() + 1) as f64);
        Row { p, ..self.summary.share(row, effects, wholes) }
    }

    /// The mean over draws, and where the middle of them lies.
    fn chance(&self, row: Row, chance: &[&Vec<f64>], wholes: &[f64]) -> Option<Row> {
        let total = mean(wholes);
        self.spread.of_draws(row, &chance.iter().map(|draw| mean(draw) / total).collect::<Vec<_>>())
    }

    /// Prompts of the probe and items of the experiment are drawn each for themselves.
    fn gap(&self, row: Row, told: &Told, [effects, wholes]: [&[f64]; 2]) -> Row {
        let used = self.summary.share_draws(effects, wholes);
        let both = self.told(told).zip(used);
        let draws = both.map(|(told, used)| told.iter().zip(used).map(|(told, used)| told - used).collect());
        let (low, high) = self.interval(draws);
        let effect = self.share(mean(&told.right)) - mean(effects) / mean(wholes);
        Row { effect, low, high, n: effects.len(), ..row }
    }
}
