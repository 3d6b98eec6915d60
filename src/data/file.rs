//! Pairs from a CSV or JSONL file, with a mapping of its columns.

use super::DataError;
use crate::spec::{Answer, File, Pair, Prompt};
use indexmap::IndexMap;
use serde_json::{Map, Value};

/// A CSV file with a header.
pub fn csv(file: &File) -> Result<Vec<Pair>, DataError> {
    let mut reader = csv::Reader::from_path(&file.path).map_err(|error| unreadable(file, &error.to_string()))?;
    let header = reader.headers().map_err(|error| unreadable(file, &error.to_string()))?.clone();
    let mut pairs = Vec::new();
    for record in reader.records() {
        let line = |error: &csv::Error| error.position().map_or(0, |at| at.line() as usize);
        let record = record.map_err(|error| row(file, line(&error), &error.to_string()))?;
        let at = record.position().map_or(0, |at| at.line() as usize);
        let column = |name: &str| {
            header.iter().position(|known| known == name).and_then(|index| record.get(index)).map(String::from)
        };
        pairs.push(pair(file, at, column)?);
    }
    Ok(pairs)
}

/// A file with one JSON object a line.
pub fn jsonl(file: &File) -> Result<Vec<Pair>, DataError> {
    let text = std::fs::read_to_string(&file.path).map_err(|error| unreadable(file, &error.to_string()))?;
    let mut pairs = Vec::new();
    for (index, line) in text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty()) {
        let object: Map<String, Value> =
            serde_json::from_str(line).map_err(|error| row(file, index + 1, &error.to_string()))?;
        let column = |name: &str| object.get(name).map(|value| value.as_str().map_or(value.to_string(), String::from));
        pairs.push(pair(file, index + 1, column)?);
    }
    Ok(pairs)
}

fn pair(file: &File, line: usize, column: impl Fn(&str) -> Option<String>) -> Result<Pair, DataError> {
    let needed = |name: &String| column(name).ok_or_else(|| row(file, line, &format!("no column or key `{name}`")));
    let label = |name: &String| Ok((name.clone(), needed(name)?));
    Ok(Pair {
        clean: Prompt::Text(needed(&file.clean)?),
        corrupt: Prompt::Text(needed(&file.corrupt)?),
        right: Answer::Text(needed(&file.right)?),
        wrong: Answer::Text(needed(&file.wrong)?),
        at: None,
        labels: file.labels.iter().map(label).collect::<Result<IndexMap<_, _>, _>>()?,
    })
}

fn unreadable(file: &File, why: &str) -> DataError {
    DataError::Unreadable { path: file.path.display().to_string(), why: why.to_string() }
}

fn row(file: &File, line: usize, why: &str) -> DataError {
    DataError::Row { path: file.path.display().to_string(), line, why: why.to_string() }
}
