//! Causal tracing: where a state of the plain run, put back into runs with a noised subject, brings the answer back.
//!
//! *What it measures.* Noise from N(0, σ²) is added to the embeddings of the subject's tokens in several copies of a
//! prompt. p is the mean over the copies of the probability of the token that the model finds most probable without noise,
//! at the last position. TE = p_clean − p_corrupted; the effect at a site, layer and position is p_restored − p_corrupted:
//! one block output put back, or what MLPs or attention write in a window of layers. The mean over facts is taken by the
//! role of a position: first, middle and last token of the subject, the token behind it, further ones, the last. A token
//! can have two roles, as the one of a subject of one token is its first and its last. `normalised` is over the mean TE.
//!
//! *What it cannot show.* Where a fact is stored: a restored state may be on the way from elsewhere. Noise is a corruption
//! that no text has, and effects hang on its strength. Effects of a window are not those of its layers summed.
//!
//! *Reference.* Meng et al. 2022, "Locating and Editing Factual Associations in GPT", and the authors' code, but: σ is
//! taken over the subjects' tokens as they stand in the prompts (there: each subject tokenised alone), with n − 1 as there;
//! each copy of each fact has noise of its own (there: the same noise for all facts); several middle or further tokens of
//! one fact are averaged first, so that each fact counts once (there: each token counts).
//!
//! *Example.* `Trace()`, `Trace(sites: ["hook_mlp_out"], window: 3, noise: Sigma(0.1), facts: Known)`

mod noise;
mod roles;

pub use noise::{Draw, deviation, standard_normal};

use super::summary::{Told, Values, mean, tabulate_some};
use super::sweep::{Runs, Stand, rows_of, sweep_batch};
use super::{Bench, Finding, Side, batches, blank, table};
use crate::hook::{Change, Edit, Record};
use crate::metric::Metric;
use crate::model::{HookError, Pass, Read, run};
use crate::plan::{Answers, Cell, Item, Tracing, changed};
use crate::site::{Place, Site};
use crate::spec::{Facts, Noise};
use crate::steps::{RunError, Steps};
use crate::table::{Row, Table};
use crate::tensor::{from_doubles, to_doubles};
use std::cell::OnceCell;

/// Traces every item with standard normal numbers from `draw`.
pub fn trace(bench: &Bench, plan: &Tracing, draw: &Draw, steps: &mut Steps) -> Result<Finding, RunError> {
    let sigma = OnceCell::new();
    let traced = Trace { bench, plan, draw, sigma: &sigma };
    let mut traces: Vec<Traced> = bench.items.iter().map(|item| Traced::empty(plan, item.clean.len())).collect();
    for items in bench.batches(bench.rows) {
        let found = steps.step(0, || traced.clean(&items, &[]).map(|(tops, _)| tops))?;
        items.iter().zip(found.into_iter().flatten()).for_each(|(item, top)| traces[*item].top = top);
    }
    let runs: Vec<Run> =
        (0..bench.items.len()).flat_map(|item| (0..plan.copies).map(move |copy| Run { item, copy })).collect();
    for batch in batches(runs.len(), bench.rows / 2, |run| bench.items[runs[run].item].clean.len()) {
        let runs: Vec<Run> = batch.iter().map(|run| runs[*run]).collect();
        traced.batch(&runs, &mut traces, steps)?;
    }
    steps.complete()?;
    Ok(finding(bench, plan, &traces, traced.sigma()?))
}

/// Units of work of a trace: every cell at every position of every copy.
pub fn work(bench: &Bench, plan: &Tracing) -> usize {
    plan.cells.len() * plan.copies * bench.items.iter().map(|item| item.clean.len()).sum::<usize>()
}

/// A noised copy of an item.
#[derive(Clone, Copy)]
struct Run {
    item: usize,
    copy: usize,
}

/// The most probable token after a prompt, and its probability.
type Top = (u32, f64);

/// What was found of an item.
struct Traced {
    top: Top,
    corrupted: f64,
    /// `[cell][position]`.
    restored: Vec<Vec<f64>>,
}

impl Traced {
    fn empty(plan: &Tracing, length: usize) -> Self {
        Traced { top: (0, 0.0), corrupted: 0.0, restored: vec![vec![0.0; length]; plan.cells.len()] }
    }

    fn total(&self) -> f64 {
        self.top.1 - self.corrupted
    }
}

struct Trace<'a, 'b> {
    bench: &'b Bench<'a>,
    plan: &'b Tracing,
    draw: &'b Draw<'b>,
    /// Of the noise; found by every process where it is first needed, as steps may be another's.
    sigma: &'b OnceCell<f64>,
}

impl<'a> Trace<'a, '_> {
    fn sigma(&self) -> Result<f64, HookError> {
        if let Some(sigma) = self.sigma.get() {
            return Ok(*sigma);
        }
        let sigma = match self.plan.noise {
            Noise::Sigma(sigma) => sigma,
            Noise::Subjects(times) => times * deviation(self.bench)?,
        };
        Ok(*self.sigma.get_or_init(|| sigma))
    }

    /// The most probable token after each prompt, of one length, and the states at some sites.
    fn clean(&self, items: &[usize], sites: &[Site]) -> Result<(Vec<Top>, Record), HookError> {
        let tokens = self.bench.tokens(items, Side::Clean);
        let read = Read { positions: Some(vec![tokens.width() - 1; items.len()]), tokens: None };
        let mut record = Record::of(sites.iter().copied());
        let logits = run(self.bench.model, &Pass::whole(&tokens).reading(read), &mut record)?;
        let vocabulary = logits.dims()[2];
        Ok((to_doubles(&logits).chunks_exact(vocabulary).map(top).collect(), record))
    }

    /// Whether a fact is spoken of.
    fn keeps(&self, item: usize, top: u32) -> bool {
        keeps(self.plan, &self.bench.items[item].expected, top)
    }

    /// Every cell at every position of some copies of one length.
    fn batch(&self, runs: &[Run], traces: &mut [Traced], steps: &mut Steps) -> Result<(), RunError> {
        let length = self.bench.items[runs[0].item].clean.len();
        let cells: Vec<Cell> = self.plan.cells.iter().flat_map(|cell| (0..length).map(|at| cell.at(at))).collect();
        let found = sweep_batch(&cells, runs.len(), || self.prepared(runs, &cells), steps)?;
        let share = 1.0 / self.plan.copies as f64;
        for (index, run) in runs.iter().enumerate() {
            let trace = &mut traces[run.item];
            trace.corrupted += share * found.from[index];
            for (cell, values) in found.values.iter().enumerate() {
                trace.restored[cell / length][cell % length] += share * values[index];
            }
        }
        Ok(())
    }

    /// The noised runs of a batch, and the states of the plain ones.
    fn prepared(&self, runs: &[Run], cells: &[Cell]) -> Result<(Runs<'a>, Stand), HookError> {
        let mut items: Vec<usize> = runs.iter().map(|run| run.item).collect();
        items.dedup();
        let (tops, record) = self.clean(&items, &changed(cells))?;
        let of_run: Vec<usize> = runs.iter().map(|run| items.partition_point(|item| *item < run.item)).collect();
        let states = record.into_kept().into_iter().map(|(site, state)| (site, rows_of(state, &of_run))).collect();
        let tokens = self.bench.tokens(&runs.iter().map(|run| run.item).collect::<Vec<_>>(), Side::Clean);
        let at = tokens.width() - 1;
        let read = |row: &usize| vec![Answers { right: vec![tops[*row].0], wrong: vec![tops[*row].0], at }];
        let skipped = runs.iter().zip(&of_run).map(|(run, row)| !self.keeps(run.item, tops[*row].0));
        let runs = Runs {
            model: self.bench.model,
            most: self.bench.rows,
            metric: Metric::Probability,
            answers: of_run.iter().map(read).collect(),
            edits: self.noise(runs)?,
            skipped: skipped.collect(),
            tokens,
        };
        Ok((runs, Stand { states, metric: Some(of_run.iter().map(|row| tops[*row].1).collect()) }))
    }

    /// The noise of each run at its subject, an edit a run.
    fn noise(&self, runs: &[Run]) -> Result<Vec<Edit>, HookError> {
        let (sigma, width) = (self.sigma()?, self.bench.model.dims().d_model);
        let edit = |(row, run): (usize, &Run)| {
            let subject = subject(self.bench, run.item);
            let normal = (self.draw)(run.item, run.copy, [subject.len(), width]);
            let noise = normal.into_iter().map(|value| sigma * value).collect();
            let noise = from_doubles(noise, [1, 1, subject.len(), width], &self.bench.model.setting());
            let place = Place { rows: Some(vec![row]), positions: Some(subject.collect()), ..Place::all(Site::Embed) };
            Edit { place, change: Change::Add(noise) }
        };
        Ok(runs.iter().enumerate().map(edit).collect())
    }
}

fn subject(bench: &Bench, item: usize) -> std::ops::Range<usize> {
    bench.items[item].subject.clone().expect("the plan has made sure of subjects")
}

fn keeps(plan: &Tracing, expected: &[u32], top: u32) -> bool {
    plan.facts == Facts::All || expected.contains(&top)
}

/// The most probable token, the first of several, with its probability.
fn top(logits: &[f64]) -> Top {
    let higher = |best: usize, (index, logit): (usize, &f64)| if *logit > logits[best] { index } else { best };
    let best = logits.iter().enumerate().fold(0, higher);
    (best as u32, Metric::Probability.value(logits, &[best as u32], &[best as u32]))
}

fn finding(bench: &Bench, plan: &Tracing, traces: &[Traced], sigma: f64) -> Finding {
    let kept: Vec<bool> =
        traces.iter().zip(bench.items).map(|(trace, item)| keeps(plan, &item.expected, trace.top.0)).collect();
    let totals: Values = traces.iter().zip(&kept).map(|(trace, kept)| kept.then(|| trace.total())).collect();
    let mut by_role = table("trace", "Causal tracing: what restoring brings back, by role of the token", bench);
    by_role.positions = roles::NAMES.map(String::from).to_vec();
    let mut finding = told(bench, plan, by_role, &totals, roles::NAMES.len(), |cell, role, item| {
        let roles = roles::of(bench.items[item].clean.len(), subject(bench, item));
        let values: Vec<f64> = roles[role].iter().map(|at| effect(&traces[item], cell, *at)).collect();
        (!values.is_empty()).then(|| mean(&values))
    });
    // tokens are those of the facts spoken of
    let items: Vec<Item> =
        bench.items.iter().zip(&kept).filter(|(_, kept)| **kept).map(|(item, _)| item.clone()).collect();
    let shown = Bench { items: &items, ..*bench };
    let mut by_token = table("trace.tokens", "Causal tracing: what restoring brings back, token by token", &shown);
    let length = by_token.positions.len();
    if length > 0 {
        roles::mark(&mut by_token.positions, &shown);
        let at = |cell, at: usize, item: usize| Some(effect(&traces[item], cell, at));
        let mut tokens = told(bench, plan, by_token, &totals, length, at);
        finding.tables.append(&mut tokens.tables);
        finding.items.append(&mut tokens.items);
    }
    for table in finding.tables.iter_mut().chain(&mut finding.items) {
        facts(table, plan, traces, &kept, sigma);
    }
    finding
}

fn effect(trace: &Traced, cell: usize, position: usize) -> f64 {
    trace.restored[cell][position] - trace.corrupted
}

/// A table with a row for each cell and place on its axis of positions, of the items that have a total.
fn told(
    bench: &Bench,
    plan: &Tracing,
    main: Table,
    totals: &Values,
    places: usize,
    value: impl Fn(usize, usize, usize) -> Option<f64>,
) -> Finding {
    let row = |metric: &str| Row { metric: metric.into(), ..blank(&main.name, bench.metric) };
    let mut tested = Vec::new();
    for (index, cell) in plan.cells.iter().enumerate() {
        for place in 0..places {
            let row = Row { position: Some(place), ..super::patch::place(row("IE"), cell) };
            let kept = |item: usize| totals[item].and_then(|_| value(index, place, item));
            tested.push((row, (0..totals.len()).map(kept).collect::<Values>()));
        }
    }
    tested.retain(|(_, values)| values.iter().any(Option::is_some));
    let described = vec![(row("TE"), totals.clone())];
    tabulate_some(bench, main, Told { tested, described }, totals)
}

fn facts(table: &mut Table, plan: &Tracing, traces: &[Traced], kept: &[bool], sigma: f64) {
    let count = kept.iter().filter(|kept| **kept).count();
    let of_kept = |value: fn(&Traced) -> f64| {
        let values: Vec<f64> =
            traces.iter().zip(kept).filter(|(_, kept)| **kept).map(|(trace, _)| value(trace)).collect();
        if values.is_empty() { "none".into() } else { format!("{:.4}", mean(&values)) }
    };
    let which = match plan.facts {
        Facts::All => "all",
        Facts::Known => "those whose most probable token is the right one",
    };
    let strength = match plan.noise {
        Noise::Subjects(times) => format!(", {times} times the deviation of the subjects' embeddings"),
        Noise::Sigma(_) => String::new(),
    };
    let facts = [
        ("metric sign", "p of the token that is most probable without noise, at the last position".to_string()),
        ("facts", format!("{count} of {}: {which}", kept.len())),
        ("TE", of_kept(Traced::total)),
        ("p, clean", of_kept(|trace| trace.top.1)),
        ("p, corrupted", of_kept(|trace| trace.corrupted)),
        ("noise", format!("N(0, σ²) at the subject's embeddings, σ = {sigma:.4}{strength}")),
        ("copies", plan.copies.to_string()),
        ("layers restored at once", format!("{}; of the stream 1", plan.window)),
        ("normalised", "IE / TE, of the means".into()),
    ];
    table.facts.extend(facts.map(|(name, value)| (name.to_string(), value)));
}
