//! Llama (Touvron et al. 2023) and its kin: Mistral (Jiang et al. 2023), Qwen2 (Yang et al. 2024), Qwen3 (Yang et al. 2025),
//! Phi-3 (Abdin et al. 2024).

use super::gated::{Choices, Storage, decoder};
use super::{BuildError, Built, Config, ConfigError, Weights, dims, rotary};
use crate::model::Dims;
use crate::model::parts::position::Sight;

/// The window that `transformers` takes where the field is not written; null is no window.
pub const UNWRITTEN_WINDOW: usize = 4096;
/// The width of a head that `transformers` takes where a Qwen3 does not write it.
const QWEN3_HEAD: usize = 128;
/// The first layer with a window where a Qwen does not write it.
const UNWRITTEN_WINDOW_LAYERS: usize = 28;
/// The epsilon that `transformers` takes where a Phi-3 does not write it.
const PHI3_EPS: f64 = 1e-5;

pub fn llama(config: &Config, weights: &Weights) -> Result<Built, BuildError> {
    let bias = config.flag("attention_bias", false)?;
    let bias_mlp = config.flag("mlp_bias", false)?;
    decoder(weights, Choices { bias_qkv: bias, bias_out: bias, bias_mlp, ..choices(config, dims::usual(config)?)? })
}

pub fn mistral(config: &Config, weights: &Weights) -> Result<Built, BuildError> {
    let choices = choices(config, dims::usual(config)?)?;
    let window = config.count_unless_null("sliding_window", UNWRITTEN_WINDOW)?;
    let sights = vec![window.map_or(Sight::Causal, Sight::Window); choices.dims.layers];
    decoder(weights, Choices { sights, ..choices })
}

pub fn qwen2(config: &Config, weights: &Weights) -> Result<Built, BuildError> {
    let choices = choices(config, dims::usual(config)?)?;
    let sights = qwen_sights(config, choices.dims.layers)?;
    decoder(weights, Choices { bias_qkv: true, sights, ..choices })
}

pub fn qwen3(config: &Config, weights: &Weights) -> Result<Built, BuildError> {
    let choices = choices(config, dims::with_heads_of(config, QWEN3_HEAD)?)?;
    let sights = qwen_sights(config, choices.dims.layers)?;
    let bias = config.flag("attention_bias", false)?;
    decoder(weights, Choices { head_norms: true, bias_qkv: bias, bias_out: bias, sights, ..choices })
}

pub fn phi3(config: &Config, weights: &Weights) -> Result<Built, BuildError> {
    let dims = dims::usual(config)?;
    let rotary = rotary::phi3(config, dims.d_head)?;
    let choices = Choices::llama(config, dims, rotary)?;
    let window = config.maybe_count("sliding_window")?;
    let sights = vec![window.map_or(Sight::Causal, Sight::Window); choices.dims.layers];
    let eps = config.number("rms_norm_eps")?.unwrap_or(PHI3_EPS);
    decoder(weights, Choices { storage: Storage::Fused, eps, sights, ..choices })
}

fn choices(config: &Config, dims: Dims) -> Result<Choices, ConfigError> {
    let rotary = rotary::usual(config, dims.d_head, dims.d_head)?;
    Choices::llama(config, dims, rotary)
}

/// Qwen slides its window in the layers that `layer_types` names or, in older files, from `max_window_layers` on.
fn qwen_sights(config: &Config, layers: usize) -> Result<Vec<Sight>, ConfigError> {
    let window = match config.flag("use_sliding_window", false)? {
        true => config.count_unless_null("sliding_window", UNWRITTEN_WINDOW)?,
        false => None,
    };
    let from = config.index("max_window_layers")?.unwrap_or(UNWRITTEN_WINDOW_LAYERS);
    sights(config, layers, window, |layer| layer >= from)
}

/// A window in the layers that `layer_types` names or, where it is not written, in those that slide by default.
pub fn sights(
    config: &Config,
    layers: usize,
    window: Option<usize>,
    slides: impl Fn(usize) -> bool,
) -> Result<Vec<Sight>, ConfigError> {
    let types = config.choices("layer_types", layers, &["full_attention", "sliding_attention"])?;
    let slides = |layer: usize| types.as_ref().map_or_else(|| slides(layer), |types| types[layer] == 1);
    let sight = |layer: usize| match window {
        Some(width) if slides(layer) => Sight::Window(width),
        _ => Sight::Causal,
    };
    Ok((0..layers).map(sight).collect())
}
