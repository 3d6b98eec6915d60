//! Gradients of the metric at every port, from one backward pass without split inputs.
//!
//! A head's input has a gradient of its own for queries, keys and values. None of these inputs is ever made: the gradient g
//! at a head's query goes back through the head's weights and the norm, in closed form. With the norm
//! x̂ = (x − mean x) / s folded into the weights, W = centred diag(w) W_Q, it is W g / s − x̂ (x̂ · W g / s) / d_model.

use super::order::{Order, Reader};
use super::written::part;
use crate::hook::{Activation, Differentiate, Record};
use crate::model::Model;
use crate::site::Site;
use crate::tensor::{Gradients, Tensor, off_tape, widen};
use std::collections::BTreeMap;
use std::ops::Range;

/// Gradients of a metric's sum over rows, and the streams that heads read.
pub struct Slopes {
    at: BTreeMap<Site, Activation>,
    streams: BTreeMap<Site, Activation>,
}

/// The gradients at some ports, `[row, port, pos, d_model]`, and their numbers.
pub struct AtPorts {
    /// Numbers of the ports in the order of [`Order`].
    pub ports: Vec<usize>,
    /// Gradients in that order.
    pub slopes: Tensor<4>,
}

impl Slopes {
    /// Where gradients are taken of a pass that begins before block `layer`.
    pub fn sites(model: &dyn Model, layer: usize) -> Vec<Site> {
        let behind = |site: &Site| site.layer() >= Some(layer);
        let taken = |site: &Site| {
            matches!(site, Site::Query(_) | Site::Key(_) | Site::Value(_) | Site::MlpIn(_))
                || *site == model.last_stream()
        };
        model.sites().into_iter().filter(|site| taken(site) && behind(site)).collect()
    }

    /// The streams that are recorded in the same pass.
    pub fn streams(model: &dyn Model, layer: usize) -> Vec<Site> {
        (layer..model.dims().layers).map(Site::ResidPre).collect()
    }

    /// From what the hooks of a pass on a tape have seen, and the backward pass behind it.
    pub fn of(record: &Record, hook: &Differentiate, gradients: &Gradients) -> Self {
        let stream = |(site, state): (&Site, &Activation)| {
            matches!(site, Site::ResidPre(_)).then(|| (*site, off_tape(state.clone())))
        };
        Slopes { at: hook.gradients(gradients), streams: record.kept().iter().filter_map(stream).collect() }
    }

    /// Hands the gradients at the ports of some rows to `take`, some ports at a time, each once.
    pub fn each(&self, model: &dyn Model, order: &Order, rows: Range<usize>, mut take: impl FnMut(AtPorts)) {
        let (layers, heads) = (model.dims().layers, model.dims().heads);
        let at = |site: Site| self.at.get(&site).map(|slope| part(slope, &rows));
        for layer in 0..layers {
            if let Some(stream) = self.streams.get(&Site::ResidPre(layer)) {
                let back = Back::new(model, layer, part(stream, &rows));
                let first = Reader::Heads(layer).ports(order).start;
                for (kind, site) in [Site::Query(layer), Site::Key(layer), Site::Value(layer)].into_iter().enumerate() {
                    let ports = (0..heads).map(|head| first + 3 * head + kind).collect();
                    if let Some(slope) = at(site) {
                        take(AtPorts { ports, slopes: back.through(kind, slope) });
                    }
                }
            }
            if let Some(slope) = at(Site::MlpIn(layer)) {
                take(AtPorts { ports: Reader::Mlp(layer).ports(order).collect(), slopes: slope });
            }
        }
        if let Some(slope) = at(model.last_stream()) {
            take(AtPorts { ports: vec![order.ports.len() - 1], slopes: slope });
        }
    }
}

/// The way back from the queries, keys and values of a layer to the streams that its heads read.
struct Back<'a> {
    model: &'a dyn Model,
    layer: usize,
    /// The normalised streams before weight and bias, and what they were divided by, `[row, 1, pos, d_model or 1]`; none
    /// where there is no norm.
    normalised: Option<(Tensor<4>, Tensor<4>)>,
}

impl<'a> Back<'a> {
    fn new(model: &'a dyn Model, layer: usize, stream: Activation) -> Self {
        let norm = &model.block(layer).norm1;
        Back { model, layer, normalised: norm.is_there().then(|| norm.standardised(stream)) }
    }

    /// `[row, head, pos, d_model]` from the gradients `[row, head, pos, d_head]` at queries (0), keys (1) or values (2).
    fn through(&self, kind: usize, slope: Tensor<4>) -> Tensor<4> {
        let block = self.model.block(self.layer);
        let weight = widen(block.norm1.folded(block.attention.in_by_head(kind))); // [1, head, d_model, d_head]
        let Some((normalised, scale)) = &self.normalised else { return slope.matmul(weight.swap_dims(2, 3)) };
        let width = normalised.dims()[3] as f64;
        let slope = slope / scale.clone();
        let along = normalised.clone().matmul(weight.clone()) * slope.clone(); // [row, head, pos, d_head]
        slope.matmul(weight.swap_dims(2, 3)) - normalised.clone() * (along.sum_dim(3) / width)
    }
}
