//! OPT (Zhang et al. 2022): learned positions, relu; its 350 M have norms behind the stream and narrower embeddings.

use super::{
    BuildError, Built, Config, ConfigError, WeightError, Weights, layer_norm, linear, own_head, prefix, side_by_side,
};
use crate::model::Dims;
use crate::model::decoder::Decoder;
use crate::model::parts::attention::Attention;
use crate::model::parts::block::{Block, Wiring};
use crate::model::parts::linear::Linear;
use crate::model::parts::norm::{Norm, NormKind};
use crate::model::parts::position::Sight;
use crate::model::parts::{function::Function, mlp::Mlp};
use crate::tensor::Tensor;

/// Rows of the table of positions that no token reads: `transformers` counts from 2.
const OFFSET: usize = 2;
/// Of every norm; no field changes it.
const EPS: f64 = 1e-5;

/// What the configuration says beyond the sizes.
struct Choices {
    dims: Dims,
    function: Function,
    wiring: Wiring,
    /// Width of the stored embeddings.
    width: usize,
    last_norm: bool,
    bias: bool,
    affine: bool,
    tied: bool,
}

pub fn build(config: &Config, weights: &Weights) -> Result<Built, BuildError> {
    let choices = choices(config)?;
    let dims = choices.dims.clone();
    let at = prefix(weights, ["model.decoder.", "decoder.", ""], "embed_tokens.weight");
    let blocks = (0..dims.layers).map(|layer| block(weights, &format!("{at}layers.{layer}"), &choices));
    let positions = weights.read(&format!("{at}embed_positions.weight"), [dims.context + OFFSET, dims.d_model])?;
    let last_norm = choices.last_norm.then(|| norm(weights, &format!("{at}final_layer_norm"), &choices));
    Ok(Built::Decoder(Box::new(Decoder {
        embedding: embedding(weights, at, &choices)?,
        embed_scale: None,
        positions: Some(positions.narrow(0, OFFSET, dims.context)),
        rotary: None,
        sights: vec![Sight::Causal; dims.layers],
        blocks: blocks.collect::<Result<_, _>>()?,
        final_norm: last_norm.transpose()?,
        unembedding: unembedding(weights, at, &choices)?,
        logit_cap: None,
        dims,
    })))
}

fn choices(config: &Config) -> Result<Choices, ConfigError> {
    let (d_model, heads) = (config.count("hidden_size")?, config.count("num_attention_heads")?);
    let dims = Dims {
        layers: config.count("num_hidden_layers")?,
        heads,
        key_heads: heads,
        d_head: config.share(("hidden_size", d_model), ("num_attention_heads", heads))?,
        d_model,
        d_mlp: config.count("ffn_dim")?,
        vocabulary: config.count("vocab_size")?,
        context: config.count("max_position_embeddings")?,
    };
    let before = config.flag("do_layer_norm_before", true)?;
    Ok(Choices {
        function: config.function("activation_function", "relu")?,
        wiring: if before { Wiring::Sequential } else { Wiring::Behind },
        width: config.maybe_count("word_embed_proj_dim")?.unwrap_or(d_model),
        // the first fine-tuned models lack it by mistake, and their configurations say so
        last_norm: before && !config.flag("_remove_final_layer_norm", false)?,
        bias: config.flag("enable_bias", true)?,
        affine: config.flag("layer_norm_elementwise_affine", true)?,
        tied: config.flag("tie_word_embeddings", true)?,
        dims,
    })
}

/// Embeddings as wide as the stream: narrower ones go through their map once, here.
fn embedding(weights: &Weights, at: &str, choices: &Choices) -> Result<Tensor<2>, WeightError> {
    let Dims { d_model, vocabulary, .. } = choices.dims;
    let stored = weights.read(&format!("{at}embed_tokens.weight"), [vocabulary, choices.width])?;
    if choices.width == d_model {
        return Ok(stored);
    }
    let map = linear(weights, &format!("{at}project_in"), [choices.width, d_model], false)?;
    Ok(stored.matmul(map.weight))
}

/// The unembedding, behind the map to its width; `None` where it is the transposed embedding.
fn unembedding(weights: &Weights, at: &str, choices: &Choices) -> Result<Option<Linear>, WeightError> {
    let Dims { d_model, vocabulary, .. } = choices.dims;
    let embedding = format!("{at}embed_tokens.weight");
    let own = own_head(weights, "lm_head.weight", &embedding, choices.tied);
    if own.is_none() && choices.width == d_model {
        return Ok(None);
    }
    let stored = weights.read(own.unwrap_or(&embedding), [vocabulary, choices.width])?.swap_dims(0, 1);
    if choices.width == d_model {
        return Ok(Some(Linear { weight: stored, bias: None }));
    }
    let map = linear(weights, &format!("{at}project_out"), [d_model, choices.width], false)?;
    Ok(Some(Linear { weight: map.weight.matmul(stored), bias: None }))
}

fn norm(weights: &Weights, name: &str, choices: &Choices) -> Result<Norm, WeightError> {
    match choices.affine {
        true => layer_norm(weights, name, choices.dims.d_model, EPS),
        false => Ok(Norm { kind: NormKind::LayerNorm, weight: None, bias: None, eps: EPS }),
    }
}

fn block(weights: &Weights, name: &str, choices: &Choices) -> Result<Block, WeightError> {
    let Dims { d_model, d_mlp, d_head, heads, .. } = choices.dims;
    let map = |part: &str, shape| linear(weights, &format!("{name}.{part}"), shape, choices.bias);
    let read = |part: &str| map(&format!("self_attn.{part}"), [d_model, d_model]);
    let attention = Attention {
        qkv: side_by_side(vec![read("q_proj")?, read("k_proj")?, read("v_proj")?]),
        out: read("out_proj")?,
        heads,
        key_heads: heads,
        d_head,
        scale: (d_head as f64).powf(-0.5),
        norms: None,
        score_cap: None,
    };
    let (input, output) = (map("fc1", [d_model, d_mlp])?, map("fc2", [d_mlp, d_model])?);
    Ok(Block {
        wiring: choices.wiring,
        norm1: norm(weights, &format!("{name}.self_attn_layer_norm"), choices)?,
        attention,
        norm1_post: None,
        norm2: norm(weights, &format!("{name}.final_layer_norm"), choices)?,
        mlp: Mlp { linear: None, input, output, function: choices.function, apart: Vec::new() },
        norm2_post: None,
    })
}
