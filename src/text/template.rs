//! Templates of special tokens in a `tokenizer.json`, looked through before the tokenizers' library reads them.
//!
//! The library takes it on trust that a template names special tokens that the file describes, and one of a single text
//! no second one; it panics at the first text otherwise.

use serde_json::Value;

/// What is wrong with the templates of a post-processor, however deep they stand in it.
pub fn check(processor: &Value) -> Result<(), String> {
    match processor {
        Value::Array(parts) => parts.iter().try_for_each(check),
        Value::Object(fields) => {
            let pieces = |name: &str| fields.get(name).and_then(Value::as_array).into_iter().flatten();
            for (kind, name) in pieces("single").flat_map(named) {
                let described = fields.get("special_tokens").is_some_and(|tokens| tokens.get(name).is_some());
                if kind == "SpecialToken" && !described {
                    return Err(format!("post_processor: the template has {name:?}, which is not in special_tokens"));
                }
                if kind == "Sequence" && name != "A" {
                    return Err(format!("post_processor: the template of a single text has a text {name:?}"));
                }
            }
            fields.values().try_for_each(check)
        }
        _ => Ok(()),
    }
}

/// What kind a piece of a template is, and its name: fields may be written with their names or in order.
fn named(piece: &Value) -> Option<(&str, &str)> {
    let (kind, fields) = piece.as_object()?.iter().next()?;
    let name = fields.get("id").or_else(|| fields.get(0))?;
    Some((kind, name.as_str()?))
}

#[cfg(test)]
mod tests {
    use crate::text::{SpecialTokens, Text};

    /// The tokens of a text, by a tokenizer of four words with this template of a single text.
    fn tokens(single: &str) -> Result<Vec<u32>, String> {
        let text = r##"{"version": "1.0", "truncation": null, "padding": null, "added_tokens": [], "normalizer": null,
            "pre_tokenizer": {"type": "Whitespace"}, "decoder": null, "post_processor": {"type": "Sequence", "processors": [
            {"type": "TemplateProcessing", "single": [SINGLE], "pair": [],
            "special_tokens": {"#": {"id": "#", "ids": [3], "tokens": ["#"]}}}]},
            "model": {"type": "WordLevel", "vocab": {"a": 0, "b": 1, "c": 2, "#": 3}, "unk_token": "c"}}"##;
        let text = Text::from_bytes(text.replace("SINGLE", single).as_bytes())?;
        text.encode("b a d", SpecialTokens::AsTokenizer).map_err(|error| error.to_string())
    }

    #[test]
    fn a_template_of_what_is_not_there_is_refused() {
        let [known, unknown, first, second] = [
            r##"{"SpecialToken": {"id": "#", "type_id": 0}}"##,
            r#"{"SpecialToken": {"id": "?", "type_id": 0}}"#,
            r#"{"Sequence": {"id": "A", "type_id": 0}}"#,
            r#"{"Sequence": {"id": "B", "type_id": 0}}"#,
        ];
        assert_eq!(tokens(&format!("{known}, {first}")), Ok(vec![3, 1, 0, 2]));
        let lacking = "post_processor: the template has \"?\", which is not in special_tokens";
        assert_eq!(tokens(&format!("{unknown}, {first}")), Err(lacking.into()));
        assert_eq!(tokens(&format!("{{\"SpecialToken\": [\"?\", 0]}}, {first}")), Err(lacking.into()));
        let two = "post_processor: the template of a single text has a text \"B\"";
        assert_eq!(tokens(&format!("{first}, {second}")), Err(two.into()));
    }
}
