//! Erasure: a concept taken out of states, what can still be told of it, and what the model does without it.
//!
//! *What it measures.* The accuracy of probes that are fitted anew to states from which the concept was taken, on prompts that
//! neither the eraser nor the probe has seen: a linear probe, and one with a hidden layer as a guard, since what is no longer along a
//! direction may still be there. Beside them a probe before, and one after as many directions by chance were taken out.
//! `rank` is how many directions go, `moved` the share of the states' variance that goes with them, compression that of the
//! online code before and after (by an eraser that all prompts taught). And what the clean runs do that go on from the erased states, beside
//! directions by chance: amnesic probing.
//!
//! *What it cannot show.* That what is left is unused: later layers may write the concept again, and it may stand at other
//! positions. An eraser of few prompts takes out what these differ in, not all of the concept.
//!
//! *Reference.* Belrose et al. 2023 (LEACE, oracle); Ravfogel et al. 2020 (INLP); Elazar et al. 2021 (amnesic probing).
//!
//! *Example.* `Erase(by: [Leace, Inlp(rounds: 8)], over: [Layer])`

mod guards;
mod tables;

use super::along::{Along, Changes, Way, along};
use super::states::{gathered, together};
use super::sweep::made;
use super::{Bench, Finding, Side};
use crate::plan::Erasing;
use crate::spec::Use;
use crate::steps::{RunError, Steps};
use guards::Guards;

/// Takes the concept out at every cell, looks for it, and runs on.
pub fn erase(bench: &Bench, plan: &Erasing, steps: &mut Steps) -> Result<Finding, RunError> {
    let probed = &plan.probed;
    let ways: Vec<Way> = plan.by.iter().map(|erasure| Way { what: Use::Erase, erasure: *erasure }).collect();
    let (samples, positions) = (&probed.samples, &probed.positions);
    let changes = Changes { samples, positions, ways: &ways, draws: plan.random_directions };
    let (mut guards, mut used): (Vec<Option<Vec<Guards>>>, Vec<Along>) = (Vec::new(), Vec::new());
    for cells in together(bench, probed) {
        let mut states = None;
        let mut make = || gathered(bench, samples, &cells);
        for cell in 0..cells.len() {
            let of = || Ok(guards::of(bench, plan, &made(&mut states, &mut make)?[cell]));
            guards.push(steps.step(samples.items.len(), of)?);
        }
        used.push(along(bench, &changes, &cells, || Ok(made(&mut states, &mut make)?.clone()), steps)?);
    }
    let corrupt = bench.whole(Side::Corrupt, steps)?;
    steps.complete()?;
    let guards: Vec<Vec<Guards>> = guards.into_iter().flatten().collect();
    Ok(tables::finding(bench, plan, &guards, (&ways, &Along::joined(used)), &corrupt))
}

/// Units of work: every prompt at every cell, and every run.
pub fn work(bench: &Bench, plan: &Erasing) -> usize {
    let runs = plan.by.len() * (1 + plan.random_directions) * bench.items.len();
    plan.probed.sweep.cells.len() * (plan.probed.samples.items.len() + runs)
}
