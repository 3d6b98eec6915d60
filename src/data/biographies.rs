//! Biographies with their occupation and group: written by the grammar, or from a file with the columns of BiasInBios.

use super::DataError;
use super::jsonl::Row;
use crate::organism::biography::{self, Biography, scrubbed};
use crate::organism::lexicon::Gender;
use crate::spec::{Biographies, Prompt, Scrubbed, Written};
use indexmap::IndexMap;
use std::path::Path;

/// The occupations of BiasInBios, in the order of their numbers (De-Arteaga et al. 2019).
const PROFESSIONS: [&str; 28] = [
    "accountant",
    "architect",
    "attorney",
    "chiropractor",
    "comedian",
    "composer",
    "dentist",
    "dietitian",
    "dj",
    "filmmaker",
    "interior_designer",
    "journalist",
    "model",
    "nurse",
    "painter",
    "paralegal",
    "pastor",
    "personal_trainer",
    "photographer",
    "physician",
    "poet",
    "professor",
    "psychologist",
    "rapper",
    "software_engineer",
    "surgeon",
    "teacher",
    "yoga_teacher",
];

/// The groups of BiasInBios, in the order of their numbers.
const GROUPS: [&str; 2] = ["male", "female"];

/// A prompt with its labels.
#[derive(Clone, Debug, PartialEq)]
pub struct Labelled {
    /// The prompt.
    pub prompt: Prompt,
    /// What is said of it.
    pub labels: IndexMap<String, String>,
}

/// The texts, each with its line or number.
pub fn read(asked: &Biographies, seed: u64) -> Result<Vec<(usize, Labelled)>, DataError> {
    let texts = match &asked.from {
        Written::Grammar(grammar) => match biography::fault(grammar) {
            Some(why) => return Err(DataError::Biographies(why)),
            None => biography::write(grammar, seed).into_iter().map(row).enumerate().collect(),
        },
        Written::File { path, text, label, group } => rows(path, [text, label, group])?,
    };
    Ok(texts.into_iter().map(|(line, row)| (line, labelled(asked, row))).collect())
}

/// Text, occupation, group.
type Texts = [String; 3];

fn row(Biography { text, profession, gender }: Biography) -> Texts {
    [text, profession, GROUPS[usize::from(gender == Gender::Woman)].into()]
}

fn labelled(asked: &Biographies, [text, profession, gender]: Texts) -> Labelled {
    let text = if asked.scrubbed == Scrubbed::Yes { scrubbed(&text) } else { text };
    let text = match asked.words {
        Some(words) => text.split_whitespace().take(words).collect::<Vec<_>>().join(" "),
        None => text,
    };
    let labels = [("profession", profession), ("gender", gender)];
    Labelled {
        prompt: Prompt::Text(text),
        labels: labels.into_iter().map(|(name, value)| (name.to_string(), value)).collect(),
    }
}

fn rows(path: &Path, columns: [&String; 3]) -> Result<Vec<(usize, Texts)>, DataError> {
    let text = || super::text_file::text(path);
    let found = match path.extension().and_then(|ending| ending.to_str()) {
        Some("parquet") => super::parquet::columns(path, columns)?,
        Some("csv") => of_csv(path, &text()?, columns)?,
        _ => of_json(path, &text()?, columns)?,
    };
    let named = |(line, [text, label, group]): (usize, Texts)| {
        let label = numbered(path, line, label, &PROFESSIONS)?;
        Ok((line, [text, label, numbered(path, line, group, &GROUPS)?]))
    };
    found.into_iter().map(named).collect()
}

fn of_json(path: &Path, text: &str, columns: [&String; 3]) -> Result<Vec<(usize, Texts)>, DataError> {
    let lines = text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty());
    let row = |(index, line): (usize, &str)| {
        let row = Row::parse(path, index + 1, line)?;
        let [text, label, group] = columns.map(|column| row.label(column));
        Ok((index + 1, [text?, label?, group?]))
    };
    lines.map(row).collect()
}

fn of_csv(path: &Path, text: &str, columns: [&String; 3]) -> Result<Vec<(usize, Texts)>, DataError> {
    let mut reader = csv::Reader::from_reader(text.as_bytes());
    let broken = |error: csv::Error| {
        let line = error.position().map_or(1, |at| at.line() as usize);
        DataError::row(path, line, error)
    };
    let header = reader.headers().map_err(broken)?.clone();
    let find = |name: &String| {
        let known = || header.iter().collect::<Vec<_>>().join(", ");
        let place = header.iter().position(|column| column == name);
        place.ok_or_else(|| DataError::row(path, 1, format!("there is no column `{name}`; the header has {}", known())))
    };
    let [text, label, group] = columns.map(find);
    let places = [text?, label?, group?];
    let row = |record: Result<csv::StringRecord, csv::Error>| {
        let record = record.map_err(broken)?;
        let line = record.position().map_or(0, |at| at.line() as usize);
        Ok((line, places.map(|place| record[place].to_string())))
    };
    reader.records().map(row).collect()
}

/// A name as it is, and the name that a number stands for.
fn numbered(path: &Path, line: usize, value: String, names: &[&str]) -> Result<String, DataError> {
    match value.parse::<usize>() {
        Err(_) => Ok(value),
        Ok(number) => names.get(number).map(|name| name.to_string()).ok_or_else(|| {
            DataError::row(path, line, format!("{number} stands for no name; there are 0 to {}", names.len() - 1))
        }),
    }
}
