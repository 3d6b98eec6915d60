//! GPT-NeoX (Black et al. 2022) and Pythia (Biderman et al. 2023): rotary heads, both wirings.

use super::{BuildError, Built, Config, WeightError, Weights, dims, layer_norm, linear, own_head, prefix, rotary};
use crate::model::Dims;
use crate::model::decoder::Decoder;
use crate::model::parts::attention::Attention;
use crate::model::parts::block::{Block, Wiring};
use crate::model::parts::linear::Linear;
use crate::model::parts::position::Sight;
use crate::model::parts::{function::Function, mlp::Mlp};

/// What the configuration says beyond the sizes.
struct Choices {
    dims: Dims,
    function: Function,
    eps: f64,
    bias: bool,
    wiring: Wiring,
}

pub fn build(config: &Config, weights: &Weights) -> Result<Built, BuildError> {
    let choices = choices(config)?;
    let dims = choices.dims.clone();
    let at = prefix(weights, ["gpt_neox.", ""], "embed_in.weight");
    let embedding = format!("{at}embed_in.weight");
    let blocks = (0..dims.layers).map(|layer| block(weights, &format!("{at}layers.{layer}"), &choices));
    let tied = config.flag("tie_word_embeddings", false)?;
    let name = if weights.has("lm_head.weight") { "lm_head" } else { "embed_out" };
    let own = own_head(weights, &format!("{name}.weight"), &embedding, tied).is_some();
    let unembedding = || super::unembedding(weights, name, [dims.d_model, dims.vocabulary]);
    let rotated = (dims.d_head as f64 * rotary::share(config, 0.25)?) as usize;
    Ok(Built::Decoder(Box::new(Decoder {
        embedding: weights.read(&embedding, [dims.vocabulary, dims.d_model])?,
        embed_scale: None,
        positions: None,
        rotary: Some(rotary::usual(config, dims.d_head, rotated)?),
        sights: vec![Sight::Causal; dims.layers],
        blocks: blocks.collect::<Result<_, _>>()?,
        final_norm: Some(layer_norm(weights, &format!("{at}final_layer_norm"), dims.d_model, choices.eps)?),
        unembedding: own.then(unembedding).transpose()?,
        logit_cap: None,
        dims,
    })))
}

fn choices(config: &Config) -> Result<Choices, BuildError> {
    Ok(Choices {
        dims: dims::usual(config)?,
        function: config.function("hidden_act", "gelu")?,
        eps: config.number("layer_norm_eps")?.unwrap_or(1e-5),
        bias: config.flag("attention_bias", true)?,
        wiring: match config.flag("use_parallel_residual", true)? {
            true => Wiring::Parallel,
            false => Wiring::Sequential,
        },
    })
}

fn block(weights: &Weights, name: &str, choices: &Choices) -> Result<Block, WeightError> {
    let Dims { d_model, d_mlp, d_head, heads, .. } = choices.dims;
    let attention = Attention {
        qkv: qkv(weights, &format!("{name}.attention.query_key_value"), choices)?,
        out: linear(weights, &format!("{name}.attention.dense"), [d_model, d_model], choices.bias)?,
        heads,
        key_heads: heads,
        d_head,
        scale: (d_head as f64).powf(-0.5),
        norms: None,
        score_cap: None,
    };
    let mlp = Mlp {
        linear: None,
        input: linear(weights, &format!("{name}.mlp.dense_h_to_4h"), [d_model, d_mlp], true)?,
        output: linear(weights, &format!("{name}.mlp.dense_4h_to_h"), [d_mlp, d_model], true)?,
        function: choices.function,
        apart: Vec::new(),
    };
    Ok(Block {
        wiring: choices.wiring,
        norm1: layer_norm(weights, &format!("{name}.input_layernorm"), d_model, choices.eps)?,
        attention,
        norm1_post: None,
        norm2: layer_norm(weights, &format!("{name}.post_attention_layernorm"), d_model, choices.eps)?,
        mlp,
        norm2_post: None,
    })
}

/// Query, key and value of a head stand together in the checkpoint; here all queries come first.
fn qkv(weights: &Weights, name: &str, choices: &Choices) -> Result<Linear, WeightError> {
    let Dims { d_model, d_head, heads, .. } = choices.dims;
    let weight = weights.read_turned(&format!("{name}.weight"), [d_model, 3 * d_model])?;
    let weight = weight.reshape([d_model, heads, 3, d_head]).swap_dims(1, 2).reshape([d_model, 3 * d_model]);
    let bias = choices.bias.then(|| weights.read(&format!("{name}.bias"), [3 * d_model])).transpose()?;
    let bias = bias.map(|bias| bias.reshape([heads, 3, d_head]).swap_dims(0, 1).reshape([3 * d_model]));
    Ok(Linear { weight, bias })
}
