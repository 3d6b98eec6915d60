//! States of prompts as matrices, a row a prompt: what probes, erasers and comparisons of spaces read.

mod filed;

pub use filed::filed;

use super::ablate::states;
use super::{Bench, Side};
use crate::model::HookError;
use crate::plan::{Cell, Probed, Samples, changed, width};
use crate::site::Site;
use crate::tensor::to_floats;
use ndarray::Array2;

/// The most values that are held at once: half a gigabyte of f32.
const MOST_VALUES: usize = 1 << 27;

/// The states of all samples at each cell, `[cell][sample, value]`: heads behind one another, and sites where a cell has
/// several. Where a cell names no position, the sample says it.
pub fn gathered(bench: &Bench, samples: &Samples, cells: &[Cell]) -> Result<Vec<Array2<f32>>, HookError> {
    let bench = &Bench { items: &samples.items, ..*bench };
    let blank = |cell: &Cell| Array2::zeros((bench.items.len(), width(cell, bench.model)));
    let mut found: Vec<Array2<f32>> = cells.iter().map(blank).collect();
    for items in bench.batches(bench.rows) {
        let kept = states(bench, &items, Side::Clean, &changed(cells))?;
        let kept =
            kept.into_iter().map(|(site, state)| (site, Held { shape: state.dims(), values: to_floats(&state) }));
        let kept: Vec<(Site, Held)> = kept.collect();
        for (cell, found) in cells.iter().zip(&mut found) {
            for (row, item) in items.iter().enumerate() {
                let mut place = found.row_mut(*item);
                let slots = place.as_slice_mut().expect("rows of a fresh matrix lie together").iter_mut();
                let values = picked(cell, &kept, row, samples.at[*item]);
                slots.zip(values).for_each(|(slot, value)| *slot = value);
            }
        }
    }
    Ok(found)
}

/// Cells in groups whose states are held at once.
pub fn together(bench: &Bench, plan: &Probed) -> Vec<Vec<Cell>> {
    let (mut groups, mut held): (Vec<Vec<Cell>>, usize) = (Vec::new(), usize::MAX);
    for cell in &plan.sweep.cells {
        let values = width(cell, bench.model) * plan.samples.items.len();
        held = held.saturating_add(values);
        if held > MOST_VALUES {
            (groups, held) = ([groups, vec![Vec::new()]].concat(), values);
        }
        groups.last_mut().expect("the first cell makes one").push(cell.clone());
    }
    groups
}

/// An activation in plain memory, `[row, head, pos, width]`.
struct Held {
    shape: [usize; 4],
    values: Vec<f32>,
}

/// The values of a cell in one row.
fn picked<'a>(cell: &'a Cell, kept: &'a [(Site, Held)], row: usize, at: usize) -> impl Iterator<Item = f32> + 'a {
    let of = move |site: &'a Site| {
        let held = &kept.iter().find(|(known, _)| known == site).expect("recorded above").1;
        slots(cell, *site, held.shape, at)
            .map(move |slot| held.values[row * held.shape[1..].iter().product::<usize>() + slot])
    };
    cell.sites.iter().flat_map(of)
}

/// Where the values of a cell lie in a row of an activation of this shape.
pub fn slots(cell: &Cell, site: Site, shape: [usize; 4], at: usize) -> impl Iterator<Item = usize> + use<> {
    let place = cell.place(site, None);
    let all = |picked: Option<Vec<usize>>, count: usize| picked.unwrap_or_else(|| (0..count).collect());
    let [_, heads, positions, width] = shape;
    let position = place.positions.as_ref().map_or(at, |positions| positions[0]);
    let (heads, neurons) = (all(place.heads, heads), all(place.neurons, width));
    heads.into_iter().flat_map(move |head| {
        let first = (head * positions + position) * width;
        neurons.clone().into_iter().map(move |neuron| first + neuron)
    })
}
