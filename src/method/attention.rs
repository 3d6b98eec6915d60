//! Attention patterns of the clean prompts, averaged over items.
//!
//! *What it measures.* Plain: how much of a query's pattern lies on each key. Value-weighted: the norm of what a key's value
//! writes to the stream through this head, ‖α v W_O‖, which is small where a head only parks its attention; where a norm
//! stands behind attention, through that too, its scale held. Rows are those of the query that the answer is read at, or
//! of the last one; the figure shows every query.
//!
//! *What it cannot show.* That what is attended to matters to the answer: patch or ablate the head.
//!
//! *Reference.* Vaswani et al. 2017; Kobayashi et al. 2020 for the norms.
//!
//! *Example.* `Attention(weighting: ValueWeighted)`

use super::{Bench, Finding, Side, Summary, Tensors, blank, table};
use crate::figure::{Figure, Panel, Panels, Scale};
use crate::hook::{Activation, Record};
use crate::model::{HookError, Model, Pass, Read, run};
use crate::site::Site;
use crate::spec::Weighting;
use crate::steps::{RunError, Steps};
use crate::table::{Row, Table};
use crate::tensor::{Tensor, from_floats, to_doubles, to_floats, widen};
use ndarray::Array2;

/// Patterns of every head.
pub fn attention(bench: &Bench, weighting: Weighting, steps: &mut Steps) -> Result<Finding, RunError> {
    let layers = bench.model.dims().layers;
    let mut patterns: Vec<Vec<Activation>> = vec![Vec::new(); layers];
    for items in bench.batches(bench.rows) {
        let found = steps.step(items.len(), || of_batch(bench, weighting, &items))?;
        for (kept, (shape, values)) in patterns.iter_mut().zip(found.into_iter().flatten()) {
            kept.push(from_floats(values, shape, &bench.model.device()));
        }
    }
    steps.complete()?;
    // all prompts have one length, so batches hold the items in their order
    let patterns: Vec<Activation> = patterns.into_iter().map(|parts| Tensor::cat(parts, 0)).collect();
    Ok(finding(bench, weighting, &patterns))
}

/// Shape and values of an activation, as a step keeps it.
type Plain = ([usize; 4], Vec<f32>);

/// The patterns of some items, layer by layer.
fn of_batch(bench: &Bench, weighting: Weighting, items: &[usize]) -> Result<Vec<Plain>, HookError> {
    let layers = bench.model.dims().layers;
    let mut record = Record::of(bench.model.sites().into_iter().filter(is_read));
    let nothing = Read { positions: Some(vec![0; items.len()]), tokens: Some(vec![vec![0]; items.len()]) };
    run(bench.model, &Pass::whole(&bench.tokens(items, Side::Clean)).reading(nothing), &mut record)?;
    let pattern = |layer| weighted(bench.model, layer, &record, weighting);
    Ok((0..layers).map(pattern).map(|pattern| (pattern.dims(), to_floats(&pattern))).collect())
}

/// Whether weighting reads a site.
fn is_read(site: &Site) -> bool {
    matches!(site, Site::Pattern(_) | Site::Value(_) | Site::Norm1PostScale(_))
}

/// `[item, head, query, key]`.
fn weighted(model: &dyn Model, layer: usize, record: &Record, weighting: Weighting) -> Activation {
    let pattern = widen(record.at(Site::Pattern(layer)).expect("asked for").clone());
    if weighting == Weighting::Plain {
        return pattern;
    }
    let block = model.block(layer);
    let value = widen(record.at(Site::Value(layer)).expect("asked for").clone()); // [item, key_head, pos, d_head]
    let [items, key_heads, pos, width] = value.dims();
    let (heads, group) = (block.attention.heads, block.attention.heads / key_heads);
    let value = value.unsqueeze_dim::<5>(2).expand([items, key_heads, group, pos, width]);
    let written = value.reshape([items, heads, pos, width]).matmul(widen(block.attention.out_by_head()));
    let Some(scale) = record.at(Site::Norm1PostScale(layer)) else { return pattern * lengths(written) };
    // the scale held is that of the query, which divides every key's share alike
    let scale = widen(scale.clone());
    let unscaled = block.added(written, Some(&scale.ones_like()));
    pattern * lengths(unscaled) / scale
}

/// The length of every vector, `[item, head, 1, key]` from `[item, head, key, d_model]`.
fn lengths(written: Tensor<4>) -> Tensor<4> {
    written.square().sum_dim(3).sqrt().swap_dims(2, 3)
}

fn finding(bench: &Bench, weighting: Weighting, patterns: &[Activation]) -> Finding {
    let (name, title, unit) = match weighting {
        Weighting::Plain => ("attention", "Attention pattern", "attention probability"),
        Weighting::ValueWeighted => ("attention.value_weighted", "Value-weighted attention", "norm of α·v·W_O"),
    };
    let summary = Summary::new(bench);
    let mut main = table(name, &format!("{title}, mean of {} items", bench.items.len()), bench);
    main.facts.insert("effect".into(), unit.into());
    let order: Vec<usize> = (0..bench.items.len()).collect();
    for (layer, pattern) in patterns.iter().enumerate() {
        let [items, heads, _, keys] = pattern.dims();
        let values = to_doubles(&at_query(bench, &order, pattern));
        for (head, key) in (0..heads).flat_map(|head| (0..keys).map(move |key| (head, key))) {
            let own: Vec<f64> = (0..items).map(|item| values[(item * heads + head) * keys + key]).collect();
            let place =
                Row { metric: name.into(), site: Some("attn.hook_pattern".into()), ..blank(name, bench.metric) };
            main.rows.push(summary.untested(
                Row { layer: Some(layer), head: Some(head), position: Some(key), ..place },
                &own,
                None,
            ));
        }
    }
    let means: Vec<Tensor<3>> = patterns.iter().map(|pattern| pattern.clone().mean_dim(0).squeeze_dim(0)).collect();
    let tensors: Tensors = means
        .iter()
        .enumerate()
        .map(|(layer, mean)| (Site::Pattern(layer).to_string(), (mean.dims().to_vec(), to_floats(mean))))
        .collect();
    Finding { tables: vec![main], tensors: vec![(name.to_string(), tensors)], ..Finding::default() }
}

/// The pattern of the query that each item's answer is read at, or of the last: `[item, head, key]`.
fn at_query(bench: &Bench, items: &[usize], pattern: &Activation) -> Tensor<3> {
    let [_, heads, queries, keys] = pattern.dims();
    let query = |item: &usize| bench.items[*item].answers.as_ref().map_or(queries - 1, |answers| answers.at);
    let own = |(row, item): (usize, &usize)| {
        pattern.clone().slice([row..row + 1, 0..heads, query(item)..query(item) + 1, 0..keys])
    };
    Tensor::cat(items.iter().enumerate().map(own).collect(), 0).squeeze_dim(2)
}

/// One panel a head from the table and the mean patterns that [`attention`] gives, queries from the top down.
pub fn panels(table: &Table, patterns: &Tensors) -> Figure {
    let mut layers: Vec<_> =
        patterns.iter().filter_map(|(name, kept)| Some((name.parse::<Site>().ok()?.layer()?, kept))).collect();
    layers.sort_by_key(|(layer, _)| *layer);
    let heads = layers.first().map_or(0, |(_, (shape, _))| shape[0]);
    let panels = layers
        .iter()
        .flat_map(|(layer, (shape, values))| (0..heads).map(move |head| panel(*layer, head, shape, values)))
        .collect();
    Figure::Panels(Panels {
        title: table.title.clone(),
        x_title: "key".into(),
        y_title: "query".into(),
        value_title: table.facts.get("effect").cloned().unwrap_or_default(),
        x: table.positions.clone(),
        y: table.positions.iter().rev().cloned().collect(),
        panels,
        columns: Some(heads.min(12)),
        mark_title: String::new(),
        scale: Scale::Sequential,
    })
}

fn panel(layer: usize, head: usize, shape: &[usize], values: &[f32]) -> Panel {
    let (queries, keys) = (shape[1], shape[2]);
    let value = |query: usize, key: usize| values[(head * queries + query) * keys + key];
    let causal = (0..queries).all(|query| (query + 1..keys).all(|key| value(query, key) == 0.0));
    let at = |(row, key): (usize, usize)| {
        let query = queries - 1 - row;
        if causal && key > query { f64::NAN } else { f64::from(value(query, key)) }
    };
    Panel {
        title: format!("L{layer}H{head}"),
        values: Array2::from_shape_fn((queries, keys), at),
        marks: Array2::default((queries, keys)),
    }
}
