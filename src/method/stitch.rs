//! Stitching: another model's states, through a learned map, in place of a model's own.
//!
//! *What it measures.* The stream of another model at one place is mapped to this model's stream at another by an affine map
//! (ridge regression, its penalty chosen within what is learned from), and this model goes on from what comes out, on items that
//! were held out. Read at the answer: the metric, where 1 is the model's own and 0 that after the corrupted prompt; how often it
//! names the same token first as when left alone; and how far its distribution is from that, KL in bits. Beside it the states as
//! they are, without a map; a map learned from states that stand with those of other prompts at the same position; and states
//! of the other model with random weights, mapped as well as they can be.
//!
//! *What it cannot show.* That two models compute alike: a map may bring into shape what the other model holds by chance, all the
//! more where it is learned from many states. What a random twin gives too comes of the tokens and their order. Where states are
//! put in at all positions nothing of the model's own earlier layers is left; at some positions alone the rest goes on as it was.
//!
//! *Reference.* Lenc & Vedaldi 2015, "Understanding image representations by measuring their equivariance and equivalence";
//! Bansal, Nakkiran & Barak 2021, "Revisiting model stitching to compare neural representations".
//!
//! *Example.* `Stitch(from: Builtin("organism-flat"), held_out: (apart: Words))`

mod put;
mod streams;
mod tables;

pub use streams::Streams;

use super::sweep::made;
use super::{Bench, Finding};
use crate::plan::{INNER, Stitching};
use crate::steps::{RunError, Steps};
use ndarray::{Array2, ArrayView2, Axis};
use patchclamp_probes::decode::{DecodeError, Design, Units, images, several};
use put::{Said, put};
use rand::SeedableRng;
use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// What the model says with states of another stream in one of its own.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Joint {
    /// Mapped.
    pub mapped: Said,
    /// As they are, where both streams are equally wide.
    pub unmapped: Option<Said>,
    /// Mapped by what was learned from other prompts' states.
    pub shuffled: Said,
    /// Of twins with random weights, mapped: the mean over them.
    pub random: Option<Said>,
    /// The penalty that was chosen.
    pub penalty: f64,
    /// Why there is nothing, where states cannot be read.
    pub fault: Option<String>,
}

/// Learns the maps from every stream of the other model, and runs this one on what they make.
pub fn stitch(bench: &Bench, plan: &Stitching, steps: &mut Steps) -> Result<Finding, RunError> {
    let (mut streams, mut make) = (None, || Streams::record(bench, plan));
    let alone = steps.step(plan.test.len(), || put::alone(bench, plan))?;
    let mut all = Vec::new();
    for from in 0..plan.from.len() {
        let work = plan.test.len() * plan.joined(from).len();
        all.push(steps.step(work, || joints(bench, plan, made(&mut streams, &mut make)?, from))?);
    }
    steps.complete()?;
    let all: Vec<Vec<Joint>> = all.into_iter().map(|found| found.expect("no step is missing")).collect();
    Ok(tables::finding(bench, plan, &alone.expect("no step is missing"), &all))
}

/// Units of work: every item that is tested on, alone and at every joint.
pub fn work(plan: &Stitching) -> usize {
    let joints: usize = (0..plan.from.len()).map(|from| plan.joined(from).len()).sum();
    plan.test.len() * (1 + joints)
}

/// All joints of one of the other model's streams.
pub fn joints(
    bench: &Bench,
    plan: &Stitching,
    streams: &Streams,
    from: usize,
) -> Result<Vec<Joint>, crate::model::HookError> {
    let into = plan.joined(from);
    let maps = |number: usize, order: Option<&[usize]>| mapped(bench, plan, streams, (number, from), order);
    let order = shuffled(plan, bench.seed);
    let all = || -> Result<_, DecodeError> {
        let twins = (1..=plan.random_models).map(|number| maps(number, None)).collect::<Result<Vec<_>, _>>()?;
        Ok((maps(0, None)?, maps(0, Some(&order))?, twins))
    };
    let (own, shuffled, twins) = match all() {
        Ok(found) => found,
        Err(why) => return Ok(vec![Joint { fault: Some(why.to_string()), ..Joint::default() }; into.len()]),
    };
    let joint = |(place, into): (usize, &usize)| {
        let said = |states: ArrayView2<f64>| put(bench, plan, &streams.left, plan.into[*into], states);
        let raw = streams.theirs[0].test[from].view();
        let alike = raw.ncols() == own[place].0.ncols();
        let twins = twins.iter().map(|twin| said(twin[place].0.view())).collect::<Result<Vec<_>, _>>()?;
        Ok(Joint {
            mapped: said(own[place].0.view())?,
            unmapped: alike.then(|| said(raw)).transpose()?,
            shuffled: said(shuffled[place].0.view())?,
            random: Said::mean(&twins),
            penalty: own[place].1,
            fault: None,
        })
    };
    into.iter().enumerate().map(joint).collect()
}

/// What the states of the prompts that are tested on become, and the penalty of the map, for every stream that one of the other
/// model (or of its twin of this number) is joined with; learned from the states in some order, where one is given.
fn mapped(
    bench: &Bench,
    plan: &Stitching,
    streams: &Streams,
    (number, from): (usize, usize),
    order: Option<&[usize]>,
) -> Result<Vec<(Array2<f64>, f64)>, DecodeError> {
    let theirs = &streams.theirs[number];
    let learned = order.map(|order| theirs.fit[from].select(Axis(0), order));
    let learned = learned.as_ref().unwrap_or(&theirs.fit[from]);
    let joined = plan.joined(from);
    let sets: Vec<ArrayView2<f64>> = joined.iter().map(|into| streams.own[*into].view()).collect();
    let groups: Vec<usize> = plan.fit.iter().flat_map(|prompt| prompt.at.iter().map(|_| prompt.group)).collect();
    let every: Vec<usize> = (0..groups.len()).collect();
    let inner = (Design::Groups(&groups), INNER, bench.seed);
    let maps = several(&learned.view(), &sets, &every, &plan.penalties, inner, Units::Spread)?;
    let image = |map: &patchclamp_probes::Affine| images(map, &theirs.test[from].view());
    Ok(maps.iter().map(|chosen| (image(&chosen.probe), chosen.penalty)).collect())
}

/// States in an order in which each stands with that of another prompt at the same of its positions.
fn shuffled(plan: &Stitching, seed: u64) -> Vec<usize> {
    let mut places: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
    let numbers = plan.fit.iter().flat_map(|prompt| 0..prompt.at.len());
    numbers.enumerate().for_each(|(row, place)| places.entry(place).or_default().push(row));
    let mut order: Vec<usize> = (0..plan.fit.iter().map(|prompt| prompt.at.len()).sum()).collect();
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    for rows in places.values() {
        let mut others = rows.clone();
        others.shuffle(&mut random);
        rows.iter().zip(others).for_each(|(row, other)| order[*row] = other);
    }
    order
}
