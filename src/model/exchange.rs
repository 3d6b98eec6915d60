//! Weights of one model put into another of the same shape, part by part.
//!
//! A part is a map (queries, keys and values each by themselves, as fused and unfused checkpoints both have them), a head, a
//! layer, or the maps of one kind in all layers; its biases go with it. Parts in which the two models do not differ are none.

use super::{Dims, Model, Visitor};
use crate::tensor::Tensor;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::ops::Range;

/// What is exchanged at once.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Grain {
    /// One map of a layer: `attn.q`, `attn.k`, `attn.v`, `attn.out`, `mlp.in`, …
    #[default]
    Map,
    /// All of a layer.
    Layer,
    /// A head of a layer, with the columns of its queries, keys and values and the rows of its output; the MLP is one part. Where
    /// heads share keys and values these are parts of their own.
    Head,
    /// The maps of one kind in all layers.
    Kind,
}

/// Weights that are exchanged together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Part {
    /// What it is called: `attn.q`, `mlp`, `block`, `embed`.
    pub name: String,
    /// The layer, where it is of one.
    pub layer: Option<usize>,
    /// The head, where it is of one.
    pub head: Option<usize>,
    cuts: Vec<Cut>,
}

/// A weight, or a range of one of its axes.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Cut {
    weight: String,
    range: Option<(usize, Range<usize>)>,
}

/// Why two models cannot exchange weights.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ExchangeError {
    /// A weight that only one has, or of another shape.
    #[error("`{weight}` is {own} here and {other} there; only models of one shape can exchange weights")]
    Shape {
        /// The weight.
        weight: String,
        /// Its shape in this model.
        own: String,
        /// Its shape in the other.
        other: String,
    },
}

/// Two models of one shape, and the parts in which they differ.
pub struct Exchange {
    theirs: Weights,
    grain: Grain,
    parts: Vec<Part>,
}

impl Exchange {
    /// The parts in which `other` differs from `model`.
    ///
    /// # Errors
    /// When the two do not have the same weights of the same shapes.
    pub fn new(model: &dyn Model, other: &dyn Model, grain: Grain) -> Result<Self, ExchangeError> {
        let [ours, theirs] = [Weights::of(model), Weights::of(other)];
        ours.same_shapes(&theirs)?;
        let mut parts: Vec<Part> = Vec::new();
        for (weight, shape) in &ours.shapes {
            for piece in pieces(weight, shape, model.dims(), grain) {
                if ours.differs(&theirs, &piece.cuts[0]) {
                    add(&mut parts, piece);
                }
            }
        }
        Ok(Exchange { theirs, grain, parts })
    }

    /// What is exchanged at once.
    pub fn grain(&self) -> Grain {
        self.grain
    }

    /// The parts in which they differ, in the order of the forward pass.
    pub fn parts(&self) -> &[Part] {
        &self.parts
    }

    /// `model` with some parts, by their number, as the other model has them.
    pub fn with(&self, model: &dyn Model, parts: &[usize]) -> Box<dyn Model> {
        let mut cuts: BTreeMap<&str, Vec<&Cut>> = BTreeMap::new();
        for cut in parts.iter().flat_map(|part| &self.parts[*part].cuts) {
            cuts.entry(&cut.weight).or_default().push(cut);
        }
        let mut changed = model.parted(&[]);
        changed.visit(&mut Splice { theirs: &self.theirs, cuts });
        changed
    }
}

/// Adds a piece to the part that it is of.
fn add(parts: &mut Vec<Part>, piece: Part) {
    let of_same = |part: &&mut Part| (&part.name, part.layer, part.head) == (&piece.name, piece.layer, piece.head);
    match parts.iter_mut().find(of_same) {
        Some(part) => part.cuts.extend(piece.cuts),
        None => parts.push(piece),
    }
}

/// A weight cut into pieces, each with the name of the part that it is of.
fn pieces(weight: &str, shape: &[usize], dims: &Dims, grain: Grain) -> Vec<Part> {
    let whole = |name: &str, layer| vec![Part { name: name.into(), layer, head: None, cuts: vec![cut(weight, None)] }];
    let Some((layer, rest)) = in_block(weight) else { return whole(bare(weight), None) };
    let layer_of = |layer| if grain == Grain::Kind { None } else { Some(layer) };
    match (grain, rest) {
        (Grain::Layer, _) => whole("block", Some(layer)),
        (_, "attn.qkv.weight" | "attn.qkv.bias") => attention(weight, shape.len() - 1, layer_of(layer), dims, grain),
        (Grain::Head, "attn.out.weight") => {
            let name = if dims.key_heads == dims.heads { "attn" } else { "attn.q" };
            by_head(weight, 0, 0, dims.heads, dims, (name, Some(layer)))
        }
        (Grain::Head, rest) if rest.starts_with("mlp.") => whole("mlp", Some(layer)),
        (_, rest) => whole(bare(rest), layer_of(layer)),
    }
}

/// Queries, keys and values, or their heads.
fn attention(weight: &str, axis: usize, layer: Option<usize>, dims: &Dims, grain: Grain) -> Vec<Part> {
    let mut start = 0;
    let mut pieces = Vec::new();
    for (name, heads) in [("attn.q", dims.heads), ("attn.k", dims.key_heads), ("attn.v", dims.key_heads)] {
        let width = heads * dims.d_head;
        if grain == Grain::Head {
            let name = if dims.key_heads == dims.heads { "attn" } else { name };
            pieces.extend(by_head(weight, axis, start, heads, dims, (name, layer)));
        } else {
            let cuts = vec![cut(weight, Some((axis, start..start + width)))];
            pieces.push(Part { name: name.into(), layer, head: None, cuts });
        }
        start += width;
    }
    pieces
}

/// A piece for each of some heads, which lie side by side from `start` on.
fn by_head(
    weight: &str,
    axis: usize,
    start: usize,
    heads: usize,
    dims: &Dims,
    (name, layer): (&str, Option<usize>),
) -> Vec<Part> {
    let of_head = |head: usize| {
        let from = start + head * dims.d_head;
        let cuts = vec![cut(weight, Some((axis, from..from + dims.d_head)))];
        Part { name: name.into(), layer, head: Some(head), cuts }
    };
    (0..heads).map(of_head).collect()
}

fn cut(weight: &str, range: Option<(usize, Range<usize>)>) -> Cut {
    Cut { weight: weight.into(), range }
}

/// The layer of a weight of a block, and what it is called there.
fn in_block(weight: &str) -> Option<(usize, &str)> {
    let (layer, rest) = weight.strip_prefix("blocks.")?.split_once('.')?;
    Some((layer.parse().ok()?, rest))
}

/// A name without the word for weight or bias, so that the two of a map are one.
fn bare(name: &str) -> &str {
    let cut = |name: &'_ str, end: &str| name.strip_suffix(end).map(str::len);
    let length = cut(name, ".weight").or(cut(name, ".bias")).unwrap_or(name.len());
    &name[..length]
}

/// All weights of a model, by name, and their shapes in the order of the forward pass.
#[derive(Default)]
struct Weights {
    shapes: Vec<(String, Vec<usize>)>,
    matrices: BTreeMap<String, Tensor<2>>,
    vectors: BTreeMap<String, Tensor<1>>,
}

impl Visitor for Weights {
    fn matrix(&mut self, name: &str, weight: &mut Tensor<2>) {
        self.shapes.push((name.into(), weight.dims().to_vec()));
        self.matrices.insert(name.into(), weight.clone());
    }
    fn vector(&mut self, name: &str, weight: &mut Tensor<1>) {
        self.shapes.push((name.into(), weight.dims().to_vec()));
        self.vectors.insert(name.into(), weight.clone());
    }
}

impl Weights {
    fn of(model: &dyn Model) -> Self {
        let mut weights = Weights::default();
        model.parted(&[]).visit(&mut weights);
        weights
    }

    fn same_shapes(&self, other: &Weights) -> Result<(), ExchangeError> {
        let told = |shape: Option<&Vec<usize>>| shape.map_or("absent".to_string(), |shape| format!("{shape:?}"));
        let shapes = |of: &Weights| of.shapes.iter().cloned().collect::<BTreeMap<_, _>>();
        let (ours, theirs) = (shapes(self), shapes(other));
        let apart = ours.keys().chain(theirs.keys()).find(|name| ours.get(*name) != theirs.get(*name));
        match apart {
            None => Ok(()),
            Some(weight) => Err(ExchangeError::Shape {
                weight: weight.clone(),
                own: told(ours.get(weight)),
                other: told(theirs.get(weight)),
            }),
        }
    }

    fn differs(&self, other: &Weights, cut: &Cut) -> bool {
        match (self.matrices.get(&cut.weight), self.vectors.get(&cut.weight)) {
            (Some(own), _) => apart(cut, own, &other.matrices[&cut.weight]),
            (_, Some(own)) => apart(cut, own, &other.vectors[&cut.weight]),
            _ => false,
        }
    }
}

/// Whether two weights differ in any number of a cut.
fn apart<const D: usize>(cut: &Cut, own: &Tensor<D>, other: &Tensor<D>) -> bool {
    let difference = (part(cut, own) - part(cut, other)).abs().max();
    crate::tensor::to_doubles(&difference)[0] != 0.0
}

fn part<const D: usize>(cut: &Cut, weight: &Tensor<D>) -> Tensor<D> {
    match &cut.range {
        Some((axis, range)) => weight.clone().narrow(*axis, range.start, range.len()),
        None => weight.clone(),
    }
}

/// Puts cuts of other weights in.
struct Splice<'a> {
    theirs: &'a Weights,
    cuts: BTreeMap<&'a str, Vec<&'a Cut>>,
}

impl Visitor for Splice<'_> {
    fn matrix(&mut self, name: &str, weight: &mut Tensor<2>) {
        for cut in self.cuts.get(name).into_iter().flatten() {
            *weight = spliced(cut, weight, &self.theirs.matrices[name]);
        }
    }
    fn vector(&mut self, name: &str, weight: &mut Tensor<1>) {
        for cut in self.cuts.get(name).into_iter().flatten() {
            *weight = spliced(cut, weight, &self.theirs.vectors[name]);
        }
    }
}

/// The weight with a cut of the other's in its place.
fn spliced<const D: usize>(cut: &Cut, own: &Tensor<D>, other: &Tensor<D>) -> Tensor<D> {
    let Some((axis, range)) = &cut.range else { return other.clone() };
    let whole = own.dims()[*axis];
    let rest = |from: usize, to: usize| (from < to).then(|| own.clone().narrow(*axis, from, to - from));
    let pieces = [rest(0, range.start), Some(part(cut, other)), rest(range.end, whole)];
    Tensor::cat(pieces.into_iter().flatten().collect(), *axis)
}
