//! BERT (Devlin et al. 2019) with its masked-language-model head.

use super::{BuildError, Built, Config, WeightError, Weights, dims, layer_norm, linear, own_head, side_by_side};
use crate::model::Dims;
use crate::model::encoder::{Block, Encoder, Head};
use crate::model::parts::attention::Attention;
use crate::model::parts::position::Sight;
use crate::model::parts::{function::Function, mlp::Mlp};

/// What the configuration says beyond the sizes.
struct Choices {
    dims: Dims,
    function: Function,
    eps: f64,
    tied: bool,
}

pub fn build(config: &Config, weights: &Weights) -> Result<Built, BuildError> {
    let choices = choices(config)?;
    let (dims, eps) = (choices.dims.clone(), choices.eps);
    let segments = config.maybe_count("type_vocab_size")?.unwrap_or(2);
    let embeddings = "bert.embeddings";
    let blocks = (0..dims.layers).map(|layer| block(weights, &format!("bert.encoder.layer.{layer}"), &choices));
    Ok(Built::Encoder(Box::new(Encoder {
        embedding: weights.read(&format!("{embeddings}.word_embeddings.weight"), [dims.vocabulary, dims.d_model])?,
        positions: weights.read(&format!("{embeddings}.position_embeddings.weight"), [dims.context, dims.d_model])?,
        token_types: weights.read(&format!("{embeddings}.token_type_embeddings.weight"), [segments, dims.d_model])?,
        embed_norm: layer_norm(weights, &format!("{embeddings}.LayerNorm"), dims.d_model, eps)?,
        blocks: blocks.collect::<Result<_, _>>()?,
        sights: vec![Sight::Both; dims.layers],
        head: head(weights, &choices)?,
        dims,
    })))
}

fn choices(config: &Config) -> Result<Choices, BuildError> {
    if config.flag("is_decoder", false)? {
        return Err(config.wrong("is_decoder", "true", "false: a causal BERT is not supported").into());
    }
    Ok(Choices {
        dims: dims::usual(config)?,
        function: config.function("hidden_act", "gelu")?,
        eps: config.number("layer_norm_eps")?.unwrap_or(1e-12),
        tied: config.flag("tie_word_embeddings", true)?,
    })
}

fn head(weights: &Weights, choices: &Choices) -> Result<Head, WeightError> {
    let Dims { d_model, vocabulary, .. } = choices.dims;
    let name = "cls.predictions";
    let decoder = format!("{name}.decoder.weight");
    let own = own_head(weights, &decoder, "bert.embeddings.word_embeddings.weight", choices.tied);
    let unembedding = |decoder| weights.read::<2>(decoder, [vocabulary, d_model]);
    // an untied decoder has a bias of its own, and transformers uses that one where both are stored
    let own_bias = format!("{name}.decoder.bias");
    let bias = if weights.has(&own_bias) { own_bias } else { format!("{name}.bias") };
    Ok(Head {
        dense: linear(weights, &format!("{name}.transform.dense"), [d_model, d_model], true)?,
        function: choices.function,
        norm: layer_norm(weights, &format!("{name}.transform.LayerNorm"), d_model, choices.eps)?,
        unembedding: own.map(unembedding).transpose()?.map(|weight| weight.swap_dims(0, 1)),
        bias: weights.read(&bias, [vocabulary])?,
    })
}

fn block(weights: &Weights, name: &str, choices: &Choices) -> Result<Block, WeightError> {
    let Dims { d_model, d_mlp, d_head, heads, .. } = choices.dims;
    let read = |part: &str| linear(weights, &format!("{name}.attention.self.{part}"), [d_model, d_model], true);
    let attention = Attention {
        qkv: side_by_side(vec![read("query")?, read("key")?, read("value")?]),
        out: linear(weights, &format!("{name}.attention.output.dense"), [d_model, d_model], true)?,
        heads,
        key_heads: heads,
        d_head,
        scale: (d_head as f64).powf(-0.5),
    };
    let mlp = Mlp {
        linear: None,
        input: linear(weights, &format!("{name}.intermediate.dense"), [d_model, d_mlp], true)?,
        output: linear(weights, &format!("{name}.output.dense"), [d_mlp, d_model], true)?,
        function: choices.function,
    };
    Ok(Block {
        attention,
        norm1: layer_norm(weights, &format!("{name}.attention.output.LayerNorm"), d_model, choices.eps)?,
        mlp,
        norm2: layer_norm(weights, &format!("{name}.output.LayerNorm"), d_model, choices.eps)?,
    })
}
