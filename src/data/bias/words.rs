//! Sets of words, as WEAT and debiaswe publish them: a JSON list of words, of pairs, or of words with numbers.

use crate::data::DataError;
use crate::data::text_file::text;
use serde_json::Value;
use std::path::Path;

/// The words of a list, or one side of a list of pairs: of `[["she", "he"], …]` side 0 is `she`. Of a word with numbers behind
/// it, as in a list of professions, side 0 is the word.
pub fn words(path: &Path, side: usize) -> Result<Vec<String>, DataError> {
    let text = text(path)?;
    let broken =
        |error: serde_json::Error| DataError::row(path, error.line(), format!("no JSON list of words: {error}"));
    let list: Vec<Value> = serde_json::from_str(&text).map_err(broken)?;
    let word = |(index, entry): (usize, &Value)| {
        let found = match entry {
            Value::String(word) if side == 0 => Some(word.as_str()),
            Value::Array(several) => several.get(side).and_then(Value::as_str),
            _ => None,
        };
        let found = found.map(|word| word.replace('_', " "));
        found.ok_or_else(|| DataError::row(path, index + 1, format!("{entry} has no word at place {side}")))
    };
    list.iter().enumerate().map(word).collect()
}
