//! Gemma (Gemma Team 2024) and Gemma 2 (Gemma Team 2024): embeddings scaled, the weights of norms stored less one.

use super::gated::{Choices, Norms, decoder};
use super::llama::{UNWRITTEN_WINDOW, sights};
use super::{BuildError, Built, Config, ConfigError, Weights, dims, rotary};
use crate::model::parts::function::Function;

/// The width of a head that `transformers` takes where the field is not written.
const HEAD: usize = 256;
// what `transformers` takes for `query_pre_attn_scalar` and the two bounds where they are not written
const SCALAR: f64 = 256.0;
const SCORE_CAP: f64 = 50.0;
const LOGIT_CAP: f64 = 30.0;

pub fn gemma(config: &Config, weights: &Weights) -> Result<Built, BuildError> {
    let function = match config.function("hidden_act", "gelu_pytorch_tanh")? {
        // the first releases wrote gelu and meant its approximation, which transformers takes
        Function::Gelu => Function::GeluTanh,
        other => other,
    };
    decoder(weights, Choices { function, ..choices(config)? })
}

pub fn gemma2(config: &Config, weights: &Weights) -> Result<Built, BuildError> {
    let choices = choices(config)?;
    let window = config.count_unless_null("sliding_window", UNWRITTEN_WINDOW)?;
    let even = |layer: usize| layer.is_multiple_of(2);
    let choices = Choices {
        function: config.function("hidden_activation", "gelu_pytorch_tanh")?,
        norms: Norms::BeforeAndBehind,
        scale: config.number("query_pre_attn_scalar")?.unwrap_or(SCALAR).powf(-0.5),
        score_cap: config.number_unless_null("attn_logit_softcapping", SCORE_CAP)?,
        logit_cap: config.number_unless_null("final_logit_softcapping", LOGIT_CAP)?,
        sights: sights(config, choices.dims.layers, window, even)?,
        ..choices
    };
    decoder(weights, choices)
}

/// What both share.
fn choices(config: &Config) -> Result<Choices, ConfigError> {
    config.refuse("use_bidirectional_attention", "only causal attention is supported")?;
    let dims = dims::with_heads_of(config, HEAD)?;
    let rotary = rotary::usual(config, dims.d_head, dims.d_head)?;
    let bias = config.flag("attention_bias", false)?;
    Ok(Choices {
        embed_scale: Some((dims.d_model as f64).sqrt()),
        norm_offset: 1.0,
        bias_qkv: bias,
        bias_out: bias,
        tied: config.flag("tie_word_embeddings", true)?,
        ..Choices::llama(config, dims, rotary)?
    })
}
