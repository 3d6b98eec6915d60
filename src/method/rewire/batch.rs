//! Items of one length: their clean run recorded, and what ablated edges bring.

use super::Judged;
use crate::hook::{Activation, Record};
use crate::method::circuit::Evaluation;
use crate::method::score::{Reader, Written, from_position};
use crate::method::{Bench, Side};
use crate::model::{HookError, Pass, Past, at_positions, run};
use crate::node::{Node, Port};
use crate::site::Site;
use crate::spec::{Judge, Stand};
use crate::tensor::Tensor;
use crate::text::Tokens;
use std::collections::BTreeMap;

/// What is known of some items before an edge is taken out. Positions before the first that an ablation changes are those of
/// the clean run in every circuit, and are left out.
pub struct Batch<'a> {
    pub(super) bench: &'a Bench<'a>,
    /// Of the bench.
    pub items: Vec<usize>,
    /// How their circuits are judged.
    pub judged: Judged,
    /// The number of the whole model, an item each.
    pub whole: Vec<f64>,
    pub(super) judge: Judge,
    /// The first position that an ablation changes.
    pub(super) first: usize,
    /// A row, as all are equally long.
    pub(super) tokens: Tokens,
    /// What ports read in the clean run, `[item, 1, pos, d_model]`.
    streams: BTreeMap<Site, Activation>,
    /// What nodes make in the clean run.
    clean: Written,
    /// What an edge brings less once it is ablated.
    change: Written,
    /// Keys and values before `first`, a layer each.
    earlier: BTreeMap<usize, [Tensor<4>; 2]>,
}

impl<'a> Batch<'a> {
    /// Records items of one length, of an evaluation in whose model no heads share keys or values.
    pub fn record(evaluation: &Evaluation<'a>, judge: Judge, items: &[usize]) -> Result<Self, HookError> {
        let (bench, stand) = (evaluation.bench(), evaluation.stand());
        let (model, layers) = (bench.model, bench.model.dims().layers);
        let first = if stand == Stand::Corrupted && model.is_causal() { first_change(bench, items) } else { 0 };
        let readers: Vec<Site> = Reader::all(layers).into_iter().map(|reader| reader.stream(model)).collect();
        let kept = if first > 0 { Past::sites(0, layers, model.is_rotary()) } else { Vec::new() };
        let (tokens, read) = (bench.tokens(items, Side::Clean), Judged::read(judge, bench, items));
        let mut record = Record::of(Written::sites(model).into_iter().chain(readers.iter().copied()).chain(kept));
        let logits = run(model, &Pass::whole(&tokens).reading(read), &mut record)?;
        let judged = Judged::new(judge, &logits);
        let whole = judged.values(bench, &logits, items);
        let stream = |site: Site| (site, from_position(record.at(site).expect("asked for above").clone(), first));
        let streams = readers.into_iter().map(stream).collect();
        let earlier = (0..layers).filter(|_| first > 0).map(|layer| (layer, before(&record, layer, first))).collect();
        let clean = Written::of(&record, model).from_position(first);
        let ablated = Written::from_states(evaluation.ablated(items)?.states).from_position(first);
        let (change, tokens) = (ablated.less(&clean), tokens.rows_at(&[0]));
        let items = items.to_vec();
        Ok(Batch { bench, items, judged, whole, judge, first, tokens, streams, clean, change, earlier })
    }

    /// The same where the logits are read alone, `[row, 1, 1, width]`; rows are the items over and over.
    pub(super) fn at_read(&self, state: Activation) -> Activation {
        let items = self.items.repeat(state.dims()[0] / self.items.len());
        let read = Judged::read(self.judge, self.bench, &items);
        if state.dims()[2] == 1 {
            return state;
        }
        at_positions(state.squeeze_dim(1), &read, self.first).unsqueeze_dim(1)
    }

    /// The sum of two states, of which one may be known where the logits are read alone: then that is all that matters.
    pub(super) fn sum(&self, one: Activation, other: Activation) -> Activation {
        match one.dims()[2] == other.dims()[2] {
            true => one + other,
            false => self.at_read(one) + self.at_read(other),
        }
    }

    /// What a port reads in the clean run, `[item, 1, pos, d_model]`.
    pub(super) fn read(&self, port: Port) -> Activation {
        self.streams[&Reader::of(port).stream(self.bench.model)].clone()
    }

    /// What a node makes in the clean run, of a head what it mixes.
    pub(super) fn made(&self, node: Node) -> Activation {
        self.clean.of_node(self.bench.model, node)
    }

    /// What a port reads more once its edge from `node` is ablated, where nothing before `node` is, `[item, 1, pos, d_model]`.
    pub fn ablated(&self, node: Node) -> Activation {
        self.change.added_by(self.bench.model, node)
    }

    /// Keys and values of a head before the positions at hand, the items `times` over.
    pub(super) fn earlier(&self, layer: usize, head: usize, times: usize) -> Option<[Tensor<4>; 2]> {
        let own = |kept: &Tensor<4>| super::state::tile(kept.clone().narrow(1, head, 1), times);
        self.earlier.get(&layer).map(|kept| [own(&kept[0]), own(&kept[1])])
    }
}

/// The first position that the corrupted prompt of any of these items changes, or the first that is read.
fn first_change(bench: &Bench, items: &[usize]) -> usize {
    let first = |item: &usize| {
        let (own, at) = (&bench.items[*item], bench.answers(*item).at);
        own.clean.iter().zip(&own.corrupt).position(|(clean, corrupt)| clean != corrupt).unwrap_or(at).min(at)
    };
    items.iter().map(first).min().unwrap_or(0)
}

/// Keys and values of a layer before `first`.
fn before(record: &Record, layer: usize, first: usize) -> [Tensor<4>; 2] {
    let key = record.at(Site::RotKey(layer)).or(record.at(Site::Key(layer))).expect("asked for above");
    let value = record.at(Site::Value(layer)).expect("asked for above");
    [key, value].map(|kept| kept.clone().narrow(2, 0, first))
}
