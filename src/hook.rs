//! The seam: the model hands each activation to one hook and goes on with what comes back.

use crate::site::{Place, Site, runs};
use crate::tensor::{Gradients, Tensor, on_tape};
use std::collections::BTreeMap;
use std::ops::Range;

/// `[batch, head, pos, width]`: a stream has one head, the width of a pattern is the key position.
pub type Activation = Tensor<4>;

/// Sees, and may change, what flows through a forward pass.
pub trait Hook {
    /// Sees the activation at `site` and returns the one the model continues with.
    fn visit(&mut self, site: Site, act: Activation) -> Activation;
    /// Whether to be called at `site`; what nobody wants is not computed where the pass can do without.
    fn wants(&self, site: Site) -> bool;
    /// The sites that must be visited exactly once in a whole pass; [`crate::model::run`] checks them.
    fn asks(&self) -> Vec<Site> {
        Vec::new()
    }
    /// A pass begins whose first worked-on position is `first`: index 0 of the position axis is that position.
    fn begin(&mut self, first: usize) {
        let _ = first;
    }
}

/// Watches nothing.
impl Hook for () {
    fn visit(&mut self, _: Site, act: Activation) -> Activation {
        act
    }
    fn wants(&self, _: Site) -> bool {
        false
    }
}

/// First `A`, then `B`: "edit, then record" and "record, then edit" can both be said.
impl<A: Hook, B: Hook> Hook for (A, B) {
    fn visit(&mut self, site: Site, act: Activation) -> Activation {
        let act = if self.0.wants(site) { self.0.visit(site, act) } else { act };
        if self.1.wants(site) { self.1.visit(site, act) } else { act }
    }
    fn wants(&self, site: Site) -> bool {
        self.0.wants(site) || self.1.wants(site)
    }
    fn asks(&self) -> Vec<Site> {
        [self.0.asks(), self.1.asks()].concat()
    }
    fn begin(&mut self, first: usize) {
        self.0.begin(first);
        self.1.begin(first);
    }
}

impl<H: Hook + ?Sized> Hook for &mut H {
    fn visit(&mut self, site: Site, act: Activation) -> Activation {
        (**self).visit(site, act)
    }
    fn wants(&self, site: Site) -> bool {
        (**self).wants(site)
    }
    fn asks(&self) -> Vec<Site> {
        (**self).asks()
    }
    fn begin(&mut self, first: usize) {
        (**self).begin(first);
    }
}

/// Keeps what passes at the sites it was made for.
#[derive(Clone, Default)]
pub struct Record {
    sites: Vec<Site>,
    kept: BTreeMap<Site, Activation>,
}

impl Record {
    /// A recorder of `sites`.
    pub fn of(sites: impl IntoIterator<Item = Site>) -> Self {
        let mut sites: Vec<Site> = sites.into_iter().collect();
        sites.sort_unstable();
        sites.dedup();
        Record { sites, kept: BTreeMap::new() }
    }

    /// The activation kept at `site`, `[batch, head, pos, width]`.
    pub fn at(&self, site: Site) -> Option<&Activation> {
        self.kept.get(&site)
    }

    /// What was kept.
    pub fn into_kept(self) -> BTreeMap<Site, Activation> {
        self.kept
    }

    /// Everything kept, in the order of the forward pass's sites.
    pub fn kept(&self) -> &BTreeMap<Site, Activation> {
        &self.kept
    }
}

impl Hook for Record {
    fn visit(&mut self, site: Site, act: Activation) -> Activation {
        self.kept.insert(site, act.clone());
        act
    }
    fn wants(&self, site: Site) -> bool {
        self.sites.binary_search(&site).is_ok()
    }
    fn asks(&self) -> Vec<Site> {
        self.sites.clone()
    }
}

/// Adds a zero leaf at each of its sites: the gradient of the leaf is the gradient at the site.
///
/// Needs a model on a tape ([`crate::model::Model::on_tape`]).
#[derive(Default)]
pub struct Differentiate {
    sites: Vec<Site>,
    leaves: BTreeMap<Site, Activation>,
}

impl Differentiate {
    /// Gradients at `sites`.
    pub fn at(sites: impl IntoIterator<Item = Site>) -> Self {
        Differentiate { sites: Record::of(sites).sites, leaves: BTreeMap::new() }
    }

    /// The gradient at each site, `[batch, head, pos, width]`; zero where the outcome does not depend on it.
    pub fn gradients(&self, gradients: &Gradients) -> BTreeMap<Site, Activation> {
        let at = |leaf: &Activation| leaf.grad(gradients).unwrap_or_else(|| leaf.clone().inner());
        self.leaves.iter().map(|(site, leaf)| (*site, at(leaf))).collect()
    }
}

impl Hook for Differentiate {
    fn visit(&mut self, site: Site, act: Activation) -> Activation {
        let leaf = on_tape(act.clone().inner().zeros_like()).require_grad();
        self.leaves.insert(site, leaf.clone());
        act + leaf
    }
    fn wants(&self, site: Site) -> bool {
        self.sites.binary_search(&site).is_ok()
    }
    fn asks(&self) -> Vec<Site> {
        self.sites.clone()
    }
}

/// What an edit does to the picked block of an activation.
#[derive(Clone, Debug)]
pub enum Change {
    /// This value instead: each axis is 1 or as long as what is picked, of a resumed pass the positions before it too.
    Put(Activation),
    /// This value added: each axis is 1 or as long as what is picked, as in `Put`.
    Add(Activation),
    /// Times a number.
    Scale(f64),
    /// An affine map of the width: `x` becomes `x Wᵀ + b`, `W` `[width, width]`, `b` `[width]`.
    Map(Tensor<2>, Tensor<1>),
}

impl Change {
    /// An affine map fitted by statistics, as a change on `device`.
    pub fn map(affine: &patchclamp_probes::Affine, device: &crate::tensor::Device) -> Self {
        let floats = |values: Vec<f64>| values.into_iter().map(|value| value as f32).collect();
        let (rows, columns) = affine.weight().dim();
        let weight = floats(affine.weight().iter().copied().collect());
        let bias = floats(affine.bias().to_vec());
        Change::Map(
            crate::tensor::from_floats(weight, [rows, columns], device),
            crate::tensor::from_floats(bias, [rows], device),
        )
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
        let dims = act.dims();
        let picked = self.picked(dims, first);
        if picked.iter().any(Vec::is_empty) {
            return act;
        }
        blocks(&picked).into_iter().fold(act, |act, block| self.apply_block(act, dims, block))
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
