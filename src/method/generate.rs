//! Generation with edits: the clean prompts continued twice, with and without.
//!
//! *What it measures.* What an intervention does to what the model says. Rows: the metric at the first new token, changed
//! run less plain run, and the share of new tokens that stay what they were. The texts stand in `texts.jsonl`.
//!
//! *What it cannot show.* That a text which stays the same is untouched: the most probable token can win by less.
//!
//! *Reference.* Turner et al. 2023 and Rimsky et al. 2024 for additions while generating.
//!
//! *Example.* `Generate(tokens: 12, edits: [(site: "hook_resid_post", change: AddContrast(2.0))])`

use super::{Bench, Finding, Side, Summary, blank, table};
use crate::hook::{Edit, Edits, Hook, Record};
use crate::model::{HookError, Model, Pass, Past, Read, Start, run};
use crate::steps::{RunError, Steps};
use crate::table::Row;
use crate::tensor::{Tensor, to_doubles};
use crate::text::Tokens;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use serde::{Deserialize, Serialize};

/// One continued prompt.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Continuation {
    /// The table of the generation that it belongs to.
    pub table: String,
    /// The item.
    pub item: usize,
    /// The state that it comes from; empty where there is none.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub place: String,
    /// The prompt, as text where there is a tokenizer.
    pub prompt: String,
    /// The continuation of the model left alone.
    pub plain: String,
    /// The continuation under the edits.
    pub edited: String,
    /// Tokens of the plain continuation.
    pub plain_tokens: Vec<u32>,
    /// Tokens of the edited continuation.
    pub edited_tokens: Vec<u32>,
    /// The most probable first tokens of what is edited, with their probabilities, where these were asked for.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub top: Vec<(String, f64)>,
}

/// How long, and how tokens are chosen.
#[derive(Clone, Copy)]
pub struct Length {
    /// New tokens.
    pub tokens: usize,
    /// 0 takes the most probable token; above, tokens are drawn.
    pub temperature: f64,
}

/// Continues every clean prompt with and without `edits`.
pub fn generate(bench: &Bench, length: Length, edits: &[Edit], steps: &mut Steps) -> Result<Finding, RunError> {
    let mut texts = Vec::new();
    let mut shifts = vec![0.0; bench.items.len()];
    for items in bench.batches(bench.rows) {
        let found = steps.step(items.len(), || both(bench, &items, length, edits))?;
        for (row, item) in items.iter().enumerate() {
            let Some((plain, edited)) = &found else { continue };
            texts.push(continuation(bench, *item, &plain.tokens[row], &edited.tokens[row]));
            shifts[*item] =
                if bench.items[*item].answers.is_some() { edited.first[row] - plain.first[row] } else { 0.0 };
        }
    }
    steps.complete()?;
    texts.sort_by_key(|text: &Continuation| text.item);
    let rows = rows(bench, &texts, &shifts);
    Ok(Finding { tables: vec![rows], texts, ..Finding::default() })
}

/// Some items continued without and with the edits.
fn both(bench: &Bench, items: &[usize], length: Length, edits: &[Edit]) -> Result<(Continued, Continued), HookError> {
    let plain = continued(bench, items, length, &mut ())?;
    let mut hook = Edits::new(edits.iter().map(|edit| within(edit, items)).collect());
    Ok((plain, continued(bench, items, length, &mut hook)?))
}

/// An edit whose rows are items, for the rows of a batch of items.
fn within(edit: &Edit, items: &[usize]) -> Edit {
    let mut edit = edit.clone();
    let here = |rows: Vec<usize>| (0..items.len()).filter(|row| rows.contains(&items[*row])).collect();
    edit.place.rows = edit.place.rows.map(here);
    edit
}

/// New tokens of a batch, and the metric at the first of them.
#[derive(Serialize, Deserialize)]
struct Continued {
    tokens: Vec<Vec<u32>>,
    first: Vec<f64>,
}

fn continued(bench: &Bench, items: &[usize], length: Length, hook: &mut dyn Hook) -> Result<Continued, HookError> {
    let mut first = vec![0.0; items.len()];
    let read = |logits: &[Vec<f64>]| {
        if items.iter().all(|item| bench.items[*item].answers.is_some()) {
            first = items.iter().zip(logits).map(|(item, logits)| of_vocabulary(bench, *item, logits)).collect();
        }
    };
    let tokens = extended(bench.model, bench.tokens(items, Side::Clean), length, bench.seed, hook, read)?;
    Ok(Continued { tokens, first })
}

/// New tokens of every row, `[row][new]`; `first` sees the logits behind the prompt, `[row][vocabulary]`.
pub(super) fn extended(
    model: &dyn Model,
    mut tokens: Tokens,
    length: Length,
    seed: u64,
    hook: &mut dyn Hook,
    mut first: impl FnMut(&[Vec<f64>]),
) -> Result<Vec<Vec<u32>>, HookError> {
    let prompt = tokens.width();
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    let mut past: Option<Past> = None;
    for step in 0..length.tokens {
        let width = tokens.width();
        let known = past.take().filter(|_| model.keys_serve(width - 1, width));
        let (logits, kept) = advance(model, &tokens, known, hook)?;
        if step == 0 {
            first(&logits);
        }
        tokens.push(&logits.iter().map(|logits| choose(logits, length.temperature, &mut random)).collect::<Vec<_>>());
        past = Some(kept);
    }
    Ok((0..tokens.rows()).map(|row| tokens.row(row)[prompt..].to_vec()).collect())
}

/// Logits behind the last token, and the keys and values of every position so far.
fn advance(
    model: &dyn Model,
    tokens: &Tokens,
    past: Option<Past>,
    hook: &mut dyn Hook,
) -> Result<(Vec<Vec<f64>>, Past), HookError> {
    let (last, layers) = (tokens.width() - 1, model.dims().layers);
    let mut record = Record::of(Past::sites(0, layers, model.is_rotary()));
    let read = Read { positions: Some(vec![last; tokens.rows()]), tokens: None };
    let first = if past.is_some() { last } else { 0 };
    let pass = Pass { tokens, start: Start::Tokens, first, past: past.as_ref(), read };
    let logits: Tensor<3> = run(model, &pass, &mut (hook, &mut record))?;
    let vocabulary = logits.dims()[2];
    let rows = to_doubles(&logits).chunks_exact(vocabulary).map(<[f64]>::to_vec).collect();
    let new = Past::of(&record, layers);
    Ok((rows, past.map_or(new.clone(), |past| past.followed_by(&new))))
}

fn of_vocabulary(bench: &Bench, item: usize, logits: &[f64]) -> f64 {
    let answers = bench.answers(item);
    bench.metric.value(logits, &answers.right, &answers.wrong)
}

/// The most probable token, or one drawn from the softmax at a temperature.
fn choose(logits: &[f64], temperature: f64, random: &mut ChaCha8Rng) -> u32 {
    let best = |best: usize, (index, logit): (usize, &f64)| if *logit > logits[best] { index } else { best };
    let most = logits.iter().enumerate().fold(0, best);
    if temperature == 0.0 {
        return most as u32;
    }
    let weights: Vec<f64> = logits.iter().map(|logit| ((logit - logits[most]) / temperature).exp()).collect();
    let mut left = random.random::<f64>() * weights.iter().sum::<f64>();
    let taken = weights.iter().position(|weight| {
        left -= weight;
        left <= 0.0
    });
    taken.unwrap_or(most) as u32
}

fn continuation(bench: &Bench, item: usize, plain: &[u32], edited: &[u32]) -> Continuation {
    let words = |tokens: &[u32]| bench.text.map_or(format!("{tokens:?}"), |text| text.decode(tokens));
    Continuation {
        table: "generate".into(),
        item,
        place: String::new(),
        prompt: words(&bench.items[item].clean),
        plain: words(plain),
        edited: words(edited),
        plain_tokens: plain.to_vec(),
        edited_tokens: edited.to_vec(),
        top: Vec::new(),
    }
}

fn rows(bench: &Bench, texts: &[Continuation], shifts: &[f64]) -> crate::table::Table {
    let summary = Summary::new(bench);
    let mut main = table("generate", "Generation with edits against without", bench);
    let same = |text: &Continuation| {
        let kept = text.plain_tokens.iter().zip(&text.edited_tokens).filter(|(plain, edited)| plain == edited).count();
        kept as f64 / text.plain_tokens.len() as f64
    };
    let kept: Vec<f64> = texts.iter().map(same).collect();
    if bench.items.iter().all(|item| item.answers.is_some()) {
        main.rows.push(summary.row(blank("generate", bench.metric), shifts, None));
    }
    let row = Row { metric: "share of tokens kept".into(), ..blank("generate", bench.metric) };
    main.rows.push(summary.untested(row, &kept, None));
    main.facts.insert(
        "effect".into(),
        "metric at the first new token, edited − plain; share of new tokens that stay the same".into(),
    );
    main
}
