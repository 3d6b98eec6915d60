//! What is asked of the hub: the list of a revision's files, and the files.

use super::HubError;
use super::patience::{Reporter, patiently};
use super::place::Place;
use super::shelf::{Shelf, is_commit};
use crate::spec::HubModel;
use crate::steps::Watcher;
use hf_hub::api::sync::{Api, ApiBuilder, ApiError, ApiRepo};
use hf_hub::{Cache, Repo, RepoType};
use serde::Deserialize;
use sha2::{Digest, Sha256};
use std::path::{Component, Path};
use std::time::Duration;

/// How often a download that breaks off is taken up again before the user is told.
const ATTEMPTS: usize = 3;

/// Between two of them, so that a hub which starts anew is there again.
const PAUSE: Duration = Duration::from_secs(1);

/// The files of a revision.
#[derive(Deserialize)]
pub(super) struct Listing {
    /// The commit.
    pub sha: String,
    siblings: Vec<Entry>,
}

/// A file: small ones have a git hash, large ones a SHA-256.
#[derive(Deserialize)]
struct Entry {
    #[serde(rename = "rfilename")]
    name: String,
    #[serde(rename = "blobId")]
    blob: Option<String>,
    size: Option<u64>,
    lfs: Option<Large>,
}

#[derive(Deserialize)]
struct Large {
    sha256: String,
}

impl Listing {
    pub(super) fn has(&self, file: &str) -> bool {
        self.entry(file).is_some()
    }

    /// How many files there are.
    pub(super) fn files(&self) -> usize {
        self.siblings.len()
    }

    /// Weights in a form that is not read here.
    pub(super) fn other_weights(&self) -> Option<&str> {
        let other = |name: &&str| {
            [".bin", ".pt", ".pth", ".h5", ".msgpack", ".gguf", ".onnx"].iter().any(|ending| name.ends_with(ending))
        };
        self.siblings.iter().map(|entry| entry.name.as_str()).find(other)
    }

    fn entry(&self, file: &str) -> Option<&Entry> {
        self.siblings.iter().find(|entry| entry.name == file)
    }
}

impl Entry {
    /// What the cache calls a file's content.
    fn etag(&self) -> Option<&str> {
        self.lfs.as_ref().map(|large| large.sha256.as_str()).or(self.blob.as_deref())
    }

    /// What a file is and what it should be, where the two differ.
    fn otherwise(&self, path: &Path) -> std::io::Result<Option<(String, String)>> {
        let size = std::fs::metadata(path)?.len();
        match (&self.lfs, self.size) {
            (_, Some(expected)) if size != expected => Ok(Some((format!("{size} bytes"), expected.to_string()))),
            (Some(large), _) => {
                let found = hash(path)?;
                Ok((found != large.sha256).then(|| (format!("SHA-256 {found}"), large.sha256.clone())))
            }
            _ => Ok(None),
        }
    }
}

/// The hub, asked about one model.
pub(super) struct Client<'a> {
    pub(super) place: &'a Place,
    pub(super) model: &'a HubModel,
    api: Api,
}

impl<'a> Client<'a> {
    pub(super) fn new(place: &'a Place, model: &'a HubModel) -> Result<Self, HubError> {
        let builder = ApiBuilder::from_cache(Cache::new(place.cache.clone()))
            .with_endpoint(place.endpoint.clone())
            .with_token(place.token.clone())
            .with_user_agent(env!("CARGO_PKG_NAME"), env!("CARGO_PKG_VERSION"));
        let odd = |error: ApiError| HubError::Odd {
            model: model.to_string(),
            endpoint: place.endpoint.clone(),
            what: error.to_string(),
        };
        Ok(Client { place, model, api: builder.build().map_err(odd)? })
    }

    fn repo(&self, revision: &str) -> ApiRepo {
        self.api.repo(Repo::with_revision(self.model.id.clone(), RepoType::Model, revision.to_string()))
    }

    /// The files of a commit that is known, else of the revision that is wanted.
    pub(super) fn listing(&self, known: Option<&str>) -> Result<Listing, HubError> {
        let repo = self.repo(known.unwrap_or(self.model.wanted()));
        let ask = move |_: Reporter| -> Result<Listing, ApiError> {
            let mut answer = repo.info_request().query("blobs", "true").call().map_err(Box::new)?;
            Ok(answer.body_mut().read_json().map_err(Box::new)?)
        };
        let listing = patiently(self.place.patience, &mut (), ask).map_err(|failure| self.failed(None, failure))?;
        match is_commit(&listing.sha) {
            true => Ok(listing),
            false => Err(self.odd(format!("{:?} for a commit", listing.sha))),
        }
    }

    /// Brings a file of the listing into the cache, if it is not there; a download that broke off is taken up again.
    pub(super) fn bring(
        &self,
        shelf: &Shelf,
        listing: &Listing,
        file: &str,
        watcher: &mut dyn Watcher,
    ) -> Result<(), HubError> {
        // only what the hub lists, and below the model's folder: an index of shards cannot name a file elsewhere
        let listed = listing.entry(file).filter(|_| is_below(file));
        let entry = listed.ok_or_else(|| self.odd(format!("a list of files without {file}")))?;
        if shelf.has(&listing.sha, file) {
            return Ok(());
        }
        let mut attempts = 0;
        loop {
            attempts += 1;
            let (repo, name) = (self.repo(&listing.sha), file.to_string());
            let work = move |reporter| repo.download_with_progress(&name, reporter);
            let failure = match patiently(self.place.patience, watcher, work) {
                Ok(path) => return self.verify(entry, &path),
                Err(failure) => failure,
            };
            if attempts == ATTEMPTS || !failure.may_pass() {
                return Err(self.failed(Some(file), failure));
            }
            if failure.is_of_the_part() {
                entry.etag().map(|etag| std::fs::remove_file(shelf.part(etag)));
            }
            std::thread::sleep(PAUSE);
        }
    }

    /// Compares a file with what the hub lists, and throws it away if it is another.
    fn verify(&self, entry: &Entry, path: &Path) -> Result<(), HubError> {
        let unreadable = |source: std::io::Error| self.unwritable(&source);
        let Some((found, expected)) = entry.otherwise(path).map_err(unreadable)? else { return Ok(()) };
        let blob = std::fs::canonicalize(path).map_err(unreadable)?;
        std::fs::remove_file(blob).and_then(|()| std::fs::remove_file(path)).map_err(unreadable)?;
        Err(HubError::Damaged { model: self.model.to_string(), file: entry.name.clone(), found, expected })
    }
}

fn is_below(file: &str) -> bool {
    Path::new(file).components().all(|part| matches!(part, Component::Normal(_)))
}

fn hash(path: &Path) -> std::io::Result<String> {
    let mut hash = Sha256::new();
    std::io::copy(&mut std::fs::File::open(path)?, &mut hash)?;
    Ok(hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect())
}
