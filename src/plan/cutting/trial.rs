//! Items in parts, each of which is tried on cuts that the others have chosen.

use crate::plan::problem::Problem;
use crate::plan::{Item, Known, Problems, held_out, items};
use crate::spec::{Apart, Control, Cut, Experiment};
use rand::SeedableRng;
use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;

/// The items of a task.
#[derive(Clone, Debug, PartialEq)]
pub struct Trial {
    /// In pairs with answers.
    pub items: Vec<Item>,
    /// The part that each is in.
    pub fold: Vec<usize>,
    /// What never stands in two parts, by number: the clusters of its intervals.
    pub group: Vec<usize>,
}

impl Trial {
    /// Items dealt to parts in whole groups, or what is wrong with them.
    pub(super) fn new(
        (at, place): (&str, &str),
        items: Vec<Item>,
        asked: &Cut,
        seed: u64,
        problems: &mut Problems,
    ) -> Option<Self> {
        let before = problems.count();
        if items.is_empty() || items.iter().any(|item| item.answers.is_none()) {
            problems.add(place, "needs prompts in pairs with answers; write data as Pairs, Templates, Csv or Jsonl");
            return None;
        }
        if items.iter().all(|item| item.clean == item.corrupt) {
            problems.add(place, "no pair's prompts differ, so that there is nothing to cut or to keep");
        }
        if let Apart::Label(label) = &asked.apart
            && items.iter().any(|item| !item.labels.contains_key(label))
        {
            problems.add(&format!("{at}.apart"), format!("not every item of {place} has a label {label:?}"));
        }
        let group = held_out::group_of(&items, &asked.apart);
        let groups = group.iter().max().map_or(0, |last| last + 1);
        if asked.folds >= 2 && groups < asked.folds {
            let what = format!(
                "its {} items hang together by {} in {groups} groups, so they cannot be divided into {} parts; add items, or choose fewer `folds` or another `apart`",
                items.len(),
                words(&asked.apart),
                asked.folds
            );
            problems.add(place, what);
        }
        (problems.count() == before).then(|| Trial { fold: dealt(&group, asked.folds, seed), items, group })
    }

    /// The numbers of the items that are tried on the cuts of a part.
    pub fn tried(&self, fold: usize) -> Vec<usize> {
        (0..self.items.len()).filter(|item| self.fold[*item] == fold).collect()
    }

    /// The numbers of the items that choose the cuts of a part.
    pub fn choosing(&self, fold: usize) -> Vec<usize> {
        (0..self.items.len()).filter(|item| self.fold[*item] != fold).collect()
    }
}

/// The part of each item: groups in random order, each to the part that has the fewest items.
fn dealt(group: &[usize], folds: usize, seed: u64) -> Vec<usize> {
    let groups = group.iter().max().map_or(0, |last| last + 1);
    let mut order: Vec<usize> = (0..groups).collect();
    order.shuffle(&mut ChaCha8Rng::seed_from_u64(seed));
    let (mut sizes, mut part) = (vec![0; folds], vec![0; groups]);
    for one in order {
        let fold = (0..folds).min_by_key(|fold| sizes[*fold]).unwrap_or(0);
        part[one] = fold;
        sizes[fold] += group.iter().filter(|other| **other == one).count();
    }
    group.iter().map(|group| part[*group]).collect()
}

/// The items of what must not be lost.
pub(super) fn kept(
    at: &str,
    asked: &Cut,
    experiment: &Experiment,
    known: &Known,
    problems: &mut Problems,
) -> Option<Vec<Item>> {
    let own = Experiment { data: asked.keep.data.clone(), control: Control::None, ..experiment.clone() };
    let mut found = Problems::default();
    let items = items::resolve(&own, known.loaded, &mut found).items;
    let wrong = found.into_result().err().map_or(Vec::new(), |error| error.0);
    wrong.iter().for_each(|Problem { at: place, what }| problems.add(&format!("{at}.{place}"), what));
    wrong.is_empty().then_some(items)
}

/// What is kept apart, in words.
pub(super) fn words(apart: &Apart) -> String {
    match apart {
        Apart::Items => "pairs".into(),
        Apart::Words => "words by which the prompts of a pair differ".into(),
        Apart::Label(label) => format!("values of the label {label:?}"),
    }
}

#[cfg(test)]
mod tests {
    use super::{Trial, dealt};

    #[test]
    fn groups_stay_whole_and_parts_are_of_nearly_one_size() {
        let group = vec![0, 0, 0, 1, 1, 1, 2, 2, 2, 3, 3, 3, 4];
        for seed in 0..5 {
            let fold = dealt(&group, 2, seed);
            let first = fold.iter().filter(|fold| **fold == 0).count();
            assert!((5..=8).contains(&first), "{fold:?}");
            let trial = Trial { items: vec![crate::plan::Item::alone(vec![1]); 13], fold, group: group.clone() };
            let [tried, choosing] = [trial.tried(0), trial.choosing(0)];
            assert_eq!((tried.len(), choosing.len()), (first, 13 - first));
            let of = |items: &[usize]| items.iter().map(|item| group[*item]).collect::<std::collections::BTreeSet<_>>();
            assert!(of(&tried).is_disjoint(&of(&choosing)), "{tried:?} {choosing:?}");
        }
    }
}
