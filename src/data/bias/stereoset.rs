//! StereoSet (Nadeem et al. 2021): the authors' JSON, and intrasentence triples as CSV.

use super::{Kept, Lines, some};
use crate::data::DataError;
use crate::data::sheet::Sheet;
use crate::data::text_file::text;
use serde::Deserialize;
use std::path::Path;

/// Where the word stands that a triple is about.
const BLANK: &str = "BLANK";

/// A context with three ways to fill it or to go on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Triple {
    /// The group that it is about.
    pub target: String,
    /// Gender, profession, race or religion.
    pub domain: String,
    /// With `BLANK` in a sentence, or the sentence before.
    pub context: String,
    /// Stereotype, anti-stereotype, unrelated: words for the blank, or sentences.
    pub options: [String; 3],
    /// Whether the options are sentences that follow the context.
    pub follows: bool,
}

impl Triple {
    /// The sentence with a word in its blank, or the context with the sentence behind it.
    pub fn filled(&self, option: &str) -> String {
        if self.follows { format!("{} {option}", self.context) } else { self.context.replace(BLANK, option) }
    }
}

/// The triples of a file, `.json` as the authors publish it or a table; of a table without those whose context has two blanks,
/// of which the words for the second are not told.
pub fn stereoset(path: &Path) -> Result<Kept<Triple>, DataError> {
    let text = text(path)?;
    if text.trim_start().starts_with('{') {
        return Ok(Kept { rows: some(path, json(path, &text)?)?, left_out: Vec::new() });
    }
    let (rows, several): (Lines<Triple>, Lines<Triple>) =
        table(path, &text)?.into_iter().partition(|(_, triple)| triple.context.matches(BLANK).count() == 1);
    Ok(Kept { rows: some(path, rows)?, left_out: several.into_iter().map(|(line, _)| line).collect() })
}

fn table(path: &Path, text: &str) -> Result<Lines<Triple>, DataError> {
    let sheet = Sheet::of(path, text)?;
    let column = |name: &str| sheet.column(name);
    let [target, domain, context] = [column("target")?, column("bias_type")?, column("context")?];
    let options = [column("stereotype")?, column("anti_stereotype")?, column("unrelated")?];
    let triple = |line: crate::data::sheet::Line| {
        let context = line.filled(context)?.to_string();
        if !context.contains(BLANK) {
            return Err(line.wrong(format!("`context` must hold {BLANK}, where the word stands that it is about")));
        }
        let [stereotype, opposite, unrelated] = options.map(|column| line.filled(column).map(str::to_string));
        let options = [stereotype?, opposite?, unrelated?];
        let (target, domain) = (line.filled(target)?.into(), line.filled(domain)?.to_lowercase());
        Ok((line.number, Triple { target, domain, context, options, follows: false }))
    };
    sheet.lines().map(triple).collect()
}

#[derive(Deserialize)]
struct File {
    data: Parts,
}

#[derive(Deserialize)]
struct Parts {
    #[serde(default)]
    intrasentence: Vec<Entry>,
    #[serde(default)]
    intersentence: Vec<Entry>,
}

#[derive(Deserialize)]
struct Entry {
    target: String,
    bias_type: String,
    context: String,
    sentences: Vec<Sentence>,
}

#[derive(Deserialize)]
struct Sentence {
    sentence: String,
    gold_label: String,
}

fn json(path: &Path, text: &str) -> Result<Lines<Triple>, DataError> {
    let broken =
        |error: serde_json::Error| DataError::row(path, error.line(), format!("is no StereoSet file: {error}"));
    let File { data } = serde_json::from_str(text).map_err(broken)?;
    let within = data.intrasentence.into_iter().map(|entry| (entry, false));
    let entries = within.chain(data.intersentence.into_iter().map(|entry| (entry, true)));
    let triple = |(index, (entry, follows)): (usize, (Entry, bool))| {
        let number = index + 1;
        let wrong = |why: String| DataError::row(path, number, format!("(entry {number} of the file) {why}"));
        Ok((number, entry.triple(follows).map_err(wrong)?))
    };
    entries.enumerate().map(triple).collect()
}

impl Entry {
    fn triple(self, follows: bool) -> Result<Triple, String> {
        let one = |label: &str| {
            let found = self.sentences.iter().find(|sentence| sentence.gold_label == label);
            let sentence = found.ok_or(format!("has no sentence with the gold_label {label:?}"))?.sentence.trim();
            if follows { Ok(sentence.to_string()) } else { self.word(sentence) }
        };
        let options = [one("stereotype")?, one("anti-stereotype")?, one("unrelated")?];
        let domain = self.bias_type.to_lowercase();
        Ok(Triple { target: self.target, domain, context: self.context, options, follows })
    }

    /// What fills the blank in a sentence.
    fn word(&self, sentence: &str) -> Result<String, String> {
        let (context, sentence) = (self.context.trim(), sentence.trim());
        let (before, _) = context.split_once(BLANK).ok_or(format!("its context has no {BLANK}"))?;
        // the blank may stand more than once, with the same word
        let rest = sentence.strip_prefix(before).unwrap_or("");
        let mut words = rest.char_indices().map(|(at, letter)| &rest[..at + letter.len_utf8()]);
        let word = words.find(|word| context.replace(BLANK, word) == sentence);
        word.map(str::to_string).ok_or(format!("{sentence:?} is not its context with {BLANK} filled"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TABLE: &str = "index,target,bias_type,context,anti_stereotype,stereotype,unrelated\n\
                         0,nurse,profession,The nurse was BLANK.,rude,kind,blue\n";

    #[test]
    fn both_formats_give_the_same_triple() {
        let table = table(Path::new("s.csv"), TABLE).unwrap();
        let sentence =
            |word: &str, label: &str| format!(r#"{{"sentence": "The nurse was {word}.", "gold_label": "{label}"}}"#);
        let sentences =
            [sentence("blue", "unrelated"), sentence("kind", "stereotype"), sentence("rude", "anti-stereotype")];
        let text = format!(
            r#"{{"version": "1", "data": {{"intrasentence": [{{"id": "a", "target": "nurse", "bias_type": "profession", "context": "The nurse was BLANK.", "sentences": [{}]}}]}}}}"#,
            sentences.join(",")
        );
        let json = json(Path::new("s.json"), &text).unwrap();
        assert_eq!(json[0].1, table[0].1);
        assert_eq!(table[0].1.filled("kind"), "The nurse was kind.");
        let told =
            self::json(Path::new("s.json"), &text.replace("The nurse was kind", "A nurse was kind")).unwrap_err();
        assert!(told.to_string().contains("entry 1 of the file"), "{told}");
        let told = self::json(Path::new("s.json"), &text[..text.len() - 5]).unwrap_err();
        assert!(told.to_string().starts_with("s.json:1: is no StereoSet file"), "{told}");
    }

    #[test]
    fn a_context_without_its_blank_is_named() {
        let told = table(Path::new("s.csv"), &TABLE.replace("BLANK", "")).unwrap_err().to_string();
        assert!(told.starts_with("s.csv:2: `context` must hold BLANK"), "{told}");
    }
}
