//! Runs that go on from states which were changed along directions: erased, swapped, steered.
//!
//! What a probe tells by is fitted to the other side of each split, so that no prompt is changed by what it taught; prompts that
//! are no sample are changed by what all samples taught.

use super::ablate::states;
use super::probe::{States, recorded};
use super::states::slots;
use super::sweep::{Stand, Swept, made, sweep};
use super::{Bench, Side};
use crate::model::HookError;
use crate::plan::{Cell, Probing, changed};
use crate::spec::Use;
use crate::steps::{RunError, Steps};
use crate::tensor::{from_doubles, to_doubles};
use ndarray::{Array1, Array2, ArrayView1, ArrayView2, Axis};
use patchclamp_probes::decode::Labels;
use patchclamp_probes::erase::{Covariance, Eraser, Leace, Moments, random_directions};

/// What changing states along directions does, cell by cell.
pub struct Along {
    /// The metric of the clean runs, by item.
    pub clean: Vec<f64>,
    /// The change of the metric, `[way][cell][item]`.
    pub effects: Vec<Vec<Vec<f64>>>,
    /// The same along directions by chance, `[way][draw][cell][item]`.
    pub chance: Vec<Vec<Vec<Vec<f64>>>>,
}

impl Along {
    /// Of several groups of cells.
    pub fn joined(parts: Vec<Along>) -> Along {
        let mut parts = parts.into_iter();
        let mut all = parts.next().expect("a sweep has a cell");
        for part in parts {
            all.effects.iter_mut().zip(part.effects).for_each(|(all, part)| all.extend(part));
            for (all, part) in all.chance.iter_mut().zip(part.chance) {
                all.iter_mut().zip(part).for_each(|(all, part)| all.extend(part));
            }
        }
        all
    }
}

/// The effects of every way that is asked for, at some cells; nothing where none is.
pub fn along(
    bench: &Bench,
    plan: &Probing,
    cells: &[Cell],
    recording: &mut Option<States>,
    steps: &mut Steps,
) -> Result<Option<Along>, RunError> {
    if plan.used.is_empty() {
        return Ok(None);
    }
    let mut fitted: Option<Vec<Fitted>> = None;
    let mut fit = || {
        let states = made(recording, &mut || recorded(bench, plan, cells))?;
        Ok(states.own.iter().map(|states| Fitted::new(plan, states.view())).collect())
    };
    let mut found = Along { clean: Vec::new(), effects: Vec::new(), chance: Vec::new() };
    for way in &plan.used {
        let mut draws = Vec::new();
        for draw in std::iter::once(None).chain((0..plan.random_directions as u64).map(Some)) {
            let stands = |items: &[usize]| {
                let fitted = made(&mut fitted, &mut fit)?;
                stand(bench, plan, cells, items, &Moved { fitted, way: *way, draw, seed: bench.seed })
            };
            let Swept { values, from, .. } = sweep(bench, cells, Side::Clean, stands, steps)?;
            let effects = |values: Vec<f64>| values.iter().zip(&from).map(|(value, from)| value - from).collect();
            draws.push(values.into_iter().map(effects).collect::<Vec<Vec<f64>>>());
            found.clean = from;
        }
        found.effects.push(draws.remove(0));
        found.chance.push(draws);
    }
    Ok(Some(found))
}

/// What a place's states teach about the classes, once for each split and once from all samples.
struct Fitted {
    /// `[split]`, and behind them of all.
    parts: Vec<Taught>,
    /// The split in which each sample is held out.
    split: Vec<usize>,
}

/// What some samples teach.
struct Taught {
    eraser: Eraser,
    /// The mean of the second class less that of the first.
    difference: Array1<f64>,
}

impl Fitted {
    fn new(plan: &Probing, states: ArrayView2<f32>) -> Self {
        let samples = &plan.samples;
        let every: Vec<usize> = (0..samples.labels.count()).collect();
        let sets = samples.splits.iter().map(|split| &split.train).chain([&every]);
        let mut split = vec![0; samples.labels.count()];
        for (number, own) in samples.splits.iter().enumerate() {
            own.test.iter().for_each(|sample| split[*sample] = number);
        }
        Fitted { parts: sets.map(|items| Taught::by(&samples.labels, states, items)).collect(), split }
    }

    /// What an item is changed by: nothing that its clean prompt taught.
    fn of(&self, plan: &Probing, item: usize) -> &Taught {
        let sample = plan.samples.of_items[item][0];
        &self.parts[sample.map_or(self.parts.len() - 1, |sample| self.split[sample])]
    }
}

impl Taught {
    /// By some of the samples. States that are no numbers teach nothing.
    fn by(labels: &Labels, states: ArrayView2<f32>, items: &[usize]) -> Self {
        let width = states.ncols();
        let states = states.select(Axis(0), items).mapv(f64::from);
        let classes: Vec<usize> = items.iter().map(|item| labels.of()[*item]).collect();
        let eraser = Moments::of_classes(states.view(), &classes, labels.classes()).and_then(|moments| {
            // shrunk: the prompts are others, and mostly fewer than values
            Leace { covariance: Covariance::Shrunk, ..Leace::default() }.fit(&moments)
        });
        let nothing = || Eraser::orthogonal(Array2::zeros((0, width)), Array1::zeros(width));
        let mean = |class: usize| {
            let own: Vec<usize> = (0..classes.len()).filter(|item| classes[*item] == class).collect();
            states.select(Axis(0), &own).mean_axis(Axis(0)).unwrap_or_else(|| Array1::zeros(width))
        };
        Taught { eraser: eraser.unwrap_or_else(|_| nothing()), difference: mean(1) - mean(0) }
    }
}

/// How a state is changed.
struct Moved<'a> {
    fitted: &'a [Fitted],
    way: Use,
    /// The number of the draw, where directions are drawn by chance.
    draw: Option<u64>,
    seed: u64,
}

impl Moved<'_> {
    /// The state of an item at a cell, changed; `corrupt` is that of its corrupted prompt.
    fn state(
        &self,
        plan: &Probing,
        cell: usize,
        item: usize,
        clean: ArrayView1<f64>,
        corrupt: ArrayView1<f64>,
    ) -> Array1<f64> {
        let taught = self.fitted[cell].of(plan, item);
        let eraser = self.drawn(&taught.eraser, cell);
        match self.way {
            Use::Erase => row(&eraser, clean),
            // what is taken out of the one is put in from the other
            Use::Swap => row(&eraser, clean) + &corrupt - row(&eraser, corrupt),
            Use::Steer => &clean + &self.step(plan, cell, item, taught),
        }
    }

    /// As many directions by chance, in a drawn way; else the eraser itself.
    fn drawn(&self, eraser: &Eraser, cell: usize) -> Eraser {
        let Some(draw) = self.draw else { return eraser.clone() };
        let mean = eraser.mean().to_owned();
        random_directions(eraser.width(), eraser.rank(), mean, self.number(draw, cell))
            .unwrap_or_else(|_| eraser.clone())
    }

    /// From the class of the item's clean prompt to the other one, or as far in a direction by chance.
    fn step(&self, plan: &Probing, cell: usize, item: usize, taught: &Taught) -> Array1<f64> {
        let samples = &plan.samples;
        let class = samples.of_items[item][0].map_or(0, |sample| samples.labels.of()[sample]);
        let difference = if class == 0 { taught.difference.clone() } else { -&taught.difference };
        let Some(draw) = self.draw else { return difference };
        let length = difference.dot(&difference).sqrt();
        let origin = Array1::zeros(difference.len());
        match random_directions(difference.len(), 1, origin, self.number(draw, cell)) {
            Ok(drawn) => drawn.reads().row(0).to_owned() * length,
            Err(_) => difference,
        }
    }

    /// The seed of a draw at a cell.
    fn number(&self, draw: u64, cell: usize) -> u64 {
        const APART: u64 = 0x9e37_79b9_7f4a_7c15; // so that neighbouring cells and draws share no stream
        self.seed.wrapping_add(APART.wrapping_mul(1 + draw)).wrapping_add(cell as u64)
    }
}

/// One state after an erasure.
fn row(eraser: &Eraser, state: ArrayView1<f64>) -> Array1<f64> {
    eraser.apply(state.insert_axis(Axis(0))).index_axis_move(Axis(0), 0)
}

/// The states of some items with every cell changed.
fn stand(bench: &Bench, plan: &Probing, cells: &[Cell], items: &[usize], moved: &Moved) -> Result<Stand, HookError> {
    let sites = changed(cells);
    let [clean, corrupt] = [Side::Clean, Side::Corrupt].map(|side| states(bench, items, side, &sites));
    let (clean, corrupt) = (clean?, corrupt?);
    let read = |state: &crate::hook::Activation| (state.dims(), to_doubles(state));
    let mut new: Vec<_> = clean.iter().map(|(site, state)| (*site, read(state))).collect();
    let other: Vec<_> = corrupt.iter().map(|(site, state)| (*site, read(state).1)).collect();
    for (cell, own) in cells.iter().enumerate() {
        for (row, item) in items.iter().enumerate() {
            let at = plan.positions[*item];
            // the values of all sites of the cell, one behind the other: site, then place
            let places: Vec<(usize, usize)> = (0..new.len())
                .filter(|site| own.sites.contains(&new[*site].0))
                .flat_map(|site| {
                    let (name, (shape, _)) = &new[site];
                    let first = row * shape[1..].iter().product::<usize>();
                    slots(own, *name, *shape, at).map(move |slot| (site, first + slot)).collect::<Vec<_>>()
                })
                .collect();
            let clean: Array1<f64> = places.iter().map(|(site, slot)| new[*site].1.1[*slot]).collect();
            let corrupt: Array1<f64> = places.iter().map(|(site, slot)| other[*site].1[*slot]).collect();
            let state = moved.state(plan, cell, *item, clean.view(), corrupt.view());
            places.iter().zip(state).for_each(|((site, slot), value)| new[*site].1.1[*slot] = value);
        }
    }
    let setting = bench.model.setting();
    let states = new.into_iter().map(|(site, (shape, values))| (site, from_doubles(values, shape, &setting))).collect();
    Ok(Stand { states, metric: None })
}
