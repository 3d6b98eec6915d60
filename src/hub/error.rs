//! What can go wrong between the hub and the cache: what was found, and what to do.

use crate::model::family::ConfigError;
use crate::model::weights::WeightError;
use std::path::PathBuf;

/// Why a model of the hub is not there.
#[derive(Debug, thiserror::Error)]
pub enum HubError {
    /// No folder for a cache.
    #[error("there is no home folder for the cache of the hub; set HF_HOME to a folder")]
    NoHome,
    /// Offline, and not in the cache.
    #[error(
        "{model}: {file} is not in the cache {cache}, and HF_HUB_OFFLINE forbids to ask the hub; run once without it where there is a network, or copy the cache from there"
    )]
    Offline {
        /// The model.
        model: String,
        /// What is missing first.
        file: String,
        /// The cache.
        cache: PathBuf,
    },
    /// The hub knows nothing of that name, or says so to whoever may not see it.
    #[error("{model}: {endpoint} {found}; {remedy}")]
    Refused {
        /// The model.
        model: String,
        /// The hub.
        endpoint: String,
        /// What it says.
        found: &'static str,
        /// What to do.
        remedy: String,
    },
    /// No answer.
    #[error(
        "{model}: {endpoint} cannot be reached ({why}); check the network, HTTPS_PROXY and HF_ENDPOINT, or give a folder with the model"
    )]
    Unreachable {
        /// The model.
        model: String,
        /// The hub.
        endpoint: String,
        /// Why.
        why: String,
    },
    /// A download that broke off.
    #[error(
        "{model}: the download of {file} broke off ({why}); what has come is kept, so run it again and it goes on from there"
    )]
    Cut {
        /// The model.
        model: String,
        /// The file.
        file: String,
        /// Why.
        why: String,
    },
    /// A download that is not what the hub has.
    #[error("{model}: {file} came with {found}, but the hub has {expected}; it was thrown away, so run it again")]
    Damaged {
        /// The model.
        model: String,
        /// The file.
        file: String,
        /// What came.
        found: String,
        /// What the hub lists.
        expected: String,
    },
    /// Weights that cannot be read.
    #[error(
        "{model}: has {found}, but no model.safetensors; write one with transformers, `AutoModelForCausalLM.from_pretrained(\"{id}\").save_pretrained(\"FOLDER\", safe_serialization=True)`, the tokenizer too, and give that folder"
    )]
    NoSafetensors {
        /// The model with its revision.
        model: String,
        /// The model.
        id: String,
        /// What stands there in its place.
        found: String,
    },
    /// No weights at all.
    #[error("{model}: none of its {files} files is model.safetensors; is it a model of transformers?")]
    NoWeights {
        /// The model.
        model: String,
        /// Its files.
        files: usize,
    },
    /// An answer that cannot be understood.
    #[error("{model}: {endpoint} answers with {what}; is HF_ENDPOINT a hub?")]
    Odd {
        /// The model.
        model: String,
        /// The hub.
        endpoint: String,
        /// What came.
        what: String,
    },
    /// The cache cannot be written.
    #[error("{model}: {cache}: cannot be written ({why}); make room, or set HF_HOME to another folder")]
    Unwritable {
        /// The model.
        model: String,
        /// The cache.
        cache: PathBuf,
        /// Why.
        why: String,
    },
    /// Somebody else loads the same file.
    #[error("{model}: another program is loading the same file ({lock} is locked); run this again when it is done")]
    Busy {
        /// The model.
        model: String,
        /// What that program holds.
        lock: PathBuf,
    },
    /// A configuration that no family fits, found before any weight is loaded.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// An index of shards that cannot be read.
    #[error(transparent)]
    Weights(#[from] WeightError),
}
