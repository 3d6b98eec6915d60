//! Whole heads and blocks taken out, and models merged.

use super::part::{self, Map, Part};
use crate::model::{Model, Visitor};
use crate::spec::{Heads, Treatment, Whichever};
use crate::tensor::Tensor;
use ndarray::s;
use rand::seq::index::sample;
use rand_chacha::ChaCha8Rng;
use std::collections::{BTreeMap, BTreeSet};

/// Takes heads or blocks out, and says which maps that changed; `chance` is that of a draw.
pub fn take_out(model: &mut dyn Model, treatment: &Treatment, chance: impl Fn(u64) -> ChaCha8Rng) -> BTreeSet<Part> {
    let (layers, heads) = (model.dims().layers, model.dims().heads);
    let any = |all: usize, which: &Whichever| sample(&mut chance(which.draw), all, which.count.min(all)).into_vec();
    match treatment {
        Treatment::PruneHeads(Heads::These(gone)) => prune_heads(model, gone),
        Treatment::PruneHeads(Heads::Smallest(count)) => {
            let gone = smallest(model, *count);
            prune_heads(model, &gone)
        }
        Treatment::RandomHeads(which) => {
            let gone = any(layers * heads, which).into_iter().map(|head| (head / heads, head % heads));
            prune_heads(model, &gone.collect::<Vec<_>>())
        }
        Treatment::PruneLayers(gone) => prune_layers(model, gone),
        Treatment::RandomLayers(which) => prune_layers(model, &any(layers, which)),
        _ => BTreeSet::new(),
    }
}

/// Heads whose part of the output map is zero write nothing.
fn prune_heads(model: &mut dyn Model, gone: &[(usize, usize)]) -> BTreeSet<Part> {
    let (width, parts) = (model.dims().d_head, gone.iter().map(|(layer, _)| Part::of(*layer, Map::AttnOut)).collect());
    part::change(model, &parts, &mut |part, mut weights| {
        for (_, head) in gone.iter().filter(|(layer, _)| Some(*layer) == part.layer) {
            weights.slice_mut(s![.., head * width..(head + 1) * width]).fill(0.0);
        }
        weights
    });
    parts
}

/// The heads of the smallest output maps.
fn smallest(model: &dyn Model, count: usize) -> Vec<(usize, usize)> {
    let (layers, width) = (model.dims().layers, model.dims().d_head);
    let maps = part::read(model, &(0..layers).map(|layer| Part::of(layer, Map::AttnOut)).collect());
    let mut sizes = Vec::new();
    for (part, weights) in &maps {
        for head in 0..model.dims().heads {
            let own = weights.slice(s![.., head * width..(head + 1) * width]);
            sizes.push((own.iter().map(|weight| weight * weight).sum::<f64>(), (part.layer.unwrap_or(0), head)));
        }
    }
    sizes.sort_by(|a, b| a.0.total_cmp(&b.0));
    sizes.into_iter().take(count).map(|(_, head)| head).collect()
}

/// Blocks whose attention and MLP write zeros.
fn prune_layers(model: &mut dyn Model, layers: &[usize]) -> BTreeSet<Part> {
    let both = |layer: &usize| [Map::AttnOut, Map::MlpOut].map(|map| Part::of(*layer, map));
    let parts: BTreeSet<Part> = layers.iter().flat_map(both).collect();
    part::change(model, &parts, &mut |_, weights| super::Matrix::zeros(weights.dim()));
    model.visit(&mut NoBias(layers));
    parts
}

/// Sets what attention and MLP of some layers add in any case to zero.
struct NoBias<'a>(&'a [usize]);

impl Visitor for NoBias<'_> {
    fn matrix(&mut self, _: &str, _: &mut Tensor<2>) {}
    fn vector(&mut self, name: &str, weight: &mut Tensor<1>) {
        let of = |layer: &usize| ["attn", "mlp"].iter().any(|part| name == format!("blocks.{layer}.{part}.out.bias"));
        if self.0.iter().any(of) {
            *weight = weight.zeros_like();
        }
    }
}

/// Every weight drawn to that of `other`, a model of the same shape: at `weight` 0 it stays, at 1 it is the other's.
pub fn merge(model: &mut dyn Model, other: &dyn Model, weight: f64) {
    if weight == 0.0 {
        return; // adding nothing would make 0 of −0
    }
    let mut theirs = Tensors::default();
    other.parted(&[]).visit(&mut theirs);
    model.visit(&mut Drawn { theirs, weight });
}

/// The weights of a model, by name.
#[derive(Default)]
struct Tensors {
    matrices: BTreeMap<String, Tensor<2>>,
    vectors: BTreeMap<String, Tensor<1>>,
}

impl Visitor for Tensors {
    fn matrix(&mut self, name: &str, weight: &mut Tensor<2>) {
        self.matrices.insert(name.to_string(), weight.clone());
    }
    fn vector(&mut self, name: &str, weight: &mut Tensor<1>) {
        self.vectors.insert(name.to_string(), weight.clone());
    }
}

struct Drawn {
    theirs: Tensors,
    weight: f64,
}

impl Visitor for Drawn {
    fn matrix(&mut self, name: &str, weight: &mut Tensor<2>) {
        if let Some(their) = self.theirs.matrices.get(name) {
            *weight = weight.clone() * (1.0 - self.weight) + their.clone() * self.weight;
        }
    }
    fn vector(&mut self, name: &str, weight: &mut Tensor<1>) {
        if let Some(their) = self.theirs.vectors.get(name) {
            *weight = weight.clone() * (1.0 - self.weight) + their.clone() * self.weight;
        }
    }
}

/// Why a model cannot be merged with another, if it cannot.
pub fn other_shape(model: &dyn Model, other: &dyn Model) -> Option<String> {
    let (own, theirs) = (model.dims(), other.dims());
    if own != theirs {
        return Some(format!("has {theirs:?}, and the model {own:?}; only models of one shape can be merged"));
    }
    let names = |model: &dyn Model| {
        let mut tensors = Tensors::default();
        model.parted(&[]).visit(&mut tensors);
        tensors.matrices.into_keys().chain(tensors.vectors.into_keys()).collect::<BTreeSet<String>>()
    };
    let (own, theirs) = (names(model), names(other));
    let lacks = own.symmetric_difference(&theirs).next()?;
    Some(format!("only one of the two has `{lacks}`; only models of one shape can be merged"))
}
