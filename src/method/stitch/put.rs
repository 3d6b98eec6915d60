//! A model's clean runs with other states in one of its streams, and what they say at the answer.

use super::streams::firsts;
use crate::hook::{Hook, Replace};
use crate::method::heard::{divergence, log_softmax};
use crate::method::{Bench, Side, batches};
use crate::model::{HookError, Pass, Read, run};
use crate::plan::Stitching;
use crate::site::Site;
use crate::tensor::{from_bools, from_doubles, to_doubles};
use ndarray::ArrayView2;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::f64::consts::LN_2;

/// What is read of runs, one an item that is tested on.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Said {
    /// The metric.
    pub metric: Vec<f64>,
    /// 1 where the token named first is the one that the model names left alone, else 0.
    pub agreement: Vec<f64>,
    /// KL(left alone ‖ changed), bits.
    pub bits: Vec<f64>,
}

impl Said {
    /// Item by item; none of none.
    pub fn mean(all: &[Said]) -> Option<Said> {
        let mean = |of: fn(&Said) -> &Vec<f64>| -> Option<Vec<f64>> {
            let items = 0..of(all.first()?).len();
            Some(items.map(|item| all.iter().map(|said| of(said)[item]).sum::<f64>() / all.len() as f64).collect())
        };
        let (metric, agreement) = (mean(|said| &said.metric)?, mean(|said| &said.agreement)?);
        Some(Said { metric, agreement, bits: mean(|said| &said.bits)? })
    }
}

/// The metric of the clean and of the corrupted run of every item that is tested on.
pub(super) fn alone(bench: &Bench, plan: &Stitching) -> Result<[Vec<f64>; 2], HookError> {
    let side = |side| Ok(metrics(bench, plan, &logits(bench, plan, side, |_| ())?));
    Ok([side(Side::Clean)?, side(Side::Corrupt)?])
}

/// ln p of every token at the answer, by item that is tested on, of the model left alone.
pub(super) fn left(bench: &Bench, plan: &Stitching) -> Result<Vec<Vec<f64>>, HookError> {
    Ok(logits(bench, plan, Side::Clean, |_| ())?.iter().map(|logits| log_softmax(logits)).collect())
}

/// What the model says with `states`, a row a position that is put in, in one of its streams; `left` is what it says left alone.
pub(super) fn put(
    bench: &Bench,
    plan: &Stitching,
    left: &[Vec<f64>],
    site: Site,
    states: ArrayView2<f64>,
) -> Result<Said, HookError> {
    let logits = logits(bench, plan, Side::Clean, |batch| replaced(bench, plan, batch, site, states))?;
    let now: Vec<Vec<f64>> = logits.iter().map(|logits| log_softmax(logits)).collect();
    let both = || left.iter().zip(&now);
    Ok(Said {
        metric: metrics(bench, plan, &logits),
        agreement: both().map(|(left, now)| f64::from(u8::from(first(left) == first(now)))).collect(),
        bits: both().map(|(left, now)| divergence(left, now) / LN_2).collect(),
    })
}

fn metrics(bench: &Bench, plan: &Stitching, logits: &[Vec<f64>]) -> Vec<f64> {
    let value = |(item, logits): (&usize, &Vec<f64>)| {
        let answers = bench.answers(*item);
        bench.metric.value(logits, &answers.right, &answers.wrong)
    };
    plan.parts.test.iter().zip(logits).map(value).collect()
}

/// All logits at the answer of every item that is tested on, under the hook of each batch.
fn logits<H: Hook>(
    bench: &Bench,
    plan: &Stitching,
    side: Side,
    hook: impl Fn(&[usize]) -> H,
) -> Result<Vec<Vec<f64>>, HookError> {
    let test = &plan.parts.test;
    let mut found = vec![Vec::new(); test.len()];
    for batch in batches(test.len(), bench.rows, |at| plan.test[at].own.len()) {
        let items: Vec<usize> = batch.iter().map(|at| test[*at]).collect();
        let tokens = bench.tokens(&items, side);
        let read = Read { tokens: None, ..bench.read(&items) };
        let logits = to_doubles(&run(bench.model, &Pass::whole(&tokens).reading(read), &mut hook(&batch))?);
        let rows = logits.chunks_exact(bench.model.dims().vocabulary);
        batch.iter().zip(rows).for_each(|(at, row)| found[*at] = row.to_vec());
    }
    Ok(found)
}

/// The hook that puts the rows of a batch's prompts into a stream.
fn replaced(bench: &Bench, plan: &Stitching, batch: &[usize], site: Site, states: ArrayView2<f64>) -> Replace {
    let (width, length) = (states.ncols(), plan.test[batch[0]].own.len());
    let shape = [batch.len(), 1, length, width];
    let (mut mask, mut values) = (vec![false; batch.len() * length], vec![0.0; shape.iter().product()]);
    let firsts = firsts(&plan.test);
    for (row, prompt) in batch.iter().enumerate() {
        for (number, [at, _]) in plan.test[*prompt].at.iter().enumerate() {
            let place = row * length + at;
            mask[place] = true;
            let state = states.row(firsts[*prompt] + number);
            values[place * width..][..width].iter_mut().zip(state).for_each(|(value, state)| *value = *state);
        }
    }
    let setting = bench.model.setting();
    let mask = from_bools(mask, [batch.len(), 1, length, 1], &setting.device);
    Replace::new(BTreeMap::from([(site, (mask, from_doubles(values, shape, &setting)))]))
}

/// The most probable token; of equals the last.
fn first(values: &[f64]) -> Option<usize> {
    (0..values.len()).max_by(|a, b| values[*a].total_cmp(&values[*b]))
}
