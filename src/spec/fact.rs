//! Facts as data: a prompt, the subject in it, and perhaps the attribute that completes it.

use super::Prompt;
use serde::{Deserialize, Serialize};
use std::path::PathBuf;

/// A prompt with its subject.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Fact {
    /// The prompt, up to where the attribute is due.
    pub prompt: Prompt,
    /// The words in it that it is about.
    pub subject: Subject,
    /// What completes it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub attribute: Option<Prompt>,
}

/// Words of a prompt.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged, expecting = "expected a word of the prompt in quotes, or a list of positions, for instance [1, 2]")]
pub enum Subject {
    /// As they stand in the prompt; the first place counts.
    Words(String),
    /// The positions of their tokens, neighbours in order, counted from 0 with special tokens.
    Positions(Vec<usize>),
}

/// A file of facts: a JSON list of objects, or one object a line.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FactsFile {
    /// The file; a relative path starts at the folder the program runs in or, where it leads nowhere, at the RON file's.
    pub path: PathBuf,
    /// Key of the prompt.
    #[serde(default = "FactsFile::prompt")]
    pub prompt: String,
    /// Key of the subject.
    #[serde(default = "FactsFile::subject")]
    pub subject: String,
    /// Key of the attribute, which may be absent.
    #[serde(default = "FactsFile::attribute")]
    pub attribute: String,
}

impl FactsFile {
    fn prompt() -> String {
        "prompt".into()
    }
    fn subject() -> String {
        "subject".into()
    }
    fn attribute() -> String {
        "attribute".into()
    }
}
