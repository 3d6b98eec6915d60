//! Transformers with every hidden state open: what all models share, and how one is run and checked.

pub mod decode;
pub mod decoder;
pub mod encoder;
pub mod exchange;
pub mod family;
pub mod hash;
pub mod load;
pub mod parts;
pub mod pass;
pub mod process;
pub mod random;
pub(crate) mod source;
pub mod weights;

pub use pass::{Context, Pass, Past, Read, Start};

use crate::hook::{Activation, Hook};
use crate::node::Flow;
use crate::precision::Precision;
use crate::site::Site;
use crate::tensor::{Device, Setting, Tensor};
use crate::text::Tokens;
use parts::block::Block;
use parts::linear::Linear;
use parts::norm::Norm;
use parts::position::Sight;
use serde::Serialize;
use std::collections::BTreeMap;

/// The sizes of a model.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Dims {
    /// Blocks.
    pub layers: usize,
    /// Heads a block.
    pub heads: usize,
    /// Heads of keys and values.
    pub key_heads: usize,
    /// Width of a head.
    pub d_head: usize,
    /// Width of the residual stream.
    pub d_model: usize,
    /// Neurons a block.
    pub d_mlp: usize,
    /// Tokens of the vocabulary.
    pub vocabulary: usize,
    /// The most positions.
    pub context: usize,
}

/// A transformer that asks its hook at every site.
pub trait Model {
    /// Its sizes.
    fn dims(&self) -> &Dims;
    /// Its sites, in the order of the forward pass.
    fn sites(&self) -> Vec<Site>;
    /// Whether a position sees only itself and earlier ones, so that a pass can begin at a position.
    fn is_causal(&self) -> bool;
    /// Which keys the queries of a layer see.
    fn sight(&self, layer: usize) -> Sight;
    /// Whether keys are rotated, so that [`Past::sites`] knows what to record.
    fn is_rotary(&self) -> bool;
    /// How heads and MLPs are wired to one stream, to which everything that is written is added as it is; `None` where a
    /// norm stands between what is written and what is read of it, so that the stream is no sum of its writers.
    fn flow(&self) -> Option<Flow>;
    /// Where its weights are.
    fn device(&self) -> Device;
    /// Where and in which numbers it computes.
    fn setting(&self) -> Setting {
        Setting::of(&self.unembedding().weight)
    }
    /// What every block of a pass shares, for parts of blocks that are run by themselves.
    fn context<'a>(&'a self, pass: &Pass<'a>) -> Context<'a>;
    /// Logits of a pass, `[batch, pos, vocabulary]`, or what its [`Read`] asks for; use [`run`], which checks the hook.
    fn pass(&self, pass: &Pass, hook: &mut dyn Hook) -> Tensor<3>;
    /// Logits read straight from a residual stream `[batch, pos, d_model]`: the last norm, then unembedding of the tokens of
    /// `read`, at every position of the stream.
    fn read_out(&self, stream: Tensor<3>, read: &Read) -> Tensor<3>;
    /// The residual stream behind the last block.
    fn last_stream(&self) -> Site;
    /// The last norm, where there is one.
    fn final_norm(&self) -> Option<&Norm>;
    /// The unembedding, `[d_model, vocabulary]`; in an encoder the last step of its head.
    fn unembedding(&self) -> Linear;
    /// The block of a layer.
    fn block(&self, layer: usize) -> &Block;
    /// Whether keys kept from `kept` tokens hold in a text of `length`: where rotation changes beyond some length they do
    /// not, and the whole text has to be run again.
    fn keys_serve(&self, kept: usize, length: usize) -> bool;
    /// Why a difference of logits is no sum over what is written to the stream; `None` where it is one, with the scales of
    /// its norms held.
    fn indivisible(&self) -> Option<&'static str>;
    /// Shows every weight to a visitor, which may change it.
    fn visit(&mut self, visitor: &mut dyn Visitor);
    /// A copy that shares its weights, on a tape for gradients.
    fn on_tape(&self) -> Box<dyn Model>;
    /// The same model with keys and values of its own for every head, each a copy of what it shared: what a single head reads
    /// can then be changed. A model whose heads share none is as it was.
    fn ungrouped(&self) -> Box<dyn Model>;
    /// The same model with some neurons, layer and neuron each, apart from the rest of their MLPs: where a hook wants what such
    /// an MLP reads or writes, it sees the rest and each of them as heads of that site, in this order. Left alone, it is as it was.
    fn parted(&self, neurons: &[(usize, usize)]) -> Box<dyn Model>;
    /// Keeps these of its blocks alone, each of which it has, in this order: the first of them reads the embeddings.
    fn keep_layers(&mut self, layers: &[usize]);

    /// Logits `[batch, pos, vocabulary]` for all positions of `tokens`.
    fn forward(&self, tokens: &Tokens, hook: &mut dyn Hook) -> Tensor<3> {
        self.pass(&Pass::whole(tokens), hook)
    }
}

/// Sees, and may change, the weights of a model.
pub trait Visitor {
    /// A matrix, mostly `[in, out]`.
    fn matrix(&mut self, name: &str, weight: &mut Tensor<2>);
    /// A vector: a bias, or the weight of a norm.
    fn vector(&mut self, name: &str, weight: &mut Tensor<1>);
}

/// Puts every weight on a tape.
pub(crate) struct OnTape;

impl Visitor for OnTape {
    fn matrix(&mut self, _: &str, weight: &mut Tensor<2>) {
        *weight = crate::tensor::on_tape(weight.clone());
    }
    fn vector(&mut self, _: &str, weight: &mut Tensor<1>) {
        *weight = crate::tensor::on_tape(weight.clone());
    }
}

/// Rounds every weight to other numbers.
pub(crate) struct Rounded(pub(crate) Precision);

impl Visitor for Rounded {
    fn matrix(&mut self, _: &str, weight: &mut Tensor<2>) {
        *weight = crate::tensor::cast(weight.clone(), self.0);
    }
    fn vector(&mut self, _: &str, weight: &mut Tensor<1>) {
        *weight = crate::tensor::cast(weight.clone(), self.0);
    }
}

/// A hook that was not called as it asked.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum HookError {
    /// The model lacks the site.
    #[error("this model has no site `{0}`; `patchclamp sites MODEL` lists those it has")]
    NoSuchSite(Site),
    /// The site was not visited exactly once.
    #[error("`{site}` was visited {times} times in this pass instead of once")]
    Visits {
        /// The site asked for.
        site: Site,
        /// How often it came by.
        times: usize,
    },
}

/// Runs a pass and fails unless every site that the hook asks for was visited exactly once.
pub fn run(model: &dyn Model, pass: &Pass, hook: &mut dyn Hook) -> Result<Tensor<3>, HookError> {
    let (sites, asked) = (model.sites(), hook.asks());
    if let Some(site) = asked.iter().find(|site| !sites.contains(site)) {
        return Err(HookError::NoSuchSite(*site));
    }
    let mut counted = Counted { hook, visits: BTreeMap::new() };
    counted.begin(pass.first);
    let logits = model.pass(pass, &mut counted);
    for site in asked {
        match counted.visits.get(&site).copied().unwrap_or(0) {
            1 => {}
            times => return Err(HookError::Visits { site, times }),
        }
    }
    Ok(logits)
}

/// Counts how often each site comes by.
struct Counted<'a> {
    hook: &'a mut dyn Hook,
    visits: BTreeMap<Site, usize>,
}

impl Hook for Counted<'_> {
    fn visit(&mut self, site: Site, act: Activation) -> Activation {
        *self.visits.entry(site).or_default() += 1;
        self.hook.visit(site, act)
    }
    fn wants(&self, site: Site) -> bool {
        self.hook.wants(site)
    }
    fn begin(&mut self, first: usize) {
        self.hook.begin(first);
    }
}

/// The shape of a site as it is written to files, for `batch` rows of `pos` positions.
pub fn shape(dims: &Dims, site: Site, batch: usize, pos: usize) -> Vec<usize> {
    use Site::*;
    let heads = |heads: usize, width: usize| vec![batch, pos, heads, width];
    match site {
        FinalScale | EmbedScale | Norm1Scale(_) | Norm2Scale(_) | Norm1PostScale(_) | Norm2PostScale(_) => {
            vec![batch, pos, 1]
        }
        Logits => vec![batch, pos, dims.vocabulary],
        QueryIn(_) | HeadOut(_) => heads(dims.heads, dims.d_model),
        KeyIn(_) | ValueIn(_) => heads(dims.key_heads, dims.d_model),
        Query(_) | RotQuery(_) | Mix(_) => heads(dims.heads, dims.d_head),
        Key(_) | RotKey(_) | Value(_) => heads(dims.key_heads, dims.d_head),
        Scores(_) | Pattern(_) => vec![batch, dims.heads, pos, pos],
        MlpPre(_) | MlpPreLinear(_) | MlpPost(_) => vec![batch, pos, dims.d_mlp],
        _ => vec![batch, pos, dims.d_model],
    }
}

/// Embeddings of `ids` `[row][pos]`: `[batch, pos, d_model]` from `table` `[tokens, d_model]`.
pub(crate) fn embed(table: &Tensor<2>, ids: Vec<Vec<usize>>) -> Tensor<3> {
    let (rows, width, d_model) = (ids.len(), ids[0].len(), table.dims()[1]);
    let flat: Vec<i32> = ids.into_iter().flatten().map(|id| id as i32).collect();
    let ids = crate::tensor::from_ints(flat, [rows * width], &table.device());
    table.clone().select(0, ids).reshape([rows, width, d_model])
}

/// The positions of `x` `[batch, pos, width]` that `read` asks for: `[batch, positions a row, width]`, or all.
pub(crate) fn at_positions(x: Tensor<3>, read: &Read, first: usize) -> Tensor<3> {
    let Some(positions) = &read.positions else { return x };
    let [batch, pos, width] = x.dims();
    let each = positions.len() / batch;
    if each == 1 && positions.iter().all(|position| *position == positions[0]) {
        return x.narrow(1, positions[0] - first, 1);
    }
    let index = positions.iter().enumerate().map(|(at, position)| (at / each * pos + position - first) as i32);
    let index = crate::tensor::from_ints(index.collect(), [positions.len()], &x.device());
    x.reshape([batch * pos, width]).select(0, index).reshape([batch, each, width])
}

/// `x W_U + b_U` for the tokens that `read` asks for: `[batch, pos, tokens]`.
pub(crate) fn unembed(x: Tensor<3>, unembedding: &Linear, read: &Read) -> Tensor<3> {
    let Some(tokens) = &read.tokens else { return unembedding.forward(x) };
    let ([batch, _, d_model], count) = (x.dims(), tokens[0].len());
    let flat: Vec<i32> = tokens.iter().flatten().map(|token| *token as i32).collect();
    let index = crate::tensor::from_ints(flat, [batch * count], &x.device());
    let columns = unembedding.weight.clone().swap_dims(0, 1).select(0, index.clone()); // [batch · tokens, d_model]
    let logits = x.matmul(columns.reshape([batch, count, d_model]).swap_dims(1, 2));
    match &unembedding.bias {
        Some(bias) => logits + bias.clone().select(0, index).reshape([batch, 1, count]),
        None => logits,
    }
}

/// The tokens that `read` asks for out of all logits, `[batch, pos, vocabulary]`.
pub(crate) fn pick(logits: Tensor<3>, read: &Read, first: usize) -> Tensor<3> {
    let logits = at_positions(logits, read, first);
    let Some(tokens) = &read.tokens else { return logits };
    let ([batch, pos, _], count) = (logits.dims(), tokens[0].len());
    let flat: Vec<i32> =
        tokens.iter().flat_map(|row| std::iter::repeat_n(row, pos)).flatten().map(|id| *id as i32).collect();
    let index = crate::tensor::from_ints(flat, [batch, pos, count], &logits.device());
    logits.gather(2, index)
}
