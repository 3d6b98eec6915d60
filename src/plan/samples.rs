//! Samples: the prompts that a probe learns from and is asked of, each with its class and what it goes together with.

mod splits;

use super::items::Item;
use super::spots::positions;
use super::{Known, Problems};
use crate::spec::{Apart, Concept, Spot};
use indexmap::IndexMap;
use patchclamp_probes::decode::{Design, Labels, Split};
use splits::{Fault, check_inner, controls, folds, seen, too_few};

/// Prompts with their classes.
#[derive(Clone, Debug, PartialEq)]
pub struct Samples {
    /// The prompts, each once and without a twin.
    pub items: Vec<Item>,
    /// The position at which each one's state is taken, where positions are not swept.
    pub at: Vec<usize>,
    /// What the classes are called.
    pub classes: Vec<String>,
    /// The class of each sample.
    pub labels: Labels,
    /// The word types: the tokens in which a prompt differs from its twin, in words.
    pub words: Vec<String>,
    /// The word type of each sample.
    pub word: Vec<usize>,
    /// What may not stand on both sides of a split, by sample.
    pub groups: Vec<usize>,
    /// Splits that keep groups together.
    pub splits: Vec<Split>,
    /// Splits by sample alone, in which a word type may stand on both sides, as a control task needs.
    pub mixed: Vec<Split>,
    /// Labels that each word type has for itself.
    pub controls: Vec<Labels>,
    /// Of each item of the experiment, the samples that its clean and its corrupted prompt are.
    pub of_items: Vec<[Option<usize>; 2]>,
}

/// What is asked for.
pub(super) struct Asked<'a> {
    pub of: &'a Concept,
    pub at: Spot,
    pub apart: &'a Apart,
    pub folds: usize,
    /// Whether a state is taken at every position.
    pub everywhere: bool,
    /// Folds of an inner cross-validation, where there is one.
    pub inner: Option<usize>,
    pub seed: u64,
}

/// A prompt that is to be a sample.
struct Found<'a> {
    item: &'a Item,
    tokens: &'a [u32],
    class: String,
    /// Which item of the experiment it is of, and on which side.
    of: Option<(usize, usize)>,
}

/// The samples, or what is wrong with them.
pub(super) fn resolve(at: &str, asked: &Asked, known: &Known, problems: &mut Problems) -> Option<Samples> {
    let before = problems.count();
    let found = found(at, asked.of, known, problems)?;
    let mut samples = Gathered::default();
    for found in &found {
        samples.add(at, found, asked, known, problems);
        if problems.count() > before {
            break; // the next prompt has the same mistake
        }
    }
    if problems.count() > before || !known.complete {
        return None;
    }
    samples.finish(known.items.len(), asked).map_err(|(field, why)| problems.add(&format!("{at}.{field}"), why)).ok()
}

/// All prompts of a target, as often as they stand in the data.
fn found<'a>(at: &str, of: &Concept, known: &Known<'a>, problems: &mut Problems) -> Option<Vec<Found<'a>>> {
    let both = |index: Option<usize>, item: &'a Item, classes: [String; 2]| {
        let [clean, corrupt] = classes;
        let side = |side| index.map(|index| (index, side));
        [
            Found { item, tokens: &item.clean, class: clean, of: side(0) },
            Found { item, tokens: &item.corrupt, class: corrupt, of: side(1) },
        ]
    };
    let items = known.items.iter().enumerate();
    match of {
        Concept::Answer => {
            let pair = |(index, item): (usize, &'a Item)| {
                let answers = item.answers.as_ref()?;
                Some(both(Some(index), item, [&answers.right, &answers.wrong].map(|tokens| known.any_of(tokens))))
            };
            Some(items.filter_map(pair).flatten().collect())
        }
        Concept::Label(name) => {
            let one = |(index, item): (usize, &'a Item)| {
                let class = item.labels.get(name)?.clone();
                Some(Found { item, tokens: &item.clean, class, of: Some((index, 0)) })
            };
            let found: Option<Vec<Found>> = items.map(one).collect();
            if found.is_none() {
                problems.add(&format!("{at}.of"), no_label(name, known));
            }
            found
        }
        Concept::Feature(name) => match known.features.iter().find(|feature| feature.name == *name) {
            Some(feature) => {
                let pair = |item: &'a Item| both(None, item, [name.clone(), format!("no {name}")]);
                Some(feature.items.iter().flat_map(pair).collect())
            }
            None => {
                let names: Vec<&str> = known.features.iter().map(|feature| feature.name.as_str()).collect();
                let there = if names.is_empty() { "there are none".into() } else { format!("there are {names:?}") };
                problems.add(&format!("{at}.of"), format!("`features` has no {name:?}; {there}"));
                None
            }
        },
    }
}

fn no_label(name: &str, known: &Known) -> String {
    let labels: Vec<&String> = known.items.first().map_or(Vec::new(), |item| item.labels.keys().collect());
    match labels.is_empty() {
        true => format!("not every item has a label {name:?}; the items have no labels"),
        false => format!("not every item has a label {name:?}; the first has {labels:?}"),
    }
}

/// Samples as they come.
#[derive(Default)]
struct Gathered {
    items: Vec<Item>,
    at: Vec<usize>,
    classes: Vec<usize>,
    names: IndexMap<String, ()>,
    words: IndexMap<Vec<u32>, String>,
    word: Vec<usize>,
    groups: Vec<usize>,
    group_names: IndexMap<String, ()>,
    known: IndexMap<(Vec<u32>, usize), usize>,
    of: Vec<(usize, usize, usize)>,
}

impl Gathered {
    fn add(&mut self, at: &str, found: &Found, asked: &Asked, known: &Known, problems: &mut Problems) {
        let Found { item, tokens, class, of } = found;
        let position = match positions(asked.at, item).as_slice() {
            _ if asked.everywhere => 0,
            [position] if *position < tokens.len() => *position,
            [position] => {
                let what = format!("position {position} does not exist; a prompt has 0 to {}", tokens.len() - 1);
                return problems.add(&format!("{at}.at"), what);
            }
            several => {
                let what = format!(
                    "{:?} is {} positions of a prompt; a state is taken at one; name it, or sweep over Position",
                    asked.at,
                    several.len()
                );
                return problems.add(&format!("{at}.at"), what);
            }
        };
        let class = self.names.insert_full(class.clone(), ()).0;
        let key = (tokens.to_vec(), position);
        let sample = match self.known.get(&key) {
            Some(sample) if self.classes[*sample] == class => *sample,
            Some(sample) => {
                let names: Vec<&String> = self.names.keys().collect();
                let (one, other) = (names[self.classes[*sample]], names[class]);
                let what = format!("{:?} is {one:?} in one item and {other:?} in another", known.written(tokens));
                return problems.add(&format!("{at}.of"), what);
            }
            None => {
                let Some(group) = self.group(at, found, asked, problems) else { return };
                let word = self.word(found, known);
                self.items.push(Item { labels: item.labels.clone(), ..Item::alone(tokens.to_vec()) });
                self.at.push(position);
                self.classes.push(class);
                self.word.push(word);
                self.groups.push(group.unwrap_or(word));
                self.known.insert(key, self.items.len() - 1);
                self.items.len() - 1
            }
        };
        self.of.extend(of.map(|(item, side)| (item, side, sample)));
    }

    /// What may not stand on both sides, where it is not the word.
    fn group(&mut self, at: &str, found: &Found, asked: &Asked, problems: &mut Problems) -> Option<Option<usize>> {
        match asked.apart {
            Apart::Words => Some(None),
            Apart::Items => Some(Some(self.items.len())),
            Apart::Label(name) => match found.item.labels.get(name) {
                Some(value) => Some(Some(self.group_names.insert_full(value.clone(), ()).0)),
                None => {
                    problems.add(&format!("{at}.apart"), format!("not every prompt has a label {name:?}"));
                    None
                }
            },
        }
    }

    /// The tokens in which a prompt differs from its twin; without a twin all of it.
    fn word(&mut self, found: &Found, known: &Known) -> usize {
        let Item { clean, corrupt, .. } = found.item;
        let differing = (0..found.tokens.len()).filter(|place| clean[*place] != corrupt[*place]);
        let mut word: Vec<u32> = differing.map(|place| found.tokens[place]).collect();
        if word.is_empty() {
            word = found.tokens.to_vec();
        }
        let name = known.written(&word);
        self.words.insert_full(word, name).0
    }

    /// The samples, or the field that is at fault and why.
    fn finish(self, items: usize, asked: &Asked) -> Result<Samples, Fault> {
        let classes: Vec<String> = self.names.into_keys().collect();
        let labels = match Labels::new(self.classes, classes.len()) {
            Ok(labels) => labels,
            Err(_) => return Err(("of", too_few(&classes, self.items.len()))),
        };
        let every: Vec<usize> = (0..labels.count()).collect();
        let design = Design::Groups(&self.groups);
        let splits = design.splits(labels.of(), &every, asked.folds, asked.seed).map_err(folds)?;
        seen(&labels, &classes, &splits)?;
        if let Some(inner) = asked.inner {
            check_inner(&labels, &splits, design, inner, asked.seed)?;
        }
        let mixed = Design::Items.splits(labels.of(), &every, asked.folds, asked.seed).map_err(folds)?;
        seen(&labels, &classes, &mixed)?;
        let controls = controls(&labels, &self.word, &mixed, asked.seed);
        let mut of_items = vec![[None; 2]; items];
        self.of.into_iter().for_each(|(item, side, sample)| of_items[item][side] = Some(sample));
        let words = self.words.into_values().collect();
        Ok(Samples {
            items: self.items,
            at: self.at,
            classes,
            labels,
            words,
            word: self.word,
            groups: self.groups,
            splits,
            mixed,
            controls,
            of_items,
        })
    }
}
