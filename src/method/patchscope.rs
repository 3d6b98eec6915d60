//! Patchscopes: a state of one prompt, read by letting the model go on from it in another.
//!
//! *What it measures.* The stream before a block, at a position of the clean prompt, is put into another prompt in place of
//! what is there, and the model runs on. A prompt that says nothing itself ("cat -> cat; hello -> hello; ?") so lets
//! the model put into words what it holds. `effect` is the metric of the items' answers at the end of that prompt, less that
//! of the prompt left alone, `normalised` that over the metric of the model on the clean prompts; without answers it is the probability of the most probable token. The tokens that the
//! model goes on with stand in `texts.jsonl`, and beside them the most probable ones.
//!
//! *What it cannot show.* What is in the state but not what this prompt asks for; whether the model itself uses what it
//! can be made to say. A state from another layer than it is put into is in a place that the model never saw it in.
//!
//! *Reference.* Ghandeharioun et al. 2024, "Patchscopes".
//!
//! *Example.* `Patchscope(prompt: "Mary and Mary; Peter and Peter; ?", from: [Contrast], into: 0, tokens: 3)`

use super::generate::{Continuation, Length, extended};
use super::summary::{Summary, mean, tabulate};
use super::{Bench, Finding, Side, blank, table};
use crate::hook::{Change, Edit, Edits, Hook, Record};
use crate::model::{HookError, Pass, Read, run};
use crate::plan::{Scope, State};
use crate::site::{Place, Site};
use crate::steps::{RunError, Steps};
use crate::table::Row;
use crate::tensor::Tensor;
use crate::text::Tokens;
use serde::{Deserialize, Serialize};

/// Most probable tokens that are kept.
const TOP: usize = 5;
/// The most readings of one step: what a killed run may lose.
const STEP: usize = 512;

/// What the model made of one state.
#[derive(Clone, Serialize, Deserialize)]
struct Reading {
    /// The metric, or the largest probability.
    value: f64,
    /// The most probable tokens.
    top: Vec<(u32, f64)>,
    /// What it went on with.
    tokens: Vec<u32>,
}

/// Reads every state of the plan.
pub fn patchscope(bench: &Bench, plan: &Scope, steps: &mut Steps) -> Result<Finding, RunError> {
    let everyone: Vec<usize> = (0..bench.items.len()).collect();
    let alone = steps.step(0, || read(bench, plan, 1, &everyone, &mut ()))?;
    let mut readings: Vec<Vec<Option<Reading>>> = vec![vec![None; bench.items.len()]; plan.states.len()];
    for items in bench.batches((STEP / plan.states.len()).clamp(1, bench.rows)) {
        let found = steps.step(items.len() * plan.states.len(), || of_items(bench, plan, &items))?;
        for (readings, found) in readings.iter_mut().zip(found.into_iter().flatten()) {
            items.iter().zip(found).for_each(|(item, reading)| readings[*item] = Some(reading));
        }
    }
    let answered = bench.items.iter().all(|item| item.answers.is_some());
    let whole = if answered { Some(bench.whole(Side::Clean, steps)?) } else { None };
    steps.complete()?;
    let readings: Vec<Vec<Reading>> = readings.into_iter().map(|row| row.into_iter().flatten().collect()).collect();
    let alone = alone.unwrap_or_default();
    let mut finding = rows(bench, plan, &readings, &alone, whole.as_deref());
    finding.texts = texts(bench, plan, &readings, &alone);
    Ok(finding)
}

/// What the model makes of every state of some items, `[state][item]`.
fn of_items(bench: &Bench, plan: &Scope, items: &[usize]) -> Result<Vec<Vec<Reading>>, HookError> {
    let mut record = Record::of(plan.states.iter().map(|state| Site::ResidPre(state.layer)));
    let nothing = Read { positions: Some(vec![0; items.len()]), tokens: Some(vec![vec![0]; items.len()]) };
    run(bench.model, &Pass::whole(&bench.tokens(items, Side::Clean)).reading(nothing), &mut record)?;
    let all: Vec<(&State, usize)> =
        plan.states.iter().flat_map(|state| (0..items.len()).map(move |item| (state, item))).collect();
    let mut found = Vec::with_capacity(all.len());
    for chunk in all.chunks(bench.rows) {
        let whose: Vec<usize> = chunk.iter().map(|(_, item)| items[*item]).collect();
        found.extend(read(bench, plan, whose.len(), &whose, &mut Edits::new(edits(plan, chunk, items, &record)))?);
    }
    Ok(found.chunks(items.len()).map(<[Reading]>::to_vec).collect())
}

/// The states of a chunk's rows, put into the other prompt: one edit for each layer there.
fn edits(plan: &Scope, chunk: &[(&State, usize)], items: &[usize], record: &Record) -> Vec<Edit> {
    let mut layers: Vec<usize> = chunk.iter().map(|(state, _)| state.into).collect();
    layers.sort_unstable();
    layers.dedup();
    let value = |row: &usize| {
        let (state, item) = chunk[*row];
        let all = record.at(Site::ResidPre(state.layer)).expect("asked for").clone();
        all.narrow(0, item, 1).narrow(2, state.positions[items[item]], 1) // [1, 1, 1, d_model]
    };
    let edit = |layer: usize| {
        let rows: Vec<usize> = (0..chunk.len()).filter(|row| chunk[*row].0.into == layer).collect();
        let change = Change::Put(Tensor::cat(rows.iter().map(value).collect(), 0));
        let place = Place { rows: Some(rows), positions: Some(vec![plan.at]), ..Place::all(Site::ResidPre(layer)) };
        Edit { place, change }
    };
    layers.into_iter().map(edit).collect()
}

/// What the model makes of the other prompt for some items, in as many rows, or in one where they are all the same.
fn read(
    bench: &Bench,
    plan: &Scope,
    rows: usize,
    whose: &[usize],
    hook: &mut dyn Hook,
) -> Result<Vec<Reading>, HookError> {
    let prompt = Tokens::new(vec![plan.prompt.clone(); rows]);
    let mut found: Vec<Reading> = Vec::new();
    let first = |logits: &[Vec<f64>]| {
        found = whose.iter().zip(logits.iter().cycle()).map(|(item, row)| reading(bench, *item, row)).collect();
    };
    let length = Length { tokens: plan.tokens, temperature: 0.0 };
    let tokens = extended(bench.model, prompt, length, bench.seed, hook, first)?;
    found.iter_mut().zip(tokens.into_iter().cycle()).for_each(|(reading, tokens)| reading.tokens = tokens);
    Ok(found)
}

fn reading(bench: &Bench, item: usize, logits: &[f64]) -> Reading {
    let most = logits.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let total: f64 = logits.iter().map(|logit| (logit - most).exp()).sum();
    let mut order: Vec<usize> = (0..logits.len()).collect();
    order.sort_by(|a, b| logits[*b].total_cmp(&logits[*a]));
    let probability = |token: usize| (logits[token] - most).exp() / total;
    let top: Vec<(u32, f64)> = order.iter().take(TOP).map(|token| (*token as u32, probability(*token))).collect();
    let value = match &bench.items[item].answers {
        Some(answers) => bench.metric.value(logits, &answers.right, &answers.wrong),
        None => top[0].1,
    };
    Reading { value, top, tokens: Vec::new() }
}

fn rows(bench: &Bench, plan: &Scope, readings: &[Vec<Reading>], alone: &[Reading], whole: Option<&[f64]>) -> Finding {
    let mut main = table("patchscope", &title(plan), bench);
    let words = |tokens: &[u32]| bench.text.map_or(format!("{tokens:?}"), |text| text.decode(tokens));
    main.facts.insert("prompt".into(), format!("{} (state put in at position {})", words(&plan.prompt), plan.at));
    let plain: Vec<f64> = alone.iter().map(|reading| reading.value).collect();
    if let Some(whole) = whole {
        main.facts.insert("effect".into(), "metric at the end of the other prompt, less that of it left alone".into());
        main.facts.insert("metric, other prompt alone".into(), format!("{:.4}", mean(&plain)));
        main.facts.insert("normalised".into(), "effect / metric of the model on the clean prompts".into());
        main.facts.insert("metric, clean".into(), format!("{:.4}", mean(whole)));
        let less = |row: &Vec<Reading>| row.iter().zip(&plain).map(|(reading, plain)| reading.value - plain).collect();
        let places = plan.states.iter().zip(readings).map(|(state, row)| (place(bench, state), less(row)));
        return tabulate(bench, main, places.collect(), whole);
    }
    main.facts.insert("effect".into(), "probability of the most probable token behind the other prompt".into());
    let summary = Summary::new(bench);
    for (state, row) in plan.states.iter().zip(readings) {
        let values: Vec<f64> = row.iter().map(|reading| reading.value).collect();
        let place = Row { metric: "probability of the first token".into(), ..place(bench, state) };
        main.rows.push(summary.untested(place, &values, None));
    }
    Finding { tables: vec![main], ..Finding::default() }
}

fn title(plan: &Scope) -> String {
    let own = plan.states.iter().all(|state| state.into == state.layer);
    let into = plan.states.first().map_or(0, |state| state.into);
    let where_to = if own { "the layer that they come from".to_string() } else { format!("layer {into}") };
    format!("Patchscope: states put into another prompt before {where_to}")
}

fn place(bench: &Bench, state: &State) -> Row {
    let site = Site::ResidPre(state.layer).kind();
    let site = state.role.map_or(site.to_string(), |role| format!("{site} at {role:?}").to_lowercase());
    Row { site: Some(site), layer: Some(state.layer), position: state.position, ..blank("patchscope", bench.metric) }
}

fn texts(bench: &Bench, plan: &Scope, readings: &[Vec<Reading>], alone: &[Reading]) -> Vec<Continuation> {
    let words = |tokens: &[u32]| bench.text.map_or(format!("{tokens:?}"), |text| text.decode(tokens));
    let label = |token: u32| bench.text.map_or(token.to_string(), |text| text.label(token));
    let mut texts = Vec::new();
    for (state, row) in plan.states.iter().zip(readings) {
        for (item, reading) in row.iter().enumerate() {
            let (prompt, position) = (&bench.items[item].clean, state.positions[item]);
            texts.push(Continuation {
                table: "patchscope".into(),
                item,
                place: format!("before layer {}, at {position} ({})", state.layer, label(prompt[position])),
                prompt: words(prompt),
                plain: words(&alone[item].tokens),
                edited: words(&reading.tokens),
                plain_tokens: alone[item].tokens.clone(),
                edited_tokens: reading.tokens.clone(),
                top: reading.top.iter().map(|(token, probability)| (label(*token), *probability)).collect(),
            });
        }
    }
    texts
}
