//! A model from a Hugging Face folder, with its tokenizer and what identifies it.

use super::family::{self, BuildError, Built, Config, ConfigError};
use super::hash::Hash;
use super::process::{self, Processing};
use super::weights::Weights;
use super::{Model, Rounded, Visitor};
use crate::precision::Precision;
use crate::tensor::{Setting, Tensor};
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
    /// Whether it reads its answers with the embedding, before it is processed.
    pub tied: bool,
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

/// A model as its family built it: its weights neither treated, nor processed, nor rounded to the numbers it computes in.
pub struct Fresh {
    built: Built,
    text: Option<Text>,
    family: &'static str,
    /// SHA-256 of the weights.
    pub hash: Arc<Hash>,
    precision: Precision,
    /// Bits of a weight as it was stored, on average.
    pub width: f64,
}

impl Fresh {
    /// The model, whose weights may be changed.
    pub fn model(&mut self) -> &mut dyn Model {
        self.built.model()
    }

    /// The model alone, as it was built.
    pub fn into_model(self) -> Box<dyn Model> {
        self.built.into_model()
    }

    /// The model with its weights processed, in the numbers that it computes in.
    pub fn finish(mut self, process: &[Processing]) -> Result<Loaded, LoadError> {
        let tied = is_tied(self.built.model());
        process::apply(&mut self.built, process)?;
        let mut model = self.built.into_model();
        // processed before it is rounded: folding in half precision would round twice
        model.visit(&mut Rounded(self.precision));
        Ok(Loaded { model, text: self.text, family: self.family.to_string(), hash: self.hash, tied })
    }
}

/// Whether a model has no unembedding of its own.
fn is_tied(model: &mut dyn Model) -> bool {
    struct Own(bool);
    impl Visitor for Own {
        fn matrix(&mut self, name: &str, _: &mut Tensor<2>) {
            self.0 |= name == "unembed" || name == "unembed.weight";
        }
        fn vector(&mut self, _: &str, _: &mut Tensor<1>) {}
    }
    let mut own = Own(false);
    model.parted(&[]).visit(&mut own);
    !own.0
}

/// A model from a folder with `config.json`, safetensors and, where it reads text, `tokenizer.json`; with a mere device
/// it computes in f32.
pub fn folder(path: &Path, process: &[Processing], setting: impl Into<Setting>) -> Result<Loaded, LoadError> {
    fresh(path, setting)?.finish(process)
}

/// The same, as it was built.
pub fn fresh(path: &Path, setting: impl Into<Setting>) -> Result<Fresh, LoadError> {
    if !path.is_dir() {
        return Err(LoadError::NoFolder(path.display().to_string()));
    }
    let config = Config::read(&path.join("config.json")).map_err(BuildError::from)?;
    family::of(&config).map_err(BuildError::from)?;
    let weights = Weights::open(path, setting).map_err(BuildError::from)?;
    let tokenizer = path.join("tokenizer.json");
    let text = tokenizer.exists().then(|| Text::read(&tokenizer)).transpose()?;
    assemble(&config, &weights, text)
}

/// A model that the program carries, or has made, from what its three files hold.
pub fn carried(
    files: [&str; 2],
    weights: bytes::Bytes,
    process: &[Processing],
    setting: impl Into<Setting>,
) -> Result<Loaded, LoadError> {
    fresh_carried(files, weights, setting)?.finish(process)
}

/// The same, as it was built.
pub fn fresh_carried(
    [config, tokenizer]: [&str; 2],
    weights: bytes::Bytes,
    setting: impl Into<Setting>,
) -> Result<Fresh, LoadError> {
    let config = Config::parse("built-in config.json", config).map_err(BuildError::from)?;
    let weights = Weights::carried(weights, setting).map_err(BuildError::from)?;
    let unreadable = |why| TextError::Unreadable { path: "built-in tokenizer.json".into(), why };
    let text = Text::from_bytes(tokenizer.as_bytes()).map_err(unreadable)?;
    assemble(&config, &weights, Some(text))
}

fn assemble(config: &Config, weights: &Weights, text: Option<Text>) -> Result<Fresh, LoadError> {
    let family = family::of(config).map_err(BuildError::from)?;
    layers(config, weights).map_err(BuildError::from)?;
    let mut built = (family.build)(config, weights)?;
    let (known, holds) = (text.as_ref().map_or(0, Text::vocabulary), built.model().dims().vocabulary);
    if known > holds {
        return Err(LoadError::Vocabulary { tokenizer: known, model: holds });
    }
    let (precision, width) = (weights.setting().precision, weights.width());
    Ok(Fresh { built, text, family: family.name, hash: weights.hash(), precision, width })
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
