//! Causal mediation: what the corrupted prompt changes of the odds of two answers, and how much of that goes through a
//! head, a layer, all attention, or neurons.
//!
//! *What it measures.* y(u) = p(wrong) / p(right) after the prompt u, with p(c) = exp(mean log-probability of the tokens
//! of answer c). x is the clean prompt, x' the corrupted one: TE = (y(x') − y(x)) / y(x). NIE is the same with only the
//! mediator taken from x', NDE the same with x' but the mediator held at x. Each is the mean of the items' ratios. So with
//! a prompt about a nurse as clean, a man in her place as corrupted, `right: " she"` and `wrong: " he"`, y is the authors'
//! p(anti-stereotypical) / p(stereotypical), and effects are positive where the man brings about `he`.
//! Attention is replaced from tokens of the prompt to tokens of the prompt; the tokens of an answer look where they will.
//! Neurons are replaced at the subject's tokens.
//!
//! *What it cannot show.* Which way an effect goes on behind its mediator. Ratios of single items can be very large, and
//! then rule their mean. NIE and NDE need not sum to TE: the rows `gap` say by how much they do not. The second table of
//! neurons picks the largest with the same items that it speaks of, so it says less than it seems.
//!
//! *Reference.* Vig et al. 2020, "Investigating Gender Bias in Language Models Using Causal Mediation Analysis"; per-item
//! effects and their mean as in the authors' code.
//!
//! *Example.* `Mediate(mediators: Heads)`, `Mediate(mediators: Neurons(over: [Layer]))`

use super::effects::{Effects, Odds};
use super::summary::{Told, Values, tabulate_some};
use super::sweep::{Runs, Stand, sweep_batch};
use super::{Bench, Finding, Side, batches, blank, table};
use crate::hook::Record;
use crate::metric::Metric;
use crate::model::{HookError, Pass, run};
use crate::plan::{Answers, Cell, Sweep, changed};
use crate::spec::Mediators;
use crate::steps::{RunError, Steps};
use crate::table::{Row, Table};
use crate::text::Tokens;

/// Effects of every cell of a sweep as mediator.
pub fn mediate(bench: &Bench, mediators: &Mediators, plan: &Sweep, steps: &mut Steps) -> Result<Finding, RunError> {
    let asked = asked(bench);
    let carried = log_odds(bench, mediators, &plan.cells, &asked, Side::Clean, steps)?;
    let held = log_odds(bench, mediators, &plan.cells, &asked, Side::Corrupt, steps)?;
    steps.complete()?;
    let effects = |cell: usize, item: usize| {
        Effects::of(Odds {
            clean: carried.from[item].exp(),
            corrupt: carried.to[item].exp(),
            carried: carried.values[cell][item].exp(),
            held: held.values[cell][item].exp(),
        })
    };
    let items = 0..bench.items.len();
    let of_cells = (0..plan.cells.len()).map(|cell| items.clone().map(|item| effects(cell, item)).collect()).collect();
    Ok(finding(bench, mediators, plan, of_cells, [&carried.from, &carried.to]))
}

/// Units of work of a mediation: every cell for every run, both ways.
pub fn work(bench: &Bench, plan: &Sweep) -> usize {
    2 * plan.cells.len() * asked(bench).len()
}

/// One run of an item: read for the odds of two answers of one token, or for the probability of one answer.
struct Asked {
    item: usize,
    answer: Answer,
}

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Answer {
    Both,
    Right,
    Wrong,
}

fn asked(bench: &Bench) -> Vec<Asked> {
    let of_item = |item: usize| {
        let whole = bench.items[item].more.iter().all(Vec::is_empty);
        let answers: &[Answer] = if whole { &[Answer::Both] } else { &[Answer::Right, Answer::Wrong] };
        answers.iter().map(move |answer| Asked { item, answer: *answer })
    };
    (0..bench.items.len()).flat_map(of_item).collect()
}

impl Asked {
    /// The answer that is asked for alone: the tokens of which any begins it, and those behind.
    fn alone<'a>(&self, bench: &'a Bench) -> Option<(&'a [u32], &'a [u32])> {
        let (answers, [right, wrong]) = (bench.answers(self.item), &bench.items[self.item].more);
        match self.answer {
            Answer::Both => None,
            Answer::Right => Some((&answers.right, right)),
            Answer::Wrong => Some((&answers.wrong, wrong)),
        }
    }

    /// Positions that the run is read at.
    fn positions(&self, bench: &Bench) -> usize {
        self.alone(bench).map_or(1, |(_, more)| 1 + more.len())
    }

    /// Where the run is read, and for what.
    fn answers(&self, bench: &Bench) -> Vec<Answers> {
        let Answers { right, wrong, at } = bench.answers(self.item).clone();
        let Some((any, more)) = self.alone(bench) else { return vec![Answers { right: wrong, wrong: right, at }] };
        let tokens = std::iter::once(any.to_vec()).chain(more.iter().map(|token| vec![*token]));
        tokens.enumerate().map(|(index, any)| Answers { right: any.clone(), wrong: any, at: at + index }).collect()
    }

    fn metric(&self) -> Metric {
        if self.answer == Answer::Both { Metric::LogitDiff } else { Metric::LogProb }
    }

    /// The prompt, and of the answer all but the last token, which nothing is read behind.
    fn row(&self, bench: &Bench, side: Side) -> Vec<u32> {
        let item = &bench.items[self.item];
        let prompt = if side == Side::Clean { &item.clean } else { &item.corrupt };
        match self.alone(bench) {
            // what tokens follow begins with one token, as a set has answers of one token alone
            Some((any, [before @ .., _])) => [prompt.as_slice(), &any[..1], before].concat(),
            _ => prompt.clone(),
        }
    }

    /// What the run adds to ln y of its item: ln y is the difference of the two logits, or of the two mean log-probabilities.
    fn sign(&self) -> f64 {
        if self.answer == Answer::Right { -1.0 } else { 1.0 }
    }
}

/// ln y, item by item.
struct LogOdds {
    /// `[cell][item]`, with the mediator replaced.
    values: Vec<Vec<f64>>,
    from: Vec<f64>,
    to: Vec<f64>,
}

/// ln y after the prompts of `base`, with each cell taken from the other prompts.
fn log_odds(
    bench: &Bench,
    mediators: &Mediators,
    cells: &[Cell],
    asked: &[Asked],
    base: Side,
    steps: &mut Steps,
) -> Result<LogOdds, RunError> {
    let count = bench.items.len();
    let mut odds =
        LogOdds { values: vec![vec![0.0; count]; cells.len()], from: vec![0.0; count], to: vec![0.0; count] };
    let key = |index: usize| {
        let Asked { item, answer } = asked[index];
        let subject = bench.items[item].subject.clone().map(|subject| (subject.start, subject.end));
        (bench.items[item].clean.len(), asked[index].positions(bench), answer == Answer::Both, subject)
    };
    for batch in batches(asked.len(), bench.rows / 2, key) {
        let runs: Vec<&Asked> = batch.iter().map(|index| &asked[*index]).collect();
        let cells: Vec<Cell> = cells.iter().map(|cell| placed(bench, mediators, cell, runs[0].item)).collect();
        let found = sweep_batch(&cells, runs.len(), || prepared(bench, &cells, &runs, base), steps)?;
        let add = |odds: &mut [f64], values: &[f64]| {
            runs.iter().zip(values).for_each(|(run, value)| odds[run.item] += run.sign() * value);
        };
        add(&mut odds.from, &found.from);
        add(&mut odds.to, &found.to);
        odds.values.iter_mut().zip(&found.values).for_each(|(odds, values)| add(odds, values));
    }
    Ok(odds)
}

/// A cell where it is in a batch: patterns within the prompt, neurons at the subject. All items of a batch have the same.
fn placed(bench: &Bench, mediators: &Mediators, cell: &Cell, item: usize) -> Cell {
    let item = &bench.items[item];
    match mediators {
        Mediators::Neurons { .. } => cell.within(item.subject.clone().expect("the plan has made sure of subjects")),
        _ => cell.block(0..item.clean.len()),
    }
}

/// The runs of a batch after the prompts of `base`, and the states of the same answers after the other prompts.
fn prepared<'a>(
    bench: &Bench<'a>,
    cells: &[Cell],
    asked: &[&Asked],
    base: Side,
) -> Result<(Runs<'a>, Stand), HookError> {
    let other = if base == Side::Clean { Side::Corrupt } else { Side::Clean };
    let tokens = |side: Side| Tokens::new(asked.iter().map(|run| run.row(bench, side)).collect());
    let runs = Runs {
        model: bench.model,
        most: bench.rows,
        metric: asked[0].metric(),
        tokens: tokens(base),
        answers: asked.iter().map(|run| run.answers(bench)).collect(),
        edits: Vec::new(),
        skipped: vec![false; asked.len()],
    };
    let (source, rows) = (tokens(other), runs.rows());
    let mut record = Record::of(changed(cells));
    let logits = run(bench.model, &Pass::whole(&source).reading(runs.read(&rows)), &mut record)?;
    let stand = Stand { states: record.into_kept(), metric: Some(runs.values(&logits, &rows)) };
    Ok((runs, stand))
}

/// `effects` are `[cell][item]`, `log_odds` those of the clean and the corrupted prompts.
fn finding(
    bench: &Bench,
    mediators: &Mediators,
    plan: &Sweep,
    effects: Vec<Vec<Effects>>,
    log_odds: [&Vec<f64>; 2],
) -> Finding {
    let (method, title) = name(mediators);
    let row = |metric: &str| Row { metric: metric.into(), ..blank(&method, bench.metric) };
    let places = |metric: &str, value: fn(&Effects) -> f64| -> Vec<(Row, Values)> {
        let place = |(cell, items): (&Cell, &Vec<Effects>)| {
            (super::patch::place(row(metric), cell), items.iter().map(|item| Some(value(item))).collect())
        };
        plan.cells.iter().zip(&effects).map(place).collect()
    };
    let totals: Values = effects[0].iter().map(|item| Some(item.total)).collect();
    let mut main = table(&method, &title, bench);
    facts(&mut main, bench, log_odds);
    let tested = places("NIE", |effects| effects.indirect);
    let total = vec![(row("TE"), totals.clone())];
    let described =
        [total, places("NDE", |effects| effects.direct), places("gap", Effects::gap)].into_iter().flatten().collect();
    let mut top = table(&format!("{method}.top"), &title, bench);
    top.facts = main.facts.clone();
    let mut finding = tabulate_some(bench, main, Told { tested, described }, &totals);
    if let Some(rows) = largest(mediators, plan, &effects, row("NIE")) {
        top.title = format!("{title}, the largest of each layer");
        top.facts.insert(
            "rows".into(),
            "mean NIE of a layer's neurons of largest mean NIE, chosen by these same items".into(),
        );
        let told = Told { described: rows, ..Told::default() };
        let mut top = tabulate_some(bench, top, told, &totals);
        finding.tables.append(&mut top.tables);
        finding.items.append(&mut top.items);
    }
    finding
}

fn name(mediators: &Mediators) -> (String, String) {
    let (name, title) = match mediators {
        Mediators::Heads => ("heads", "attention of single heads".to_string()),
        Mediators::Layers => ("layers", "attention of whole layers".to_string()),
        Mediators::Model => ("model", "all attention".to_string()),
        Mediators::Neurons { site, .. } => ("neurons", format!("neurons of {site} at the subject")),
    };
    (format!("mediate.{name}"), format!("Causal mediation: {title}"))
}

fn facts(main: &mut Table, bench: &Bench, [clean, corrupt]: [&Vec<f64>; 2]) {
    let mean = |log_odds: &[f64]| log_odds.iter().map(|value| value.exp()).sum::<f64>() / log_odds.len() as f64;
    let facts = [
        ("metric sign", "y = p(wrong) / p(right), p the geometric mean over an answer's tokens".to_string()),
        ("TE", "(y(corrupted) − y(clean)) / y(clean)".into()),
        ("NIE", "the same with the clean prompt and the mediator of the corrupted one".into()),
        ("NDE", "the same with the corrupted prompt and the mediator of the clean one".into()),
        ("gap", "TE − (NIE + NDE)".into()),
        ("items", bench.items.len().to_string()),
        ("y, clean", format!("{:.4}", mean(clean))),
        ("y, corrupted", format!("{:.4}", mean(corrupt))),
        ("normalised", "effect / TE, of the means".into()),
    ];
    main.facts.extend(facts.map(|(name, value)| (name.to_string(), value)));
}

/// For each layer the mean over its neurons of largest mean NIE, item by item; `None` where neurons are not swept.
fn largest(mediators: &Mediators, plan: &Sweep, effects: &[Vec<Effects>], row: Row) -> Option<Vec<(Row, Values)>> {
    let Mediators::Neurons { top, .. } = mediators else { return None };
    plan.cells.first()?.neuron?;
    let alike: Vec<usize> = (0..plan.cells.len()).collect();
    let of_layer = |cells: &[usize]| {
        let mut cells = cells.to_vec();
        let mean = |cell: &usize| Effects::mean(&effects[*cell]).indirect;
        cells.sort_by(|a, b| mean(b).total_cmp(&mean(a)));
        cells.truncate(((cells.len() as f64 * top) as usize).max(1));
        let of_item =
            |item: usize| cells.iter().map(|cell| effects[*cell][item].indirect).sum::<f64>() / cells.len() as f64;
        let method = format!("{}.top", row.method);
        let row = Row { method, neuron: None, ..super::patch::place(row.clone(), &plan.cells[cells[0]]) };
        (row, (0..effects[0].len()).map(|item| Some(of_item(item))).collect())
    };
    Some(alike.chunk_by(|a, b| plan.cells[*a].layer == plan.cells[*b].layer).map(of_layer).collect())
}
