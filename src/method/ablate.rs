//! Ablation: the clean run with a place emptied.
//!
//! *What it measures.* What the metric loses on the clean prompts when an activation is replaced by zero, by its mean over
//! all prompts (clean and corrupted, so that the mean does not carry the contrast), by its mean position by position, or
//! by that of another item. `normalised` is the change over the clean metric: −1 is all of it lost.
//!
//! *What it cannot show.* That an intact place is unused: another may take over. Zero is an activation that the model has
//! perhaps never seen.
//!
//! *Reference.* Michel et al. 2019 (zero); Wang et al. 2023 (mean); Chan et al. 2022 (resample).
//!
//! *Example.* `Ablate(sites: ["attn.hook_z"], over: [Layer, Head], with: Mean)`

use super::patch::{axes, effects, names};
use super::summary::mean;
use super::sweep::{Stand, States, Swept, sweep};
use super::{Bench, Finding, Side};
use crate::hook::Record;
use crate::model::{HookError, Pass, Read, run};
use crate::plan::{Sweep, changed};
use crate::site::Site;
use crate::spec::Ablation;
use crate::steps::{RunError, Steps};
use crate::tensor::{Tensor, cast, widen};
use rand::SeedableRng;
use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;

/// Ablates every cell of a sweep.
pub fn ablate(bench: &Bench, plan: &Sweep, with: Ablation, steps: &mut Steps) -> Result<Finding, RunError> {
    let changed = changed(&plan.cells);
    let mut means: Option<States> = None;
    let donors = donors(bench);
    let mut states_for = |items: &[usize]| match with {
        Ablation::Zero => {
            let states = states(bench, items, Side::Clean, &changed)?;
            Ok(states.into_iter().map(|(site, state)| (site, state.zeros_like())).collect())
        }
        Ablation::Mean | Ablation::MeanPerPosition => {
            if means.is_none() {
                means = Some(self::means(bench, &changed, with)?);
            }
            Ok(means.clone().expect("made above"))
        }
        Ablation::Resample => {
            states(bench, &items.iter().map(|item| donors[*item]).collect::<Vec<_>>(), Side::Clean, &changed)
        }
    };
    let stands = |items: &[usize]| Ok(Stand { states: states_for(items)?, metric: None });
    let Swept { values, from: clean, .. } = sweep(bench, &plan.cells, Side::Clean, stands, steps)?;
    let name = match with {
        Ablation::Zero => "zero",
        Ablation::Mean => "mean",
        Ablation::MeanPerPosition => "mean_per_position",
        Ablation::Resample => "resample",
    };
    let title = format!("Ablation ({name}): {}, {}", names(&plan.cells), axes(plan));
    let mut finding = effects(bench, plan, &format!("ablate.{name}"), &title, &values, &clean, &clean);
    for table in &mut finding.tables {
        table.facts.insert("ablation".into(), format!("{with:?}"));
        table.facts.insert("normalised".into(), "effect / metric of the clean run".into());
        table.facts.insert("metric, clean".into(), format!("{:.4}", mean(&clean)));
    }
    Ok(finding)
}

/// What the sites hold on some items.
pub fn states(bench: &Bench, items: &[usize], side: Side, sites: &[Site]) -> Result<States, HookError> {
    let mut record = Record::of(sites.iter().copied());
    let nothing = Read { positions: Some(vec![0; items.len()]), tokens: Some(vec![vec![0]; items.len()]) };
    run(bench.model, &Pass::whole(&bench.tokens(items, side)).reading(nothing), &mut record)?;
    Ok(record.into_kept())
}

/// Means over all prompts, `[1, head, pos or 1, width]`.
pub fn means(bench: &Bench, sites: &[Site], with: Ablation) -> Result<States, HookError> {
    let mut sums = States::new();
    let mut count = 0.0;
    for items in bench.batches(bench.rows) {
        for side in [Side::Clean, Side::Corrupt] {
            let positions = bench.items[items[0]].clean.len();
            count += items.len() as f64 * if with == Ablation::Mean { positions as f64 } else { 1.0 };
            for (site, state) in states(bench, &items, side, sites)? {
                let state = widen(state);
                let sum = match with {
                    Ablation::Mean => state.sum_dim(0).sum_dim(2),
                    _ => state.sum_dim(0),
                };
                let sum = match sums.remove(&site) {
                    Some(sofar) => sofar + sum,
                    None => sum,
                };
                sums.insert(site, sum);
            }
        }
    }
    let precision = bench.model.setting().precision;
    Ok(sums.into_iter().map(|(site, sum): (Site, Tensor<4>)| (site, cast(sum / count, precision))).collect())
}

/// For every item another one: a random cycle through all of them.
fn donors(bench: &Bench) -> Vec<usize> {
    let mut order: Vec<usize> = (0..bench.items.len()).collect();
    order.shuffle(&mut ChaCha8Rng::seed_from_u64(bench.seed));
    let mut donors = vec![0; order.len()];
    for (at, item) in order.iter().enumerate() {
        donors[*item] = order[(at + 1) % order.len()];
    }
    donors
}
