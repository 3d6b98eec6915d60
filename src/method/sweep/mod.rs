//! The engine of patching, ablation, mediation and tracing: cells run as resumed passes, many edits in one batch.
//!
//! A change at layer l and position p leaves everything below l and before p as it was, so its row enters the batch at l
//! with the recorded stream, works on the positions from p on with the recorded keys and values of the earlier ones, and
//! only what the metric reads is unembedded. A change that puts what is there already, or that nothing which is read can
//! see, is not run at all. Exact up to the order of additions, not an approximation.

mod base;
mod runs;
mod schedule;

pub use base::{Stand, States, rows_of};
pub use runs::Runs;

use super::{Bench, Side};
use crate::model::HookError;
use crate::plan::Cell;
use crate::steps::{RunError, Steps};
use base::Base;
use schedule::{Entry, chunks, entry};

/// The most rows, a cell for a run, that one step runs: what a killed run may lose.
const STEP: usize = 512;

/// The values of a sweep, run by run.
pub struct Swept {
    /// `[cell][run]`, each cell of the base run replaced.
    pub values: Vec<Vec<f64>>,
    /// Of the base run left alone.
    pub from: Vec<f64>,
    /// Of the run that the replacements come from, where there is one; else as `from`.
    pub to: Vec<f64>,
}

impl Swept {
    /// Nothing yet.
    pub fn none(cells: usize, runs: usize) -> Self {
        Swept { values: vec![vec![0.0; runs]; cells], from: vec![0.0; runs], to: vec![0.0; runs] }
    }
}

/// Runs every cell on the prompts of `side`, with what `stands` gives for a batch of items put in; a run an item.
pub fn sweep(
    bench: &Bench,
    cells: &[Cell],
    side: Side,
    stands: impl FnMut(&[usize]) -> Result<Stand, HookError>,
    steps: &mut Steps,
) -> Result<Swept, RunError> {
    let swept = sweep_on(bench, cells, side, stands, steps)?;
    steps.complete()?;
    Ok(swept)
}

/// The same for a method that has steps behind it, and leaves behind its last where some are not there.
pub fn sweep_on(
    bench: &Bench,
    cells: &[Cell],
    side: Side,
    mut stands: impl FnMut(&[usize]) -> Result<Stand, HookError>,
    steps: &mut Steps,
) -> Result<Swept, RunError> {
    let mut swept = Swept::none(cells.len(), bench.items.len());
    for items in bench.batches(bench.rows / 2) {
        let prepare = || Ok((Runs::of(bench, &items, side), stands(&items)?));
        let found = sweep_batch(cells, items.len(), prepare, steps)?;
        spread(&mut swept.from, &items, found.from);
        spread(&mut swept.to, &items, found.to);
        swept.values.iter_mut().zip(found.values).for_each(|(all, values)| spread(all, &items, values));
    }
    Ok(swept)
}

/// Runs every cell on one batch of `count` runs, which `prepare` gives with what is put in; it is called only where some
/// step of the batch is done here. Zero where a step is another shard's.
pub fn sweep_batch<'a>(
    cells: &[Cell],
    count: usize,
    mut prepare: impl FnMut() -> Result<(Runs<'a>, Stand), HookError>,
    steps: &mut Steps,
) -> Result<Swept, RunError> {
    let mut swept = Swept::none(cells.len(), count);
    let mut ready: Option<Base> = None;
    let mut base = || {
        let (runs, stand) = prepare()?;
        Base::record(runs, cells, stand)
    };
    if let Some(ends) = steps.prepare(|| Ok(made(&mut ready, &mut base)?.ends()))? {
        (swept.from, swept.to) = ends;
    }
    for some in groups(cells, count) {
        let found = steps.step(some.len() * count, || patched(cells, &some, made(&mut ready, &mut base)?))?;
        some.iter().zip(found.into_iter().flatten()).for_each(|(cell, values)| swept.values[*cell] = values);
    }
    Ok(swept)
}

/// What is made where it is first needed: a step that is read back needs nothing.
pub fn made<'a, T>(
    slot: &'a mut Option<T>,
    make: &mut impl FnMut() -> Result<T, HookError>,
) -> Result<&'a mut T, HookError> {
    if slot.is_none() {
        *slot = Some(make()?);
    }
    Ok(slot.as_mut().expect("made above"))
}

fn spread(all: &mut [f64], items: &[usize], values: Vec<f64>) {
    items.iter().zip(values).for_each(|(item, value)| all[*item] = value);
}

/// Cells for one step each: those of near positions together, as they may share a batch.
fn groups(cells: &[Cell], runs: usize) -> Vec<Vec<usize>> {
    let mut order: Vec<usize> = (0..cells.len()).collect();
    order.sort_by_key(|index| cells[*index].first());
    order.chunks((STEP / runs).max(1)).map(<[usize]>::to_vec).collect()
}

/// The values of some cells, `[cell][run]`.
fn patched(cells: &[Cell], some: &[usize], base: &Base) -> Result<Vec<Vec<f64>>, HookError> {
    let own = base.ends().0;
    let mut values = vec![own.clone(); some.len()];
    let all = (0..some.len()).flat_map(|cell| (0..own.len()).map(move |run| (cell, run)));
    let entries: Vec<Entry> = all.filter_map(|(cell, run)| entry(cell, run, &cells[some[cell]], base)).collect();
    for chunk in chunks(entries, base.width(), base.runs().most) {
        let found = base.run(|cell| &cells[some[cell]], &chunk)?;
        chunk.iter().zip(found).for_each(|(entry, value)| values[entry.cell][entry.run] = value);
    }
    Ok(values)
}
