//! The maps of a model by name, each as a matrix by itself, however the model keeps them.

use super::Matrix;
use crate::model::{Dims, Model, Visitor};
use crate::tensor::{Setting, Tensor, from_doubles, to_doubles};
use ndarray::{Array2, s};
use std::collections::BTreeSet;
use std::fmt;
use std::ops::Range;

/// What a map is in its block, or in the model.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Map {
    /// Token embeddings.
    Embed,
    /// To queries.
    Query,
    /// To keys.
    Key,
    /// To values.
    Value,
    /// From what heads mix to the stream.
    AttnOut,
    /// To the neurons' non-linearity.
    MlpIn,
    /// To the branch without one, of gated MLPs.
    MlpLinear,
    /// From neurons to the stream.
    MlpOut,
    /// To logits, where it is not the embedding.
    Unembed,
}

/// Every map by its name within a block.
const NAMES: [(&str, Map); 9] = [
    ("embed", Map::Embed),
    ("attn.q", Map::Query),
    ("attn.k", Map::Key),
    ("attn.v", Map::Value),
    ("attn.out", Map::AttnOut),
    ("mlp.in", Map::MlpIn),
    ("mlp.linear", Map::MlpLinear),
    ("mlp.out", Map::MlpOut),
    ("unembed", Map::Unembed),
];

impl Map {
    /// Its name: `attn.q`.
    pub fn name(self) -> &'static str {
        NAMES.iter().find(|(_, map)| *map == self).map_or("", |(name, _)| name)
    }

    /// The maps that a name stands for: one, or with `attn` and `mlp` all of theirs; none where it is not known.
    pub fn named(name: &str) -> Vec<Map> {
        let of = |known: &str| known == name || known.split_once('.').is_some_and(|(whole, _)| whole == name);
        NAMES.iter().filter(|(known, _)| of(known)).map(|(_, map)| *map).collect()
    }

    /// Whether it belongs to a block.
    pub fn is_of_block(self) -> bool {
        !matches!(self, Map::Embed | Map::Unembed)
    }
}

/// A map of a model.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Part {
    /// The layer, of maps of blocks.
    pub layer: Option<usize>,
    /// Which of it.
    pub map: Map,
}

impl fmt::Display for Part {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.layer {
            Some(layer) => write!(out, "blocks.{layer}.{}", self.map.name()),
            None => out.write_str(self.map.name()),
        }
    }
}

impl Part {
    /// A map of a block.
    pub fn of(layer: usize, map: Map) -> Self {
        Part { layer: Some(layer), map }
    }
}

/// The parts that a matrix of [`Model::visit`] holds, each with its columns; `None` where it is none of [`Map`].
fn held(name: &str, dims: &Dims, width: usize) -> Option<Vec<(Part, Range<usize>)>> {
    let name = name.strip_suffix(".weight").unwrap_or(name);
    let Some((layer, map)) = name.strip_prefix("blocks.").and_then(|rest| rest.split_once('.')) else {
        let map = Map::named(name).into_iter().find(|map| !map.is_of_block())?;
        return Some(vec![(Part { layer: None, map }, 0..width)]);
    };
    let layer = layer.parse().ok()?;
    if map == "attn.qkv" {
        let (queries, keys) = (dims.heads * dims.d_head, dims.key_heads * dims.d_head);
        let ends = [queries, queries + keys, queries + 2 * keys];
        let starts = [0, ends[0], ends[1]];
        let maps = [Map::Query, Map::Key, Map::Value].into_iter();
        return Some(
            maps.zip(starts.into_iter().zip(ends)).map(|(map, (a, b))| (Part::of(layer, map), a..b)).collect(),
        );
    }
    let map = NAMES.iter().find(|(known, _)| *known == map)?.1;
    Some(vec![(Part::of(layer, map), 0..width)])
}

/// Every map of a model, in order.
pub fn inventory(model: &dyn Model) -> BTreeSet<Part> {
    let mut found = BTreeSet::new();
    let mut own = model.parted(&[]); // shares its weights
    own.visit(&mut Names { dims: model.dims(), found: &mut found });
    found
}

/// Hears the names of parts, and reads nothing.
struct Names<'a> {
    dims: &'a Dims,
    found: &'a mut BTreeSet<Part>,
}

impl Visitor for Names<'_> {
    fn matrix(&mut self, name: &str, weight: &mut Tensor<2>) {
        let held = held(name, self.dims, weight.dims()[1]).into_iter().flatten();
        self.found.extend(held.map(|(part, _)| part));
    }
    fn vector(&mut self, _: &str, _: &mut Tensor<1>) {}
}

/// Hands over the parts wanted, `[output, input]` each, and puts back what they have become.
pub fn change(model: &mut dyn Model, wanted: &BTreeSet<Part>, each: &mut dyn FnMut(Part, Matrix) -> Matrix) {
    let dims = model.dims().clone();
    model.visit(&mut Changing { dims: &dims, wanted, each });
}

/// Some parts of a model.
pub fn read(model: &dyn Model, wanted: &BTreeSet<Part>) -> Vec<(Part, Matrix)> {
    let mut found = Vec::new();
    let mut own = model.parted(&[]); // shares its weights, and what is put back into it is let go with it
    change(own.as_mut(), wanted, &mut |part, matrix| {
        found.push((part, matrix.clone()));
        matrix
    });
    found
}

struct Changing<'a> {
    dims: &'a Dims,
    wanted: &'a BTreeSet<Part>,
    each: &'a mut dyn FnMut(Part, Matrix) -> Matrix,
}

impl Visitor for Changing<'_> {
    fn matrix(&mut self, name: &str, weight: &mut Tensor<2>) {
        let [input, output] = weight.dims();
        let Some(mut held) = held(name, self.dims, output) else { return };
        held.retain(|(part, _)| self.wanted.contains(part));
        if held.is_empty() {
            return;
        }
        let setting = Setting::of(weight);
        let mut all = Array2::from_shape_vec((input, output), to_doubles(weight)).expect("as many as the shape says");
        for (part, columns) in held {
            // embeddings are kept a token a row: the row is what a token writes
            let turned = part.map != Map::Embed;
            let mut own = all.slice_mut(s![.., columns]);
            let matrix = if turned { own.t().as_standard_layout().to_owned() } else { own.to_owned() };
            let changed = (self.each)(part, matrix);
            own.assign(&if turned { changed.t() } else { changed.view() });
        }
        *weight = from_doubles(all.into_raw_vec_and_offset().0, [input, output], &setting);
    }
    fn vector(&mut self, _: &str, _: &mut Tensor<1>) {}
}
