//! Logit lens: the answer read from every layer.
//!
//! *What it measures.* The metric when the residual stream behind a block goes straight through the last norm, recomputed
//! for it, and the unembedding. `normalised` is over the metric of the whole model.
//!
//! *What it cannot show.* What the later layers would still have made of it: an early state may hold the answer in
//! directions that the unembedding does not read.
//!
//! *Reference.* nostalgebraist 2020, "interpreting GPT: the logit lens".
//!
//! *Example.* `LogitLens()`

use super::summary::{mean, tabulate};
use super::{Bench, Finding, Side, blank, table};
use crate::hook::Record;
use crate::model::{HookError, Pass, Read, run};
use crate::site::Site;
use crate::steps::{RunError, Steps};
use crate::table::Row;
use crate::tensor::Tensor;

/// Reads the metric from each of `sites`, at every position where all prompts have one length, else at the answer's.
pub fn lens(bench: &Bench, sites: &[Site], steps: &mut Steps) -> Result<Finding, RunError> {
    let positions = bench.position_labels().len();
    let places: Vec<(Site, Option<usize>)> = match positions {
        0 => sites.iter().map(|site| (*site, None)).collect(),
        _ => sites.iter().flat_map(|site| (0..positions).map(|position| (*site, Some(position)))).collect(),
    };
    let mut values = vec![vec![0.0; bench.items.len()]; places.len() + 1];
    for items in bench.batches(bench.rows) {
        let found = steps.step(items.len() * places.len(), || read_all(bench, sites, &places, &items))?;
        for (values, found) in values.iter_mut().zip(found.into_iter().flatten()) {
            items.iter().zip(found).for_each(|(item, value)| values[*item] = value);
        }
    }
    steps.complete()?;
    let whole = values.pop().expect("the whole model's stands last");
    Ok(rows(bench, &places, values, &whole))
}

/// The metric at every place, `[place][item]`, and behind them that of the whole model.
fn read_all(
    bench: &Bench,
    sites: &[Site],
    places: &[(Site, Option<usize>)],
    items: &[usize],
) -> Result<Vec<Vec<f64>>, HookError> {
    let mut record = Record::of(sites.iter().copied());
    let tokens = bench.tokens(items, Side::Clean);
    let logits = run(bench.model, &Pass::whole(&tokens).reading(bench.read(items)), &mut record)?;
    let at = |(site, position): &(Site, Option<usize>)| {
        let stream = record.at(*site).expect("asked for above").clone().squeeze_dim::<3>(1);
        read(bench, stream, *position, items)
    };
    Ok(places.iter().map(at).chain([bench.values(&logits, items)]).collect())
}

/// The metric of each item from its stream at a position, or at its answer's.
fn read(bench: &Bench, stream: Tensor<3>, position: Option<usize>, items: &[usize]) -> Vec<f64> {
    let read = bench.read(items);
    let at = match position {
        Some(position) => Read { positions: Some(vec![position; items.len()]), tokens: None },
        None => read.clone(),
    };
    let logits = bench.model.read_out(crate::model::at_positions(stream, &at, 0), &read);
    bench.values(&logits, items)
}

fn rows(bench: &Bench, places: &[(Site, Option<usize>)], values: Vec<Vec<f64>>, whole: &[f64]) -> Finding {
    let mut main = table("logit_lens", "Logit lens: the answer read from the stream", bench);
    main.facts.insert("normalised".into(), "effect / metric of the whole model".into());
    main.facts.insert("metric, clean".into(), format!("{:.4}", mean(whole)));
    let place = |(site, position): &(Site, Option<usize>)| {
        let blank = blank("logit_lens", bench.metric);
        Row { site: Some(site.kind().into()), layer: site.layer(), position: *position, ..blank }
    };
    tabulate(bench, main, places.iter().map(place).zip(values).collect(), whole)
}
