//! What resampling must hold: nothing moves where items agree, and noise is seen for what it is.

use super::super::*;
use super::{SMALL, full, small};
use ndarray::Array2;
use patchclamp_probes::{Interval, Resamples};

/// Rounding of means of a few numbers.
const ROUNDING: f64 = 1e-12;

fn how(chosen: usize) -> Resampling {
    Resampling { rule: Rule::Top(By::Size), chosen, draws: 60, halves: 20, seed: 5 }
}

/// Irregular numbers from −1 to 1.
fn noise(items: usize, edges: usize) -> Array2<f64> {
    Array2::from_shape_fn((items, edges), |(item, edge)| ((item * 7919 + edge * 104_729 + 13) as f64).sin())
}

/// Edges by falling score, the same for every item.
fn planted(items: usize, edges: usize) -> Array2<f64> {
    Array2::from_shape_fn((items, edges), |(_, edge)| 100.0 / ((edge * 17 % edges) as f64 + 1.0))
}

#[test]
fn items_that_agree_give_one_circuit_without_doubt() {
    let circuit = full(SMALL);
    let scores = planted(9, circuit.links().len());
    let found = circuit.resample(&Items { scores: scores.view(), groups: None }, &how(20)).unwrap();
    assert!(found.between_halves.iter().chain(&found.between_draws).chain(&found.with_all).all(|value| *value == 1.0));
    assert!(found.circuit.links().zip(&found.inclusion).all(|(link, share)| f64::from(link.in_circuit) == *share));
    assert!(found.circuit.links().all(|link| link.interval.unwrap().width() < ROUNDING));
    assert_eq!((found.between_draws.len(), found.between_halves.len()), (59, 20));
    insta::assert_snapshot!(found.verdict(), @"The circuit survives other items: Jaccard index 1.00 between halves of the items and 1.00 between resamples; 13 of 13 edges are in 95 % of the resampled circuits or more.");
}

#[test]
fn a_circuit_of_noise_does_not_survive() {
    let circuit = full(SMALL);
    let scores = noise(12, circuit.links().len());
    let found = circuit.resample(&Items { scores: scores.view(), groups: None }, &how(10)).unwrap();
    assert!(found.verdict().starts_with("The circuit does not survive"), "{}", found.verdict());
}

#[test]
fn intervals_are_those_of_the_bootstrap() {
    let circuit = full(SMALL);
    let scores = noise(12, circuit.links().len());
    let found = circuit.resample(&Items { scores: scores.view(), groups: None }, &how(10)).unwrap();
    let resamples = Resamples::new(12, 60, 5);
    for (link, column) in found.circuit.links().zip(scores.columns()) {
        let Interval { low, high } = resamples.interval(&column.to_vec(), 0.95).unwrap();
        let found = link.interval.unwrap();
        assert!((found.low - low).abs() < ROUNDING && (found.high - high).abs() < ROUNDING);
        assert!((link.score - column.mean().unwrap()).abs() < ROUNDING);
    }
}

#[test]
fn items_of_a_group_are_drawn_together() {
    let circuit = full(SMALL);
    let single = noise(6, circuit.links().len());
    let twice = ndarray::concatenate![ndarray::Axis(0), single, single];
    let groups: Vec<usize> = (0..6).chain(0..6).collect();
    let once = circuit.resample(&Items { scores: single.view(), groups: None }, &how(12)).unwrap();
    let grouped = circuit.resample(&Items { scores: twice.view(), groups: Some(&groups) }, &how(12)).unwrap();
    let apart = circuit.resample(&Items { scores: twice.view(), groups: None }, &how(12)).unwrap();
    assert_eq!(once.inclusion, grouped.inclusion);
    assert_eq!(once.between_halves, grouped.between_halves);
    assert_ne!(once.inclusion, apart.inclusion);
}

#[test]
fn halves_share_no_group() {
    // two groups with opposite scores: each half is one of them, and their circuits have nothing in common
    let circuit = small(&[("input->logits", 0.0), ("input->m0", 0.0), ("m0->logits", 0.0)]);
    let scores = ndarray::arr2(&[[9.0, 0.0, 0.0], [0.0, 9.0, 9.0]]);
    let first = Resampling { chosen: 1, ..how(1) };
    let found = circuit.resample(&Items { scores: scores.view(), groups: None }, &first).unwrap();
    assert!(found.between_halves.iter().all(|value| *value == 0.0), "{:?}", found.between_halves);
}

#[test]
fn one_seed_gives_one_answer() {
    let circuit = full(SMALL);
    let scores = noise(8, circuit.links().len());
    let with = |seed| {
        let how = Resampling { seed, ..how(12) };
        let found = circuit.resample(&Items { scores: scores.view(), groups: None }, &how).unwrap();
        (found.inclusion, found.between_halves)
    };
    assert_eq!(with(1), with(1));
    assert_ne!(with(1), with(2));
}

#[test]
fn items_of_something_else_are_refused() {
    let circuit = small(&[("input->logits", 1.0), ("input->m0", 1.0)]);
    let refused = |scores: &Array2<f64>, groups: Option<&[usize]>| {
        circuit.resample(&Items { scores: scores.view(), groups }, &how(1)).unwrap_err().to_string()
    };
    insta::assert_snapshot!(refused(&noise(4, 3), None), @"scores of 3 edges for each item; the circuit has 2");
    insta::assert_snapshot!(refused(&noise(4, 2), Some(&[0, 1])), @"groups of 2 items; there are scores of 4");
    insta::assert_snapshot!(refused(&noise(2, 2), Some(&[3, 3])), @"groups of items: 1; at least two are needed to draw from");
    insta::assert_snapshot!(refused(&ndarray::arr2(&[[1.0, 2.0], [1.0, f64::NAN]]), None), @"item 1 has no finite score for input->logits");
}

#[test]
fn a_circuit_agrees_with_itself_as_its_draws_do() {
    let circuit = full(SMALL);
    let scores = noise(12, circuit.links().len());
    let items = Items { scores: scores.view(), groups: None };
    let own = circuit.resample(&items, &how(10)).unwrap();
    let same = circuit.agreement([&items, &items], Drawn::Together, &how(10), 0.95).unwrap();
    assert!(same.between.iter().all(|index| *index == 1.0));
    assert!(same.differences.iter().all(|ends| ends.is_some_and(|ends| ends.low == 0.0 && ends.high == 0.0)));
    assert_eq!(same.within, [own.between_draws.clone(), own.between_draws.clone()]);
    assert!(same.within[0].iter().any(|index| *index < 1.0));
    // drawn apart they are as two draws of one circuit are
    let apart = circuit.agreement([&items, &items], Drawn::Apart, &how(10), 0.95).unwrap();
    assert!(apart.between.iter().any(|index| *index < 1.0) && apart.within[0] != apart.within[1]);
}

#[test]
fn a_difference_is_the_other_less_the_one() {
    let circuit = full(SMALL);
    let scores = noise(12, circuit.links().len());
    let more = &scores + 5.0;
    let [items, other] = [&scores, &more].map(|scores| Items { scores: scores.view(), groups: None });
    let found = circuit.agreement([&items, &other], Drawn::Together, &how(10), 0.95).unwrap();
    for ends in found.differences {
        let Interval { low, high } = ends.unwrap();
        assert!((low - 5.0).abs() < ROUNDING && (high - 5.0).abs() < ROUNDING);
    }
}
