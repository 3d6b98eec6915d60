//! Optimal constants: what nodes bring on severed edges, a vector each, fitted so that the least is lost (Li & Janson 2024).
//!
//! To every circuit its own: the constants of its severed edges' senders begin as means over prompts and positions, and go
//! down KL(model ‖ circuit) at the answer. They are fitted on one half of the observations and used on the other, both
//! ways round, so no item is run with constants that it had a part in. Of a fit the best step is kept, the first included:
//! on the items that it was fitted on it is never worse than the mean.

use super::evaluate::brought;
use crate::hook::{Activation, Severed};
use crate::method::ablate::{means, states};
use crate::method::adam::Adam;
use crate::method::score::{Written, batches};
use crate::method::sweep::States;
use crate::method::{Bench, Side, Summary, divergence};
use crate::model::{HookError, Model, Pass, run};
use crate::node::Edge;
use crate::plan::Item;
use crate::site::Site;
use crate::spec::Ablation;
use crate::tensor::{Setting, Tensor, backward, from_doubles, from_ints, off_tape, on_tape, to_doubles};
use rand::SeedableRng;
use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;
use std::borrow::Borrow;
use std::collections::BTreeMap;

/// Constants of every circuit that is run.
pub struct Constants {
    /// Each item's half, 0 or 1.
    half: Vec<usize>,
    /// By the edges outside a circuit: those fitted on each half.
    fitted: BTreeMap<Vec<Edge>, [Fitted; 2]>,
}

/// Constants fitted to one circuit.
#[derive(Clone)]
pub struct Fitted {
    /// `[1, head, 1, width]` by site.
    pub states: States,
    /// What is lost on the items of the fit with their means, nats an item.
    pub by_means: f64,
    /// The same with these constants.
    pub lost: f64,
}

impl Constants {
    /// Fits constants to circuits, each given by the edges outside it.
    pub fn fit(
        bench: &Bench,
        outsides: impl IntoIterator<Item: Borrow<Vec<Edge>>>,
        (steps, rate): (usize, f64),
    ) -> Result<Self, HookError> {
        let half = halves(bench);
        let items = [0, 1].map(|of| {
            let own = bench.items.iter().zip(&half).filter(|(_, half)| **half == of);
            own.map(|(item, _)| item.clone()).collect::<Vec<Item>>()
        });
        let [first, second] = items.each_ref().map(|items| Bench { items, ..*bench });
        let fits = [Fit::new(&first)?, Fit::new(&second)?];
        let mut fitted = BTreeMap::new();
        for outside in outsides {
            let outside = outside.borrow();
            let both = [fits[0].constants(outside, steps, rate)?, fits[1].constants(outside, steps, rate)?];
            fitted.insert(outside.clone(), both);
        }
        Ok(Constants { half, fitted })
    }

    /// What severed edges bring in runs of some items: of each item what was fitted on the half that it is not in.
    pub fn of(&self, outside: &[Edge], items: &[usize]) -> States {
        let both = &self.fitted[outside];
        let other: Vec<i32> = items.iter().map(|item| 1 - self.half[*item] as i32).collect();
        let rows = |site: &Site| {
            let states = Tensor::cat(both.iter().map(|fitted| fitted.states[site].clone()).collect(), 0);
            let index = from_ints(other.clone(), [other.len()], &states.device());
            (*site, states.select(0, index))
        };
        both[0].states.keys().map(rows).collect()
    }

    /// What was fitted to a circuit on each half.
    pub fn fitted(&self, outside: &[Edge]) -> &[Fitted; 2] {
        &self.fitted[outside]
    }
}

/// The half of each item: observations are divided at random; a single one by its items.
fn halves(bench: &Bench) -> Vec<usize> {
    let groups = Summary::new(bench).groups();
    let count = groups.iter().max().map_or(0, |last| last + 1);
    let parts: Vec<usize> = if count > 1 { groups } else { (0..bench.items.len()).collect() };
    let mut order: Vec<usize> = (0..parts.iter().max().map_or(0, |last| last + 1)).collect();
    order.shuffle(&mut ChaCha8Rng::seed_from_u64(bench.seed));
    let first = &order[..order.len() / 2];
    parts.iter().map(|part| usize::from(!first.contains(part))).collect()
}

/// The items of a half, with all that is the same whatever the circuit.
struct Fit<'a> {
    bench: &'a Bench<'a>,
    taped: Box<dyn Model>,
    /// Items that are run together, and ln p after the whole model.
    batches: Vec<(Vec<usize>, Tensor<3>)>,
    means: States,
    /// The root mean square at each site, by which a step is measured.
    sizes: BTreeMap<Site, f64>,
}

impl<'a> Fit<'a> {
    fn new(bench: &'a Bench<'a>) -> Result<Self, HookError> {
        let sites = Written::sites(bench.model);
        let batch = |items: Vec<usize>| Ok((items.clone(), divergence::whole(bench, &items)?));
        let batches = batches(bench).into_iter().map(batch).collect::<Result<Vec<_>, HookError>>()?;
        let seen = states(bench, &batches[0].0, Side::Clean, &sites)?;
        let size = |(site, state): (Site, Activation)| {
            let values = to_doubles(&state);
            (site, (values.iter().map(|value| value * value).sum::<f64>() / values.len() as f64).sqrt())
        };
        let means = means(bench, &sites, Ablation::Mean)?;
        Ok(Fit { bench, taped: bench.model.on_tape(), batches, means, sizes: seen.into_iter().map(size).collect() })
    }

    /// The best constants of so many steps from the means.
    fn constants(&self, outside: &[Edge], steps: usize, rate: f64) -> Result<Fitted, HookError> {
        if outside.is_empty() {
            return Ok(Fitted { states: self.means.clone(), by_means: 0.0, lost: 0.0 });
        }
        let begin: BTreeMap<Site, Vec<f64>> = self.means.iter().map(|(site, mean)| (*site, to_doubles(mean))).collect();
        // how far each value is from its mean, in sizes of its site
        let mut moved = vec![0.0; begin.values().map(Vec::len).sum()];
        let (mut adam, mut best, mut lost, mut by_means) = (Adam::new(moved.len()), moved.clone(), f64::INFINITY, 0.0);
        for step in 0..=steps {
            let (now, slopes) = self.cost(outside, &self.at(&begin, &moved))?;
            by_means = if step == 0 { now } else { by_means };
            if now < lost {
                (lost, best) = (now, moved.clone());
            }
            adam.step(&mut moved, &slopes, rate);
        }
        Ok(Fitted { states: self.at(&begin, &best), by_means, lost })
    }

    /// Constants at so many sizes from where they begin.
    fn at(&self, begin: &BTreeMap<Site, Vec<f64>>, moved: &[f64]) -> States {
        let mut moved = moved.iter();
        let state = |(site, begin): (&Site, &Vec<f64>)| {
            let values = begin.iter().zip(moved.by_ref()).map(|(begin, by)| begin + by * self.sizes[site]).collect();
            let mean = &self.means[site];
            (*site, from_doubles(values, mean.dims(), &Setting::of(mean)))
        };
        begin.iter().map(state).collect()
    }

    /// The mean loss over the items of the half, and its slope by how far each value is moved.
    fn cost(&self, outside: &[Edge], constants: &States) -> Result<(f64, Vec<f64>), HookError> {
        let (mut lost, mut slopes) =
            (0.0, vec![0.0; constants.values().map(|state| state.dims().iter().product::<usize>()).sum()]);
        let count = self.bench.items.len() as f64;
        for (items, whole) in &self.batches {
            let leaves: States =
                constants.iter().map(|(site, state)| (*site, on_tape(state.clone()).require_grad())).collect();
            let ablated = brought(leaves.clone(), self.taped.as_ref());
            let tokens = self.bench.tokens(items, Side::Clean);
            let pass = Pass::whole(&tokens).reading(divergence::read(self.bench, items));
            let mut hook = Severed::new(&ablated, outside.iter().copied());
            let total = divergence::total(whole, run(self.taped.as_ref(), &pass, &mut hook)?);
            let gradients = backward(&total);
            lost += to_doubles(&off_tape(total))[0] / count;
            let slope = |(site, leaf): (&Site, &Activation)| match leaf.grad(&gradients) {
                Some(found) => to_doubles(&found).into_iter().map(|slope| slope * self.sizes[site] / count).collect(),
                None => vec![0.0; leaf.dims().iter().product()],
            };
            slopes.iter_mut().zip(leaves.iter().flat_map(slope)).for_each(|(slope, found)| *slope += found);
        }
        Ok((lost, slopes))
    }
}
