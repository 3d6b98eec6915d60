//! The texts in which the loss of a cut model is measured: a text in windows, or the prompts themselves.

use super::Trial;
use crate::plan::{Known, Problems, measuring};
use crate::score::Request;
use crate::spec::Experiment;
use std::collections::BTreeMap;
use std::path::Path;

/// Texts, each in one of the parts.
pub struct Windows {
    /// What is scored.
    pub texts: Vec<Request>,
    /// The part that each is in: the cuts of that part are tried on it.
    pub fold: Vec<usize>,
    /// The clusters of intervals.
    pub group: Vec<usize>,
    /// What they are, in words.
    pub of: String,
}

impl Windows {
    /// The numbers of the texts that are tried on the cuts of a part.
    pub fn tried(&self, fold: usize) -> Vec<usize> {
        (0..self.texts.len()).filter(|text| self.fold[*text] == fold).collect()
    }
}

/// A text in windows as long as the model's positions, in turn one for each part.
pub(super) fn of_text(
    at: &str,
    path: &Path,
    folds: usize,
    experiment: &Experiment,
    known: &Known,
    problems: &mut Problems,
) -> Option<Windows> {
    let (texts, of) = measuring::windows(at, path, experiment, known, problems)?;
    if texts.len() < folds {
        let what = format!(
            "{} has {} windows of the model's length, so that of the cuts of {folds} parts some would be tried on none; take a longer text, or leave `text` out for the prompts",
            path.display(),
            texts.len()
        );
        problems.add(at, what);
    }
    let fold = (0..texts.len()).map(|window| window % folds.max(1)).collect();
    Some(Windows { fold, group: (0..texts.len()).collect(), texts, of })
}

/// Every prompt once, with the items that it is of.
pub(super) fn prompts(tasks: &[Trial; 2]) -> Windows {
    let mut seen: BTreeMap<&Vec<u32>, [usize; 2]> = BTreeMap::new();
    for task in tasks {
        for (number, item) in task.items.iter().enumerate() {
            for prompt in [&item.clean, &item.corrupt].into_iter().filter(|prompt| prompt.len() > 1) {
                seen.entry(prompt).or_insert([task.fold[number], task.group[number]]);
            }
        }
    }
    let (fold, group) = seen.values().map(|[fold, group]| (*fold, *group)).unzip();
    let texts = seen.keys().map(|prompt| Request::causal(prompt, 1)).collect();
    Windows { texts, fold, group, of: "every prompt by itself, its first token not scored".into() }
}
