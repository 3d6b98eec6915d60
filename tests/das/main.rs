//! Alignment search: exchanges of spans are what plain hooks make of them, their slopes are differences, what is planted is
//! found, and nothing is where nothing is.

#[path = "../common/mod.rs"]
mod common;
mod laws;
mod planted;
mod refused;

use common::*;
use ndarray::Array2;
use patchclamp::method::Bench;
use patchclamp::method::das::{Fit, Here, Span, Swaps};
use patchclamp::model::load::Loaded;
use patchclamp::plan::{Das, Plan, Step};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// What sums in f64 leave, of logits below ten.
const IN_F64: f64 = 1e-9;
/// The same where the reference computes its norms in f32, as Llama's of `transformers` does whatever its weights are.
const IN_F32: f64 = 1e-5;
/// Causal and not, rotary and not, heads that share keys, norms behind.
const CASES: [&str; 5] = ["gpt2", "llama", "pythia-parallel", "opt-behind", "bert"];

fn planned(data: &str, method: &str, loaded: &Loaded) -> Plan {
    Plan::new(&experiment(&question(data, method, "")), loaded).unwrap_or_else(|error| panic!("{error}"))
}

fn searched(plan: &Plan) -> &Das {
    let Step::Das(das) = &plan.steps[0] else { panic!("another method") };
    das
}

fn bench<'a>(plan: &'a Plan, loaded: &'a Loaded) -> Bench<'a> {
    let (model, statistics) = (loaded.model.as_ref(), plan.experiment.statistics);
    // fewer rows than exchanges, so that there are several batches
    Bench { model, text: None, items: &plan.items, features: &[], metric: plan.metric(), statistics, seed: 0, rows: 4 }
}

/// Exchanges of every item at the first place of a plan, looked at by `look`.
fn here<T>(data: &str, method: &str, loaded: &Loaded, look: impl FnOnce(&Here, &Swaps) -> T) -> T {
    let plan = planned(data, method, loaded);
    let (bench, taped) = (bench(&plan, loaded), loaded.model.on_tape());
    let swaps = Swaps::of(&bench, &(0..plan.items.len()).collect::<Vec<_>>());
    let here = Here::record(&bench, taped.as_ref(), &searched(&plan).sweep.cells[0], &swaps).unwrap();
    look(&here, &swaps)
}

/// Numbers between −1 and 1.
fn some(rows: usize, width: usize, seed: u64) -> Array2<f64> {
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    Array2::from_shape_fn((rows, width), |_| random.random_range(-1.0..1.0))
}

/// The first step of a fit has a span by chance.
fn span(count: usize, width: usize) -> Span {
    let fit = Fit { shape: [count, width], boundless: None, steps: 1, rate: 0.1, batch: 1, seed: (9, 0) };
    fit.span(&fit.begin())
}
