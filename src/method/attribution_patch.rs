//! Attribution patching: what activation patching of every place would do, estimated from one backward pass.
//!
//! *What it measures.* For each place, Σ (activation of the other run − its own) · ∂M/∂activation in the run that is patched:
//! the first-order estimate of what `Patch` with the same sites, axes and direction measures exactly, for the price of two
//! passes forward and one back whatever the number of places (AtP). `AtPIg` takes the mean of the gradients with the
//! embeddings at 0, 1/m, … of the way from the other run's to its own. `AtPStar` puts two faults of first order right:
//! queries and keys act through the pattern, computed anew with those of the other run, Σ (pattern' − pattern) · ∂M/∂pattern;
//! and GradDrop takes the gradient once for each layer, without what that layer adds to the stream on the way back, so that
//! direct and indirect effects which cancel do not hide a place: the mean of absolute estimates times L / (L − 1).
//!
//! *What it cannot show.* Anything beyond first order behind the place: saturated norms and MLPs, places that matter together.
//! With GradDrop estimates have no sign, and no test: none is below zero. Patch the places of large estimates to be sure.
//!
//! *Reference.* Nanda 2023, "Attribution patching"; Kramár et al. 2024, "AtP*: an efficient and scalable method for localizing
//! LLM behaviour to components".
//!
//! *Example.* `AttributionPatch(sites: ["attn.hook_q", "attn.hook_k"], over: [Layer, Head], score: AtPStar())`

mod moved;
mod passes;
mod sums;
mod through;

use super::patch::{axes, ends, names, place};
use super::score::batches;
use super::summary::{Told, mean, tabulate_some};
use super::sweep::{States, made};
use super::{Bench, Finding, Side, blank, table};
use crate::hook::Activation;
use crate::model::{HookError, Model};
use crate::plan::{Attribution, Cell};
use crate::site::Site;
use crate::spec::{Estimate, Fix};
use crate::steps::{RunError, Steps};
use crate::tensor::{to_doubles, widen};
use passes::{Passes, Taken, Way, ways};
use std::collections::BTreeMap;
use sums::Values;
use through::{Keys, Through};

/// Estimates of a batch of items: the metric of the run that is patched and of the other, and the effects, `[cell][item]`.
type Batch = (Vec<f64>, Vec<f64>, Vec<Vec<f64>>);

/// Estimates of every cell of a sweep.
pub struct Estimates {
    /// The metric of the run that is patched, an item each.
    pub from: Vec<f64>,
    /// The metric of the run that activations come from.
    pub to: Vec<f64>,
    /// `[cell][item]`.
    pub effects: Vec<Vec<f64>>,
}

/// Estimates the effect of every cell of a sweep, and tells it.
pub fn attribution_patch(bench: &Bench, plan: &Attribution, steps: &mut Steps) -> Result<Finding, RunError> {
    let Estimates { from, to, effects } = estimates(bench, plan, steps)?;
    Ok(finding(bench, plan, effects, &from, &to))
}

/// Estimates the effect of every cell of a sweep.
pub fn estimates(bench: &Bench, plan: &Attribution, steps: &mut Steps) -> Result<Estimates, RunError> {
    let (cells, count) = (&plan.sweep.cells, bench.items.len());
    let (mut from, mut to, mut effects) = (vec![0.0; count], vec![0.0; count], vec![vec![0.0; count]; cells.len()]);
    let mut taped: Option<Box<dyn Model>> = None;
    for items in batches(bench) {
        let found = steps.step(items.len(), || {
            let taped = made(&mut taped, &mut || Ok(bench.model.on_tape()))?;
            Estimator { bench, plan, passes: Passes::new(bench, taped.as_ref(), plan) }.batch(&items)
        })?;
        let Some((own, other, found)): Option<Batch> = found else { continue };
        for (index, item) in items.iter().enumerate() {
            (from[*item], to[*item]) = (own[index], other[index]);
            effects.iter_mut().zip(&found).for_each(|(effects, found)| effects[*item] = found[index]);
        }
    }
    steps.complete()?;
    Ok(Estimates { from, to, effects })
}

fn finding(bench: &Bench, plan: &Attribution, effects: Vec<Vec<f64>>, from: &[f64], to: &[f64]) -> Finding {
    let (base, source, name) = ends(plan.direction);
    let method = format!("attribution_patch.{}.{name}", plan.score.word());
    let title =
        format!("Attribution patching ({}, {name}): {}, {}", plan.score, names(&plan.sweep.cells), axes(&plan.sweep));
    let mut main = table(&method, &title, bench);
    let (clean, corrupt) = if base == Side::Clean { (from, to) } else { (to, from) };
    let unsigned = plan.score.has(Fix::GradDrop);
    let normalised = match unsigned {
        true => "effect / mean |metric of the source run − metric of the base run|, an item each",
        false => "effect / (metric of the source run − metric of the base run)",
    };
    let facts = [
        ("score", plan.score.to_string()),
        ("direction", format!("{name}: what {source:?} activations would do in the {base:?} run, estimated")),
        ("normalised", normalised.into()),
        ("metric, clean", format!("{:.4}", mean(clean))),
        ("metric, corrupted", format!("{:.4}", mean(corrupt))),
        ("items", bench.items.len().to_string()),
    ];
    main.facts.extend(facts.map(|(name, value)| (name.to_string(), value)));
    let row = |cell: &Cell| place(blank(&method, bench.metric), cell);
    let some = |effects: Vec<f64>| effects.into_iter().map(Some).collect();
    let rows: Vec<_> = plan.sweep.cells.iter().zip(effects).map(|(cell, effects)| (row(cell), some(effects))).collect();
    let told = match unsigned {
        // what is never below zero is not tested against zero
        true => Told { described: rows, ..Told::default() },
        false => Told { tested: rows, ..Told::default() },
    };
    let total = |(to, from): (&f64, &f64)| if unsigned { (to - from).abs() } else { to - from };
    let totals = to.iter().zip(from).map(|ends| Some(total(ends))).collect();
    tabulate_some(bench, main, told, &totals)
}

/// Estimates, batch by batch.
struct Estimator<'a> {
    bench: &'a Bench<'a>,
    plan: &'a Attribution,
    passes: Passes<'a>,
}

impl Estimator<'_> {
    fn batch(&self, items: &[usize]) -> Result<Batch, HookError> {
        let (base, source, _) = ends(self.plan.direction);
        let layers = self.bench.model.dims().layers;
        let other = self.passes.plain(items, source)?;
        let mut own: Option<Taken> = match self.plan.score {
            Estimate::AtPIg { .. } => Some(self.passes.plain(items, base)?),
            _ => None,
        };
        let mut effects = vec![vec![0.0; items.len()]; self.plan.sweep.cells.len()];
        let ways = ways(&self.plan.score, layers);
        for way in &ways {
            let embedded = own.as_ref().and_then(|own| self.embedded(*way, &own.states, &other.states));
            let (taken, slopes) = self.passes.sloping(items, base, *way, embedded)?;
            let own = own.get_or_insert(taken);
            let change = less(&other.states, &own.states);
            let found = self.effects(&own.states, &change, &slopes);
            for (effect, found) in effects.iter_mut().flatten().zip(found.into_iter().flatten()) {
                *effect += match way {
                    Way::Without(_) => found.abs() / (layers - 1) as f64,
                    Way::Plain | Way::Between(_) => found / ways.len() as f64,
                };
            }
        }
        let own = own.expect("there is at least one way");
        Ok((own.values, other.values, effects))
    }

    /// The embeddings that a gradient is taken at, where they are not those of the run itself.
    fn embedded(&self, way: Way, own: &States, other: &States) -> Option<Activation> {
        let Way::Between(fraction) = way else { return None };
        let (own, other) = (own[&Site::Embed].clone(), other[&Site::Embed].clone());
        Some(other.clone() + (own - other) * fraction)
    }

    /// The estimate of each cell from one gradient, `[cell][row]`.
    fn effects(&self, own: &States, change: &States, slopes: &States) -> Vec<Vec<f64>> {
        let mut by_site: BTreeMap<Site, Vec<usize>> = BTreeMap::new();
        for (index, cell) in self.plan.sweep.cells.iter().enumerate() {
            cell.sites.iter().for_each(|site| by_site.entry(*site).or_default().push(index));
        }
        let rows = change[&Site::Embed].dims()[0];
        let mut effects = vec![vec![0.0; rows]; self.plan.sweep.cells.len()];
        for (site, cells) in by_site {
            let found = match self.plan.through_pattern(site) {
                true => self.through(site, &cells, own, change, slopes),
                false => self.first_order(site, &cells, change, slopes),
            };
            for (cell, found) in cells.iter().zip(found) {
                effects[*cell].iter_mut().zip(found).for_each(|(effect, found)| *effect += found);
            }
        }
        effects
    }

    /// Change times gradient, `[cell][row]` of some cells at one site.
    fn first_order(&self, site: Site, cells: &[usize], change: &States, slopes: &States) -> Vec<Vec<f64>> {
        let products = widen(change[&site].clone()) * widen(slopes[&site].clone());
        let values = Values { shape: products.dims(), values: to_doubles(&products) };
        cells.iter().map(|cell| values.sums(&self.plan.sweep.cells[*cell].place(site, None))).collect()
    }

    /// Queries or keys through the pattern, `[cell][row]` of some cells at one site.
    fn through(&self, site: Site, cells: &[usize], own: &States, change: &States, slopes: &States) -> Vec<Vec<f64>> {
        let place = |cell: &usize| self.plan.sweep.cells[*cell].place(site, None);
        let mut sets: Vec<Keys> = cells.iter().map(|cell| place(cell).positions).collect();
        sets.sort_unstable();
        sets.dedup();
        let layer = site.layer().expect("queries and keys stand in a layer");
        let effects = Through::new(self.bench.model, site, own, change).effects(&slopes[&Site::Pattern(layer)], &sets);
        let of = |cell: &usize| {
            let place = place(cell);
            let set = sets.binary_search(&place.positions).expect("every set is there");
            effects[set].sums(&place)
        };
        cells.iter().map(of).collect()
    }
}

fn less(other: &States, own: &States) -> States {
    other.iter().map(|(site, state)| (*site, state.clone() - own[site].clone())).collect()
}
