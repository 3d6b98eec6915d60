//! What erasures leave, and what runs without the concept do, as tables.

use super::guards::Guards;
use crate::method::along::{self, Along, Way};
use crate::method::concept::{Spread, correct, described, floor};
use crate::method::patch::{axes, names, place};
use crate::method::summary::mean;
use crate::method::{Bench, Finding, blank};
use crate::plan::{Cell, Erasing};
use crate::table::{Row, Table};

/// A table of what is left of each erasure, and one of what runs do; `guards` are `[cell][erasure]`.
pub fn finding(
    bench: &Bench,
    plan: &Erasing,
    guards: &[Vec<Guards>],
    (ways, along): (&[Way], &Along),
    corrupt: &[f64],
) -> Finding {
    let sweep = &plan.probed.sweep;
    let mut finding = Finding::default();
    for (number, way) in ways.iter().enumerate() {
        let title = format!("What {} leaves: {}, {}", way.by(), names(&sweep.cells), axes(sweep));
        let mut main = described(bench, &plan.probed, &format!("erase.{}.left", way.erasure()), &title);
        for (index, (cell, guards)) in sweep.cells.iter().zip(guards).enumerate() {
            left(bench, plan, &guards[number], (index, cell), &mut main);
        }
        finding.tables.push(main);
    }
    let mut effects = along::tables(bench, |way| format!("erase.{}", way.erasure()), sweep, (ways, along), corrupt);
    for (number, table) in effects.tables.iter_mut().enumerate() {
        against_chance(bench, plan, (number, ways[number]), along, corrupt, table);
    }
    finding.tables.extend(effects.tables);
    finding.items.extend(effects.items);
    finding
}

/// The rows of a place.
fn left(bench: &Bench, plan: &Erasing, guards: &Guards, (index, cell): (usize, &Cell), table: &mut Table) {
    if let Some(why) = &guards.fault {
        table.facts.insert(format!("left out, place {index}"), why.clone());
        return;
    }
    let spread = Spread::new(bench, &plan.probed.samples);
    let row = |metric: &str| Row { metric: metric.into(), ..place(blank(&table.name, bench.metric), cell) };
    let lists = [
        ("before", &guards.before),
        ("after", &guards.linear),
        ("after, hidden layer", &guards.hidden),
        ("random directions", &guards.random),
    ];
    let told = lists.iter().filter(|(_, values)| !values.is_empty());
    let mut rows: Vec<Row> = told.map(|(name, values)| spread.row(row(&format!("accuracy, {name}")), values)).collect();
    rows.push(spread.alone(row("accuracy, majority"), mean(&floor(&plan.probed.samples))));
    let [before, after] = guards.compression;
    rows.extend(before.map(|before| spread.alone(row("compression, before"), before)));
    rows.extend(after.map(|after| spread.alone(row("compression, after"), after)));
    rows.push(spread.alone(row("rank"), guards.rank));
    rows.extend(guards.moved.map(|moved| spread.alone(row("moved"), moved)));
    table.rows.extend(rows);
}

/// Adds what directions by chance do, and how many do as much.
fn against_chance(
    bench: &Bench,
    plan: &Erasing,
    (number, way): (usize, Way),
    along: &Along,
    corrupt: &[f64],
    table: &mut Table,
) {
    let spread = Spread::new(bench, &plan.probed.samples);
    let whole = mean(&along::share(way, &along.clean, corrupt));
    for (index, cell) in plan.probed.sweep.cells.iter().enumerate() {
        let draws: Vec<f64> = along.draws(number, index).into_iter().map(|draw| mean(draw)).collect();
        let own = mean(&along.effects[number][index]).abs();
        let as_much = draws.iter().filter(|draw| draw.abs() >= own).count();
        if let Some(row) = table.rows.get_mut(index).filter(|_| !draws.is_empty()) {
            row.p = Some((as_much + 1) as f64 / (draws.len() + 1) as f64);
        }
        let row = place(blank(&format!("{}.random", table.rows[0].method), bench.metric), cell);
        let row = spread.of_draws(row, &draws);
        table.rows.extend(row.map(|row| Row { normalised: Some(row.effect / whole), ..row }));
    }
    if plan.random_directions > 0 {
        correct(table, "share of directions by chance that do as much, either way");
    }
}
