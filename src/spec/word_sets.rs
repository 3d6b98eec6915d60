//! Words for tests of association: four sets, and where a word's state is read.

use super::Sites;
use serde::{Deserialize, Serialize};
use std::path::PathBuf;

/// Association tests of a model's own states (WEAT, SEAT).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Associations {
    /// JSON with a test or several, as SEAT publishes them (`targ1`, `targ2`, `attr1`, `attr2`) or with `X`, `Y`, `A`, `B`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub path: Option<PathBuf>,
    /// Tests written here.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tests: Vec<WordSets>,
    /// The streams that states are read from; without any word of it the embedding of tokens.
    #[serde(default = "embedding")]
    pub sites: Sites,
    /// The text that a word stands in, with `{word}`.
    #[serde(default = "bare")]
    pub template: String,
    /// Which tokens of the text are read.
    #[serde(default)]
    pub read: TokensRead,
}

/// A test: are the words of `x` rather than those of `y` near those of `a` rather than those of `b`?
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WordSets {
    /// What it is called.
    pub name: String,
    /// Targets, for instance names of men.
    pub x: Vec<String>,
    /// Other targets, for instance names of women.
    pub y: Vec<String>,
    /// Attributes that `x` is expected to be near.
    pub a: Vec<String>,
    /// Attributes that `y` is expected to be near.
    pub b: Vec<String>,
}

impl WordSets {
    /// The four sets: both of targets, both of attributes.
    pub fn sets(&self) -> [&Vec<String>; 4] {
        [&self.x, &self.y, &self.a, &self.b]
    }
}

/// Which tokens of a text are read as the state of the word in it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum TokensRead {
    /// The mean of the word's own tokens.
    #[default]
    Word,
    /// The last token of the text, as of sentences in causal models.
    Last,
    /// The first token, as `[CLS]` of sentences in masked models.
    First,
    /// The mean of all tokens of the text.
    Mean,
}

fn embedding() -> Sites {
    Sites::Named(vec!["hook_embed".into()])
}

fn bare() -> String {
    "{word}".into()
}
