//! The engine of patching and ablation: cells run as resumed passes, many edits in one batch.
//!
//! A change at layer l and position p leaves everything below l and before p as it was, so a pass starts at l from the
//! recorded stream, works on the positions from p on with the recorded keys and values of the earlier ones, and
//! unembeds only what the metric reads. Exact up to the order of additions, not an approximation.

use super::{Bench, Progress, ROWS, Side};
use crate::hook::{Activation, Change, Edit, Edits, Record};
use crate::model::{HookError, Pass, Past, Start, run};
use crate::plan::Cell;
use crate::site::{Place, Site};
use crate::tensor::Tensor;
use crate::text::Tokens;
use std::collections::BTreeMap;

/// What stands in for activations: for every site `[item, head, pos, width]`, each axis full or 1.
pub type Stand = BTreeMap<Site, Activation>;

/// The metric `[cell][item]` when each cell of the `side` run is replaced by what `stands` gives for the batch's items.
pub fn sweep(
    bench: &Bench,
    cells: &[Cell],
    side: Side,
    mut stands: impl FnMut(&[usize]) -> Result<Stand, HookError>,
    progress: &mut Progress,
) -> Result<Vec<Vec<f64>>, HookError> {
    let mut values = vec![vec![0.0; bench.items.len()]; cells.len()];
    for items in bench.batches(ROWS / 2) {
        let base = Base::record(bench, &items, side, cells)?;
        let stand = stands(&items)?;
        for batch in batches(cells, &base, ROWS / items.len()) {
            let found = base.patched(bench, &items, cells, &batch, &stand)?;
            for (row, value) in found.into_iter().enumerate() {
                values[batch.cells[row / items.len()]][items[row % items.len()]] = value;
            }
            progress(batch.cells.len() * items.len());
        }
    }
    Ok(values)
}

/// The sites that cells change.
pub fn sites(cells: &[Cell]) -> Vec<Site> {
    let mut sites: Vec<Site> = cells.iter().flat_map(|cell| cell.sites.iter().copied()).collect();
    sites.sort_unstable();
    sites.dedup();
    sites
}

/// Where a pass can begin.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
enum Begin {
    Tokens,
    Layer(usize),
}

/// Cells that run together.
struct Batch {
    begin: Begin,
    first: usize,
    cells: Vec<usize>,
}

/// The run that is changed, recorded so that passes can resume it.
struct Base {
    tokens: Tokens,
    streams: BTreeMap<usize, Tensor<3>>,
    past: Option<Past>,
    latest: usize,
    layers: usize,
}

impl Base {
    fn record(bench: &Bench, items: &[usize], side: Side, cells: &[Cell]) -> Result<Self, HookError> {
        let (model, layers) = (bench.model, bench.model.dims().layers);
        let tokens = bench.tokens(items, side);
        let begins: Vec<usize> = cells
            .iter()
            .filter_map(|cell| match begin(cell, layers) {
                Begin::Layer(layer) => Some(layer),
                Begin::Tokens => None,
            })
            .collect();
        let stream = |layer: usize| if layer < layers { Site::ResidPre(layer) } else { model.last_stream() };
        let resumes = model.is_causal() && cells.iter().any(|cell| cell.first() > 0);
        let past = if resumes { Past::sites(0, layers, model.is_rotary()) } else { Vec::new() };
        let mut record = Record::of(begins.iter().map(|layer| stream(*layer)).chain(past));
        run(model, &Pass::whole(&tokens).reading(bench.read(items, 1)), &mut record)?;
        let kept = |layer: &usize| (*layer, record.at(stream(*layer)).expect("asked for above").clone().squeeze_dim(1));
        let latest = items.iter().map(|item| bench.answers(*item).at).min().unwrap_or(0);
        let past = resumes.then(|| Past::of(&record, layers));
        Ok(Base { tokens, streams: begins.iter().map(kept).collect(), past, latest, layers })
    }

    /// The position a cell's pass may begin at: never behind the one that is read.
    fn first(&self, cell: &Cell) -> usize {
        if self.past.is_some() { cell.first().min(self.latest) } else { 0 }
    }

    /// The metric of every item under every cell of a batch, cell after cell.
    fn patched(
        &self,
        bench: &Bench,
        items: &[usize],
        cells: &[Cell],
        batch: &Batch,
        stand: &Stand,
    ) -> Result<Vec<f64>, HookError> {
        let (times, first) = (batch.cells.len(), batch.first);
        let tokens = self.tokens.repeat(times);
        let past = self.past.as_ref().filter(|_| first > 0).map(|past| past.until(first).repeat(times));
        let start = match batch.begin {
            Begin::Tokens => Start::Tokens,
            Begin::Layer(layer) => {
                let stream = self.streams[&layer].clone();
                let width = stream.dims()[1];
                Start::Stream(layer, stream.narrow(1, first, width - first).repeat_dim(0, times))
            }
        };
        let edits =
            batch.cells.iter().enumerate().flat_map(|(copy, cell)| edits(&cells[*cell], copy, items.len(), stand));
        let pass = Pass { tokens: &tokens, start, first, past: past.as_ref(), read: bench.read(items, times) };
        let logits = run(bench.model, &pass, &mut Edits::new(edits.collect()))?;
        Ok(bench.values(&logits, items))
    }
}

/// The edits of one cell in its copy of the items.
fn edits(cell: &Cell, copy: usize, items: usize, stand: &Stand) -> Vec<Edit> {
    let rows: Vec<usize> = (copy * items..(copy + 1) * items).collect();
    let edit = |place: Place| {
        let value = place.part_of(&stand[&place.site]);
        Edit { place, change: Change::Put(value) }
    };
    cell.places(Some(rows)).into_iter().map(edit).collect()
}

fn begin(cell: &Cell, layers: usize) -> Begin {
    let of_site = |site: &Site| match (site, site.layer()) {
        (_, Some(layer)) => Begin::Layer(layer),
        (Site::FinalScale | Site::FinalNormalized | Site::Logits, None) => Begin::Layer(layers),
        (_, None) => Begin::Tokens,
    };
    cell.sites.iter().map(of_site).min().unwrap_or(Begin::Tokens)
}

/// Cells with the same beginning, at most `most` in a batch, those of near positions together.
fn batches(cells: &[Cell], base: &Base, most: usize) -> Vec<Batch> {
    let mut order: Vec<usize> = (0..cells.len()).collect();
    order.sort_by_key(|index| (begin(&cells[*index], base.layers), base.first(&cells[*index])));
    let mut batches: Vec<Batch> = Vec::new();
    for index in order {
        let begin = begin(&cells[index], base.layers);
        match batches.last_mut() {
            Some(batch) if batch.begin == begin && batch.cells.len() < most.max(1) => batch.cells.push(index),
            _ => batches.push(Batch { begin, first: base.first(&cells[index]), cells: vec![index] }),
        }
    }
    batches
}
