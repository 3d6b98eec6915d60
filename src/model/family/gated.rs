//! The shape of Llama and its kin: RMSNorms, rotary positions, keys and values for groups of heads, a gated MLP.

use super::{
    BuildError, Built, Config, ConfigError, WeightError, Weights, linear, own_head, prefix, rms_norm, side_by_side,
};
use crate::model::Dims;
use crate::model::decoder::Decoder;
use crate::model::parts::attention::Attention;
use crate::model::parts::block::{Block, Wiring};
use crate::model::parts::linear::Linear;
use crate::model::parts::norm::Norm;
use crate::model::parts::position::{Rotary, Sight};
use crate::model::parts::{function::Function, mlp::Mlp};

/// How a checkpoint stores maps of one input.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Storage {
    /// Each under its own name.
    Apart,
    /// Queries, keys and values in one tensor, gate and linear branch in another (Phi-3).
    Fused,
}

/// What the norms of a block are called.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Norms {
    /// One before attention, one before the MLP.
    Before,
    /// Two more behind what attention and MLP write (Gemma 2).
    BeforeAndBehind,
}

/// What the configuration says, and what sets the kin apart.
pub struct Choices {
    pub dims: Dims,
    pub function: Function,
    pub eps: f64,
    /// Added to the stored weight of every norm.
    pub norm_offset: f64,
    pub norms: Norms,
    /// Whether queries and keys have norms of their own.
    pub head_norms: bool,
    pub bias_qkv: bool,
    pub bias_out: bool,
    pub bias_mlp: bool,
    pub storage: Storage,
    /// What scores are multiplied with.
    pub scale: f64,
    pub score_cap: Option<f64>,
    pub logit_cap: Option<f64>,
    pub embed_scale: Option<f64>,
    pub sights: Vec<Sight>,
    pub rotary: Rotary,
    pub tied: bool,
}

impl Choices {
    /// Those of Llama, from which the kin differ.
    pub fn llama(config: &Config, dims: Dims, rotary: Rotary) -> Result<Self, ConfigError> {
        Ok(Choices {
            function: config.function("hidden_act", "silu")?,
            eps: config.number("rms_norm_eps")?.unwrap_or(1e-6),
            norm_offset: 0.0,
            norms: Norms::Before,
            head_norms: false,
            bias_qkv: false,
            bias_out: false,
            bias_mlp: false,
            storage: Storage::Apart,
            scale: (dims.d_head as f64).powf(-0.5),
            score_cap: None,
            logit_cap: None,
            embed_scale: None,
            sights: vec![Sight::Causal; dims.layers],
            rotary,
            tied: config.flag("tie_word_embeddings", false)?,
            dims,
        })
    }

    fn norm(&self, weights: &Weights, name: &str, width: usize) -> Result<Norm, WeightError> {
        let norm = rms_norm(weights, name, width, self.eps)?;
        Ok(Norm { weight: norm.weight.map(|weight| weight + self.norm_offset), ..norm })
    }
}

/// The model of these choices.
pub fn decoder(weights: &Weights, choices: Choices) -> Result<Built, BuildError> {
    let dims = choices.dims.clone();
    let at = prefix(weights, ["model.", ""], "norm.weight");
    let blocks = (0..dims.layers).map(|layer| block(weights, &format!("{at}layers.{layer}"), &choices));
    // a tied checkpoint may store the shared matrix under the name of the unembedding alone
    let (embed, head) = (format!("{at}embed_tokens.weight"), "lm_head.weight");
    let embedding = if choices.tied && !weights.has(&embed) && weights.has(head) { head } else { &embed };
    let own = own_head(weights, head, embedding, choices.tied);
    let unembedding = |_| super::unembedding(weights, "lm_head", [dims.d_model, dims.vocabulary]);
    Ok(Built::Decoder(Box::new(Decoder {
        embedding: weights.read(embedding, [dims.vocabulary, dims.d_model])?,
        embed_scale: choices.embed_scale,
        positions: None,
        sights: choices.sights.clone(),
        blocks: blocks.collect::<Result<_, _>>()?,
        final_norm: Some(choices.norm(weights, &format!("{at}norm"), dims.d_model)?),
        unembedding: own.map(unembedding).transpose()?,
        logit_cap: choices.logit_cap,
        rotary: Some(choices.rotary),
        dims,
    })))
}

fn block(weights: &Weights, name: &str, choices: &Choices) -> Result<Block, WeightError> {
    let norm = |part: &str| choices.norm(weights, &format!("{name}.{part}"), choices.dims.d_model);
    let attention = attention(weights, &format!("{name}.self_attn"), choices)?;
    let mlp = mlp(weights, &format!("{name}.mlp"), choices)?;
    let (norm1_post, norm2, norm2_post) = match choices.norms {
        Norms::Before => (None, norm("post_attention_layernorm")?, None),
        Norms::BeforeAndBehind => (
            Some(norm("post_attention_layernorm")?),
            norm("pre_feedforward_layernorm")?,
            Some(norm("post_feedforward_layernorm")?),
        ),
    };
    let (wiring, norm1) = (Wiring::Sequential, norm("input_layernorm")?);
    Ok(Block { wiring, norm1, attention, norm1_post, norm2, mlp, norm2_post })
}

fn attention(weights: &Weights, name: &str, choices: &Choices) -> Result<Attention, WeightError> {
    let Dims { d_model, d_head, heads, key_heads, .. } = choices.dims;
    let norm = |part: &str| choices.norm(weights, &format!("{name}.{part}"), d_head);
    let norms = choices.head_norms.then(|| Ok([norm("q_norm")?, norm("k_norm")?])).transpose()?;
    Ok(Attention {
        qkv: qkv(weights, name, choices)?,
        out: linear(weights, &format!("{name}.o_proj"), [heads * d_head, d_model], choices.bias_out)?,
        heads,
        key_heads,
        d_head,
        scale: choices.scale,
        norms,
        score_cap: choices.score_cap,
    })
}

fn qkv(weights: &Weights, name: &str, choices: &Choices) -> Result<Linear, WeightError> {
    let Dims { d_model, d_head, heads, key_heads, .. } = choices.dims;
    let read = |part: &str, heads: usize| {
        linear(weights, &format!("{name}.{part}"), [d_model, heads * d_head], choices.bias_qkv)
    };
    match choices.storage {
        Storage::Apart => {
            Ok(side_by_side(vec![read("q_proj", heads)?, read("k_proj", key_heads)?, read("v_proj", key_heads)?]))
        }
        Storage::Fused => read("qkv_proj", heads + 2 * key_heads),
    }
}

fn mlp(weights: &Weights, name: &str, choices: &Choices) -> Result<Mlp, WeightError> {
    let Dims { d_model, d_mlp, .. } = choices.dims;
    let read = |part: &str, shape| linear(weights, &format!("{name}.{part}"), shape, choices.bias_mlp);
    let (input, other) = match choices.storage {
        Storage::Apart => (read("gate_proj", [d_model, d_mlp])?, read("up_proj", [d_model, d_mlp])?),
        Storage::Fused => {
            let both = read("gate_up_proj", [d_model, 2 * d_mlp])?;
            (both.columns(0, d_mlp), both.columns(d_mlp, d_mlp))
        }
    };
    let output = read("down_proj", [d_mlp, d_model])?;
    Ok(Mlp { linear: Some(other), input, output, function: choices.function, apart: Vec::new() })
}
