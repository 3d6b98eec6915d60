//! A model of the hub as it is written: `Hub("gpt2")`, `Hub("EleutherAI/pythia-70m@step1000")`.

use serde::de::value::MapAccessDeserializer;
use serde::de::{self, MapAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize};
use std::fmt;
use std::str::FromStr;

/// Longest part of an id, on either side of its `/` (`huggingface_hub`'s `validate_repo_id`).
const LONGEST: usize = 96;

/// A model of the hub: `"owner/name"`, `"owner/name@revision"`, or `(id: "…", revision: "…")`.
///
/// It prints as `owner/name@revision`, also where a commit is fixed.
#[derive(Clone, PartialEq, Eq, Serialize)]
pub struct HubModel {
    /// `owner/name`, or the bare name of an old model.
    pub id: String,
    /// A branch, a tag or a commit; the hub's `main` where nothing is written.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub revision: Option<String>,
    /// The commit that a finished run found behind the revision. It is what counts where both are written, so that a
    /// `run.ron` loads the same weights after a branch has moved on.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub commit: Option<String>,
}

impl HubModel {
    /// What the hub and its cache are asked for first: the commit, else the revision, else `main`.
    pub fn wanted(&self) -> &str {
        self.commit.as_deref().or(self.revision.as_deref()).unwrap_or("main")
    }

    /// Refuses what would be no id, or what would lead out of the cache: names become folders there.
    fn checked(self) -> Result<Self, String> {
        let parts: Vec<&str> = self.id.split('/').collect();
        if parts.len() > 2 || !parts.iter().all(|part| is_name(part)) || self.id.contains("--") {
            return Err(format!(
                "{:?} is no model's name on the hub; expected owner/name of letters, digits, `-`, `_` and `.`, as in \
                 EleutherAI/pythia-70m or EleutherAI/pythia-70m@step1000",
                self.id
            ));
        }
        for revision in self.revision.iter().chain(&self.commit) {
            if !revision.split('/').all(is_name) {
                return Err(format!(
                    "{revision:?} is no revision; expected a branch, a tag or a commit, as in step1000"
                ));
            }
        }
        Ok(self)
    }
}

/// A part of an id or of a revision, such that it can be the name of a file.
fn is_name(part: &str) -> bool {
    let known = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
    (1..=LONGEST).contains(&part.len())
        && part.chars().all(known)
        && !part.contains("..")
        && !part.starts_with(['-', '.'])
        && !part.ends_with(['-', '.'])
}

impl FromStr for HubModel {
    type Err = String;

    /// From `owner/name` or `owner/name@revision`.
    fn from_str(text: &str) -> Result<Self, String> {
        let (id, revision) = match text.split_once('@') {
            Some((id, revision)) => (id, Some(revision.to_string())),
            None => (text, None),
        };
        HubModel { id: id.to_string(), revision, commit: None }.checked()
    }
}

impl fmt::Display for HubModel {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.id)?;
        self.revision.as_ref().map_or(Ok(()), |revision| write!(out, "@{revision}"))
    }
}

impl fmt::Debug for HubModel {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.to_string(), out)
    }
}

impl<'de> Deserialize<'de> for HubModel {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(deny_unknown_fields, rename = "Hub")]
        struct Fields {
            id: String,
            #[serde(default)]
            revision: Option<String>,
            #[serde(default)]
            commit: Option<String>,
        }
        struct Either;
        impl<'de> Visitor<'de> for Either {
            type Value = HubModel;
            fn expecting(&self, out: &mut fmt::Formatter) -> fmt::Result {
                out.write_str("a model's name in quotes, or (id: \"owner/name\", revision: \"…\")")
            }
            fn visit_str<E: de::Error>(self, text: &str) -> Result<HubModel, E> {
                text.parse().map_err(E::custom)
            }
            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<HubModel, A::Error> {
                let Fields { id, revision, commit } = Fields::deserialize(MapAccessDeserializer::new(map))?;
                HubModel { id, revision, commit }.checked().map_err(de::Error::custom)
            }
        }
        deserializer.deserialize_any(Either)
    }
}
