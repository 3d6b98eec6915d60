//! The engine of patching and ablation: cells run as resumed passes, many edits in one batch.
//!
//! A change at layer l and position p leaves everything below l and before p as it was, so its row enters the batch at l
//! with the recorded stream, works on the positions from p on with the recorded keys and values of the earlier ones, and
//! only what the metric reads is unembedded. A change that puts what is there already, or that nothing which is read can
//! see, is not run at all. Exact up to the order of additions, not an approximation.

mod base;
mod schedule;

pub use base::{Stand, States};

use super::{Bench, Side};
use crate::model::HookError;
use crate::plan::Cell;
use crate::site::Site;
use crate::steps::{RunError, Steps};
use base::Base;
use schedule::{Entry, chunks, entry};

/// The most rows, a cell for an item, that one step runs: what a killed run may lose.
const STEP: usize = 512;

/// The metric of a sweep, item by item.
pub struct Swept {
    /// `[cell][item]`, each cell of the base run replaced.
    pub values: Vec<Vec<f64>>,
    /// Of the base run left alone.
    pub from: Vec<f64>,
    /// Of the run that the replacements come from, where there is one; else as `from`.
    pub to: Vec<f64>,
}

/// Runs every cell on the prompts of `side`, with what `stands` gives for a batch of items put in.
pub fn sweep(
    bench: &Bench,
    cells: &[Cell],
    side: Side,
    mut stands: impl FnMut(&[usize]) -> Result<Stand, HookError>,
    steps: &mut Steps,
) -> Result<Swept, RunError> {
    let count = bench.items.len();
    let mut swept = Swept { values: vec![vec![0.0; count]; cells.len()], from: vec![0.0; count], to: vec![0.0; count] };
    for items in bench.batches(bench.rows / 2) {
        let mut ready: Option<Base> = None;
        let mut base = || Base::record(bench, &items, side, cells, stands(&items)?);
        let ends = steps.step(0, || Ok(made(&mut ready, &mut base)?.ends()))?;
        if let Some((from, to)) = ends {
            spread(&mut swept.from, &items, from);
            spread(&mut swept.to, &items, to);
        }
        for some in groups(cells, items.len()) {
            let found = steps.step(some.len() * items.len(), || {
                let base = made(&mut ready, &mut base)?;
                let values: Result<Vec<_>, _> = patched(bench, &items, cells, &some, base);
                values
            })?;
            for (cell, values) in some.iter().zip(found.into_iter().flatten()) {
                spread(&mut swept.values[*cell], &items, values);
            }
        }
    }
    steps.complete()?;
    Ok(swept)
}

/// What is made where it is first needed: a step that is read back needs nothing.
pub fn made<'a, T>(
    slot: &'a mut Option<T>,
    make: &mut impl FnMut() -> Result<T, HookError>,
) -> Result<&'a T, HookError> {
    if slot.is_none() {
        *slot = Some(make()?);
    }
    Ok(slot.as_ref().expect("made above"))
}

fn spread(all: &mut [f64], items: &[usize], values: Vec<f64>) {
    items.iter().zip(values).for_each(|(item, value)| all[*item] = value);
}

/// The sites that cells change.
pub fn sites(cells: &[Cell]) -> Vec<Site> {
    let mut sites: Vec<Site> = cells.iter().flat_map(|cell| cell.sites.iter().copied()).collect();
    sites.sort_unstable();
    sites.dedup();
    sites
}

/// Cells for one step each: those of near positions together, as they may share a batch.
fn groups(cells: &[Cell], items: usize) -> Vec<Vec<usize>> {
    let mut order: Vec<usize> = (0..cells.len()).collect();
    order.sort_by_key(|index| cells[*index].first());
    order.chunks((STEP / items).max(1)).map(<[usize]>::to_vec).collect()
}

/// The metric of some cells, `[cell][item of the batch]`.
fn patched(
    bench: &Bench,
    items: &[usize],
    cells: &[Cell],
    some: &[usize],
    base: &Base,
) -> Result<Vec<Vec<f64>>, HookError> {
    let mut values = vec![base.ends().0; some.len()];
    let all = (0..some.len()).flat_map(|cell| (0..items.len()).map(move |item| (cell, item)));
    let entries: Vec<Entry> = all
        .filter_map(|(cell, item)| entry(cell, item, &cells[some[cell]], bench.answers(items[item]).at, base))
        .collect();
    for chunk in chunks(entries, base.width(), bench.rows) {
        let found = base.run(bench, items, |cell| &cells[some[cell]], &chunk)?;
        chunk.iter().zip(found).for_each(|(entry, value)| values[entry.cell][entry.item] = value);
    }
    Ok(values)
}
