//! Where the hub and its cache are: what the environment says, in the variables that `huggingface_hub` reads.

use super::HubError;
use std::env;
use std::path::{Path, PathBuf};
use std::time::Duration;

const ENDPOINT: &str = "https://huggingface.co";

/// How long the hub may be silent before it is given up, where `HF_HUB_DOWNLOAD_TIMEOUT` does not say. Six times what
/// `huggingface_hub` waits, because it tries again and a silent hub here ends the program.
const PATIENCE: Duration = Duration::from_secs(60);

/// The hub, the cache, and what is allowed.
pub(super) struct Place {
    /// The cache: a folder for each model.
    pub cache: PathBuf,
    /// The hub's address, without a slash at its end.
    pub endpoint: String,
    /// The token of a user who has one.
    pub token: Option<String>,
    /// Whether only the cache may be used.
    pub offline: bool,
    /// The longest silence.
    pub patience: Duration,
}

impl Place {
    pub(super) fn from_environment() -> Result<Self, HubError> {
        let home = home()?;
        let cache = first(&["HF_HUB_CACHE", "HUGGINGFACE_HUB_CACHE"]).map_or_else(|| home.join("hub"), PathBuf::from);
        let endpoint = first(&["HF_ENDPOINT"]).unwrap_or_else(|| ENDPOINT.to_string());
        let seconds = first(&["HF_HUB_DOWNLOAD_TIMEOUT"]).and_then(|seconds| seconds.parse().ok());
        Ok(Place {
            cache: std::path::absolute(&cache).unwrap_or(cache),
            endpoint: endpoint.trim_end_matches('/').to_string(),
            token: token(&home),
            offline: first(&["HF_HUB_OFFLINE", "TRANSFORMERS_OFFLINE"]).is_some_and(|word| is_yes(&word)),
            patience: seconds.map_or(PATIENCE, Duration::from_secs),
        })
    }
}

/// The first of some variables that says something.
fn first(names: &[&str]) -> Option<String> {
    names
        .iter()
        .filter_map(|name| env::var(name).ok())
        .map(|value| value.trim().to_string())
        .find(|value| !value.is_empty())
}

fn is_yes(word: &str) -> bool {
    ["1", "on", "yes", "true"].contains(&word.to_lowercase().as_str())
}

fn home() -> Result<PathBuf, HubError> {
    if let Some(home) = first(&["HF_HOME"]) {
        return Ok(PathBuf::from(home));
    }
    let caches = first(&["XDG_CACHE_HOME"]).map(PathBuf::from);
    let caches = caches.or_else(|| Some(env::home_dir()?.join(".cache"))).ok_or(HubError::NoHome)?;
    Ok(caches.join("huggingface"))
}

/// The user's token: from the environment, else from the file that `hf auth login` writes.
fn token(home: &Path) -> Option<String> {
    let file = || first(&["HF_TOKEN_PATH"]).map_or_else(|| home.join("token"), PathBuf::from);
    let kept = || std::fs::read_to_string(file()).ok().map(|token| token.trim().to_string());
    first(&["HF_TOKEN", "HUGGING_FACE_HUB_TOKEN"]).or_else(kept).filter(|token| !token.is_empty())
}
