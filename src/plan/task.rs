//! Tasks: the questions that prompts with a feature and without it ask, and which half of them is held out.

use super::{Answers, Item, Known, Problems, held_out, spots};
use crate::data::observations;
use crate::spec::{Apart, Spot};
use patchclamp_probes::unit::halves;
use std::collections::BTreeSet;

/// What the data's own task is called beside the features.
pub const DATA: &str = "data";

/// A prompt, and the answer that is right after it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Question {
    /// The prompt.
    pub tokens: Vec<u32>,
    /// Right is what is right after this prompt: of a corrupted one the item's wrong answer.
    pub answers: Answers,
    /// The positions asked for.
    pub spots: Vec<usize>,
}

/// The pairs of the data, or those of a feature, each as two questions.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Task {
    /// [`DATA`], or the feature's name.
    pub name: String,
    /// The pairs.
    pub items: Vec<Item>,
    /// Item by item the clean prompt, then the corrupted one.
    pub questions: Vec<Question>,
    /// The half of each item, by chance: 0 or 1, whole groups in one.
    pub halves: Vec<usize>,
    /// The items that are one observation.
    pub observations: Vec<Vec<usize>>,
}

impl Task {
    /// Whether a question's prompt has the feature: that of a clean prompt.
    pub fn has(question: usize) -> bool {
        question.is_multiple_of(2)
    }

    /// The half of a question.
    pub fn half(&self, question: usize) -> usize {
        self.halves[question / 2]
    }
}

/// What is asked of every task.
pub(super) struct Asked<'a> {
    pub(super) spots: (&'static str, &'a [Spot]),
    pub(super) apart: Option<&'a Apart>,
    /// The label whose values part the data into tasks of their own, in the place of features.
    pub(super) parts: Option<&'a str>,
    pub(super) seed: u64,
}

/// The tasks of data and features, or of the parts of the data.
pub(super) fn tasks(at: &str, asked: &Asked, known: &Known, problems: &mut Problems) -> Vec<Task> {
    let sources = match asked.parts {
        Some(label) => parts(at, label, known, problems),
        None => {
            let features = known.features.iter().enumerate();
            let features =
                features.map(|(index, one)| (format!("features[{index}].data"), one.name.clone(), one.items.clone()));
            std::iter::once((DATA.to_string(), DATA.to_string(), known.items.to_vec())).chain(features).collect()
        }
    };
    let mut found: Vec<Task> = Vec::new();
    for (number, (place, name, items)) in sources.into_iter().enumerate() {
        if name == DATA && number > 0 {
            problems.add(&place, format!("a feature is called {DATA:?}, as the experiment's own task is; rename it"));
        }
        found.extend(task(at, &place, name, items, asked, known, problems));
    }
    found
}

/// The items of each value of a label, with where they are said to stand and what they are called.
fn parts(at: &str, label: &str, known: &Known, problems: &mut Problems) -> Vec<(String, String, Vec<Item>)> {
    let mut parts: Vec<(String, String, Vec<Item>)> = Vec::new();
    for item in known.items {
        let Some(value) = item.labels.get(label) else {
            problems.add(&format!("{at}.parts"), format!("not every item has a label {label:?}"));
            return Vec::new();
        };
        let name = format!("{label} {value}");
        match parts.iter_mut().find(|(_, other, _)| *other == name) {
            Some((_, _, items)) => items.push(item.clone()),
            None => parts.push((format!("data ({name})"), name, vec![item.clone()])),
        }
    }
    parts
}

fn task(
    at: &str,
    place: &str,
    name: String,
    items: Vec<Item>,
    asked: &Asked,
    known: &Known,
    problems: &mut Problems,
) -> Option<Task> {
    let before = problems.count();
    let (field, chosen) = asked.spots;
    if items.is_empty() || items.iter().any(|item| item.answers.is_none()) {
        return None; // said elsewhere
    }
    let own = Known { items: &items, sites: known.sites.clone(), ..*known };
    spots::check(&format!("{at}.{field}"), chosen, &own, problems);
    both_sides(place, &items, problems);
    if let Some(item) = items.iter().find(|item| item.clean.len() < 2) {
        let what = "a prompt is one token, but fluency is read from how the tokens of prompts follow each other";
        problems.add(place, format!("{what} (token {})", item.clean[0]));
    }
    let groups = groups(at, place, &items, asked, problems)?;
    let halves: Vec<usize> = halves(&groups, asked.seed).into_iter().map(|chooses| usize::from(!chooses)).collect();
    for half in 0..2 {
        let count = halves.iter().filter(|other| **other == half).count();
        if count < 2 {
            let what = format!(
                "one half of its {} pairs would hold {count}, but each half needs two at the least: give it more pairs or templates, or another `apart`",
                items.len()
            );
            problems.add(place, what);
        }
    }
    let questions = items.iter().flat_map(|item| questions(item, chosen)).collect();
    let observations = observations(items.iter().map(|item| &item.labels));
    (problems.count() == before).then_some(Task { name, items, questions, halves, observations })
}

/// A prompt that has the feature and has it not tells nothing of it.
pub(super) fn both_sides(place: &str, items: &[Item], problems: &mut Problems) {
    let clean: BTreeSet<&Vec<u32>> = items.iter().map(|item| &item.clean).collect();
    if items.iter().any(|item| clean.contains(&item.corrupt)) {
        let what = "a prompt is clean in one pair and corrupted in another, so that what clean prompts have cannot be told; leave out `both_ways`";
        problems.add(place, what);
    }
}

/// What items stand in one half together, by number.
fn groups(at: &str, place: &str, items: &[Item], asked: &Asked, problems: &mut Problems) -> Option<Vec<usize>> {
    let label =
        |label: &str| -> Option<Vec<String>> { items.iter().map(|item| item.labels.get(label).cloned()).collect() };
    let several = |values: &Vec<String>| values.iter().any(|value| *value != values[0]);
    let template = Apart::Label("template".into());
    let apart = match asked.apart {
        None if label("template").is_some_and(|values| several(&values)) => &template,
        None => &Apart::Items,
        Some(Apart::Label(name)) if !label(name).is_some_and(|values| several(&values)) => {
            let why =
                if label(name).is_none() { "is not a label of every pair" } else { "has the same value in all pairs" };
            problems.add(&format!("{at}.apart"), format!("{name:?} {why} of {place}"));
            return None;
        }
        Some(apart) => apart,
    };
    let mut numbers = vec![0; items.len()];
    for (number, together) in held_out::groups(items, |item| held_out::keys(item, apart)).iter().enumerate() {
        together.iter().for_each(|item| numbers[*item] = number);
    }
    Some(numbers)
}

fn questions(item: &Item, chosen: &[Spot]) -> Vec<Question> {
    let Some(answers) = &item.answers else { return Vec::new() };
    let all = || (0..item.clean.len()).collect();
    let spots: Vec<usize> = if chosen.is_empty() { all() } else { spots::all(chosen, item) };
    let turned = Answers { right: answers.wrong.clone(), wrong: answers.right.clone(), at: answers.at };
    vec![
        Question { tokens: item.clean.clone(), answers: answers.clone(), spots: spots.clone() },
        Question { tokens: item.corrupt.clone(), answers: turned, spots },
    ]
}
