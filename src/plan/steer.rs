//! Steering: places, directions and amounts, resolved and checked.

use super::task::{self, Task, tasks};
use super::{Cell, Known, Problems, cells, probing, spots, sweeps};
use crate::spec::{Axis, Experiment, Heading, Operation, Reach, Spot, Steer};
use std::collections::BTreeSet;

/// The most random directions: more would not end.
const MOST: usize = 100_000;

/// Steering with every name resolved.
pub struct Steering {
    /// The places, one a row.
    pub cells: Vec<Cell>,
    /// Whose prompts give directions, and are steered.
    pub tasks: Vec<Task>,
    /// The positions of every question that are steered, where the cell names none: `[task][question]`.
    pub reach: Vec<Vec<Vec<usize>>>,
    /// Which positions these are, as it was written.
    pub to: Reach,
    /// How directions are found.
    pub by: Vec<Heading>,
    /// What is done along them.
    pub operations: Vec<Operation>,
    /// How far, rising; without 0, which is no change.
    pub coefficients: Vec<f64>,
    /// How much the prompts' own tokens may lose, nats a token.
    pub fluency: f64,
    /// Random directions.
    pub random: usize,
}

impl Steering {
    /// The coefficients on both sides of 0, where there are such; else 0 itself.
    pub fn around_zero(&self) -> [f64; 2] {
        let below = self.coefficients.iter().copied().filter(|coefficient| *coefficient < 0.0).fold(None, larger);
        let above = self.coefficients.iter().copied().find(|coefficient| *coefficient > 0.0);
        [below.unwrap_or(0.0), above.unwrap_or(0.0)]
    }

    /// Conditions of a task under its own directions and random ones, and under those of another task.
    pub fn conditions(&self) -> usize {
        let doses = |operation: &Operation| if *operation == Operation::Ablate { 1 } else { self.coefficients.len() };
        let own: usize = self.operations.iter().map(doses).sum();
        own * (self.by.len() + self.random) + 2 * self.by.len() * (self.tasks.len() - 1)
    }
}

fn larger(most: Option<f64>, next: f64) -> Option<f64> {
    Some(most.map_or(next, |most: f64| most.max(next)))
}

/// Steering, or what is wrong with it.
pub(super) fn resolve(
    at: &str,
    asked: &Steer,
    experiment: &Experiment,
    known: &Known,
    problems: &mut Problems,
) -> Option<Steering> {
    let before = problems.count();
    check_axes(at, asked, problems);
    check_numbers(at, asked, problems);
    let sweep = probing::places(at, (&asked.sites, &asked.over, &asked.only), known, problems);
    let kinds: BTreeSet<&str> = sweep.iter().flat_map(|sweep| &sweep.cells).map(|cell| cell.name.as_str()).collect();
    if kinds.len() > 1 {
        let what = "one site at a time is steered; write a `Steer` for each";
        problems.add(&format!("{at}.sites"), what);
    }
    let questions = task::Asked {
        spots: ("at", &asked.at),
        apart: asked.apart.as_ref(),
        parts: asked.parts.as_deref(),
        seed: experiment.seed,
    };
    let tasks = if known.complete { tasks(at, &questions, known, problems) } else { Vec::new() };
    check_reach(at, asked, &tasks, known, problems);
    if sweeps(&asked.over, Axis::Position) {
        check_lengths(at, &tasks, known, problems);
    }
    if problems.count() > before || !known.complete {
        return None;
    }
    let mut coefficients: Vec<f64> = asked.coefficients.iter().copied().filter(|one| *one != 0.0).collect();
    coefficients.sort_by(f64::total_cmp);
    let positions = |task: &Task| {
        let item = |number: usize| &task.items[number / 2];
        (0..task.questions.len()).map(|number| reach(&asked.to, item(number))).collect()
    };
    Some(Steering {
        cells: sweep?.cells,
        reach: tasks.iter().map(positions).collect(),
        tasks,
        to: asked.to.clone(),
        by: asked.by.clone(),
        operations: asked.operations.clone(),
        coefficients,
        fluency: asked.fluency,
        random: asked.random,
    })
}

/// The positions of a pair that are steered.
fn reach(to: &Reach, item: &super::Item) -> Vec<usize> {
    let length = item.clean.len();
    match to {
        Reach::Everywhere => (0..length).collect(),
        Reach::Onward(spot) => (spots::positions(*spot, item).first().copied().unwrap_or(length)..length).collect(),
        Reach::At(chosen) => spots::all(chosen, item),
    }
}

fn check_axes(at: &str, asked: &Steer, problems: &mut Problems) {
    if let Some(axis) = asked.over.iter().find(|axis| !matches!(axis, Axis::Layer | Axis::Position)) {
        let what =
            format!("a direction lies in a whole state, so that {axis:?} cannot be swept; write Layer or Position");
        problems.add(&format!("{at}.over"), what);
    }
    if !asked.only.heads.is_empty() || !asked.only.neurons.is_empty() {
        problems.add(&format!("{at}.only"), "a direction lies in a whole state; leave out heads and neurons");
    }
}

fn check_numbers(at: &str, asked: &Steer, problems: &mut Problems) {
    let field = |name: &str| format!("{at}.{name}");
    if asked.by.is_empty() {
        problems.add(&field("by"), "is empty; name at least one, for instance [MeanDifference]");
    }
    if asked.operations.is_empty() {
        problems.add(&field("operations"), "is empty; name at least one, for instance [Add]");
    }
    cells::check_once(&field("by"), &asked.by, problems);
    cells::check_once(&field("operations"), &asked.operations, problems);
    cells::check_once(&field("coefficients"), &asked.coefficients, problems);
    if let Some(wrong) = asked.coefficients.iter().find(|coefficient| !coefficient.is_finite()) {
        problems.add(&field("coefficients"), format!("{wrong} is not finite"));
    }
    if asked.coefficients.iter().all(|coefficient| *coefficient == 0.0) {
        problems.add(&field("coefficients"), "none is other than 0, which changes nothing; write for instance [-1, 1]");
    }
    if !(asked.fluency > 0.0 && asked.fluency.is_finite()) {
        problems.add(&field("fluency"), format!("{} nats a token is not above 0", asked.fluency));
    }
    if asked.random == 0 || asked.random > MOST {
        problems.add(&field("random"), format!("{} is not between 1 and {MOST}", asked.random));
    }
}

fn check_reach(at: &str, asked: &Steer, tasks: &[Task], known: &Known, problems: &mut Problems) {
    let chosen: Vec<Spot> = match &asked.to {
        Reach::Everywhere => Vec::new(),
        Reach::Onward(spot) => vec![*spot],
        Reach::At(chosen) => chosen.clone(),
    };
    if matches!(&asked.to, Reach::At(chosen) if chosen.is_empty()) {
        problems.add(&format!("{at}.to"), "steers no position; name one, or write Everywhere");
    }
    for task in tasks {
        let own = Known { items: &task.items, sites: known.sites.clone(), ..*known };
        spots::check(&format!("{at}.to"), &chosen, &own, problems);
    }
}

/// Where positions are swept, a position means the same in all prompts.
fn check_lengths(at: &str, tasks: &[Task], known: &Known, problems: &mut Problems) {
    let Some(length) = known.length() else { return };
    let other = tasks.iter().flat_map(|task| &task.questions).find(|question| question.tokens.len() != length);
    if let Some(question) = other {
        let what = format!(
            "sweeps over positions, but a prompt of a feature has {} tokens and those of `data` have {length}; choose sentences of as many tokens, or leave Position out",
            question.tokens.len()
        );
        problems.add(&format!("{at}.over"), what);
    }
}
