//! Data sets as prompts and answers, still in words: one reader a file.

mod file;
mod templates;

use crate::spec::{Data, Pair, Prompt};
use rand::SeedableRng;
use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;

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
        /// From 1, the header counted.
        line: usize,
        /// What is wrong.
        why: String,
    },
    /// Templates and their lists do not fit together.
    #[error("{0}")]
    Templates(String),
}

/// The prompts of an experiment.
pub enum Prompts {
    /// With corrupted twins and answers.
    Pairs(Vec<Pair>),
    /// Alone.
    Alone(Vec<Prompt>),
}

/// Reads what the experiment's data names.
pub fn read(data: &Data, seed: u64) -> Result<Prompts, DataError> {
    Ok(match data {
        Data::Pairs(pairs) => Prompts::Pairs(pairs.clone()),
        Data::Prompts(prompts) => Prompts::Alone(prompts.clone()),
        Data::Tokens(rows) => Prompts::Alone(rows.iter().cloned().map(Prompt::Tokens).collect()),
        Data::Templates(templates) => Prompts::Pairs(sample(templates::expand(templates)?, templates.items, seed)),
        Data::Csv(file) => Prompts::Pairs(file::csv(file)?),
        Data::Jsonl(file) => Prompts::Pairs(file::jsonl(file)?),
    })
}

/// `items` of the pairs, drawn by the seed and kept in their order; all where there are no more.
fn sample(pairs: Vec<Pair>, items: Option<usize>, seed: u64) -> Vec<Pair> {
    let Some(items) = items.filter(|items| *items < pairs.len()) else { return pairs };
    let mut order: Vec<usize> = (0..pairs.len()).collect();
    order.shuffle(&mut ChaCha8Rng::seed_from_u64(seed));
    let mut drawn = order[..items].to_vec();
    drawn.sort_unstable();
    drawn.into_iter().map(|index| pairs[index].clone()).collect()
}
