//! Errors of a circuit's file: its name, the place in it, and what to do.

use super::super::Blocks;
use super::super::fault::listed;

/// A file that is no circuit.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ExchangeError {
    /// No JSON, or not of a circuit's form.
    #[error("{file}:{line}:{column}: {what}")]
    Malformed {
        /// The file.
        file: String,
        /// From 1.
        line: usize,
        /// From 1.
        column: usize,
        /// What was found and expected.
        what: String,
    },
    /// JSON of a circuit's form that makes no circuit.
    #[error("{file} is no circuit:\n{}", listed(.problems.iter().cloned()))]
    Wrong {
        /// The file.
        file: String,
        /// Each with its place.
        problems: Vec<String>,
    },
    /// A circuit of another model.
    #[error("{file} is a circuit of another model: it has {found}, and here are {expected}")]
    OtherModel {
        /// The file.
        file: String,
        /// What it is of.
        found: Blocks,
        /// What is here.
        expected: Blocks,
    },
}

impl ExchangeError {
    /// An error of serde_json with its place.
    pub(in crate::circuit) fn malformed(file: &str, text: &str, error: &serde_json::Error) -> Self {
        let (line, column) = (error.line(), error.column());
        let written = error.to_string();
        let what = written.rsplit_once(" at line ").map_or(written.as_str(), |(what, _)| what);
        let what = match no_number(text, line, column) {
            Some(word) => format!("{word} is no number of JSON, and no score: leave out edges that have none"),
            None => what.to_string(),
        };
        Self::Malformed { file: file.to_string(), line: line.max(1), column: column.max(1), what }
    }
}

/// What Python writes for numbers that JSON does not have, if it stands there.
fn no_number(text: &str, line: usize, column: usize) -> Option<&'static str> {
    let line = text.lines().nth(line.checked_sub(1)?)?;
    let rest = line.get(column.saturating_sub(2)..)?;
    let near = rest.trim_start_matches([' ', ':', ',', '[']);
    ["NaN", "-Infinity", "Infinity"]
        .into_iter()
        .find(|word| near.starts_with(word) || rest.get(1..).is_some_and(|rest| rest.starts_with(&word[1..])))
}
