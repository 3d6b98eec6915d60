//! Recording to files: rows of states, a file at a time, so that no more than one is ever in memory.

use super::{sizes, slopes};
use crate::data::Side;
use crate::method::{Bench, Finding, batches};
use crate::model::{HookError, Pass, Read, run};
use crate::plan::Filed;
use crate::site::Site;
use crate::states::{FORM, File, Index, Item, Shard, Store};
use crate::steps::{JournalError, RunError, Steps};
use crate::tensor::to_floats;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::ops::Range;

/// What a step leaves: the file is on disk by then.
#[derive(Serialize, Deserialize)]
struct Written {
    file: File,
    /// The root mean square of each site, by item.
    sizes: Vec<Vec<f64>>,
    /// Values that the numbers of the file could not hold.
    beyond: usize,
}

/// Keeps states at `sites` and gradients at `gradients` as rows in files, a step for each.
pub fn record(
    bench: &Bench,
    (sites, gradients): (&[Site], &[Site]),
    filed: &Filed,
    sides: &[Side],
    steps: &mut Steps,
) -> Result<Finding, RunError> {
    let (store, name) = (steps.store().cloned(), format!("{:02}_record", steps.method()));
    let recorder = Recorder { bench, sites, gradients, filed };
    let mut written = Vec::new();
    for (number, (side, items)) in cuts(filed, sides).into_iter().enumerate() {
        let file = format!("{name}/{number:05}.safetensors");
        let holds = |kept: &Written| store.as_ref().is_none_or(|store| store.holds(&kept.file));
        let step = || recorder.write(&file, side, items.clone(), store.as_ref());
        written.extend(steps.filed(items.len(), holds, step)?);
    }
    steps.complete()?;
    Ok(finding(&recorder, store.as_ref(), written))
}

/// The items of each file, side by side: as many as fit, and one at least.
fn cuts(filed: &Filed, sides: &[Side]) -> Vec<(Side, Range<usize>)> {
    let mut cuts = Vec::new();
    for side in sides {
        let (mut first, mut bytes) = (0, 0);
        for (item, positions) in filed.positions.iter().enumerate() {
            let own = positions.len() as u64 * filed.row();
            if item > first && bytes + own > filed.size {
                cuts.push((*side, first..item));
                (first, bytes) = (item, 0);
            }
            bytes += own;
        }
        cuts.push((*side, first..filed.positions.len()));
    }
    cuts
}

struct Recorder<'a> {
    bench: &'a Bench<'a>,
    sites: &'a [Site],
    gradients: &'a [Site],
    filed: &'a Filed,
}

impl Recorder<'_> {
    /// The states of some items, written where there is a place for them.
    fn write(&self, name: &str, side: Side, items: Range<usize>, store: Option<&Store>) -> Result<Written, RunError> {
        let rows = items.clone().flat_map(|item| self.filed.positions[item].iter().map(move |at| (item, *at)));
        let mut shard = Shard::new(&self.filed.states, rows.collect(), side, self.filed.numbers);
        let mut squares = vec![vec![0.0; items.len()]; self.sites.len()];
        let length = |index: usize| self.bench.items[items.start + index].clean.len();
        for batch in batches(items.len(), self.bench.rows, length) {
            let batch: Vec<usize> = batch.into_iter().map(|index| items.start + index).collect();
            self.batch(&batch, side, items.start, &mut shard, &mut squares)?;
        }
        let unwritten = || File { name: name.into(), side, rows: shard.count(), sha256: String::new() };
        let file = match store {
            Some(store) => {
                let failed = |source| JournalError::File { path: store.path(name), source };
                store.write(name, &shard).map_err(failed)?
            }
            None => unwritten(),
        };
        Ok(Written { file, sizes: self.roots(squares, items), beyond: shard.beyond() })
    }

    /// Puts the states of some items of one length into the rows of a file that begins with item `start`.
    fn batch(
        &self,
        batch: &[usize],
        side: Side,
        start: usize,
        shard: &mut Shard,
        squares: &mut [Vec<f64>],
    ) -> Result<(), HookError> {
        let tokens = self.bench.tokens(batch, side);
        let mut record = crate::hook::Record::of(self.sites.iter().copied());
        let nothing = Read { positions: Some(vec![0; batch.len()]), tokens: Some(vec![vec![0]; batch.len()]) };
        run(self.bench.model, &Pass::whole(&tokens).reading(nothing), &mut record)?;
        let gradients = match self.gradients {
            [] => BTreeMap::new(),
            sites => slopes(self.bench, &tokens, batch, sites)?,
        };
        let states = self.sites.iter().map(|site| (site, record.at(*site).expect("the pass was checked for it")));
        let slopes = self.gradients.iter().map(|site| (site, &gradients[site]));
        for (state, (site, act)) in states.chain(slopes).enumerate() {
            let values = to_floats(&super::laid_out(*site, act).1);
            let width = self.filed.states[state].numbers();
            let mut first = self.first_rows(batch, start);
            for (index, item) in batch.iter().enumerate() {
                for position in &self.filed.positions[*item] {
                    let own = &values[(index * tokens.width() + position) * width..][..width];
                    shard.put(state, first[index], own);
                    first[index] += 1;
                    if let Some(squares) = squares.get_mut(state) {
                        squares[item - start] += own.iter().map(|value| f64::from(*value).powi(2)).sum::<f64>();
                    }
                }
            }
        }
        Ok(())
    }

    /// The row that each of some items begins at, in a file that begins with item `start`.
    fn first_rows(&self, batch: &[usize], start: usize) -> Vec<usize> {
        let before = |item: &usize| self.filed.positions[start..*item].iter().map(Vec::len).sum();
        batch.iter().map(before).collect()
    }

    /// From sums of squares to their mean's root, by site and item.
    fn roots(&self, squares: Vec<Vec<f64>>, items: Range<usize>) -> Vec<Vec<f64>> {
        let root = |(state, squares): (usize, Vec<f64>)| {
            let width = self.filed.states[state].numbers();
            let count = |index: usize| (self.filed.positions[items.start + index].len() * width).max(1) as f64;
            squares.iter().enumerate().map(|(index, sum)| (sum / count(index)).sqrt()).collect()
        };
        squares.into_iter().enumerate().map(root).collect()
    }
}

fn finding(recorder: &Recorder, store: Option<&Store>, written: Vec<Written>) -> Finding {
    let Recorder { bench, sites, filed, .. } = recorder;
    let clean = written.iter().filter(|written| written.file.side == Side::Clean);
    let mut by_site = vec![Vec::new(); sites.len()];
    for kept in clean {
        by_site.iter_mut().zip(&kept.sizes).for_each(|(all, own)| all.extend(own));
    }
    let mut table = sizes(bench, sites, &by_site);
    let rows: usize = written.iter().map(|written| written.file.rows).sum();
    table.facts.insert("states".into(), format!("{rows} rows in {} files, {}", written.len(), filed.numbers));
    let beyond: usize = written.iter().map(|written| written.beyond).sum();
    if beyond > 0 {
        let what = format!("{beyond} values are too large for {} and were kept as infinite", filed.numbers);
        table.facts.insert("states, too large".into(), what);
    }
    let files = written.into_iter().map(|written| written.file).collect();
    let index = store.map(|store| Index {
        form: FORM,
        run: store.run().into(),
        weights: store.weights().into(),
        numbers: filed.numbers,
        states: filed.states.clone(),
        items: bench.items.iter().map(told).collect(),
        files,
    });
    let states = index.map(|index| ("record".to_string(), index)).into_iter().collect();
    Finding { tables: vec![table], states, ..Finding::default() }
}

/// What the index says of an item.
fn told(item: &crate::plan::Item) -> Item {
    Item {
        length: item.clean.len(),
        answer: item.answers.as_ref().map(|answers| answers.at),
        contrast: (0..item.clean.len()).filter(|at| item.clean[*at] != item.corrupt[*at]).collect(),
        labels: item.labels.clone(),
    }
}
