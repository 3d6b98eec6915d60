//! Tuned lens: the answer read from every layer through a translator learned for it.
//!
//! *What it measures.* A stream h is read as the logit lens reads it, after h + A h + b. A and b begin at zero, where the two
//! lenses are one, and are fitted by Adam on all positions of one part of the prompts so that the lens says what the last layer
//! says: KL(last ‖ lens) is made small. On the items of the other part both lenses are read: the metric at the answer, the
//! divergence in bits and how often both name the same token first, means over the positions of a prompt. Where an early
//! layer holds the answer in directions of its own, the logit lens misses it and the tuned lens need not.
//!
//! *What it cannot show.* That the model reads a stream so: a translator may compute what the later layers compute, all the
//! more of few prompts, which it can learn by heart; the divergence on held-out items says how far that goes.
//!
//! *Reference.* Belrose et al. 2023, "Eliciting latent predictions from transformers with the tuned lens".
//!
//! *Example.* `TunedLens(steps: 200, held_out: (apart: Words))`

mod lenses;
mod tables;
mod translator;

pub use lenses::{Streams, read};
pub use translator::{Fit, State, Translator};

use super::chain::{Behind, Chain};
use super::sweep::made;
use super::{Bench, Finding};
use crate::plan::TunedLens;
use crate::site::Site;
use crate::steps::{RunError, Steps};
use serde::{Deserialize, Serialize};

/// A fit is kept in so many parts: a translator is large.
const PARTS: usize = 4;

/// What both lenses read of a stream.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Found {
    /// Of each item held out: metric, divergence in bits, agreement; by the logit lens, by the tuned lens, by the last layer.
    lenses: [[Vec<f64>; 3]; 3],
    /// A, the row that it makes first, then b.
    translator: Vec<f32>,
    /// The loss of the first step, and of the last; none of the last layer's own stream, which needs no translator.
    losses: Option<[f64; 2]>,
}

/// Learns a translator for every stream and reads it on items that were held out.
pub fn tuned_lens(bench: &Bench, plan: &TunedLens, steps: &mut Steps) -> Result<Finding, RunError> {
    let taped = bench.model.on_tape();
    let mut streams: Option<Streams> = None;
    let mut make = || Streams::record(bench, taped.as_ref(), plan);
    let mut all = Vec::new();
    for (number, site) in plan.sites.iter().enumerate() {
        let mut state = Some(State::new(bench.model.dims().d_model));
        // the last layer's own stream would only learn rounding
        if *site != bench.model.last_stream() {
            let fit = Fit { steps: plan.steps, rate: plan.rate, batch: plan.batch, seed: (bench.seed, number) };
            let kept = plan.steps.div_ceil(PARTS);
            let chain = Chain { count: plan.steps, kept, work: plan.batch, behind: Behind::More };
            let begin = State::new(bench.model.dims().d_model);
            state = chain.run(begin, steps, |state| made(&mut streams, &mut make)?.step(*site, &fit, state))?;
        }
        all.push(steps.step(plan.parts.test.len(), || {
            let state = state.expect("its own shard's");
            let translator = made(&mut streams, &mut make)?.translator(*site, &state);
            let lenses = read(bench, plan, *site, &translator)?;
            Ok(Found { lenses, translator: translator.written(), losses: state.losses })
        })?);
    }
    steps.complete()?;
    let found: Vec<Found> = all.into_iter().map(|found| found.expect("no step is missing")).collect();
    Ok(tables::finding(bench, plan, &found))
}

/// Units of work: a position for each step of each fit, and an item for each stream that is read.
pub fn work(bench: &Bench, plan: &TunedLens) -> usize {
    let learned = plan.sites.iter().filter(|site: &&Site| **site != bench.model.last_stream()).count();
    learned * plan.steps * plan.batch + plan.sites.len() * plan.parts.test.len()
}
