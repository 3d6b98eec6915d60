//! Llama (Touvron et al. 2023) and its kin: Mistral (Jiang et al. 2023), Qwen2 (Yang et al. 2024).

use super::{
    BuildError, Built, Config, ConfigError, WeightError, Weights, dims, linear, own_head, rms_norm, side_by_side,
};
use crate::model::Dims;
use crate::model::decoder::{Block, Decoder, Wiring};
use crate::model::parts::attention::Attention;
use crate::model::parts::position::Sight;
use crate::model::parts::{function::Function, mlp::Mlp};

/// The window that `transformers` takes where the field is not written; null is no window.
const UNWRITTEN_WINDOW: usize = 4096;

/// What the configuration says beyond the sizes, and what sets the kin apart.
struct Choices {
    dims: Dims,
    function: Function,
    eps: f64,
    bias_qkv: bool,
    bias_out: bool,
    bias_mlp: bool,
    sights: Vec<Sight>,
}

pub fn llama(config: &Config, weights: &Weights) -> Result<Built, BuildError> {
    let mut choices = choices(config)?;
    choices.bias_qkv = config.flag("attention_bias", false)?;
    choices.bias_out = choices.bias_qkv;
    choices.bias_mlp = config.flag("mlp_bias", false)?;
    decoder(config, weights, choices)
}

pub fn mistral(config: &Config, weights: &Weights) -> Result<Built, BuildError> {
    let mut choices = choices(config)?;
    let default = (!config.names("sliding_window")).then_some(UNWRITTEN_WINDOW);
    if let Some(width) = config.maybe_count("sliding_window")?.or(default) {
        choices.sights = vec![Sight::Window(width); choices.dims.layers];
    }
    decoder(config, weights, choices)
}

pub fn qwen2(config: &Config, weights: &Weights) -> Result<Built, BuildError> {
    let mut choices = choices(config)?;
    choices.bias_qkv = true;
    choices.sights = qwen2_sights(config, choices.dims.layers)?;
    decoder(config, weights, choices)
}

/// Qwen2 slides its window in the layers that `layer_types` names or, in older files, from `max_window_layers` on.
fn qwen2_sights(config: &Config, layers: usize) -> Result<Vec<Sight>, ConfigError> {
    if !config.flag("use_sliding_window", false)? {
        return Ok(vec![Sight::Causal; layers]);
    }
    let default = (!config.names("sliding_window")).then_some(UNWRITTEN_WINDOW);
    let Some(width) = config.maybe_count("sliding_window")?.or(default) else { return Ok(vec![Sight::Causal; layers]) };
    let types = config.find("layer_types").and_then(|types| types.as_array());
    let from = config.find("max_window_layers").and_then(|layers| layers.as_u64()).unwrap_or(28);
    let slides = |layer: usize| match types {
        Some(types) => types.get(layer).is_some_and(|kind| kind == "sliding_attention"),
        None => layer as u64 >= from,
    };
    Ok((0..layers).map(|layer| if slides(layer) { Sight::Window(width) } else { Sight::Causal }).collect())
}

fn choices(config: &Config) -> Result<Choices, BuildError> {
    let dims = dims::usual(config)?;
    Ok(Choices {
        sights: vec![Sight::Causal; dims.layers],
        dims,
        function: config.function("hidden_act", "silu")?,
        eps: config.number("rms_norm_eps")?.unwrap_or(1e-6),
        bias_qkv: false,
        bias_out: false,
        bias_mlp: false,
    })
}

fn decoder(config: &Config, weights: &Weights, choices: Choices) -> Result<Built, BuildError> {
    let dims = choices.dims.clone();
    let blocks = (0..dims.layers).map(|layer| block(weights, &format!("model.layers.{layer}"), &choices));
    let tied = config.flag("tie_word_embeddings", false)?;
    // a tied checkpoint may store the shared matrix under the name of the unembedding alone
    let (embed, head) = ("model.embed_tokens.weight", "lm_head.weight");
    let embedding = if tied && !weights.has(embed) && weights.has(head) { head } else { embed };
    let own = own_head(weights, head, embedding, tied);
    let unembedding = |_| super::unembedding(weights, "lm_head", [dims.d_model, dims.vocabulary]);
    Ok(Built::Decoder(Box::new(Decoder {
        embedding: weights.read(embedding, [dims.vocabulary, dims.d_model])?,
        positions: None,
        rotary: Some(config.rotary(dims.d_head)?),
        sights: choices.sights.clone(),
        wiring: Wiring::Sequential,
        blocks: blocks.collect::<Result<_, _>>()?,
        final_norm: rms_norm(weights, "model.norm", dims.d_model, choices.eps)?,
        unembedding: own.map(unembedding).transpose()?,
        dims,
    })))
}

fn block(weights: &Weights, name: &str, choices: &Choices) -> Result<Block, WeightError> {
    let Dims { d_model, d_mlp, .. } = choices.dims;
    let mlp = |part: &str, shape| linear(weights, &format!("{name}.mlp.{part}"), shape, choices.bias_mlp);
    Ok(Block {
        norm1: rms_norm(weights, &format!("{name}.input_layernorm"), d_model, choices.eps)?,
        attention: attention(weights, &format!("{name}.self_attn"), choices)?,
        norm2: rms_norm(weights, &format!("{name}.post_attention_layernorm"), d_model, choices.eps)?,
        mlp: Mlp {
            linear: Some(mlp("up_proj", [d_model, d_mlp])?),
            input: mlp("gate_proj", [d_model, d_mlp])?,
            output: mlp("down_proj", [d_mlp, d_model])?,
            function: choices.function,
        },
    })
}

fn attention(weights: &Weights, name: &str, choices: &Choices) -> Result<Attention, WeightError> {
    let Dims { d_model, d_head, heads, key_heads, .. } = choices.dims;
    let read = |part: &str, heads: usize| {
        linear(weights, &format!("{name}.{part}"), [d_model, heads * d_head], choices.bias_qkv)
    };
    Ok(Attention {
        qkv: side_by_side(vec![read("q_proj", heads)?, read("k_proj", key_heads)?, read("v_proj", key_heads)?]),
        out: linear(weights, &format!("{name}.o_proj"), [heads * d_head, d_model], choices.bias_out)?,
        heads,
        key_heads,
        d_head,
        scale: (d_head as f64).powf(-0.5),
    })
}
