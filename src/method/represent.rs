//! Representation: how states lie to each other, what predicts that, and which spaces are alike.
//!
//! *What it measures.* For every cell (a layer, a head, a position) three things. *Geometry*: the dissimilarities of conditions
//! (the mean states of prompts with one value of a label, or single prompts), and how they agree with models that labels
//! predict: near with one value, far with others. Beside it the noise ceiling over subjects (templates), the same of models
//! whose conditions are named at random, and of twins of the model with random weights; p is the condition permutation test,
//! corrected by Holm. *Alignment*: every two cells held against each other prompt by prompt, by CKA, canonical correlations or
//! Procrustes. *Dimension*: how many the states fill, by the participation ratio and by the two nearest neighbours. With
//! `against`, the cells of one model are held against those of another, by alignment and by agreement of geometry.
//!
//! *What it cannot show.* That the model uses what its states keep apart; patch, erase or steer for that. Spaces that are alike
//! need not compute alike.
//!
//! *Reference.* Kriegeskorte, Mur & Bandettini 2008; Nili et al. 2014 (noise ceilings); Schütt et al. 2023 (inference); Kornblith
//! et al. 2019 and Nguyen, Raghu & Kornblith 2021 (CKA and its unbiased estimate); Facco et al. 2017 (two nearest neighbours).
//!
//! *Example.* `Represent(sites: ["hook_resid_post"], conditions: "name", subjects: "template", models: ["answer"])`

mod between;
mod geometry;
mod tables;

pub use between::{Space, aligned, between, spaces};
pub use tables::{AGAINST, BETWEEN};

use super::states::gathered_at;
use super::sweep::made;
use super::{Bench, Finding};
use crate::model::HookError;
use crate::model::random::twin;
use crate::plan::Representing;
use crate::steps::{RunError, Steps};
use ndarray::Array2;

/// How the states of every cell lie, and which cells are alike.
pub fn represent(bench: &Bench, plan: &Representing, steps: &mut Steps) -> Result<Finding, RunError> {
    let cells = plan.sweep.cells.len();
    let (mut states, mut make) = (None, || recorded(bench, plan));
    let (mut told, mut alike) = (Vec::new(), Vec::new());
    for cell in 0..cells {
        let work = bench.items.len();
        told.extend(steps.step(work, || Ok(geometry::told(bench, plan, made(&mut states, &mut make)?, cell)))?);
    }
    for first in 0..cells {
        alike.extend(steps.step(0, || {
            let spaces = &made(&mut states, &mut make)?[0];
            Ok(spaces.iter().map(|second| aligned(&spaces[first], second, plan.alignment)).collect::<Vec<_>>())
        })?);
    }
    steps.complete()?;
    Ok(tables::finding(bench, plan, &told, &alike))
}

/// Units of work: every prompt at every cell.
pub fn work(bench: &Bench, plan: &Representing) -> usize {
    bench.items.len() * plan.sweep.cells.len()
}

/// States of all prompts, those of the model and then those of its twins: `[model][cell][prompt, value]`.
type Recorded = Vec<Vec<Array2<f64>>>;

fn recorded(bench: &Bench, plan: &Representing) -> Result<Recorded, HookError> {
    let of = |bench: &Bench| -> Result<Vec<Array2<f64>>, HookError> {
        let states = gathered_at(bench, &plan.sweep.cells, &plan.positions)?;
        Ok(states.into_iter().map(|states| states.mapv(f64::from)).collect())
    };
    let mut all = vec![of(bench)?];
    for number in 0..plan.random_models {
        let model = twin(bench.model, bench.seed.wrapping_add(number as u64));
        all.push(of(&Bench { model: model.as_ref(), ..*bench })?);
    }
    Ok(all)
}
