//! Activation patching: what one run's activation does in the other run.
//!
//! *What it measures.* Denoising puts a clean activation into the corrupted run: how far that place suffices to restore
//! the answer. Noising puts a corrupted one into the clean run: how far it is needed. `effect` is the metric's change,
//! `normalised` that change over the whole difference between the clean and the corrupted run.
//!
//! *What it cannot show.* Which later parts carry the effect on; a backup that takes over; anything about prompts that
//! differ otherwise than these do.
//!
//! *Reference.* Vig et al. 2020; Meng et al. 2022; Heimersheim & Nanda 2024. As TransformerLens' `patching`.
//!
//! *Example.* `Patch(sites: ["hook_resid_pre"], over: [Layer, Position])`

use super::summary::{mean, tabulate};
use super::sweep::{Stand, Swept, sweep};
use super::{Bench, Finding, Side, blank, table};
use crate::hook::Record;
use crate::model::{HookError, Pass, run};
use crate::plan::{Cell, Sweep, changed};
use crate::spec::Direction;
use crate::steps::{RunError, Steps};
use crate::table::Row;

/// Patches every cell of a sweep.
pub fn patch(bench: &Bench, plan: &Sweep, direction: Direction, steps: &mut Steps) -> Result<Finding, RunError> {
    let (base, source, name) = ends(direction);
    let changed = changed(&plan.cells);
    let stands = |items: &[usize]| -> Result<Stand, HookError> {
        let mut record = Record::of(changed.clone());
        let tokens = bench.tokens(items, source);
        let logits = run(bench.model, &Pass::whole(&tokens).reading(bench.read(items)), &mut record)?;
        Ok(Stand { states: record.into_kept(), metric: Some(bench.values(&logits, items)) })
    };
    let Swept { values, from, to } = sweep(bench, &plan.cells, base, stands, steps)?;
    let title = format!("Patching ({name}): {}, {}", names(&plan.cells), axes(plan));
    let totals: Vec<f64> = to.iter().zip(&from).map(|(to, from)| to - from).collect();
    let mut finding = effects(bench, plan, &format!("patch.{name}"), &title, &values, &from, &totals);
    for table in &mut finding.tables {
        table.facts.insert("direction".into(), format!("{name}: {source:?} activations into the {base:?} run"));
        table.facts.insert("normalised".into(), "effect / (metric of the source run − metric of the base run)".into());
        table
            .facts
            .insert("metric, clean".into(), format!("{:.4}", mean(if base == Side::Clean { &from } else { &to })));
        table
            .facts
            .insert("metric, corrupted".into(), format!("{:.4}", mean(if base == Side::Clean { &to } else { &from })));
    }
    Ok(finding)
}

/// The run that is patched, the one that activations come from, and what that is called.
pub(super) fn ends(direction: Direction) -> (Side, Side, &'static str) {
    match direction {
        Direction::Denoise => (Side::Corrupt, Side::Clean, "denoise"),
        Direction::Noise => (Side::Clean, Side::Corrupt, "noise"),
    }
}

/// The table of a sweep: every cell's metric less that of the run left alone, and over `totals` as a share.
pub(super) fn effects(
    bench: &Bench,
    plan: &Sweep,
    method: &str,
    title: &str,
    values: &[Vec<f64>],
    from: &[f64],
    totals: &[f64],
) -> Finding {
    let effects = |values: &Vec<f64>| values.iter().zip(from).map(|(value, from)| value - from).collect();
    let places =
        plan.cells.iter().zip(values).map(|(cell, values)| (place(blank(method, bench.metric), cell), effects(values)));
    let mut main = table(method, title, bench);
    main.facts.insert("items".into(), bench.items.len().to_string());
    tabulate(bench, main, places.collect(), totals)
}

/// A row with the place of a cell.
pub(super) fn place(row: Row, cell: &Cell) -> Row {
    let site = Some(cell.sites[0].kind().to_string());
    Row { site, layer: cell.layer, head: cell.head, position: cell.position, neuron: cell.neuron, ..row }
}

/// The sites of a sweep, as its title names them.
pub(super) fn names(cells: &[Cell]) -> String {
    let mut names: Vec<&str> = cells.iter().map(|cell| cell.name.as_str()).collect();
    names.dedup();
    names.join(", ")
}

/// The axes of a sweep, as its title names them.
pub(super) fn axes(plan: &Sweep) -> String {
    let names: Vec<String> = plan.over.iter().map(|axis| format!("{axis:?}").to_lowercase()).collect();
    if names.is_empty() { "everything at once".into() } else { names.join(" × ") }
}
