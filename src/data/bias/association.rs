//! Sets of words or sentences for association tests, as WEAT and SEAT are published: a test a file, or several by name.

use crate::data::DataError;
use crate::data::text_file::text;
use crate::spec::WordSets;
use serde_json::{Map, Value};
use std::path::Path;

/// What publishers call the targets and the attributes.
const SETS: [[&str; 4]; 4] = [
    ["targ1", "targ2", "attr1", "attr2"],
    ["X", "Y", "A", "B"],
    ["x", "y", "a", "b"],
    ["first_target", "second_target", "first_attribute", "second_attribute"],
];

/// What they call a set's own words, and the set.
const WORDS: [&str; 2] = ["examples", "words"];
const NAMES: [&str; 2] = ["category", "name"];

/// The tests of a file: one, a list of them, or several by name.
pub fn associations(path: &Path) -> Result<Vec<WordSets>, DataError> {
    let text = text(path)?;
    let broken = |error: serde_json::Error| DataError::row(path, error.line(), format!("no JSON: {error}"));
    let value: Value = serde_json::from_str(&text).map_err(broken)?;
    let entries: Vec<(String, &Value)> = match &value {
        Value::Object(one) if keys(one).is_some() => vec![(String::new(), &value)],
        Value::Object(several) => several.iter().map(|(name, test)| (name.clone(), test)).collect(),
        Value::Array(list) => list.iter().enumerate().map(|(at, test)| (format!("test {}", at + 1), test)).collect(),
        _ => Vec::new(),
    };
    let tests: Vec<_> = entries.into_iter().filter_map(|(name, test)| Some((name, keyed(test)?))).collect();
    let known = SETS.map(|names| names.join(", ")).join("; ");
    if tests.is_empty() {
        return Err(DataError::unreadable(
            path,
            format!("has no test: an object with four sets of words, named {known}"),
        ));
    }
    tests.into_iter().map(|(name, test)| one(path, name, test)).collect()
}

/// How an object names its sets, where it is a test.
fn keys(test: &Map<String, Value>) -> Option<[&'static str; 4]> {
    SETS.into_iter().find(|names| names.iter().all(|name| test.contains_key(*name)))
}

/// An object that may be a test: one that has a part of the sets is one that lacks some.
fn keyed(value: &Value) -> Option<&Map<String, Value>> {
    let test = value.as_object()?;
    SETS.iter().flatten().any(|name| test.contains_key(*name)).then_some(test)
}

fn one(path: &Path, name: String, test: &Map<String, Value>) -> Result<WordSets, DataError> {
    let place = if name.is_empty() { String::new() } else { format!("{name}: ") };
    let wrong = |why: String| DataError::unreadable(path, format!("{place}{why}"));
    let found: Vec<&str> = test.keys().map(String::as_str).collect();
    let keys = keys(test).ok_or_else(|| wrong(format!("lacks a set; it has {}", found.join(", "))))?;
    let sets = keys.map(|key| words(&test[key]).map_err(|why| wrong(format!("`{key}` {why}"))));
    let [x, y, a, b] = sets;
    let said = test.get("name").and_then(Value::as_str).map(String::from);
    let of_sets = || keys[..2].iter().map(|key| called(&test[*key]).unwrap_or(key)).collect::<Vec<_>>().join(" / ");
    let name = said.unwrap_or_else(|| if name.is_empty() { of_sets() } else { name.clone() });
    Ok(WordSets { name, x: x?, y: y?, a: a?, b: b? })
}

/// What a set is called.
fn called(set: &Value) -> Option<&str> {
    NAMES.iter().find_map(|name| set.get(name)?.as_str())
}

/// The words of a set, each once.
fn words(set: &Value) -> Result<Vec<String>, String> {
    let list = set.as_array().or_else(|| WORDS.iter().find_map(|name| set.get(name)?.as_array()));
    let list = list.ok_or("is neither a list of words nor an object with `examples`")?;
    let word = |(index, word): (usize, &Value)| {
        let word = word.as_str().map(str::trim).filter(|word| !word.is_empty());
        word.map(String::from).ok_or_else(|| format!("has no word at place {}", index + 1))
    };
    let words: indexmap::IndexSet<String> = list.iter().enumerate().map(word).collect::<Result<_, _>>()?;
    if words.is_empty() { Err("is empty".into()) } else { Ok(words.into_iter().collect()) }
}
