//! Data sets as prompts and answers, still in words: one reader a file.

pub mod bias;
mod biographies;
mod calibration;
mod csv;
mod facts;
mod jsonl;
mod parquet;
mod professions;
mod program;
pub(crate) mod sheet;
mod templates;
pub(crate) mod text_file;
mod winobias;

pub use calibration::crows_pairs;

pub use biographies::Labelled;

use crate::spec::{Data, Experiment, Fact, Pair, Prompt, Written};
use indexmap::IndexMap;
use rand::SeedableRng;
use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use std::path::Path;

/// What cannot be read of a data set.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DataError {
    /// A file that is not there or cannot be opened.
    #[error("{path}: {why}")]
    Unreadable {
        /// The file.
        path: String,
        /// Why.
        why: String,
    },
    /// A row that is not as the others.
    #[error("{path}:{line}: {why}")]
    Row {
        /// The file.
        path: String,
        /// From 1, the header counted; in a JSON list the entry.
        line: usize,
        /// What is wrong.
        why: String,
    },
    /// Templates and their lists do not fit together.
    #[error("{0}")]
    Templates(String),
    /// Biographies that cannot be written.
    #[error("{0}")]
    Biographies(String),
    /// A program that cannot be asked.
    #[error("{0}")]
    Program(String),
    /// There is no prompt.
    #[error("{0}, so there is no prompt")]
    Empty(String),
}

impl DataError {
    fn unreadable(path: &Path, why: impl ToString) -> Self {
        DataError::Unreadable { path: path.display().to_string(), why: why.to_string() }
    }

    fn row(path: &Path, line: usize, why: impl ToString) -> Self {
        DataError::Row { path: path.display().to_string(), line, why: why.to_string() }
    }
}

/// Which prompt of a pair.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize)]
pub enum Side {
    /// The clean one.
    Clean,
    /// The corrupted one.
    Corrupt,
}

/// Something of the data, and where it stands: `data[3]`, or `data (pairs.csv:5)`.
pub struct Sourced<T> {
    /// Where it stands.
    pub at: String,
    /// What it is.
    pub what: T,
}

/// The prompts of an experiment.
pub enum Prompts {
    /// With corrupted twins and answers.
    Pairs(Vec<Sourced<Pair>>),
    /// Alone.
    Alone(Vec<Sourced<Prompt>>),
    /// Alone, with what is said of them.
    Labelled(Vec<Sourced<Labelled>>),
    /// With their subjects.
    Facts(Vec<Sourced<Fact>>),
}

/// Reads what the experiment's data names; there is at least one prompt, but where it names none.
pub fn read(experiment: &Experiment) -> Result<Prompts, DataError> {
    let seed = experiment.seed;
    Ok(match &experiment.data {
        Data::Nothing => Prompts::Alone(Vec::new()),
        Data::Pairs(pairs) => Prompts::Pairs(listed(pairs.iter().cloned())?),
        Data::Prompts(prompts) => Prompts::Alone(listed(prompts.iter().cloned())?),
        Data::Tokens(rows) => Prompts::Alone(listed(rows.iter().cloned().map(Prompt::Tokens))?),
        Data::Templates(templates) => Prompts::Pairs(sample(templates::expand(templates)?, templates.items, seed)),
        Data::Csv(file) => Prompts::Pairs(of_file(&file.path, csv::read(file)?)?),
        Data::Jsonl(file) => Prompts::Pairs(of_file(&file.path, jsonl::read(file)?)?),
        Data::Facts(facts) => Prompts::Facts(listed(facts.iter().cloned())?),
        Data::FactsFile(file) => Prompts::Facts(of_file(&file.path, facts::read(file)?)?),
        Data::Professions(file) => {
            Prompts::Pairs(sample(of_file(&file.path, professions::read(file)?)?, file.items, seed))
        }
        Data::Biographies(texts) => {
            let found = biographies::read(texts, seed)?;
            let sourced = match &texts.from {
                Written::File { path, .. } => of_file(path, found)?,
                Written::Grammar(_) => listed(found.into_iter().map(|(_, text)| text))?,
            };
            Prompts::Labelled(sampled(sourced, texts.items, seed))
        }
        Data::Program(texts) => Prompts::Pairs(listed(program::read(texts, &experiment.model, seed)?.into_iter())?),
        Data::WinoBias(file) => Prompts::Pairs(of_file(&file.path, winobias::read(file)?)?),
    })
}

fn listed<T>(entries: impl Iterator<Item = T>) -> Result<Vec<Sourced<T>>, DataError> {
    let listed: Vec<_> =
        entries.enumerate().map(|(index, what)| Sourced { at: format!("data[{index}]"), what }).collect();
    some(listed, || "the list is empty".into())
}

/// Entries of a file with the lines they stand on.
fn of_file<T>(path: &Path, entries: Vec<(usize, T)>) -> Result<Vec<Sourced<T>>, DataError> {
    let path = path.display();
    let sourced =
        entries.into_iter().map(|(line, what)| Sourced { at: format!("data ({path}:{line})"), what }).collect();
    some(sourced, || format!("{path} has no row"))
}

fn some<T>(found: Vec<T>, why: impl Fn() -> String) -> Result<Vec<T>, DataError> {
    if found.is_empty() { Err(DataError::Empty(why())) } else { Ok(found) }
}

/// The label whose equal values make items one observation: the two ways round of a pair are not independent.
pub const PAIR: &str = "pair";

/// Indices of items that are one observation together, in the order of their first item.
pub fn observations<'a>(labels: impl Iterator<Item = &'a IndexMap<String, String>>) -> Vec<Vec<usize>> {
    let mut groups: IndexMap<String, Vec<usize>> = IndexMap::new();
    for (index, labels) in labels.enumerate() {
        let key = labels.get(PAIR).map_or(format!("item {index}"), |pair| format!("pair {pair}"));
        groups.entry(key).or_default().push(index);
    }
    groups.into_values().collect()
}

/// At most `items` of the entries, drawn by the seed and kept in their order.
fn sampled<T>(entries: Vec<T>, items: Option<usize>, seed: u64) -> Vec<T> {
    let mut order: Vec<usize> = (0..entries.len()).collect();
    order.shuffle(&mut ChaCha8Rng::seed_from_u64(seed));
    let drawn: BTreeSet<usize> = order.into_iter().take(items.unwrap_or(entries.len())).collect();
    entries.into_iter().enumerate().filter(|(index, _)| drawn.contains(index)).map(|(_, entry)| entry).collect()
}

/// At most `items` of the pairs, drawn by the seed as whole observations and kept in their order.
fn sample(pairs: Vec<Sourced<Pair>>, items: Option<usize>, seed: u64) -> Vec<Sourced<Pair>> {
    let Some(items) = items.filter(|items| *items < pairs.len()) else { return pairs };
    let mut groups = observations(pairs.iter().map(|pair| &pair.what.labels));
    groups.shuffle(&mut ChaCha8Rng::seed_from_u64(seed));
    let mut drawn = BTreeSet::new();
    for group in groups {
        if drawn.len() + group.len() <= items {
            drawn.extend(group);
        }
    }
    pairs.into_iter().enumerate().filter(|(index, _)| drawn.contains(index)).map(|(_, pair)| pair).collect()
}
