//! Steer: states moved along the direction in which prompts differ, how far the answer follows, and what that costs.
//!
//! *What it measures.* The data and every feature (or the parts of the data by a label) are tasks: pairs of prompts of which the
//! clean one has something. One half of a task's pairs gives a direction at each place, from corrupted to clean prompts and as
//! long as their means stand apart; the other half is asked while the direction times a coefficient is added, or what lies
//! along it is taken out; then halves change places. By each coefficient: the metric towards the clean answer, after both
//! prompts of a pair; what the prompt's own tokens lose in probability; how far the next token's distribution moves (KL); and
//! the same along random directions of the same length. From these the slope at zero, how monotone the curve is, the window
//! of coefficients in which fluency holds, and how much of a task's own slope another task's direction keeps.
//!
//! States are changed at every position, as Arditi et al. and Zou et al. do, where `to` says nothing else: only then do the
//! prompt's own tokens tell of fluency. Rimsky et al. add behind the prompt only (`to: Onward(Last)`), Turner et al. at single
//! positions (`to: At([0])`).
//!
//! *What it cannot show.* That the model has such a direction, or uses it: a large step along many directions changes an answer,
//! so hold it against random ones. A slope at zero says nothing of large steps. What is taken out at one place may come back
//! behind it.
//!
//! *Reference.* Turner et al. 2023 (ActAdd); Rimsky et al. 2024 (CAA, mean differences); Zou et al. 2023 (principal components);
//! Arditi et al. 2024 (directions added and ablated); Li et al. 2023 (probes' weights).
//!
//! *Example.* `Steer(at: [Answer], over: [Layer], coefficients: [-2, -1, -0.5, 0.5, 1, 2])`

mod directions;
mod doses;
mod pushes;
mod transfer;

use super::heard::{Outcomes, Reading, Said, held_out};
use super::summary::Summary;
use super::{Bench, Finding};
use crate::plan::{Steering, Task};
use crate::spec::{Heading, Operation};
use crate::steps::{RunError, Steps};
use directions::{Course, Held, length, scaled};
use pushes::{Dose, Pushes};

pub use transfer::TO;

/// What rows of these tables name as their method.
pub const STEER: &str = "steer";

/// What is asked, and what was said.
struct Told<'a> {
    bench: &'a Bench<'a>,
    plan: &'a Steering,
    /// One a task, all drawn independently.
    summaries: Vec<Summary>,
    /// `[cell][task]`.
    outcomes: Vec<Vec<Outcomes>>,
}

/// Steers every cell.
pub fn steer(bench: &Bench, plan: &Steering, steps: &mut Steps) -> Result<Finding, RunError> {
    let mut outcomes = Vec::new();
    for cell in 0..plan.cells.len() {
        outcomes.push(steered(bench, plan, cell, steps)?);
    }
    steps.complete()?;
    let summary = |(number, task): (usize, &Task)| {
        Summary::new(&Bench { items: &task.items, seed: bench.seed.wrapping_add(number as u64), ..*bench })
    };
    let summaries = plan.tasks.iter().enumerate().map(summary).collect();
    let told = Told { bench, plan, summaries, outcomes };
    let (doses, items) = told.doses();
    let mut tables = vec![doses];
    if plan.operations.contains(&Operation::Add) {
        tables.push(told.slopes());
        tables.extend(told.transfer());
    }
    Ok(Finding { tables, items: vec![items], ..Finding::default() })
}

/// Units of work: questions under every condition, cell by cell.
pub fn work(plan: &Steering) -> usize {
    let questions: usize = plan.tasks.iter().map(|task| task.questions.len()).sum();
    questions * plan.conditions() * plan.cells.len()
}

/// What every task says at one cell.
fn steered(bench: &Bench, plan: &Steering, cell: usize, steps: &mut Steps) -> Result<Vec<Outcomes>, RunError> {
    let held = Held::new(bench, plan, &plan.cells[cell])?;
    let ask = |task: usize| {
        let made = [0, 1].map(|half| Pushes {
            model: bench.model,
            cell: &plan.cells[cell],
            reach: &plan.reach[task],
            courses: courses(plan, &held, [task, half], bench.seed.wrapping_add(cell as u64)),
            doses: doses(plan),
        });
        held_out(bench, &plan.tasks[task], [&made[0], &made[1]], steps)
    };
    (0..plan.tasks.len()).map(ask).collect()
}

/// The task's own directions, random ones, then those of the other tasks.
fn courses(plan: &Steering, held: &Held, [task, half]: [usize; 2], seed: u64) -> Vec<Course> {
    const APART: u64 = 0x9e37_79b9_7f4a_7c15; // so that neighbouring cells and draws share no stream
    let of = |task: usize| plan.by.iter().map(move |by| held.course(task, half, *by));
    let own: Vec<Course> = of(task).collect();
    // the same for both halves, as their own directions are nearly one too
    let number = |draw: usize| seed.wrapping_add(APART.wrapping_mul(1 + draw as u64));
    let random: Vec<Course> = (0..plan.random).map(|draw| held.random(&own[0], number(draw))).collect();
    // as long as the task's own, so that directions alone are compared
    let like = |(other, own): (Course, &Course)| -> Course {
        other.into_iter().zip(own).map(|(other, own)| scaled(other, length(own))).collect()
    };
    let others = (0..plan.tasks.len()).filter(|other| *other != task);
    let others: Vec<Course> = others.flat_map(|other| of(other).zip(&own).map(like)).collect();
    own.into_iter().chain(random).chain(others).collect()
}

/// What is done along each course, in their order.
fn doses(plan: &Steering) -> Vec<Dose> {
    let first = plan.by.len() + plan.random;
    let own = (0..first).flat_map(|course| {
        let all = plan.operations.iter().flat_map(|operation| coefficients(plan, *operation));
        all.map(move |(operation, adds)| Dose { course, adds, removes: operation != Operation::Add })
    });
    let others = (first..first + plan.by.len() * (plan.tasks.len() - 1))
        .flat_map(|course| plan.around_zero().map(|adds| Dose { course, adds, removes: false }));
    own.chain(others).collect()
}

/// An operation with each of its coefficients; 0 where it has none.
fn coefficients(plan: &Steering, operation: Operation) -> Vec<(Operation, f64)> {
    match operation {
        Operation::Ablate => vec![(operation, 0.0)],
        _ => plan.coefficients.iter().map(|coefficient| (operation, *coefficient)).collect(),
    }
}

/// The metric towards the clean answer, after both prompts of each pair.
fn towards(said: &[Said]) -> Vec<f64> {
    said.chunks_exact(2).map(|both| f64::midpoint(both[0].metric, both[1].exchanged)).collect()
}

/// The metric of each prompt's own answer, after both prompts of each pair.
fn score(said: &[Said]) -> Vec<f64> {
    said.chunks_exact(2).map(|both| f64::midpoint(both[0].metric, both[1].metric)).collect()
}

/// The mean of a reading over both prompts of each pair.
fn reading(said: &[Said], of: Reading) -> Vec<f64> {
    said.chunks_exact(2).map(|both| f64::midpoint(of(&both[0]), of(&both[1]))).collect()
}

fn less(changed: &[f64], alone: &[f64]) -> Vec<f64> {
    changed.iter().zip(alone).map(|(changed, alone)| changed - alone).collect()
}

/// A direction in words.
fn name(by: Heading) -> &'static str {
    match by {
        Heading::MeanDifference => "mean difference",
        Heading::PrincipalComponent => "principal component",
        Heading::Logistic => "logistic",
    }
}

impl Told<'_> {
    /// The condition of a course, an operation and one of its coefficients.
    fn condition(&self, course: usize, operation: Operation, adds: f64) -> usize {
        let all: Vec<(Operation, f64)> =
            self.plan.operations.iter().flat_map(|operation| coefficients(self.plan, *operation)).collect();
        let place = all.iter().position(|dose| *dose == (operation, adds)).expect("a dose of the plan");
        course * all.len() + place
    }

    /// What a condition does to the metric, by pair: towards the clean answer, or to the score where nothing is added.
    fn effects(&self, cell: usize, task: usize, operation: Operation, condition: usize) -> Vec<f64> {
        let Outcomes { alone, changed } = &self.outcomes[cell][task];
        let of = if operation == Operation::Ablate { score } else { towards };
        less(&of(&changed[condition]), &of(alone))
    }

    /// The slope at zero along one of the task's first courses, by pair.
    fn slope(&self, cell: usize, task: usize, course: usize) -> Vec<f64> {
        let at = |adds: f64| match adds {
            0.0 => towards(&self.outcomes[cell][task].alone),
            adds => towards(&self.outcomes[cell][task].changed[self.condition(course, Operation::Add, adds)]),
        };
        self.over(self.plan.around_zero().map(at))
    }

    /// The same along the direction of another task.
    fn slope_from(&self, cell: usize, task: usize, other: usize, by: usize) -> Vec<f64> {
        let doses =
            self.plan.operations.iter().map(|operation| coefficients(self.plan, *operation).len()).sum::<usize>();
        let before = if other < task { other } else { other - 1 };
        let first = doses * (self.plan.by.len() + self.plan.random) + 2 * (before * self.plan.by.len() + by);
        let Outcomes { changed, .. } = &self.outcomes[cell][task];
        self.over([towards(&changed[first]), towards(&changed[first + 1])])
    }

    fn over(&self, [below, above]: [Vec<f64>; 2]) -> Vec<f64> {
        let [low, high] = self.plan.around_zero();
        less(&above, &below).into_iter().map(|rise| rise / (high - low)).collect()
    }
}
