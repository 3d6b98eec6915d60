//! The models that the program carries.

use crate::model::load::{Fresh, LoadError, Loaded, fresh_carried};
use crate::model::process::Processing;
use crate::tensor::Setting;

/// A model in the program: its name, and its three files.
struct Builtin {
    name: &'static str,
    about: &'static str,
    config: &'static str,
    tokenizer: &'static str,
    weights: &'static [u8],
}

macro_rules! organism {
    ($name:literal, $folder:literal, $about:literal) => {
        Builtin {
            name: $name,
            about: $about,
            config: include_str!(concat!("../assets/organism/", $folder, "/config.json")),
            tokenizer: include_str!(concat!("../assets/organism/", $folder, "/tokenizer.json")),
            weights: include_bytes!(concat!("../assets/organism/", $folder, "/model.safetensors")),
        }
    };
}

const MODELS: [Builtin; 2] = [
    organism!(
        "organism",
        "planted",
        "1.6 M parameters, trained here; pronouns after occupations follow labour statistics"
    ),
    organism!("organism-flat", "flat", "its twin without bias: she and he are equally likely after every occupation"),
];

/// Names of the built-in models, with a sentence on each.
pub fn names() -> Vec<(&'static str, &'static str)> {
    MODELS.iter().map(|model| (model.name, model.about)).collect()
}

/// A built-in model by name.
pub fn load(name: &str, process: &[Processing], setting: impl Into<Setting>) -> Result<Loaded, LoadError> {
    fresh(name, setting)?.finish(process)
}

/// The same, as it was built.
pub fn fresh(name: &str, setting: impl Into<Setting>) -> Result<Fresh, LoadError> {
    let known = || names().iter().map(|(name, _)| *name).collect::<Vec<_>>().join(", ");
    let model =
        MODELS.iter().find(|model| model.name == name).ok_or_else(|| LoadError::NoBuiltin(name.into(), known()))?;
    fresh_carried([model.config, model.tokenizer], model.weights.into(), setting)
}

/// The files of a built-in model: `config.json`, `tokenizer.json`, and its weights.
pub fn files(name: &str) -> Option<([&'static str; 2], &'static [u8])> {
    MODELS.iter().find(|model| model.name == name).map(|model| ([model.config, model.tokenizer], model.weights))
}
