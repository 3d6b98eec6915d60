//! From what can be told to what is used: both as shares, and the gap between them.

use super::tables::{Spread, correct, floor};
use super::told::Told;
use crate::method::along::Along;
use crate::method::patch::{axes, effects, names, place};
use crate::method::summary::{Summary, mean};
use crate::method::{Bench, Finding, blank, table};
use crate::plan::Probing;
use crate::spec::Use;
use crate::table::{Row, Table};
use patchclamp_probes::Interval;

/// Adds a table of effects for each way, and the table of both.
pub fn add(bench: &Bench, plan: &Probing, told: &[Told], along: &Along, corrupt: &[f64], finding: &mut Finding) {
    let totals: Vec<f64> = corrupt.iter().zip(&along.clean).map(|(corrupt, clean)| corrupt - clean).collect();
    for (way, own) in plan.used.iter().zip(&along.effects) {
        let name = format!("probe.{}", word(*way));
        let title = format!("States {}: {}, {}", done(*way), names(&plan.sweep.cells), axes(&plan.sweep));
        let (nothing, wholes) = (vec![0.0; totals.len()], wholes(*way, &totals));
        let mut found = effects(bench, &plan.sweep, &name, &title, own, &nothing, &wholes);
        for table in &mut found.tables {
            table.facts.insert("normalised".into(), format!("effect / {}", whole(*way)));
            table.facts.insert("metric, clean".into(), format!("{:.4}", mean(&along.clean)));
            table.facts.insert("metric, corrupted".into(), format!("{:.4}", mean(corrupt)));
        }
        finding.tables.extend(found.tables);
        finding.items.extend(found.items);
    }
    finding.tables.push(gaps(bench, plan, told, along, &totals));
}

fn word(way: Use) -> &'static str {
    match way {
        Use::Erase => "erase",
        Use::Swap => "swap",
        Use::Steer => "steer",
    }
}

fn done(way: Use) -> &'static str {
    match way {
        Use::Erase => "without what is told",
        Use::Swap => "with what is told of the corrupted prompt",
        Use::Steer => "moved from class to class",
    }
}

/// What all of it would be: where a run goes that has of both prompts alike, or of the corrupted one alone.
fn wholes(way: Use, totals: &[f64]) -> Vec<f64> {
    let share = if way == Use::Erase { 0.5 } else { 1.0 };
    totals.iter().map(|total| share * total).collect()
}

/// The same in words.
fn whole(way: Use) -> &'static str {
    match way {
        Use::Erase => "half of (metric of the corrupted run − metric of the clean run)",
        Use::Swap | Use::Steer => "(metric of the corrupted run − metric of the clean run)",
    }
}

/// Both shares of every place, those along directions by chance, and the gaps.
fn gaps(bench: &Bench, plan: &Probing, told: &[Told], along: &Along, totals: &[f64]) -> Table {
    let title = format!("From decodable to used: {}, {}", names(&plan.sweep.cells), axes(&plan.sweep));
    let mut table = table("probe.gap", &title, bench);
    table.facts.insert("decodable".into(), "(accuracy − majority) / (1 − majority)".into());
    for way in &plan.used {
        table.facts.insert(word(*way).into(), format!("effect / {}", whole(*way)));
    }
    table.facts.insert("gap".into(), "decodable − what is done".into());
    let shares = Shares {
        bench,
        spread: Spread::new(bench, plan),
        summary: Summary::new(bench),
        floor: mean(&floor(&plan.samples)),
    };
    for (index, told) in told.iter().enumerate().filter(|(_, told)| told.fault.is_none()) {
        let row = |metric: String| Row { metric, ..place(blank("probe.gap", bench.metric), &plan.sweep.cells[index]) };
        table.rows.push(shares.decodable(row("share, decodable".into()), told));
        for (number, way) in plan.used.iter().enumerate() {
            let (name, wholes) = (word(*way), wholes(*way, totals));
            let effects = &along.effects[number][index];
            let chance: Vec<&Vec<f64>> = along.chance[number].iter().map(|draw| &draw[index]).collect();
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
        let shares: Vec<f64> = chance.iter().map(|draw| mean(draw) / total).collect();
        let (low, high) = self.interval(Some(shares.clone()));
        (!shares.is_empty()).then(|| Row { effect: mean(&shares), low, high, n: shares.len(), ..row })
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
