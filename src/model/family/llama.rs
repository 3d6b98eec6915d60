//! Llama (Touvron et al. 2023) and its kin: Mistral (Jiang et al. 2023), Qwen2 (Yang et al. 2024).

use super::{BuildError, Built, Config, ConfigError, WeightError, Weights, linear, rms_norm, side_by_side};
use crate::model::Dims;
use crate::model::decoder::{Block, Decoder, Wiring};
use crate::model::parts::attention::Attention;
use crate::model::parts::position::Sight;
use crate::model::parts::{function::Function, mlp::Mlp};

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
    // transformers takes 4096 where the field is not written; null is no window
    let default = (!config.names("sliding_window")).then_some(4096);
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
    let width =
        config.maybe_count("sliding_window")?.filter(|_| config.flag("use_sliding_window", false).unwrap_or(false));
    let Some(width) = width else { return Ok(vec![Sight::Causal; layers]) };
    let types = config.find("layer_types").and_then(|types| types.as_array());
    let from = config.maybe_count("max_window_layers")?.unwrap_or(28);
    let slides = |layer: usize| match types {
        Some(types) => types.get(layer).is_some_and(|kind| kind == "sliding_attention"),
        None => layer >= from,
    };
    Ok((0..layers).map(|layer| if slides(layer) { Sight::Window(width) } else { Sight::Causal }).collect())
}

fn choices(config: &Config) -> Result<Choices, BuildError> {
    let (d_model, heads) = (config.count("hidden_size")?, config.count("num_attention_heads")?);
    let key_heads = config.maybe_count("num_key_value_heads")?.unwrap_or(heads);
    config.share(("num_attention_heads", heads), ("num_key_value_heads", key_heads))?;
    let d_head = match config.maybe_count("head_dim")? {
        Some(width) => width,
        None => config.share(("hidden_size", d_model), ("num_attention_heads", heads))?,
    };
    let layers = config.count("num_hidden_layers")?;
    let dims = Dims {
        layers,
        heads,
        key_heads,
        d_head,
        d_model,
        d_mlp: config.count("intermediate_size")?,
        vocabulary: config.count("vocab_size")?,
        context: config.count("max_position_embeddings")?,
    };
    Ok(Choices {
        dims,
        function: config.function("hidden_act", "silu")?,
        eps: config.number("rms_norm_eps")?.unwrap_or(1e-6),
        bias_qkv: false,
        bias_out: false,
        bias_mlp: false,
        sights: vec![Sight::Causal; layers],
    })
}

fn decoder(config: &Config, weights: &Weights, choices: Choices) -> Result<Built, BuildError> {
    let dims = choices.dims.clone();
    let blocks = (0..dims.layers).map(|layer| block(weights, &format!("model.layers.{layer}"), &choices));
    let unembedding = || linear(weights, "lm_head", [dims.d_model, dims.vocabulary], false);
    let tied = config.flag("tie_word_embeddings", false)?;
    // a tied checkpoint may store the shared matrix under the name of the unembedding alone
    let embedding = ["model.embed_tokens.weight", "lm_head.weight"]
        .into_iter()
        .find(|name| weights.has(name) && (tied || *name != "lm_head.weight"));
    Ok(Built::Decoder(Box::new(Decoder {
        embedding: weights.read(embedding.unwrap_or("model.embed_tokens.weight"), [dims.vocabulary, dims.d_model])?,
        positions: None,
        rotary: Some(config.rotary(dims.d_head, 1.0)?),
        sights: choices.sights.clone(),
        wiring: Wiring::Sequential,
        blocks: blocks.collect::<Result<_, _>>()?,
        final_norm: rms_norm(weights, "model.norm", dims.d_model, choices.eps)?,
        unembedding: (!tied).then(unembedding).transpose()?,
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
