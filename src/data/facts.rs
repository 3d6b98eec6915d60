//! Facts from a JSON file: a list of objects, as the facts of Meng et al. 2022 are published, or one object a line.

use super::DataError;
use super::jsonl::Row;
use crate::spec::{Fact, FactsFile};
use serde_json::{Map, Value};

/// The facts, each with its line or its number in the list.
pub fn read(file: &FactsFile) -> Result<Vec<(usize, Fact)>, DataError> {
    let text = super::text_file::text(&file.path)?;
    rows(file, &text)?.iter().map(|row| Ok((row.line, fact(file, row)?))).collect()
}

fn rows<'a>(file: &'a FactsFile, text: &str) -> Result<Vec<Row<'a>>, DataError> {
    let path = file.path.as_path();
    if text.trim_start().starts_with('[') {
        let broken = |error: serde_json::Error| DataError::row(path, error.line(), format!("no JSON list: {error}"));
        let list: Vec<Map<String, Value>> = serde_json::from_str(text).map_err(broken)?;
        return Ok(list.into_iter().enumerate().map(|(index, object)| Row { path, line: index + 1, object }).collect());
    }
    let lines = text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty());
    lines.map(|(index, line)| Row::parse(path, index + 1, line)).collect()
}

fn fact(file: &FactsFile, row: &Row) -> Result<Fact, DataError> {
    let given = row.object.get(&file.attribute).is_some_and(|attribute| !attribute.is_null());
    let attribute = given.then(|| row.read(&file.attribute)).transpose()?;
    Ok(Fact { prompt: row.read(&file.prompt)?, subject: row.read(&file.subject)?, attribute })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file() -> FactsFile {
        FactsFile {
            path: "f.json".into(),
            prompt: "prompt".into(),
            subject: "subject".into(),
            attribute: "attribute".into(),
        }
    }

    fn facts(text: &str) -> Result<Vec<Fact>, String> {
        let file = file();
        let rows = rows(&file, text).map_err(|error| error.to_string())?;
        rows.iter().map(|row| fact(&file, row).map_err(|error| error.to_string())).collect()
    }

    #[test]
    fn a_list_and_lines_hold_the_same_facts() {
        let one = r#"{"prompt": "A is in", "subject": "A", "attribute": "B", "known_id": 0}"#;
        let two = r#"{"prompt": "C is in", "subject": "C"}"#;
        let listed = facts(&format!("[{one},\n {two}]")).unwrap();
        assert_eq!(listed, facts(&format!("{one}\n\n{two}\n")).unwrap());
        assert_eq!((listed.len(), listed[1].attribute.is_none()), (2, true));
    }

    #[test]
    fn what_is_missing_is_named_with_its_place() {
        let missing = facts(r#"[{"prompt": "A", "subject": "A"}, {"prompt": "A"}]"#).unwrap_err();
        assert_eq!(missing, "f.json:2: there is no key `subject`; the object has prompt");
    }
}
