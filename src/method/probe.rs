//! Probing: what can be told from states, held against what a probe learns by itself, and whether the model uses it.
//!
//! *What it measures.* The accuracy of linear probes on prompts of words that they did not learn from, the mean over splits, beside
//! that of the likeliest class, of shuffled labels, of a probe with a hidden layer, and of the same model with random weights.
//! Selectivity is the accuracy less that of control labels, a random one for each word type, both in splits by prompt, so that
//! words can be learnt by heart. Compression is how many times shorter the labels' online code is than one that knows nothing;
//! information is how many bits a prompt the probe saves over the shares of the classes. Where use is asked for, the clean runs go on
//! from states in which the probe's directions are erased (LEACE), swapped for what the corrupted prompt has along them, or
//! steered by the difference of the class means, fitted to the other side of each split; beside directions drawn by chance.
//!
//! *What it cannot show.* Without use: that the model reads what the probe reads. With use: that what is left is unused, as an erased
//! feature may be written again by later layers, or stand at other positions too. An interval over words does not hold the
//! variation of training sets.
//!
//! *Reference.* Hewitt & Liang 2019 (control tasks); Voita & Titov 2020 (online code); Xu et al. 2020 (V-information); Belrose et al.
//! 2023 (LEACE); Elazar et al. 2021 (amnesic probing, with random directions); Ravfogel et al. 2021 (swapped).
//!
//! *Example.* `Probe(of: Answer, used: [Erase, Swap])`

mod gap;
mod tables;
mod told;

use super::along::{self, Along};
use super::states::{gathered, together};
use super::sweep::made;
use super::{Bench, Finding};
use crate::model::HookError;
use crate::model::random::twin;
use crate::plan::{Cell, Probing};
use crate::steps::{RunError, Steps};
use ndarray::Array2;
use told::Told;

/// Probes every cell, and where it is asked for runs on from states without what is told.
pub fn probe(bench: &Bench, plan: &Probing, steps: &mut Steps) -> Result<Finding, RunError> {
    let cells = &plan.sweep.cells;
    let (mut told, mut along) = (Vec::new(), Vec::new());
    for group in together(&samples(bench, plan), cells) {
        let group: Vec<Cell> = group.into_iter().map(|cell| cells[cell].clone()).collect();
        let mut states = None;
        told.extend(decoded(bench, plan, &group, &mut states, steps)?);
        along.extend(along::along(bench, plan, &group, &mut states, steps)?);
    }
    steps.complete()?;
    let told: Vec<Told> = told.into_iter().flatten().collect();
    let corrupt = if plan.used.is_empty() { Vec::new() } else { bench.whole(super::Side::Corrupt, steps)? };
    let mut finding = tables::finding(bench, plan, &told);
    if !plan.used.is_empty() {
        gap::add(bench, plan, &told, &Along::joined(along), &corrupt, &mut finding);
    }
    Ok(finding)
}

/// Units of work: every prompt at every cell, and every run.
pub fn work(bench: &Bench, plan: &Probing) -> usize {
    let runs = plan.used.len() * (1 + plan.random_directions) * bench.items.len();
    plan.sweep.cells.len() * (plan.samples.items.len() + runs)
}

/// The bench with the prompts that a probe learns from and is asked of.
pub(super) fn samples<'a>(bench: &Bench<'a>, plan: &'a Probing) -> Bench<'a> {
    Bench { items: &plan.samples.items, ..*bench }
}

/// States of all prompts at some cells: those of the model, then those of its twins.
pub(super) struct States {
    /// `[cell][prompt, value]`.
    pub own: Vec<Array2<f32>>,
    /// `[twin][cell][prompt, value]`.
    pub twins: Vec<Vec<Array2<f32>>>,
}

/// The states of some cells.
pub(super) fn recorded(bench: &Bench, plan: &Probing, cells: &[Cell]) -> Result<States, HookError> {
    let samples = samples(bench, plan);
    let of_twin = |number: usize| {
        let model = twin(bench.model, bench.seed.wrapping_add(number as u64));
        gathered(&Bench { model: model.as_ref(), ..samples }, cells, &plan.samples.at)
    };
    let twins = (0..plan.random_models).map(of_twin).collect::<Result<_, _>>()?;
    Ok(States { own: gathered(&samples, cells, &plan.samples.at)?, twins })
}

/// What is told of each cell; a step each.
fn decoded(
    bench: &Bench,
    plan: &Probing,
    cells: &[Cell],
    states: &mut Option<States>,
    steps: &mut Steps,
) -> Result<Vec<Option<Told>>, RunError> {
    let mut make = || recorded(bench, plan, cells);
    let mut told = Vec::new();
    for cell in 0..cells.len() {
        told.push(steps.step(plan.samples.items.len(), || {
            let states = made(states, &mut make)?;
            Ok(told::of(bench, plan, states, cell))
        })?);
    }
    Ok(told)
}
