//! A model from a Hugging Face folder, with its tokenizer and what identifies it.

use super::family::{self, BuildError, Config, ConfigError};
use super::hash::Hash;
use super::process::{self, Processing};
use super::weights::Weights;
use super::{Model, Rounded};
use crate::tensor::Setting;
use crate::text::{Text, TextError};
use std::path::Path;
use std::sync::Arc;

/// A model with all that came with it.
pub struct Loaded {
    /// The model.
    pub model: Box<dyn Model>,
    /// Its tokenizer, where it has one.
    pub text: Option<Text>,
    /// `model_type`.
    pub family: String,
    /// SHA-256 of the weights.
    pub hash: Arc<Hash>,
}

/// What can go wrong when a model is loaded.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    /// There is no such folder.
    #[error("{0}: no such folder; a model is a folder with config.json and model.safetensors")]
    NoFolder(String),
    /// Configuration or weights.
    #[error(transparent)]
    Build(#[from] BuildError),
    /// The tokenizer.
    #[error(transparent)]
    Text(#[from] TextError),
    /// The tokenizer has tokens that the model lacks.
    #[error(
        "tokenizer.json has {tokenizer} tokens, but the model's vocabulary holds {model}; they do not belong together"
    )]
    Vocabulary {
        /// Tokens of the tokenizer.
        tokenizer: usize,
        /// Vocabulary of the model.
        model: usize,
    },
    /// No built-in model has that name.
    #[error("there is no built-in model {0:?}; there are {1}")]
    NoBuiltin(String, String),
    /// Weight processing that would not be exact.
    #[error(transparent)]
    Process(#[from] process::ProcessError),
}

/// A model from a folder with `config.json`, safetensors and, where it reads text, `tokenizer.json`; with a mere device
/// it computes in f32.
pub fn folder(path: &Path, process: &[Processing], setting: impl Into<Setting>) -> Result<Loaded, LoadError> {
    if !path.is_dir() {
        return Err(LoadError::NoFolder(path.display().to_string()));
    }
    let config = Config::read(&path.join("config.json")).map_err(BuildError::from)?;
    family::of(&config).map_err(BuildError::from)?;
    let weights = Weights::open(path, setting).map_err(BuildError::from)?;
    let tokenizer = path.join("tokenizer.json");
    let text = tokenizer.exists().then(|| Text::read(&tokenizer)).transpose()?;
    assemble(&config, &weights, text, process)
}

/// A model that the program carries, or has made, from what its three files hold.
pub fn carried(
    [config, tokenizer]: [&str; 2],
    weights: bytes::Bytes,
    process: &[Processing],
    setting: impl Into<Setting>,
) -> Result<Loaded, LoadError> {
    let config = Config::parse("built-in config.json", config).map_err(BuildError::from)?;
    let weights = Weights::carried(weights, setting).map_err(BuildError::from)?;
    let unreadable = |why| TextError::Unreadable { path: "built-in tokenizer.json".into(), why };
    let text = Text::from_bytes(tokenizer.as_bytes()).map_err(unreadable)?;
    assemble(&config, &weights, Some(text), process)
}

fn assemble(
    config: &Config,
    weights: &Weights,
    text: Option<Text>,
    process: &[Processing],
) -> Result<Loaded, LoadError> {
    let family = family::of(config).map_err(BuildError::from)?;
    layers(config, weights).map_err(BuildError::from)?;
    let mut built = (family.build)(config, weights)?;
    process::apply(&mut built, process)?;
    let mut model = built.into_model();
    // processed before it is rounded: folding in half precision would round twice
    model.visit(&mut Rounded(weights.setting().precision));
    let (known, holds) = (text.as_ref().map_or(0, Text::vocabulary), model.dims().vocabulary);
    if known > holds {
        return Err(LoadError::Vocabulary { tokenizer: known, model: holds });
    }
    Ok(Loaded { model, text, family: family.name.to_string(), hash: weights.hash() })
}

/// A count of layers is believed only as far as there are tensors: something is kept for each before its weights are read.
fn layers(config: &Config, weights: &Weights) -> Result<(), ConfigError> {
    for field in ["num_hidden_layers", "n_layer"] {
        let (layers, tensors) = (config.maybe_count(field)?.unwrap_or(0), weights.count());
        if layers > tensors {
            let expected = format!("no more layers than the checkpoint has tensors, {tensors}");
            return Err(config.wrong(field, &layers.to_string(), &expected));
        }
    }
    Ok(())
}
