//! Items in parts, each of which is tried on cuts that the others have chosen.

use crate::data::PAIR;
use crate::plan::problem::Problem;
use crate::plan::{Item, Known, Problems, held_out, items};
use crate::spec::{Apart, Control, Cut, Experiment};
use rand::SeedableRng;
use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;
use std::collections::BTreeSet;

/// The items of a task.
#[derive(Clone, Debug, PartialEq)]
pub struct Trial {
    /// In pairs with answers.
    pub items: Vec<Item>,
    /// The part that each is in.
    pub fold: Vec<usize>,
    /// What never stands in two parts, by number: the clusters of its intervals. One number is one group in both tasks.
    pub group: Vec<usize>,
}

impl Trial {
    /// The numbers of the items that are tried on the cuts of a part.
    pub fn tried(&self, fold: usize) -> Vec<usize> {
        (0..self.items.len()).filter(|item| self.fold[*item] == fold).collect()
    }

    /// The numbers of the items that choose the cuts of a part.
    pub fn choosing(&self, fold: usize) -> Vec<usize> {
        (0..self.items.len()).filter(|item| self.fold[*item] != fold).collect()
    }
}

/// The items of tasks, each with where it stands, dealt to parts in whole groups, or what is wrong with them: what hangs together
/// stands in one part, of whichever task it is.
pub(super) fn dealt(
    at: &str,
    tasks: Vec<(String, Vec<Item>)>,
    asked: &Cut,
    seed: u64,
    problems: &mut Problems,
) -> Option<Vec<Trial>> {
    let before = problems.count();
    tasks.iter().for_each(|(place, items)| check_items((at, place), items, asked, problems));
    if problems.count() > before {
        return None;
    }
    let groups = groups(&tasks.iter().map(|(_, items)| items.as_slice()).collect::<Vec<_>>(), &asked.apart);
    for ((place, items), group) in tasks.iter().zip(&groups) {
        let count = group.iter().collect::<BTreeSet<_>>().len();
        if asked.folds >= 2 && count < asked.folds {
            let what = format!(
                "its {} items hang together by {} in {count} groups, so they cannot be divided into {} parts; add items, or choose fewer `folds` or another `apart`",
                items.len(),
                words(&asked.apart),
                asked.folds
            );
            problems.add(place, what);
        }
    }
    let fold = parts(&groups, asked.folds.max(1), seed);
    for ((place, _), fold) in tasks.iter().zip(&fold) {
        if problems.count() == before && (0..asked.folds).any(|part| !fold.contains(&part)) {
            let what = "its items hang together with those of the other task so that one part has none of them; add items, or choose fewer `folds` or another `apart`";
            problems.add(place, what);
        }
    }
    let trials = tasks.into_iter().zip(groups).zip(fold);
    let trials = trials.map(|(((_, items), group), fold)| Trial { items, fold, group }).collect();
    (problems.count() == before).then_some(trials)
}

fn check_items((at, place): (&str, &str), items: &[Item], asked: &Cut, problems: &mut Problems) {
    if items.is_empty() || items.iter().any(|item| item.answers.is_none()) {
        problems.add(place, "needs prompts in pairs with answers; write data as Pairs, Templates, Csv or Jsonl");
        return;
    }
    if items.iter().all(|item| item.clean == item.corrupt) {
        problems.add(place, "no pair's prompts differ, so that there is nothing to cut or to keep");
    }
    if let Apart::Label(label) = &asked.apart
        && items.iter().any(|item| !item.labels.contains_key(label))
    {
        problems.add(&format!("{at}.apart"), format!("not every item of {place} has a label {label:?}"));
    }
}

/// The group of each item of each task: items of any task that share a prompt, or what is kept apart, are in one.
fn groups(tasks: &[&[Item]], apart: &Apart) -> Vec<Vec<usize>> {
    let mut all: Vec<Item> = Vec::new();
    for (number, items) in tasks.iter().enumerate() {
        all.extend(items.iter().cloned().map(|mut item| {
            // pairs are numbered in each task by itself
            item.labels.get_mut(PAIR).into_iter().for_each(|pair| *pair = format!("{number} {pair}"));
            item
        }));
    }
    let mut group = vec![0; all.len()];
    for (number, together) in held_out::sharing_no_prompt(&all, apart).iter().enumerate() {
        together.iter().for_each(|item| group[*item] = number);
    }
    let mut rest = group.into_iter();
    tasks.iter().map(|items| rest.by_ref().take(items.len()).collect()).collect()
}

/// The part of each item of each task: groups in random order, those of several tasks first, each to the part that has the
/// least of the tasks it is of.
fn parts(tasks: &[Vec<usize>], folds: usize, seed: u64) -> Vec<Vec<usize>> {
    let groups = tasks.iter().flatten().max().map_or(0, |last| last + 1);
    let mut sizes = vec![vec![0.0; groups]; tasks.len()];
    for (sizes, task) in sizes.iter_mut().zip(tasks) {
        task.iter().for_each(|group| sizes[*group] += 1.0 / task.len() as f64);
    }
    let mut order: Vec<usize> = (0..groups).collect();
    order.shuffle(&mut ChaCha8Rng::seed_from_u64(seed));
    order.sort_by_key(|group| sizes.iter().filter(|sizes| sizes[*group] == 0.0).count());
    let (mut held, mut part) = (vec![vec![0.0; folds]; tasks.len()], vec![0; groups]);
    for group in order {
        let full = |fold: usize| held.iter().zip(&sizes).map(|(held, sizes)| held[fold] * sizes[group]).sum::<f64>();
        let fold = (0..folds).min_by(|a, b| full(*a).total_cmp(&full(*b))).unwrap_or(0);
        part[group] = fold;
        held.iter_mut().zip(&sizes).for_each(|(held, sizes)| held[fold] += sizes[group]);
    }
    tasks.iter().map(|task| task.iter().map(|group| part[*group]).collect()).collect()
}

/// The items of what must not be lost.
pub(super) fn kept(
    at: &str,
    asked: &Cut,
    experiment: &Experiment,
    known: &Known,
    problems: &mut Problems,
) -> Option<items::Resolved> {
    let own = Experiment { data: asked.keep.data.clone(), control: Control::None, ..experiment.clone() };
    let mut found = Problems::default();
    let resolved = items::resolve(&own, known.loaded, &mut found);
    let wrong = found.into_result().err().map_or(Vec::new(), |error| error.0);
    wrong.iter().for_each(|Problem { at: place, what }| problems.add(&format!("{at}.{place}"), what));
    wrong.is_empty().then_some(resolved)
}

/// What is kept apart, in words.
pub(super) fn words(apart: &Apart) -> String {
    match apart {
        Apart::Items => "prompts".into(),
        Apart::Words => "words by which the prompts of a pair differ".into(),
        Apart::Label(label) => format!("values of the label {label:?}"),
    }
}

#[cfg(test)]
mod tests {
    use super::{BTreeSet, Trial, groups, parts};
    use crate::plan::Item;
    use crate::spec::Apart;

    #[test]
    fn groups_stay_whole_and_parts_are_of_nearly_one_size() {
        let group = vec![0, 0, 0, 1, 1, 1, 2, 2, 2, 3, 3, 3, 4];
        for seed in 0..5 {
            let fold = parts(std::slice::from_ref(&group), 2, seed).remove(0);
            let first = fold.iter().filter(|fold| **fold == 0).count();
            assert!((5..=8).contains(&first), "{fold:?}");
            let trial = Trial { items: vec![Item::alone(vec![1]); 13], fold, group: group.clone() };
            let [tried, choosing] = [trial.tried(0), trial.choosing(0)];
            assert_eq!((tried.len(), choosing.len()), (first, 13 - first));
            let of = |items: &[usize]| items.iter().map(|item| group[*item]).collect::<BTreeSet<_>>();
            assert!(of(&tried).is_disjoint(&of(&choosing)), "{tried:?} {choosing:?}");
        }
    }

    #[test]
    fn groups_of_both_tasks_stand_in_one_part_and_each_task_in_all() {
        let tasks = [vec![0, 0, 1, 1, 2, 2, 3], vec![2, 3, 4, 4, 5, 5, 6]];
        for seed in 0..20 {
            let folds = parts(&tasks, 2, seed);
            let of = |task: usize, group: usize| folds[task][tasks[task].iter().position(|own| *own == group).unwrap()];
            assert_eq!([of(0, 2), of(0, 3)], [of(1, 2), of(1, 3)], "{folds:?}");
            for fold in &folds {
                let first = fold.iter().filter(|fold| **fold == 0).count();
                assert!((2..=5).contains(&first), "{folds:?}");
            }
        }
    }

    fn item(clean: [u32; 3], corrupt: [u32; 3], labels: &[(&str, &str)]) -> Item {
        let labels = labels.iter().map(|(name, value)| (name.to_string(), value.to_string())).collect();
        Item { corrupt: corrupt.to_vec(), labels, ..Item::alone(clean.to_vec()) }
    }

    #[test]
    fn what_shares_a_prompt_or_a_label_hangs_together_across_tasks_and_pairs_of_one_number_do_not() {
        let of = |number: &'static str, template: &'static str| [("pair", number), ("template", template)];
        let bias = [item([1, 10, 5], [1, 20, 5], &of("0", "0")), item([1, 10, 5], [1, 21, 5], &of("1", "0"))];
        let kept = [item([1, 30, 5], [1, 40, 5], &of("0", "0")), item([2, 31, 5], [2, 41, 5], &of("1", "1"))];
        let found = |apart: Apart| groups(&[&bias, &kept], &apart);
        assert_eq!(found(Apart::Items), [vec![0, 0], vec![1, 2]]);
        assert_eq!(found(Apart::Label("template".into())), [vec![0, 0], vec![0, 1]]);
    }

    #[test]
    fn no_part_at_all_is_no_panic() {
        assert_eq!(parts(&[vec![0, 1]], 1, 0), [[0, 0]]);
    }
}
