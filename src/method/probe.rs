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

use super::along::{Along, Changes, Way, along};
use super::states::{filed, gathered, together};
use super::sweep::made;
use super::{Bench, Finding, Side};
use crate::model::HookError;
use crate::model::random::twin;
use crate::plan::{Cell, Probing};
use crate::spec::Erasure;
use crate::steps::{RunError, Steps};
use ndarray::{Array2, ArrayView2};
use patchclamp_probes::rows::Rows;
use told::Told;

/// Probes every cell, and where it is asked for runs on from states without what is told.
pub fn probe(bench: &Bench, plan: &Probing, steps: &mut Steps) -> Result<Finding, RunError> {
    let probed = &plan.probed;
    let ways: Vec<Way> = plan.used.iter().map(|what| Way { what: *what, erasure: Erasure::Leace }).collect();
    let (samples, positions) = (&probed.samples, &probed.positions);
    let changes = Changes { samples, positions, ways: &ways, draws: plan.random_directions };
    let (mut told, mut used) = (Vec::new(), Vec::new());
    for cells in together(bench, probed) {
        let mut states = None;
        let mut make = || recorded(bench, plan, &cells);
        told.extend(decoded(bench, plan, &cells, &mut states, &mut make, steps)?);
        if !ways.is_empty() {
            let own = || Ok(made(&mut states, &mut make)?.own.clone());
            used.push(along(bench, &changes, &cells, own, steps)?);
        }
    }
    let corrupt = if ways.is_empty() { Vec::new() } else { bench.whole(Side::Corrupt, steps)? };
    steps.complete()?;
    let told: Vec<Told> = told.into_iter().flatten().collect();
    let mut finding = tables::finding(bench, plan, &told);
    if !ways.is_empty() {
        gap::add(bench, plan, &told, (&ways, &Along::joined(used)), &corrupt, &mut finding);
    }
    Ok(finding)
}

/// Units of work: every prompt at every cell, and every run.
pub fn work(bench: &Bench, plan: &Probing) -> usize {
    let runs = plan.used.len() * (1 + plan.random_directions) * bench.items.len();
    plan.probed.sweep.cells.len() * (plan.probed.samples.items.len() + runs)
}

/// States of all prompts at some cells: those of the model, then those of its twins.
struct States {
    /// `[cell][prompt, value]`.
    own: Vec<Array2<f32>>,
    /// `[twin][cell][prompt, value]`.
    twins: Vec<Vec<Array2<f32>>>,
}

/// The states of some cells.
fn recorded(bench: &Bench, plan: &Probing, cells: &[Cell]) -> Result<States, HookError> {
    let samples = &plan.probed.samples;
    let of_twin = |number: usize| {
        let model = twin(bench.model, bench.seed.wrapping_add(number as u64));
        gathered(&Bench { model: model.as_ref(), ..*bench }, samples, cells)
    };
    let twins = (0..plan.random_models).map(of_twin).collect::<Result<_, _>>()?;
    Ok(States { own: gathered(bench, samples, cells)?, twins })
}

/// What is told of each cell; a step each.
fn decoded(
    bench: &Bench,
    plan: &Probing,
    cells: &[Cell],
    states: &mut Option<States>,
    make: &mut impl FnMut() -> Result<States, HookError>,
    steps: &mut Steps,
) -> Result<Vec<Option<Told>>, RunError> {
    let samples = plan.probed.samples.items.len();
    let one = |(number, cell): (usize, &Cell)| {
        steps.step(samples, || {
            if let Some(states) = &plan.states {
                return Ok(told::of(bench, plan, &*filed(states, cell), &[]));
            }
            let states = made(states, make)?;
            let twins: Vec<ArrayView2<f32>> = states.twins.iter().map(|twin| twin[number].view()).collect();
            let twins: Vec<&dyn Rows> = twins.iter().map(|twin| twin as &dyn Rows).collect();
            Ok(told::of(bench, plan, &states.own[number].view(), &twins))
        })
    };
    cells.iter().enumerate().map(one).collect()
}
