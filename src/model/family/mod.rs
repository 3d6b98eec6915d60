//! Families of models: a reader of the configuration and a table of weight names each.

mod bert;
mod compiled;
mod config;
mod dims;
mod gated;
mod gemma;
pub mod gpt2;
mod gpt_neo;
mod llama;
mod masked;
mod neox;
mod opt;
mod rotary;
mod table;

pub use config::{Config, ConfigError};
pub use table::FAMILIES;

use super::Model;
use super::parts::linear::Linear;
use super::parts::norm::{Norm, NormKind};
use super::weights::{WeightError, Weights};
use crate::tensor::Tensor;

/// What can go wrong when a model is built from its files.
#[derive(Debug, thiserror::Error)]
pub enum BuildError {
    /// `config.json`.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// The weights.
    #[error(transparent)]
    Weights(#[from] WeightError),
}

/// A family: what `config.json` calls it, what is to be known of it, and how it is built.
pub struct Family {
    /// `model_type`.
    pub name: &'static str,
    /// Checkpoints, by the names they are known by.
    pub checkpoints: &'static str,
    /// What sets it apart: positions, norms, wiring, attention, MLP.
    pub about: &'static str,
    /// Methods and processing that do not suit it; empty where everything does.
    pub without: &'static str,
    /// From configuration and weights to a model.
    pub build: fn(&Config, &Weights) -> Result<Built, BuildError>,
}

/// A decoder or an encoder.
pub enum Built {
    /// A causal model.
    Decoder(Box<super::decoder::Decoder>),
    /// A masked model.
    Encoder(Box<super::encoder::Encoder>),
}

impl Built {
    /// The model, whichever it is, to be changed.
    pub fn model(&mut self) -> &mut dyn Model {
        match self {
            Built::Decoder(decoder) => decoder.as_mut(),
            Built::Encoder(encoder) => encoder.as_mut(),
        }
    }

    /// As a model, whichever it is.
    pub fn into_model(self) -> Box<dyn Model> {
        match self {
            Built::Decoder(decoder) => decoder,
            Built::Encoder(encoder) => encoder,
        }
    }
}

/// The family that a configuration belongs to.
pub fn of(config: &Config) -> Result<&'static Family, ConfigError> {
    let name = config.text("model_type")?;
    let known = || FAMILIES.iter().map(|family| family.name).collect::<Vec<_>>().join(", ");
    FAMILIES
        .iter()
        .find(|family| family.name == name)
        .ok_or_else(|| config.wrong("model_type", &name, &format!("one of {}", known())))
}

/// The name of an unembedding with weights of its own: always where it is not tied, and where a checkpoint that says it is
/// tied stores other weights than the embedding's, as `transformers` does.
fn own_head<'a>(weights: &Weights, head: &'a str, embedding: &str, tied: bool) -> Option<&'a str> {
    let differs = || weights.has(head) && weights.has(embedding) && !weights.same(head, embedding);
    (!tied || differs()).then_some(head)
}

/// What the names of a checkpoint begin with: the first of `prefixes` under which it has `name`. A model saved without its
/// head lacks the one that it has with it.
fn prefix<const N: usize>(weights: &Weights, prefixes: [&'static str; N], name: &str) -> &'static str {
    prefixes.into_iter().find(|prefix| weights.has(&format!("{prefix}{name}"))).unwrap_or(prefixes[0])
}

/// A linear map stored `[out, in]`, as torch's `Linear` does.
fn linear(weights: &Weights, name: &str, sizes: [usize; 2], bias: bool) -> Result<Linear, WeightError> {
    let weight = weights.read_turned(&format!("{name}.weight"), sizes)?;
    let bias = bias.then(|| weights.read(&format!("{name}.bias"), [sizes[1]])).transpose()?;
    Ok(Linear { weight, bias })
}

/// An unembedding stored `[vocabulary, d_model]` and left so: a few tokens' columns of it are rows there.
fn unembedding(weights: &Weights, name: &str, [d_model, vocabulary]: [usize; 2]) -> Result<Linear, WeightError> {
    let stored: Tensor<2> = weights.read(&format!("{name}.weight"), [vocabulary, d_model])?;
    Ok(Linear { weight: stored.swap_dims(0, 1), bias: None })
}

/// Several linear maps of one input, side by side.
fn side_by_side(maps: Vec<Linear>) -> Linear {
    let columns = maps.iter().map(|map| map.weight.clone()).collect();
    let biases: Option<Vec<Tensor<1>>> = maps.into_iter().map(|map| map.bias).collect();
    Linear { weight: Tensor::cat(columns, 1), bias: biases.map(|biases| Tensor::cat(biases, 0)) }
}

fn layer_norm(weights: &Weights, name: &str, width: usize, eps: f64) -> Result<Norm, WeightError> {
    // checkpoints converted from TensorFlow, the first BERTs among them, say gamma and beta
    let old = weights.has(&format!("{name}.gamma"));
    let [weight, bias] = if old { ["gamma", "beta"] } else { ["weight", "bias"] };
    let read = |part| weights.read(&format!("{name}.{part}"), [width]).map(Some);
    Ok(Norm { kind: NormKind::LayerNorm, weight: read(weight)?, bias: read(bias)?, eps })
}

fn rms_norm(weights: &Weights, name: &str, width: usize, eps: f64) -> Result<Norm, WeightError> {
    let weight = Some(weights.read(&format!("{name}.weight"), [width])?);
    Ok(Norm { kind: NormKind::Rms, weight, bias: None, eps })
}
