//! Distributed alignment search (DAS): directions learned so that exchanging them between two runs exchanges the answer.
//!
//! *What it measures.* At a place (a site, of heads one, at a position) the base run's vector h is given what the source run's
//! has along k orthonormal directions Q: h + Qᵀ Q (h' − h), everything else left alone. Q is fitted by Adam on one part of the
//! items, both ways, from the clean into the corrupted run and back, so that the model gives the source run's answer; it is
//! tested on the other part. Interchange accuracy is the share of exchanges after which that answer is the likelier of the two;
//! the effect on the metric, read for that answer, stands beside it, as a share of what the source run itself has more.
//! Exchanging the whole vector is the most that any span can do; random spans of the same size are what chance does; the mean
//! difference and the first principal components of the differences are what is found without learning. Of k directions only
//! the span counts, so a frame `[k, width]` is learned, kept orthonormal step by step, and not a rotation of all of the space.
//! Boundless DAS learns how many: of a frame of `most` directions those before a boundary are exchanged, which is blurred less
//! and less, and every direction has a price.
//!
//! *What it cannot show.* That the model represents a variable so: directions that are learned can find a way which the
//! model's own runs never take (Makelov et al. 2023); hold them against the whole vector, other sites, and items of words that
//! were not learned from. Directions at several positions of one cell are the same.
//!
//! *Reference.* Geiger et al. 2024, "Finding alignments between interpretable causal variables and distributed neural
//! representations"; Wu et al. 2023, "Interpretability at scale: identifying causal mechanisms in Alpaca". The first parts of
//! a frame are searched here, where boundless DAS rotates the whole space.
//!
//! *Example.* `Das(sites: ["hook_resid_post"], over: [Layer, Position], dimensions: [1, 4], held_out: (apart: Words))`

mod descent;
mod place;
mod span;
mod swaps;
mod tables;

pub use descent::{Cost, Fit, State};
pub use place::{Here, Value};
pub use span::Span;
pub use swaps::{Swap, Swaps};

use super::chain::{Behind, Chain};
use super::sweep::made;
use super::{Bench, Finding};
use crate::model::{HookError, Model, shape};
use crate::plan::{Cell, Das};
use crate::steps::{RunError, Steps};
use ndarray::Array2;
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use serde::{Deserialize, Serialize};

/// A fit is kept in so many parts: what it holds may be large.
const PARTS: usize = 4;

/// Of how many directions, and how they came.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Kind {
    /// The whole vector.
    Whole,
    /// Learned, so many.
    Learned(usize),
    /// Learned, and how many.
    Boundless(usize),
    /// The mean of the differences.
    Mean,
    /// The first principal components of the differences.
    Leading(usize),
    /// By chance.
    Random(usize),
}

/// What the exchange of a span comes to.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Exchanged {
    kind: Kind,
    /// Metric and preference, one an item that was held out; of random spans the means over draws.
    items: [Vec<f64>; 2],
    /// The means over items for each draw of a random span.
    draws: Vec<[f64; 2]>,
    /// Directions that were learned, one after the other.
    span: Vec<f32>,
}

/// What was found at a place.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Found {
    /// Of each item held out: metric and preference of the base runs, and of the source runs.
    ends: [[Vec<f64>; 2]; 2],
    exchanged: Vec<Exchanged>,
    /// Of each fit the loss of the first step, and of the last; none where the runs do not differ at the place.
    losses: Vec<Option<[f64; 2]>>,
}

/// Learns directions at every place and exchanges them on items that were held out.
pub fn das(bench: &Bench, plan: &Das, steps: &mut Steps) -> Result<Finding, RunError> {
    let taped = bench.model.on_tape();
    let swaps = [Swaps::of(bench, &plan.parts.fit), Swaps::of(bench, &plan.parts.test)];
    let search = Search { bench, taped: taped.as_ref(), plan, swaps };
    let mut found = Vec::new();
    for (number, cell) in plan.sweep.cells.iter().enumerate() {
        found.push(search.at(number, cell, steps)?);
    }
    steps.complete()?;
    let found: Vec<Found> = found.into_iter().map(|found| found.expect("no step is missing")).collect();
    Ok(tables::finding(bench, plan, &found))
}

/// Units of work: an exchange for each step of each fit, and for each span that is tried.
pub fn work(bench: &Bench, plan: &Das) -> usize {
    let [fit, test] = [&plan.parts.fit, &plan.parts.test].map(|part| Swaps::of(bench, part).all.len());
    plan.sweep.cells.len() * (fits(plan).len() * plan.steps * fit.min(plan.batch) + tried(plan) * test)
}

/// The fits of a place.
fn fits(plan: &Das) -> Vec<Kind> {
    let learned = plan.dimensions.iter().map(|count| Kind::Learned(*count));
    learned.chain(plan.boundless.map(|boundless| Kind::Boundless(boundless.most))).collect()
}

/// How many spans are exchanged at a place.
fn tried(plan: &Das) -> usize {
    2 + fits(plan).len() * (2 + plan.random)
}

struct Search<'a> {
    bench: &'a Bench<'a>,
    taped: &'a dyn Model,
    plan: &'a Das,
    swaps: [Swaps; 2],
}

impl Search<'_> {
    /// All fits of a place, one after the other, and what they come to; `None` where they are another shard's.
    fn at(&self, number: usize, cell: &Cell, steps: &mut Steps) -> Result<Option<Found>, RunError> {
        let mut here: Option<Here> = None;
        let mut make = || Here::record(self.bench, self.taped, cell, &self.swaps[0]);
        let mut states = Vec::new();
        for (of, kind) in fits(self.plan).into_iter().enumerate() {
            let fit = self.fit(cell, kind, number * fits(self.plan).len() + of);
            let work = self.plan.batch.min(self.swaps[0].all.len());
            let kept = fit.steps.div_ceil(PARTS);
            let chain = Chain { count: fit.steps, kept, work, behind: Behind::More };
            let state =
                chain.run(fit.begin(), steps, |state| step(&fit, state, made(&mut here, &mut make)?, self.plan))?;
            states.push((fit, kind, state));
        }
        let count = self.swaps[1].all.len();
        steps.step(tried(self.plan) * count, || {
            let own = |(fit, kind, state): (Fit, Kind, Option<State>)| (fit, kind, state.expect("its own shard's"));
            self.tried(cell, made(&mut here, &mut make)?, states.into_iter().map(own).collect())
        })
    }

    fn fit(&self, cell: &Cell, kind: Kind, number: usize) -> Fit {
        let count = match kind {
            Kind::Learned(count) | Kind::Boundless(count) => count,
            _ => 1,
        };
        let width = shape(self.bench.model.dims(), cell.sites[0], 1, 1).pop().unwrap_or(1);
        let Das { steps, rate, batch, boundless, .. } = *self.plan;
        let boundless = boundless.filter(|_| matches!(kind, Kind::Boundless(_)));
        Fit { shape: [count, width], boundless, steps, rate, batch, seed: (self.bench.seed, number) }
    }

    /// Every span exchanged on the items held out.
    fn tried(&self, cell: &Cell, fitted: &Here, states: Vec<(Fit, Kind, State)>) -> Result<Found, HookError> {
        let test = Here::record(self.bench, self.taped, cell, &self.swaps[1])?;
        let differences = fitted.differences();
        let mut spans: Vec<(Kind, Option<Span>)> =
            vec![(Kind::Whole, None), (Kind::Mean, Some(span::mean(&differences)))];
        for (fit, kind, state) in &states {
            let learned = fit.found(state);
            let (count, seed) = (learned.nrows(), fit.seed);
            let kind = if let Kind::Boundless(_) = kind { Kind::Boundless(count) } else { *kind };
            spans.push((kind, Some(learned)));
            if count > 0 {
                spans.push((Kind::Leading(count), Some(span::leading(&differences, count))));
                let mut random = ChaCha8Rng::seed_from_u64(seed.0);
                random.set_stream(((seed.1 as u64) << 32) | (u32::MAX - 1) as u64);
                let drawn = || (Kind::Random(count), Some(span::drawn([count, fit.shape[1]], &mut random)));
                spans.extend(std::iter::repeat_with(drawn).take(self.plan.random));
            }
        }
        // no directions bring nothing, as one of zeros does
        let given = spans.iter().map(|(_, span)| {
            span.clone().map(|span| if span.is_empty() { Array2::zeros((1, span.ncols())) } else { span })
        });
        let values = test.exchanged(&given.collect::<Vec<_>>())?;
        let by_item = |of: &dyn Fn(usize) -> Value| {
            let each = |part: fn(Value) -> f64| {
                self.swaps[1].by_item(&(0..self.swaps[1].all.len()).map(|swap| part(of(swap))).collect::<Vec<_>>())
            };
            [each(|value| value.metric), each(|value| value.preferred)]
        };
        let found = spans.into_iter().zip(&values).map(|((kind, span), values)| Exchanged {
            kind,
            items: by_item(&|swap| values[swap]),
            draws: Vec::new(),
            span: span.into_iter().flatten().map(|value| value as f32).collect(),
        });
        Ok(Found {
            ends: [0, 1].map(|end| by_item(&|swap| test.ends[swap][end])),
            exchanged: together(found.collect()),
            losses: states.iter().map(|(.., state)| state.losses).collect(),
        })
    }
}

/// One step of a fit; none where the runs do not differ at the place, so that nothing can be learned.
fn step(fit: &Fit, state: &mut State, here: &Here, plan: &Das) -> Result<(), HookError> {
    if here.differs() {
        let chosen = fit.draw(state, here.ends.len());
        let (span, shares) = (fit.span(state), fit.shares(state));
        fit.step(state, &here.cost(&chosen, (&span, shares.as_deref()), plan.loss)?);
    }
    Ok(())
}

/// Random spans of one size behind each other become one, the mean over draws.
fn together(found: Vec<Exchanged>) -> Vec<Exchanged> {
    let mut all: Vec<Exchanged> = Vec::new();
    for one in found {
        let Kind::Random(_) = one.kind else {
            all.push(one);
            continue;
        };
        let mean = |values: &Vec<f64>| values.iter().sum::<f64>() / values.len() as f64;
        let draw = one.items.each_ref().map(mean);
        match all.last_mut().filter(|last| last.kind == one.kind) {
            Some(last) => {
                let sums = last.items.iter_mut().flatten().zip(one.items.iter().flatten());
                sums.for_each(|(sum, value)| *sum += value);
                last.draws.push(draw);
            }
            None => all.push(Exchanged { draws: vec![draw], span: Vec::new(), ..one }),
        }
    }
    for random in all.iter_mut().filter(|one| !one.draws.is_empty()) {
        let draws = random.draws.len() as f64;
        random.items.iter_mut().flatten().for_each(|sum| *sum /= draws);
    }
    all
}
