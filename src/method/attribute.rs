//! Direct logit attribution: the logit difference as a sum over what writes to the stream.
//!
//! *What it measures.* What each embedding, head, bias and MLP adds to logit(right) − logit(wrong) on the clean prompts,
//! through the last norm with its scale held at what it was: `c ↦ LN(c)·(W_U[right] − W_U[wrong])`. Where a norm stands
//! behind attention, a head's share goes through it too, its scale held. The parts sum to the logit difference.
//!
//! *What it cannot show.* Effects through later layers; a part that moves the last norm's scale.
//!
//! *Reference.* Elhage et al. 2021; as TransformerLens' `logit_attrs`.
//!
//! *Example.* `DirectLogitAttribution`

use super::summary::{mean, tabulate};
use super::{Bench, Finding, Side, blank, table};
use crate::hook::Record;
use crate::model::{HookError, Model, Pass, at_positions, run};
use crate::site::Site;
use crate::steps::{RunError, Steps};
use crate::table::Row;
use crate::tensor::{Tensor, from_ints, to_doubles};

/// A part of the logit difference: the name it has in the table, its layer and head.
type Part = (String, Option<usize>, Option<usize>);

/// Splits the logit difference of every item.
pub fn attribute(bench: &Bench, steps: &mut Steps) -> Result<Finding, RunError> {
    let mut parts: Vec<(Part, Vec<f64>)> = Vec::new();
    for items in bench.batches(bench.rows) {
        let found = steps.step(items.len(), || split(bench, &items))?;
        for (index, (part, found)) in found.into_iter().flatten().enumerate() {
            if parts.len() <= index {
                parts.push((part, vec![0.0; bench.items.len()]));
            }
            items.iter().zip(found).for_each(|(item, value)| parts[index].1[*item] = value);
        }
    }
    steps.complete()?;
    let (_, whole) = parts.pop().expect("the whole difference stands last");
    Ok(rows(bench, parts, &whole))
}

/// Every part, one value an item of the batch, and behind them the whole difference.
fn split(bench: &Bench, items: &[usize]) -> Result<Vec<(Part, Vec<f64>)>, HookError> {
    let model = bench.model;
    let writers = writers(model);
    let mut record = Record::of(writers.iter().copied().chain(scales(model)));
    let tokens = bench.tokens(items, Side::Clean);
    let logits = run(model, &Pass::whole(&tokens).reading(bench.read(items)), &mut record)?;
    let reader = Reader::new(bench, items, &record);
    let mut parts = Vec::new();
    for site in writers {
        let state = record.at(site).expect("asked for above").clone();
        match site {
            Site::HeadOut(layer) => parts.extend(reader.heads(layer, added(model, layer, &record))),
            Site::AttnOut(layer) => parts.push(reader.bias(layer, state - added(model, layer, &record).sum_dim(1))),
            _ => parts.push(((site.kind().to_string(), site.layer(), None), reader.stream(state.squeeze_dim(1)))),
        }
    }
    parts.extend(reader.constants());
    parts.push(((Site::Logits.kind().to_string(), None, None), bench.values(&logits, items)));
    Ok(parts)
}

/// What writes to the stream, in order.
fn writers(model: &dyn Model) -> Vec<Site> {
    let writes = |site: &Site| {
        matches!(site, Site::Embed | Site::PosEmbed | Site::HeadOut(_) | Site::AttnOut(_) | Site::MlpOut(_))
    };
    model.sites().into_iter().filter(writes).collect()
}

/// The scales that are held.
fn scales(model: &dyn Model) -> impl Iterator<Item = Site> {
    model.sites().into_iter().filter(|site| matches!(site, Site::Norm1PostScale(_) | Site::FinalScale))
}

/// What each head adds to the stream, `[item, head, pos, d_model]`.
fn added(model: &dyn Model, layer: usize, record: &Record) -> Tensor<4> {
    let heads = record.at(Site::HeadOut(layer)).expect("asked for above").clone();
    model.block(layer).added(heads, record.at(Site::Norm1PostScale(layer)))
}

/// Turns a state into its share of the logit difference.
struct Reader<'a> {
    model: &'a dyn Model,
    read: crate::model::Read,
    /// Of the last norm, where there is one, `[item, 1, 1]`.
    scale: Option<Tensor<3>>,
    /// W_U[right] − W_U[wrong], `[item, 1, d_model]`.
    direction: Tensor<3>,
    /// b_U[right] − b_U[wrong] an item.
    bias: Vec<f64>,
}

impl<'a> Reader<'a> {
    fn new(bench: &Bench<'a>, items: &[usize], record: &Record) -> Self {
        let (model, read) = (bench.model, bench.read(items));
        let scale = record.at(Site::FinalScale).map(|scale| at_positions(scale.clone().squeeze_dim(1), &read, 0));
        let unembedding = model.unembedding();
        // the plan has made sure that no answer is a set
        let (right, wrong): (Vec<i32>, Vec<i32>) = items
            .iter()
            .map(|item| bench.answers(*item))
            .map(|both| (both.right[0] as i32, both.wrong[0] as i32))
            .unzip();
        let index = |tokens: &[i32]| from_ints(tokens.to_vec(), [tokens.len()], &model.device());
        let rows = unembedding.weight.clone().swap_dims(0, 1); // [vocabulary, d_model]
        let direction = rows.clone().select(0, index(&right)) - rows.select(0, index(&wrong));
        let bias = match &unembedding.bias {
            Some(bias) => to_doubles(&(bias.clone().select(0, index(&right)) - bias.clone().select(0, index(&wrong)))),
            None => vec![0.0; items.len()],
        };
        Reader { model, scale, read, direction: direction.unsqueeze_dim(1), bias }
    }

    /// The share of a stream `[item, pos, d_model]`, read at the answer's position.
    fn stream(&self, state: Tensor<3>) -> Vec<f64> {
        let state = at_positions(state, &self.read, 0);
        let normed = match (self.model.final_norm(), &self.scale) {
            (Some(norm), Some(scale)) => norm.apply_frozen(state, scale.clone()),
            _ => state,
        };
        to_doubles(&(normed * self.direction.clone()).sum_dim(2))
    }

    fn heads(&self, layer: usize, state: Tensor<4>) -> Vec<(Part, Vec<f64>)> {
        let share = |head: usize| {
            let own = state.clone().narrow(1, head, 1).squeeze_dim(1);
            ((Site::HeadOut(layer).kind().to_string(), Some(layer), Some(head)), self.stream(own))
        };
        (0..state.dims()[1]).map(share).collect()
    }

    /// What attention writes beyond its heads: the output bias, and that of a norm behind it.
    fn bias(&self, layer: usize, rest: Tensor<4>) -> (Part, Vec<f64>) {
        (("attn.b_O".to_string(), Some(layer), None), self.stream(rest.squeeze_dim(1)))
    }

    /// The biases of the last norm and of the unembedding.
    fn constants(&self) -> Vec<(Part, Vec<f64>)> {
        let norm = self.model.final_norm().and_then(|norm| norm.bias.clone());
        let share = |bias: Tensor<1>| to_doubles(&(self.direction.clone() * bias.unsqueeze()).sum_dim(2));
        let norm = norm.map_or(vec![0.0; self.bias.len()], share);
        let part = |name: &str| (name.to_string(), None, None);
        vec![(part("ln_final.b"), norm), (part("unembed.b_U"), self.bias.clone())]
    }
}

fn rows(bench: &Bench, parts: Vec<(Part, Vec<f64>)>, whole: &[f64]) -> Finding {
    let mut main = table("direct_logit_attribution", "Direct logit attribution", bench);
    main.facts.insert("normalised".into(), "effect / logit difference; the rows sum to it".into());
    main.facts.insert("metric, clean".into(), format!("{:.4}", mean(whole)));
    let place = |((site, layer, head), values): (Part, Vec<f64>)| {
        let blank = blank("direct_logit_attribution", bench.metric);
        (Row { site: Some(site), layer, head, ..blank }, values)
    };
    tabulate(bench, main, parts.into_iter().map(place).collect(), whole)
}
