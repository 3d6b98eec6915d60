//! Editing: changes of some rows, heads, positions and neurons.

use super::{Activation, Hook};
use crate::site::{Place, Site, runs};
use crate::tensor::{Setting, Tensor, from_doubles, to_doubles};
use std::ops::Range;

/// What an edit does to the picked block of an activation.
#[derive(Clone, Debug)]
pub enum Change {
    /// This value instead: each axis is 1 or as long as what is picked, of a resumed pass the positions before it too.
    Put(Activation),
    /// This value added: each axis is 1 or as long as what is picked, as in `Put`.
    Add(Activation),
    /// Times a number.
    Scale(f64),
    /// An affine map of the picked neurons: `x` becomes `x Wᵀ + b`, `W` `[neurons, neurons]`, `b` `[neurons]`.
    Map(Tensor<2>, Tensor<1>),
}

impl Change {
    /// An affine map fitted by statistics, as a change of a model in this setting.
    pub fn map(affine: &patchclamp_probes::Affine, setting: impl Into<Setting>) -> Self {
        let setting = setting.into();
        let (rows, columns) = affine.weight().dim();
        let weight = affine.weight().iter().copied().collect();
        let bias = affine.bias().to_vec();
        Change::Map(from_doubles(weight, [rows, columns], &setting), from_doubles(bias, [rows], &setting))
    }

    fn apply(&self, block: Activation, taken: &[Range<usize>; 4]) -> Activation {
        match self {
            Change::Put(value) => part(value, taken).expand(block.dims()),
            Change::Add(value) => block + part(value, taken),
            Change::Scale(factor) => block * *factor,
            Change::Map(weight, bias) => {
                block.matmul(weight.clone().transpose().unsqueeze()) + bias.clone().unsqueeze()
            }
        }
    }
}

/// The part of a block-shaped value that belongs to the runs `taken` of that block.
fn part(value: &Activation, taken: &[Range<usize>; 4]) -> Activation {
    let dims = value.dims();
    let ranges: [Range<usize>; 4] =
        std::array::from_fn(|axis| if dims[axis] == 1 { 0..1 } else { taken[axis].clone() });
    if ranges.iter().zip(dims).all(|(range, dim)| *range == (0..dim)) {
        value.clone()
    } else {
        value.clone().slice(ranges)
    }
}

impl Place {
    /// The heads, positions and neurons of this place out of a whole activation; axes of length 1 stay.
    pub fn part_of(&self, whole: &Activation) -> Activation {
        let axes = self.axes();
        (1..4).fold(whole.clone(), |kept, axis| match axes[axis] {
            Some(indices) if kept.dims()[axis] > 1 => {
                let part = |run: Range<usize>| kept.clone().narrow(axis, run.start, run.len());
                Tensor::cat(runs(indices).into_iter().map(part).collect(), axis)
            }
            _ => kept,
        })
    }
}

/// A change at a place.
#[derive(Clone, Debug)]
pub struct Edit {
    /// Where.
    pub place: Place,
    /// What.
    pub change: Change,
}

impl Edit {
    /// The activation with this edit applied; `first` is the position at index 0 of the position axis.
    pub fn apply(&self, act: Activation, first: usize) -> Activation {
        if let (Change::Map(weight, bias), Some(neurons)) = (&self.change, &self.place.neurons) {
            return self.widened(weight, bias, neurons, act.dims()[3]).apply(act, first);
        }
        let dims = act.dims();
        let picked = self.picked(dims, first);
        if picked.iter().any(Vec::is_empty) {
            return act;
        }
        blocks(&picked).into_iter().fold(act, |act, block| self.apply_block(act, dims, block))
    }

    /// A map of some neurons as a map of all `width`, the others left as they are: neurons need not be neighbours.
    fn widened(&self, weight: &Tensor<2>, bias: &Tensor<1>, neurons: &[usize], width: usize) -> Edit {
        let (count, setting) = (neurons.len(), Setting::of(weight));
        let (weight, bias) = (to_doubles(weight), to_doubles(bias));
        let (mut wide, mut shift) = (vec![0.0; width * width], vec![0.0; width]);
        (0..width).for_each(|neuron| wide[neuron * width + neuron] = 1.0);
        for (i, row) in neurons.iter().enumerate() {
            shift[*row] = bias[i];
            neurons.iter().enumerate().for_each(|(j, column)| wide[row * width + column] = weight[i * count + j]);
        }
        let (wide, shift) = (from_doubles(wide, [width, width], &setting), from_doubles(shift, [width], &setting));
        Edit { place: Place { neurons: None, ..self.place.clone() }, change: Change::Map(wide, shift) }
    }

    /// Runs of indices on each axis, each with its place in the block of picked indices.
    fn picked(&self, dims: [usize; 4], first: usize) -> [Vec<Run>; 4] {
        let axes = self.place.axes();
        std::array::from_fn(|axis| {
            let first = if axis == 2 { first } else { 0 };
            match axes[axis] {
                None => vec![Run { at: 0..dims[axis], taken: first..first + dims[axis] }],
                Some(indices) => runs_within(indices, first, dims[axis]),
            }
        })
    }

    fn apply_block(&self, act: Activation, dims: [usize; 4], block: [Run; 4]) -> Activation {
        let at: [Range<usize>; 4] = std::array::from_fn(|axis| block[axis].at.clone());
        let taken: [Range<usize>; 4] = std::array::from_fn(|axis| block[axis].taken.clone());
        if at.iter().zip(dims).all(|(range, dim)| *range == (0..dim)) {
            return self.change.apply(act, &taken);
        }
        let changed = self.change.apply(act.clone().slice(at.clone()), &taken);
        act.slice_assign(at, changed)
    }
}

/// A run of indices in the activation (`at`) and in the block of picked indices (`taken`).
#[derive(Clone)]
struct Run {
    at: Range<usize>,
    taken: Range<usize>,
}

/// Runs of `indices` within `first..first + length`; what lies outside is not in this pass.
fn runs_within(indices: &[usize], first: usize, length: usize) -> Vec<Run> {
    let mut taken = 0;
    let mut found = Vec::new();
    for run in runs(indices) {
        let (low, high) = (run.start.max(first), run.end.min(first + length));
        if low < high {
            let start = taken + low - run.start;
            found.push(Run { at: low - first..high - first, taken: start..start + high - low });
        }
        taken += run.len();
    }
    found
}

/// Every combination of one run an axis.
fn blocks(picked: &[Vec<Run>; 4]) -> Vec<[Run; 4]> {
    let mut all = Vec::new();
    for rows in &picked[0] {
        for heads in &picked[1] {
            for positions in &picked[2] {
                for neurons in &picked[3] {
                    all.push([rows.clone(), heads.clone(), positions.clone(), neurons.clone()]);
                }
            }
        }
    }
    all
}

/// Edits as a hook, in order.
#[derive(Clone, Default)]
pub struct Edits {
    edits: Vec<Edit>,
    first: usize,
}

impl Edits {
    /// These edits, each pass.
    pub fn new(edits: Vec<Edit>) -> Self {
        Edits { edits, first: 0 }
    }
}

impl Hook for Edits {
    fn visit(&mut self, site: Site, act: Activation) -> Activation {
        let here = self.edits.iter().filter(|edit| edit.place.site == site);
        here.fold(act, |act, edit| edit.apply(act, self.first))
    }
    fn wants(&self, site: Site) -> bool {
        self.edits.iter().any(|edit| edit.place.site == site)
    }
    fn asks(&self) -> Vec<Site> {
        let mut sites: Vec<Site> = self.edits.iter().map(|edit| edit.place.site).collect();
        sites.dedup();
        sites
    }
    fn begin(&mut self, first: usize) {
        self.first = first;
    }
}
