//! Pairs from a file with one JSON object a line.

use super::DataError;
use crate::spec::{Answer, File, Pair};
use indexmap::IndexMap;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};
use std::path::Path;

/// The pairs, each with its line.
pub fn read(file: &File) -> Result<Vec<(usize, Pair)>, DataError> {
    let text = std::fs::read_to_string(&file.path).map_err(|error| DataError::unreadable(&file.path, error))?;
    let lines = text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty());
    lines.map(|(index, line)| Ok((index + 1, pair(file, index + 1, line)?))).collect()
}

fn pair(file: &File, line: usize, text: &str) -> Result<Pair, DataError> {
    let row = Row::parse(&file.path, line, text)?;
    let label = |name: &String| Ok((name.clone(), row.label(name)?));
    Ok(Pair {
        clean: row.read(&file.clean)?,
        corrupt: row.read(&file.corrupt)?,
        right: row.answer(&file.right)?,
        wrong: row.answer(&file.wrong)?,
        at: None,
        subject: file.subject.as_ref().map(|key| row.read(key)).transpose()?,
        labels: file.labels.iter().map(label).collect::<Result<IndexMap<_, _>, _>>()?,
    })
}

/// An object of a file.
pub(super) struct Row<'a> {
    /// The file.
    pub path: &'a Path,
    /// The line it stands on or, in a list, its number; from 1.
    pub line: usize,
    /// What it holds.
    pub object: Map<String, Value>,
}

impl<'a> Row<'a> {
    /// The object that a line is.
    pub fn parse(path: &'a Path, line: usize, text: &str) -> Result<Self, DataError> {
        let broken = |error| DataError::row(path, line, format!("no JSON object: {}", sentence(&error)));
        Ok(Row { path, line, object: serde_json::from_str(text).map_err(broken)? })
    }

    fn find(&self, key: &str) -> Result<&Value, DataError> {
        self.object.get(key).ok_or_else(|| {
            let known: Vec<&str> = self.object.keys().map(String::as_str).collect();
            let why = format!("there is no key `{key}`; the object has {}", known.join(", "));
            DataError::row(self.path, self.line, why)
        })
    }

    /// What stands at a key.
    pub fn read<T: DeserializeOwned>(&self, key: &str) -> Result<T, DataError> {
        let wrong = |error| DataError::row(self.path, self.line, format!("`{key}`: {}", sentence(&error)));
        serde_json::from_value(self.find(key)?.clone()).map_err(wrong)
    }

    /// What stands at the key that an answer names or, of a set, at its keys.
    fn answer(&self, answer: &Answer) -> Result<Answer, DataError> {
        match answer {
            Answer::Text(key) => self.read(key),
            set => set.map(|key| self.label(key)),
        }
    }

    /// A text as it is, anything else as JSON writes it.
    pub fn label(&self, key: &str) -> Result<String, DataError> {
        let value = self.find(key)?;
        Ok(value.as_str().map_or_else(|| value.to_string(), String::from))
    }
}

/// What the library says, less its line: that is always 1 here.
fn sentence(error: &serde_json::Error) -> String {
    let text = error.to_string();
    let (what, place) = text.split_once(" at line 1 column ").unwrap_or((&text, ""));
    if place.is_empty() { what.to_string() } else { format!("{what} (column {place})") }
}
