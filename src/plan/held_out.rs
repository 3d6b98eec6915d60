//! Items divided into those that something is learned from and those that it is tested on, so that nothing leaks.

use super::{Item, Known, Problems};
use crate::data::{PAIR, observations};
use crate::spec::{Apart, HeldOut};
use rand::SeedableRng;
use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;
use std::collections::BTreeMap;

/// Two parts of the items, in order.
#[derive(Clone, Debug, PartialEq)]
pub struct Parts {
    /// What is learned from.
    pub fit: Vec<usize>,
    /// What is tested on.
    pub test: Vec<usize>,
    /// What never stands in both, in words.
    pub apart: String,
}

/// Both parts, drawn by the seed, or what is wrong with them.
pub(super) fn resolve(at: &str, asked: &HeldOut, seed: u64, known: &Known, problems: &mut Problems) -> Option<Parts> {
    let before = problems.count();
    if !(asked.share > 0.0 && asked.share < 1.0) {
        problems.add(&format!("{at}.share"), format!("{} is not between 0 and 1", asked.share));
    }
    if let Apart::Label(label) = &asked.apart
        && known.items.iter().any(|item| !item.labels.contains_key(label))
    {
        problems.add(&format!("{at}.apart"), format!("not every item has a label {label:?}{}", labels(known.items)));
    }
    let groups = apart(known.items, &asked.apart);
    if known.complete && problems.count() == before && groups.len() < 2 {
        let (count, words) = (known.items.len(), words(&asked.apart));
        let what = format!(
            "the {count} items hang together by {words}, so none can be held out; add items, or choose another `apart`"
        );
        problems.add(at, what);
    }
    (problems.count() == before && groups.len() > 1).then(|| parts(groups, asked, seed, known.items.len()))
}

/// What is kept apart, in words.
fn words(apart: &Apart) -> String {
    match apart {
        Apart::Items => "pairs".into(),
        Apart::Words => "tokens by which the prompts of a pair differ".into(),
        Apart::Label(label) => format!("values of the label {label:?}"),
    }
}

/// The labels there are, as advice.
fn labels(items: &[Item]) -> String {
    let Some(first) = items.first() else { return String::new() };
    let names: Vec<&str> = first.labels.keys().map(String::as_str).filter(|name| *name != PAIR).collect();
    if names.is_empty() { String::new() } else { format!("; there are {}", names.join(", ")) }
}

/// Groups of items that are never on both sides.
fn apart(items: &[Item], apart: &Apart) -> Vec<Vec<usize>> {
    groups(items, |item| keys(item, apart).into_iter().chain([exchange(item)]).collect())
}

/// The same, where prompts of different groups are different too: of what is learned from single prompts.
pub(super) fn sharing_no_prompt(items: &[Item], apart: &Apart) -> Vec<Vec<usize>> {
    let prompts = |item: &Item| [&item.clean, &item.corrupt].map(|prompt| format!("prompt {prompt:?}"));
    groups(items, |item| keys(item, apart).into_iter().chain(prompts(item)).collect())
}

/// The number of the group that each item is in.
pub(super) fn group_of(items: &[Item], kept: &Apart) -> Vec<usize> {
    let mut found = vec![0; items.len()];
    for (number, group) in apart(items, kept).into_iter().enumerate() {
        group.into_iter().for_each(|item| found[item] = number);
    }
    found
}

/// Groups of items that stay together: those of a pair, and all that share a key, also by way of others.
pub(super) fn groups(items: &[Item], keys: impl Fn(&Item) -> Vec<String>) -> Vec<Vec<usize>> {
    let pairs = observations(items.iter().map(|item| &item.labels));
    // the group of each pair, by the least pair in it
    let mut group: Vec<usize> = (0..pairs.len()).collect();
    let mut seen: BTreeMap<String, usize> = BTreeMap::new();
    for (pair, members) in pairs.iter().enumerate() {
        for key in members.iter().flat_map(|item| keys(&items[*item])) {
            let other = *seen.entry(key).or_insert(pair);
            let (low, high) = (group[pair].min(group[other]), group[pair].max(group[other]));
            group.iter_mut().filter(|of| **of == high).for_each(|of| *of = low);
        }
    }
    let mut together: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
    group.iter().zip(pairs).for_each(|(group, pair)| together.entry(*group).or_default().extend(pair));
    together.into_values().collect()
}

/// The two prompts of an item in either order: what was learnt from them is not tested on them, whatever is kept apart.
fn exchange(item: &Item) -> String {
    format!("prompts {:?} {:?}", (&item.clean).min(&item.corrupt), (&item.clean).max(&item.corrupt))
}

/// What else an item may not share with one of the other part.
pub(super) fn keys(item: &Item, apart: &Apart) -> Vec<String> {
    match apart {
        Apart::Items => Vec::new(),
        Apart::Label(label) => item.labels.get(label).cloned().into_iter().collect(),
        Apart::Words => {
            let both = item.clean.iter().zip(&item.corrupt).filter(|(clean, corrupt)| clean != corrupt);
            both.flat_map(|(clean, corrupt)| [clean.to_string(), corrupt.to_string()]).collect()
        }
    }
}

/// Whole groups are held out, in random order, until they are the share that is wanted; at least one group is left.
fn parts(mut groups: Vec<Vec<usize>>, asked: &HeldOut, seed: u64, count: usize) -> Parts {
    groups.shuffle(&mut ChaCha8Rng::seed_from_u64(seed));
    let (mut fit, mut test) = (Vec::new(), Vec::new());
    let last = groups.len() - 1;
    for (number, group) in groups.into_iter().enumerate() {
        let wanted = (test.len() as f64) < asked.share * count as f64 && number < last;
        if wanted { test.extend(group) } else { fit.extend(group) }
    }
    fit.sort_unstable();
    test.sort_unstable();
    Parts { fit, test, apart: words(&asked.apart) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use indexmap::IndexMap;

    fn item(clean: [u32; 3], corrupt: [u32; 3], template: &str, pair: usize) -> Item {
        let labels = [("template", template.to_string()), (PAIR, pair.to_string())];
        Item {
            clean: clean.to_vec(),
            corrupt: corrupt.to_vec(),
            answers: None,
            more: [Vec::new(), Vec::new()],
            subject: None,
            expected: Vec::new(),
            labels: labels.map(|(name, value)| (name.to_string(), value)).into_iter().collect::<IndexMap<_, _>>(),
        }
    }

    /// Two templates, three contrasts, both ways round.
    fn items() -> Vec<Item> {
        let contrasts = [[10, 20], [11, 21], [12, 22]];
        let of = |template: u32, contrast: usize| {
            let [a, b] = contrasts[contrast];
            let (pair, name) = (template as usize * 3 + contrast, template.to_string());
            let [clean, corrupt] = [[template, a, 5], [template, b, 5]];
            [item(clean, corrupt, &name, pair), item(corrupt, clean, &name, pair)]
        };
        (0..2).flat_map(|template| (0..3).flat_map(move |contrast| of(template, contrast))).collect()
    }

    #[test]
    fn what_is_kept_apart_stands_on_one_side() {
        let items = items();
        let cases = [(Apart::Items, 6), (Apart::Words, 3), (Apart::Label("template".into()), 2)];
        for (apart, count) in cases {
            let groups = groups(&items, |item| keys(item, &apart));
            assert_eq!(groups.len(), count, "{apart:?}");
            for seed in 0..5 {
                let asked = HeldOut { share: 0.4, apart: apart.clone() };
                let Parts { fit, test, .. } = parts(groups.clone(), &asked, seed, items.len());
                assert_eq!(fit.len() + test.len(), items.len());
                assert!(test.len() as f64 >= 0.4 * items.len() as f64 && !fit.is_empty());
                let of = |part: &[usize]| -> Vec<String> {
                    let own =
                        |item: &usize| [keys(&items[*item], &apart), vec![items[*item].labels[PAIR].clone() + " p"]];
                    part.iter().flat_map(own).flatten().collect()
                };
                assert!(of(&fit).iter().all(|key| !of(&test).contains(key)), "{apart:?} {seed}");
            }
        }
    }

    #[test]
    fn items_that_share_a_word_by_way_of_others_stay_together() {
        let chain = [
            item([1, 10, 5], [1, 20, 5], "a", 0),
            item([1, 20, 5], [1, 30, 5], "a", 1),
            item([1, 30, 5], [1, 40, 5], "a", 2),
        ];
        let count = |items: &[Item], apart: Apart| groups(items, |item| keys(item, &apart)).len();
        assert_eq!((count(&chain, Apart::Words), count(&chain, Apart::Items)), (1, 3));
        // the same two prompts the other way round, which nobody has labelled
        let reversed = [item([1, 10, 5], [1, 20, 5], "a", 0), item([1, 20, 5], [1, 10, 5], "a", 1)];
        assert_eq!(groups(&reversed, |item| vec![exchange(item)]).len(), 1);
    }
}
