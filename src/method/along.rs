//! Runs that go on from states which were changed along directions: erased, swapped, steered.
//!
//! What a change is made by is fitted to the other side of each split, so that no prompt is changed by what it taught; prompts that
//! are no sample are changed by what all samples taught.

mod effects;
mod taught;

pub use effects::{share, tables};
pub use taught::{Fitted, Taught, eraser};

use super::ablate::states;
use super::states::slots;
use super::sweep::{Stand, Swept, made, sweep_on};
use super::{Bench, Side};
use crate::model::HookError;
use crate::plan::{Cell, Samples, changed};
use crate::spec::{Erasure, Use};
use crate::steps::{RunError, Steps};
use crate::tensor::{from_doubles, to_doubles};
use ndarray::{Array1, Array2, ArrayView1};
use patchclamp_probes::erase::{Eraser, random_directions};
use taught::row;

/// A way to change a state, and what it goes by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Way {
    /// What is done.
    pub what: Use,
    /// How directions are found.
    pub erasure: Erasure,
}

/// Which changes are made.
pub struct Changes<'a> {
    /// What they are learnt from.
    pub samples: &'a Samples,
    /// Where an item's state is changed, where a cell names no position.
    pub positions: &'a [usize],
    /// Each change.
    pub ways: &'a [Way],
    /// Random directions that each is held against.
    pub draws: usize,
}

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

    /// What each draw of a way does at a cell, `[draw][item]`.
    pub fn draws(&self, way: usize, cell: usize) -> Vec<&Vec<f64>> {
        self.chance[way].iter().map(|draw| &draw[cell]).collect()
    }
}

/// The effects of every way at some cells, whose states `[cell][sample, value]` are made where they are needed.
pub fn along(
    bench: &Bench,
    changes: &Changes,
    cells: &[Cell],
    mut recorded: impl FnMut() -> Result<Vec<Array2<f32>>, HookError>,
    steps: &mut Steps,
) -> Result<Along, RunError> {
    let mut found = Along { clean: Vec::new(), effects: Vec::new(), chance: Vec::new() };
    for way in changes.ways {
        let mut fitted: Option<Vec<Fitted>> = None;
        let mut fit = || {
            let fit = |states: &Array2<f32>| Fitted::new(changes.samples, states.view(), way.erasure);
            Ok(recorded()?.iter().map(fit).collect())
        };
        let mut draws = Vec::new();
        for draw in std::iter::once(None).chain((0..changes.draws as u64).map(Some)) {
            let stands = |items: &[usize]| {
                let fitted = made(&mut fitted, &mut fit)?;
                stand(bench, cells, items, &Moved { changes, fitted, what: way.what, draw, seed: bench.seed })
            };
            let Swept { values, from, .. } = sweep_on(bench, cells, Side::Clean, stands, steps)?;
            let effects = |values: Vec<f64>| values.iter().zip(&from).map(|(value, from)| value - from).collect();
            draws.push(values.into_iter().map(effects).collect::<Vec<Vec<f64>>>());
            found.clean = from;
        }
        found.effects.push(draws.remove(0));
        found.chance.push(draws);
    }
    Ok(found)
}

/// How a state is changed.
struct Moved<'a> {
    changes: &'a Changes<'a>,
    fitted: &'a [Fitted],
    what: Use,
    /// The number of the draw, where directions are drawn by chance.
    draw: Option<u64>,
    seed: u64,
}

impl Moved<'_> {
    /// The state of an item at a cell, changed; `corrupt` is that of its corrupted prompt.
    fn state(&self, cell: usize, item: usize, clean: ArrayView1<f64>, corrupt: ArrayView1<f64>) -> Array1<f64> {
        let sample = self.changes.samples.of_items[item][0];
        let class = sample.map(|sample| self.changes.samples.labels.of()[sample]);
        let taught = self.fitted[cell].of(sample);
        let drawn = self.draw.map(|draw| drawn(&taught.eraser, self.number(draw, cell)));
        let eraser = drawn.as_ref().unwrap_or(&taught.eraser);
        match (self.what, &drawn) {
            (Use::Erase, None) => taught.erased(clean, class),
            (Use::Erase, Some(drawn)) => row(drawn, clean),
            // what is taken out of the one is put in from the other
            (Use::Swap, _) => row(eraser, clean) + corrupt - row(eraser, corrupt),
            (Use::Steer, _) => &clean + &self.step(cell, class.unwrap_or(0), taught),
        }
    }

    /// From a class to the other one, or as far in a direction by chance: one way from the one class, the other way from the
    /// other.
    fn step(&self, cell: usize, class: usize, taught: &Taught) -> Array1<f64> {
        let away = if class == 0 { 1.0 } else { -1.0 };
        let difference = &taught.difference;
        let Some(draw) = self.draw else { return difference * away };
        let length = difference.dot(difference).sqrt();
        let origin = Array1::zeros(difference.len());
        match random_directions(difference.len(), 1, origin, self.number(draw, cell)) {
            Ok(drawn) => &drawn.reads().row(0) * (length * away),
            Err(_) => difference * away,
        }
    }

    /// The seed of a draw at a cell.
    fn number(&self, draw: u64, cell: usize) -> u64 {
        const APART: u64 = 0x9e37_79b9_7f4a_7c15; // so that neighbouring cells and draws share no stream
        self.seed.wrapping_add(APART.wrapping_mul(1 + draw)).wrapping_add(cell as u64)
    }
}

/// As many directions by chance as an eraser takes out, through the same mean.
pub fn drawn(eraser: &Eraser, seed: u64) -> Eraser {
    let found = random_directions(eraser.width(), eraser.rank(), eraser.mean().to_owned(), seed);
    found.unwrap_or_else(|_| eraser.clone())
}

/// The states of some items with every cell changed.
fn stand(bench: &Bench, cells: &[Cell], items: &[usize], moved: &Moved) -> Result<Stand, HookError> {
    let sites = changed(cells);
    let [clean, corrupt] = [Side::Clean, Side::Corrupt].map(|side| states(bench, items, side, &sites));
    let (clean, corrupt) = (clean?, corrupt?);
    let mut new: Vec<Held> = clean
        .iter()
        .map(|(site, state)| Held { site: *site, shape: state.dims(), values: to_doubles(state) })
        .collect();
    let other: Vec<Vec<f64>> = corrupt.values().map(to_doubles).collect();
    for (cell, own) in cells.iter().enumerate() {
        for (row, item) in items.iter().enumerate() {
            let places = places(own, &new, row, moved.changes.positions.get(*item).copied().unwrap_or(0));
            let clean: Array1<f64> = places.iter().map(|(site, slot)| new[*site].values[*slot]).collect();
            let corrupt: Array1<f64> = places.iter().map(|(site, slot)| other[*site][*slot]).collect();
            let state = moved.state(cell, *item, clean.view(), corrupt.view());
            places.iter().zip(state).for_each(|((site, slot), value)| new[*site].values[*slot] = value);
        }
    }
    let setting = bench.model.setting();
    let states = new.into_iter().map(|held| (held.site, from_doubles(held.values, held.shape, &setting))).collect();
    Ok(Stand { states, metric: None })
}

/// An activation in plain memory, `[row, head, pos, width]`.
struct Held {
    site: crate::site::Site,
    shape: [usize; 4],
    values: Vec<f64>,
}

/// Where the values of a cell lie in a row: the number of the site, and the slot there.
fn places(cell: &Cell, held: &[Held], row: usize, at: usize) -> Vec<(usize, usize)> {
    let own = held.iter().enumerate().filter(|(_, held)| cell.sites.contains(&held.site));
    let of = |(number, held): (usize, &Held)| {
        let first = row * held.shape[1..].iter().product::<usize>();
        slots(cell, held.site, held.shape, at).map(move |slot| (number, first + slot))
    };
    own.flat_map(of).collect()
}
