//! Merges of byte pairs in a `tokenizer.json`, looked through before the tokenizers' library reads them.
//!
//! The library cuts the prefix of continuing tokens off the second part of every merge, and panics where that is shorter.

use serde_json::Value;

/// The prefix that a model's continuing tokens have, where it has one; its merges are many and not looked at otherwise.
#[derive(Default, serde::Deserialize)]
#[serde(default)]
pub struct Prefix {
    continuing_subword_prefix: Value,
}

impl Prefix {
    /// Whether there is one.
    pub fn has_prefix(&self) -> bool {
        !self.continuing_subword_prefix.is_null()
    }
}

/// Whether the second part of every merge in a `tokenizer.json` is at least its model's prefix.
pub fn check(bytes: &[u8]) -> Result<(), String> {
    let whole: Value = serde_json::from_slice(bytes).map_err(|error| error.to_string())?;
    let model = &whole["model"];
    let Some(prefix) = model["continuing_subword_prefix"].as_str() else { return Ok(()) };
    let merges = model["merges"].as_array().into_iter().flatten();
    match merges.filter_map(second).find(|part| part.get(prefix.len()..).is_none()) {
        Some(part) => Err(format!(
            "model: a merge has {part:?} as its second part, which cannot begin with the continuing_subword_prefix {prefix:?}"
        )),
        None => Ok(()),
    }
}

/// The second part of a merge, which is a list of two or, in old files, both with a space between.
fn second(merge: &Value) -> Option<&str> {
    match merge {
        Value::String(both) => both.split_once(' ').map(|(_, second)| second),
        _ => merge.get(1)?.as_str(),
    }
}

#[cfg(test)]
mod tests {
    use crate::text::Text;

    /// A tokenizer of two letters and their merge, written as `merge`.
    fn read(prefix: &str, merge: &str) -> Result<(), String> {
        let text = r##"{"version": "1.0", "truncation": null, "padding": null, "added_tokens": [], "normalizer": null,
            "pre_tokenizer": null, "decoder": null, "post_processor": null,
            "model": {"type": "BPE", "vocab": {"a": 0, "#b": 1, "b": 2, "ab": 3}, "continuing_subword_prefix": "PREFIX",
            "merges": [MERGE]}}"##;
        Text::from_bytes(text.replace("PREFIX", prefix).replace("MERGE", merge).as_bytes()).map(drop)
    }

    #[test]
    fn a_merge_shorter_than_the_prefix_is_refused() {
        for (good, short) in [(r##"["a", "#b"]"##, r#"["a", "b"]"#), (r##""a #b""##, r#""a b""#)] {
            assert_eq!(read("#", good), Ok(()));
            let told = read("##", short).unwrap_err();
            assert!(told.contains("\"b\"") && told.contains("\"##\""), "{told}");
        }
    }
}
