//! Recording: states, and the gradient of the metric at them, as tensors.
//!
//! *What it measures.* Nothing yet: it keeps the activations at the named sites, and `logits`, under the names and in the
//! shapes of TransformerLens. Its rows are the root mean square of each site, which shows a state that explodes or is empty.
//!
//! With `shards` states go to files of rows while the run goes on (`record/filed.rs`): no padding, only the positions that
//! are asked for, no more in memory than one file; [`crate::states`] reads them back.
//!
//! *What it cannot show.* Whether the model uses what is there.
//!
//! *Example.* `Record(sites: All)`, `Record(sites: ["hook_resid_post"], at: [Answer], shards: ())`

mod filed;

use super::{Bench, Finding, Side, Summary, Tensors, blank, table};
use crate::hook::{Activation, Differentiate, Record};
use crate::model::parts::position::is_masked;
use crate::model::{HookError, Pass, Read, run};
use crate::plan::Filed;
use crate::site::{Layout, Site};
use crate::steps::{RunError, Steps};
use crate::table::Row;
use crate::tensor::{backward, to_floats};
use crate::text::{Padding, Tokens};
use std::collections::BTreeMap;

/// Keeps states at `sites` and gradients at `gradients`: as rows in files where it is said how, else for all items padded to
/// one width.
pub fn record(
    bench: &Bench,
    (sites, gradients): (&[Site], &[Site]),
    filed: Option<&Filed>,
    padding: Padding,
    steps: &mut Steps,
) -> Result<Finding, RunError> {
    let paired = bench.items.iter().any(|item| item.answers.is_some());
    let sides: &[Side] = if paired { &[Side::Clean, Side::Corrupt] } else { &[Side::Clean] };
    match filed {
        Some(filed) => filed::record(bench, (sites, gradients), filed, sides, steps),
        None => whole(bench, (sites, gradients), sides, padding, steps),
    }
}

/// Keeps all states of all items in memory, and gives them as tensors, one file a side.
fn whole(
    bench: &Bench,
    (sites, gradients): (&[Site], &[Site]),
    sides: &[Side],
    padding: Padding,
    steps: &mut Steps,
) -> Result<Finding, RunError> {
    let mut finding = Finding::default();
    for side in sides {
        let name = match (sides.len(), side) {
            (1, _) => "record",
            (_, Side::Clean) => "record_clean",
            (_, Side::Corrupt) => "record_corrupt",
        };
        let tokens = padded(bench, *side, padding);
        let mut kept = Kept::new(&tokens);
        for rows in (0..tokens.rows()).collect::<Vec<_>>().chunks(bench.rows) {
            let found = steps.step(rows.len(), || of_rows(bench, &tokens.rows_at(rows), rows, sites, gradients))?;
            found.into_iter().flatten().for_each(|(name, (shape, values))| kept.add(&name, shape, values));
        }
        finding.tensors.push((name.to_string(), kept.tensors));
    }
    // only behind the last step: whoever leaves before would number the steps that follow otherwise
    steps.complete()?;
    let of_site = |site: &Site| root_mean_squares(*site, &finding.tensors[0].1[&site.to_string()]);
    finding.tables.push(sizes(bench, sites, &sites.iter().map(of_site).collect::<Vec<_>>()));
    Ok(finding)
}

/// States and gradients of a batch.
fn of_rows(
    bench: &Bench,
    tokens: &Tokens,
    rows: &[usize],
    sites: &[Site],
    gradients: &[Site],
) -> Result<Tensors, HookError> {
    let mut kept = Kept { tensors: Tensors::new() };
    states(bench, tokens, sites, &mut kept)?;
    if !gradients.is_empty() {
        for (site, slope) in slopes(bench, tokens, rows, gradients)? {
            kept.add_state(&format!("grad.{site}"), site, &slope);
        }
    }
    Ok(kept.tensors)
}

/// Prompts of one side, padded to the longest.
fn padded(bench: &Bench, side: Side, padding: Padding) -> Tokens {
    let row = |item: &crate::plan::Item| if side == Side::Clean { item.clean.clone() } else { item.corrupt.clone() };
    Tokens::padded(bench.items.iter().map(row).collect(), padding, 0)
}

/// Tensors that grow batch by batch.
struct Kept {
    tensors: Tensors,
}

impl Kept {
    fn new(tokens: &Tokens) -> Self {
        let shape = vec![tokens.rows(), tokens.width()];
        let rows = 0..tokens.rows();
        let ids = rows.clone().flat_map(|row| tokens.row(row).iter().map(|id| *id as f32)).collect();
        let real = rows
            .flat_map(|row| (0..tokens.width()).map(move |position| f32::from(tokens.is_real(row, position))))
            .collect();
        Kept {
            tensors: BTreeMap::from([
                ("tokens".into(), (shape.clone(), ids)),
                ("attention_mask".into(), (shape, real)),
            ]),
        }
    }

    fn add(&mut self, name: &str, shape: Vec<usize>, values: Vec<f32>) {
        match self.tensors.get_mut(name) {
            Some((known, kept)) => {
                known[0] += shape[0];
                kept.extend(values);
            }
            None => {
                self.tensors.insert(name.to_string(), (shape, values));
            }
        }
    }

    fn add_state(&mut self, name: &str, site: Site, state: &Activation) {
        let (shape, state) = laid_out(site, state);
        self.add(name, shape, to_floats(&state));
    }
}

/// The shape that TransformerLens gives a state, and its values in that order.
pub fn laid_out(site: Site, state: &Activation) -> (Vec<usize>, Activation) {
    let [batch, heads, pos, width] = state.dims();
    match site.layout() {
        Layout::Pattern => (vec![batch, heads, pos, width], state.clone()),
        Layout::Stream => (vec![batch, pos, width], state.clone()),
        Layout::Heads => (vec![batch, pos, heads, width], state.clone().swap_dims(1, 2)),
    }
}

fn states(bench: &Bench, tokens: &Tokens, sites: &[Site], kept: &mut Kept) -> Result<(), HookError> {
    let mut record = Record::of(sites.iter().copied());
    let logits = run(bench.model, &Pass::whole(tokens), &mut record)?;
    for (site, state) in record.kept().iter().filter(|(site, _)| **site != Site::Logits) {
        kept.add_state(&site.to_string(), *site, state);
    }
    kept.add("logits", logits.dims().to_vec(), to_floats(&logits));
    Ok(())
}

/// Gradients of the sum of all items' metrics: each item's own, as items do not meet.
fn slopes(
    bench: &Bench,
    tokens: &Tokens,
    rows: &[usize],
    sites: &[Site],
) -> Result<BTreeMap<Site, Activation>, HookError> {
    let model = bench.model.on_tape();
    let mut hook = Differentiate::at(sites.iter().copied());
    let read = Read {
        positions: Some(rows.iter().enumerate().map(|(row, item)| read_at(bench, tokens, row, *item)).collect()),
        tokens: bench.read(rows).tokens,
    };
    let logits = run(model.as_ref(), &Pass::whole(tokens).reading(read), &mut hook)?;
    let gradients = backward(&bench.total(&logits, rows));
    Ok(hook.gradients(&gradients))
}

/// Where an item's answer is read, its padding counted.
fn read_at(bench: &Bench, tokens: &Tokens, row: usize, item: usize) -> usize {
    let before = (0..tokens.width()).find(|position| tokens.is_real(row, *position)).unwrap_or(0);
    before + bench.answers(item).at
}

/// The root mean square of each item's values, padding included, masked scores left out.
fn root_mean_squares(site: Site, (shape, values): &(Vec<usize>, Vec<f32>)) -> Vec<f64> {
    let size = |row: &[f32]| {
        let real = row.iter().map(|value| f64::from(*value));
        let real: Vec<f64> = real.filter(|value| !matches!(site, Site::Scores(_)) || !is_masked(*value)).collect();
        (real.iter().map(|value| value * value).sum::<f64>() / real.len().max(1) as f64).sqrt()
    };
    values.chunks_exact(values.len() / shape[0]).map(size).collect()
}

/// A row a site: the root mean square of its values, `of_sites` by site and item.
fn sizes(bench: &Bench, sites: &[Site], of_sites: &[Vec<f64>]) -> crate::table::Table {
    let summary = Summary::new(bench);
    let mut main = table("record", "Size of the recorded states", bench);
    main.facts.insert("effect".into(), "root mean square of the site's values".into());
    for (site, sizes) in sites.iter().zip(of_sites) {
        let blank = Row { metric: "rms".into(), ..blank("record", bench.metric) };
        let place = Row { site: Some(site.kind().into()), layer: site.layer(), ..blank };
        main.rows.push(summary.untested(place, sizes, None));
    }
    main
}
