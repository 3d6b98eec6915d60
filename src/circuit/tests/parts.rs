//! What parts of the items must hold: kinds that agree are told apart by nothing, and a kind with a way of its own is seen.

use super::super::*;
use super::{SMALL, full};
use ndarray::{Array2, s};

const DRAWS: usize = 99;

fn how(chosen: usize) -> Resampling {
    Resampling { rule: Rule::Top(By::Size), chosen, draws: 10, halves: DRAWS, seed: 3 }
}

/// Scores of which each item has the strongest at edges that its kind says, with a little noise of its own.
fn kinds(of: &[usize], edges: usize) -> Array2<f64> {
    Array2::from_shape_fn((of.len(), edges), |(item, edge)| {
        let place = (edge * 17 + of[item] * (edges / 2)) % edges;
        10.0 / (place as f64 + 1.0) + 0.001 * ((item * 7919 + edge * 104_729) as f64).sin()
    })
}

#[test]
fn kinds_that_agree_are_as_random_parts_are() {
    let circuit = full(SMALL);
    let scores = kinds(&[0; 12], circuit.links().len());
    let items = Items { scores: scores.view(), groups: None };
    let parts: Vec<Vec<usize>> = vec![(0..4).collect(), (4..8).collect(), (8..12).collect()];
    for part in circuit.parts(&items, &parts, &how(15)).unwrap() {
        assert_eq!((part.groups, part.agreement, part.p()), (4, 1.0, 1.0));
        assert!(part.chance.len() == DRAWS && part.chance.iter().all(|index| *index == 1.0));
    }
}

#[test]
fn a_kind_with_a_circuit_of_its_own_is_seen() {
    let circuit = full(SMALL);
    let of = [0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1];
    let scores = kinds(&of, circuit.links().len());
    let items = Items { scores: scores.view(), groups: None };
    let found = &circuit.parts(&items, &[(8..12).collect()], &how(15)).unwrap()[0];
    let chance = found.chance.iter().sum::<f64>() / DRAWS as f64;
    // of 495 parts of four of twelve groups one is the kind itself
    assert!(found.p() <= 0.03 && found.agreement < 0.5 && found.agreement < chance - 0.2, "{found:?}");
}

#[test]
fn a_part_is_chosen_from_its_own_groups_and_held_against_the_others() {
    let circuit = full(SMALL);
    let of = [0, 0, 1, 1, 0, 1, 0, 1];
    let groups = [0, 0, 1, 1, 2, 2, 3, 3];
    let scores = kinds(&of, circuit.links().len());
    let items = Items { scores: scores.view(), groups: Some(&groups) };
    let found = &circuit.parts(&items, &[vec![0, 2]], &how(12)).unwrap()[0];
    let of_items = |rows: [usize; 4]| {
        let sum = rows.iter().fold(scores.slice(s![0, ..]).to_owned() * 0.0, |sum, row| sum + scores.row(*row));
        let means = circuit.links().map(|link| link.edge).zip((sum / 4.0).to_vec());
        Circuit::new(SMALL, means).unwrap().select(Rule::Top(By::Size), 12).prune()
    };
    let [own, others] = [of_items([0, 1, 4, 5]), of_items([2, 3, 6, 7])];
    assert_eq!(found.agreement, own.jaccard(&others).unwrap());
    assert!(found.agreement < 1.0);
}
