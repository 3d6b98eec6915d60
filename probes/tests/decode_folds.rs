//! Folds: each item is held out once, and nothing leaks.

use patchclamp_probes::decode::{DecodeError, Design, Split};

fn classes(count: usize) -> Vec<usize> {
    (0..count).map(|item| (item * 7 / 3) % 3).collect()
}

fn held_out_once(splits: &[Split], items: &[usize]) {
    let mut all: Vec<usize> = splits.iter().flat_map(|split| split.test.clone()).collect();
    all.sort_unstable();
    assert_eq!(all, items);
    assert!(splits.iter().all(|split| split.train.iter().all(|item| !split.test.contains(item))));
}

#[test]
fn folds_of_items_have_each_class_in_its_share() {
    let (classes, items): (_, Vec<usize>) = (classes(103), (0..100).collect());
    let splits = Design::Items.splits(&classes, &items, 4, 5).unwrap();
    held_out_once(&splits, &items);
    for class in 0..3 {
        let of = |items: &[usize]| items.iter().filter(|item| classes[**item] == class).count();
        let counts: Vec<usize> = splits.iter().map(|split| of(&split.test)).collect();
        assert!(counts.iter().max().unwrap() - counts.iter().min().unwrap() <= 1, "{counts:?}");
        assert!(splits.iter().all(|split| of(&split.train) + of(&split.test) == of(&items)));
    }
    assert!(splits.iter().all(|split| (23..=27).contains(&split.test.len())));
}

#[test]
fn a_group_is_never_on_both_sides() {
    let classes = classes(200);
    let groups: Vec<usize> = (0..200).map(|item| item * item % 23).collect();
    let items: Vec<usize> = (0..200).filter(|item| item % 5 != 0).collect();
    let splits = Design::Groups(&groups).splits(&classes, &items, 3, 1).unwrap();
    held_out_once(&splits, &items);
    for split in &splits {
        let trained: Vec<usize> = split.train.iter().map(|item| groups[*item]).collect();
        assert!(split.test.iter().all(|item| !trained.contains(&groups[*item])));
        assert_eq!(split.train.len() + split.test.len(), items.len());
    }
}

#[test]
fn crossed_folds_share_neither_template_nor_word() {
    let (templates, words): (Vec<usize>, Vec<usize>) = (0..120).map(|item| (item / 12, item % 12)).unzip();
    let classes: Vec<usize> = words.iter().map(|word| word % 2).collect();
    let items: Vec<usize> = (0..120).collect();
    let splits = Design::Crossed(&templates, &words).splits(&classes, &items, 3, 2).unwrap();
    assert_eq!(splits.len(), 9);
    held_out_once(&splits, &items);
    for split in &splits {
        assert!(!split.train.is_empty());
        let apart = |a: &usize, b: &usize| templates[*a] != templates[*b] && words[*a] != words[*b];
        assert!(split.test.iter().all(|test| split.train.iter().all(|train| apart(test, train))));
    }
}

#[test]
fn the_seed_decides_and_nothing_else() {
    let (classes, items): (_, Vec<usize>) = (classes(60), (0..60).collect());
    let of = |seed| Design::Items.splits(&classes, &items, 3, seed).unwrap();
    assert_eq!(of(4), of(4));
    assert_ne!(of(4), of(5));
}

#[test]
fn folds_that_cannot_be_made_are_refused() {
    let of = |design: Design, folds| design.splits(&[0, 1, 0, 1], &[0, 1, 2, 3], folds, 0);
    assert_eq!(of(Design::Items, 1), Err(DecodeError::Folds { folds: 1, groups: 4, of: "items" }));
    assert_eq!(of(Design::Items, 5), Err(DecodeError::Folds { folds: 5, groups: 4, of: "items" }));
    assert_eq!(of(Design::Groups(&[1, 1, 2, 2]), 3), Err(DecodeError::Folds { folds: 3, groups: 2, of: "groups" }));
    // each word has its own template: whatever holds out one holds out the other, but two folds cross emptily
    assert!(matches!(of(Design::Crossed(&[0, 0, 1, 1], &[0, 1, 1, 0]), 2), Ok(splits) if splits.len() == 4));
    assert!(matches!(of(Design::Crossed(&[0, 0, 1, 1], &[0, 1, 0, 0]), 2), Err(DecodeError::Entangled { .. })));
}
