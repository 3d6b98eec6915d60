//! Models of the hub by their name: what is in the shared cache is used, what is not is loaded from the hub first.

mod client;
mod error;
mod failure;
mod patience;
mod place;
mod shelf;

pub use error::HubError;

use crate::model::family::{self, Config};
use crate::model::weights::shards;
use crate::spec::HubModel;
use crate::steps::Watcher;
use client::{Client, Listing};
use place::Place;
use shelf::Shelf;
use std::path::PathBuf;

const CONFIG: &str = "config.json";
const TOKENIZER: &str = "tokenizer.json";
const WEIGHTS: &str = "model.safetensors";
const INDEX: &str = "model.safetensors.index.json";

/// A model on this machine.
pub struct Snapshot {
    /// Its folder.
    pub folder: PathBuf,
    /// The commit it was made from.
    pub commit: String,
}

/// A model's files, from the cache or else from the hub; `watcher` hears of every file with its bytes.
///
/// A revision that is in the cache whole is not asked for again, so that an experiment does not change when a branch
/// moves on. The variables of the environment are those of `huggingface_hub`.
pub fn fetch(model: &HubModel, watcher: &mut dyn Watcher) -> Result<Snapshot, HubError> {
    let place = Place::from_environment()?;
    let shelf = Shelf::new(&place, model);
    let known = shelf.commit();
    let missing = match &known {
        Some(commit) => shelf.missing(commit)?,
        None => Some(CONFIG.to_string()),
    };
    let commit = match (known, missing) {
        (Some(commit), None) => commit,
        // a model is loaded without its tokenizer; what needs one says so
        (Some(commit), Some(file)) if place.offline && file == TOKENIZER => commit,
        (_, Some(file)) if place.offline => {
            return Err(HubError::Offline { model: model.to_string(), file, cache: place.cache });
        }
        (known, _) => download(&Client::new(&place, model)?, &shelf, known.as_deref(), watcher)?,
    };
    Ok(Snapshot { folder: shelf.snapshot(&commit), commit })
}

/// Brings every file that loading needs, small ones first: what is wrong with them is said before weights are loaded.
fn download(
    client: &Client,
    shelf: &Shelf,
    known: Option<&str>,
    watcher: &mut dyn Watcher,
) -> Result<String, HubError> {
    let listing = client.listing(known)?;
    let weights = weights(client, &listing)?;
    shelf.note(&listing.sha)?;
    let mut bring = |file: &str| client.bring(shelf, &listing, file, watcher);
    bring(CONFIG)?;
    family::of(&Config::read(&shelf.snapshot(&listing.sha).join(CONFIG))?)?;
    match listing.has(TOKENIZER) {
        true => bring(TOKENIZER)?,
        false => shelf.note_no_tokenizer(&listing.sha)?,
    }
    bring(weights)?;
    if weights == INDEX {
        shards(&shelf.snapshot(&listing.sha).join(INDEX))?.iter().try_for_each(|shard| bring(shard))?;
    }
    Ok(listing.sha)
}

/// The weights, or the index of their shards; shards win where both are there, as when a folder is read.
fn weights(client: &Client, listing: &Listing) -> Result<&'static str, HubError> {
    match [INDEX, WEIGHTS].into_iter().find(|file| listing.has(file)) {
        Some(file) => Ok(file),
        None => Err(client.no_safetensors(listing)),
    }
}
