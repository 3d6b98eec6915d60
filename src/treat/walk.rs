//! Texts taken through a model block by block, each map changed by the inputs that it has once those before it were.
//!
//! The streams before a block are kept, so that a block is run for its own maps alone and never the whole model for one. In a
//! block the maps that read the same are changed together, and the next ones see what that did.

use super::Matrix;
use super::hessian::Moments;
use super::part::{self, Map, Part};
use crate::hook::Record;
use crate::model::parts::Seam;
use crate::model::parts::block::{Block, Wiring};
use crate::model::{Model, Pass, Read, run};
use crate::site::Site;
use crate::tensor::{Tensor, off_tape, to_doubles, widen};
use crate::text::Tokens;
use ndarray::Array2;
use std::collections::{BTreeMap, BTreeSet};

/// Rows of one batch.
const ROWS: usize = 16;

/// Maps that read the same input, in the order in which a block comes to them.
const READERS: [&[Map]; 4] =
    [&[Map::Query, Map::Key, Map::Value], &[Map::AttnOut], &[Map::MlpIn, Map::MlpLinear], &[Map::MlpOut]];

/// Texts as tokens, those by themselves and those in pairs of one length.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Texts {
    /// By themselves.
    pub rows: Vec<Vec<u32>>,
    /// Stereotype and anti-stereotype.
    pub pairs: Vec<[Vec<u32>; 2]>,
    /// The token that stands for a hidden one, where the model has such and is asked for it.
    pub mask: Option<u32>,
    /// The token that texts begin with which the model says itself; without one any.
    pub begin: Option<u32>,
}

/// What changes the maps that read one input.
pub type Change<'a> = dyn FnMut(Vec<(Part, Matrix)>, &Moments) -> Vec<Matrix> + 'a;

/// Takes texts through the model and changes the wanted maps of its blocks.
pub fn walk(model: &mut dyn Model, texts: &Texts, wanted: &BTreeSet<Part>, change: &mut Change) {
    let mut batches = batches(model, texts);
    let last = wanted.iter().filter_map(|part| part.layer).max();
    for layer in 0..last.map_or(0, |last| last + 1) {
        for readers in READERS {
            let own = readers.iter().map(|map| Part::of(layer, *map)).filter(|part| wanted.contains(part));
            let own: BTreeSet<Part> = own.collect();
            if !own.is_empty() {
                changed(model, &batches, layer, (readers[0], &own), change);
            }
        }
        for batch in &mut batches {
            batch.stream = behind(model, batch, layer);
        }
    }
}

/// Texts on their way: half of the rows of paired ones are stereotypes, the other half their twins, in the same order.
struct Batch {
    tokens: Tokens,
    paired: bool,
    /// Before the block at hand.
    stream: Tensor<3>,
}

fn batches(model: &dyn Model, texts: &Texts) -> Vec<Batch> {
    let mut lengths: BTreeMap<(bool, usize), Vec<&[Vec<u32>]>> = BTreeMap::new();
    for row in &texts.rows {
        lengths.entry((false, row.len())).or_default().push(std::slice::from_ref(row));
    }
    for pair in &texts.pairs {
        lengths.entry((true, pair[0].len())).or_default().push(pair);
    }
    let mut batches = Vec::new();
    for ((paired, _), texts) in lengths {
        for some in texts.chunks(ROWS) {
            let side = |side: usize| some.iter().filter_map(move |text| text.get(side).cloned());
            let tokens = Tokens::new(side(0).chain(side(1)).collect());
            let stream = first_stream(model, &tokens);
            batches.push(Batch { tokens, paired, stream });
        }
    }
    batches
}

/// The stream before the first block.
fn first_stream(model: &dyn Model, tokens: &Tokens) -> Tensor<3> {
    let mut record = Record::of([Site::ResidPre(0)]);
    let last = Read { positions: Some(vec![tokens.width() - 1; tokens.rows()]), tokens: None };
    run(model, &Pass::whole(tokens).reading(last), &mut record).expect("every model has the stream before its blocks");
    off_tape(record.at(Site::ResidPre(0)).expect("the pass came by").clone()).squeeze_dim(1)
}

fn behind(model: &dyn Model, batch: &Batch, layer: usize) -> Tensor<3> {
    let context = model.context(&Pass::whole(&batch.tokens));
    model.block(layer).forward(batch.stream.clone(), &context, &mut Seam::new(&mut (), layer))
}

fn changed(
    model: &mut dyn Model,
    batches: &[Batch],
    layer: usize,
    (reader, own): (Map, &BTreeSet<Part>),
    change: &mut Change,
) {
    let mut moments: Option<Moments> = None;
    for batch in batches {
        let inputs = inputs(model, batch, layer, reader); // [row · pos, width]
        let moments = moments.get_or_insert_with(|| Moments::new(inputs.dims()[1]));
        moments.add(&inputs, batch.paired);
    }
    let Some(moments) = moments else { return };
    let changed = change(part::read(model, own), &moments);
    let mut changed = changed.into_iter();
    part::change(model, own, &mut |_, matrix| changed.next().unwrap_or(matrix));
}

/// What some map of a block reads, `[row · pos, width]`.
fn inputs(model: &dyn Model, batch: &Batch, layer: usize, reader: Map) -> Tensor<2> {
    let block = model.block(layer);
    let x = match reader {
        Map::Query if block.wiring == Wiring::Behind => batch.stream.clone(),
        Map::Query => block.norm1.apply(batch.stream.clone()),
        Map::AttnOut => joined(seen(model, batch, layer, Site::Mix(layer))),
        Map::MlpIn => before_neurons(block, seen(model, batch, layer, Site::MlpIn(layer)).squeeze_dim(1)),
        _ => seen(model, batch, layer, Site::MlpPost(layer)).squeeze_dim(1),
    };
    let [rows, pos, width] = x.dims();
    x.reshape([rows * pos, width])
}

/// The norm that neurons read through.
fn before_neurons(block: &Block, x: Tensor<3>) -> Tensor<3> {
    let norm = if block.wiring == Wiring::Behind { &block.norm1 } else { &block.norm2 };
    norm.apply(x)
}

/// Heads side by side, `[row, pos, head · d_head]`.
fn joined(mix: Tensor<4>) -> Tensor<3> {
    let [rows, heads, pos, width] = mix.dims();
    mix.swap_dims(1, 2).reshape([rows, pos, heads * width])
}

/// What flows at a site of one block.
fn seen(model: &dyn Model, batch: &Batch, layer: usize, site: Site) -> Tensor<4> {
    let mut record = Record::of([site]);
    let context = model.context(&Pass::whole(&batch.tokens));
    model.block(layer).forward(batch.stream.clone(), &context, &mut Seam::new(&mut record, layer));
    record.at(site).expect("every block has heads and neurons").clone()
}

impl Moments {
    /// Adds inputs `[row · pos, width]`; of pairs the first half are the ones and the second their twins.
    pub fn add(&mut self, inputs: &Tensor<2>, paired: bool) {
        let inputs = widen(inputs.clone());
        let [count, width] = inputs.dims();
        if paired {
            let half = count / 2;
            self.apart += &gram(inputs.clone().narrow(0, 0, half) - inputs.narrow(0, half, half));
            self.pairs += half;
            return;
        }
        self.gram += &gram(inputs.clone());
        let sizes = to_doubles(&inputs.abs().sum_dim(0).reshape([width]));
        self.sizes.iter_mut().zip(sizes).for_each(|(sum, size)| *sum += size);
        self.count += count;
    }
}

fn gram(x: Tensor<2>) -> Matrix {
    let width = x.dims()[1];
    let square = to_doubles(&x.clone().swap_dims(0, 1).matmul(x));
    Array2::from_shape_vec((width, width), square).expect("as many as the shape says")
}
