//! What was planted is found: log-odds, and nothing where nothing is.

use ndarray::{Array1, Array2, ArrayView2};
use patchclamp_probes::decode::{Design, Labels, Logistic, Training, Units, held_out, regress};
use patchclamp_probes::{bootstrap_interval, pearson};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// States of occupations: a share that is planted along one direction, with noise of the size of language models' states in
/// all others; and the label that each item was given with its occupation's share.
fn occupations(seed: u64) -> (Array2<f64>, Labels, Vec<usize>, Vec<f64>) {
    let mut draws = ChaCha8Rng::seed_from_u64(seed);
    let log_odds: Vec<f64> = (0..40).map(|_| draws.random_range(-3.0..3.0)).collect();
    let direction = Array1::from_shape_fn(64, |_| draws.random_range(-1.0..1.0));
    let of: Vec<usize> = (0..2000).map(|item| item % 40).collect();
    let states = Array2::from_shape_fn((2000, 64), |(item, feature)| {
        let size = if feature == 5 { 30.0 } else { 0.7 };
        log_odds[of[item]] * direction[feature] * 0.5 + draws.random_range(-size..size)
    });
    let label =
        |occupation: &usize| usize::from(draws.random_range(0.0..1.0) < 1.0 / (1.0 + (-log_odds[*occupation]).exp()));
    let labels = of.iter().map(label).collect();
    (states, Labels::new(labels, 2).unwrap(), of, log_odds)
}

#[test]
fn planted_log_odds_are_recovered_from_occupations_held_out() {
    let (states, labels, of, planted) = occupations(1);
    let items: Vec<usize> = (0..2000).collect();
    let design = Design::Groups(&of);
    let splits = design.splits(labels.of(), &items, 5, 0).unwrap();
    let family = Logistic::default();
    let training = Training { family: &family, penalties: &[1.0, 10.0, 100.0], design, folds: 4, seed: 0 };
    let held = &held_out(&states.view(), &[&labels], &splits, &training).unwrap()[0];
    let told = held.log_odds(1);
    let mean = |occupation: usize| {
        let own: Vec<f64> = (0..2000).filter(|item| of[*item] == occupation).map(|item| told[item]).collect();
        own.iter().sum::<f64>() / own.len() as f64
    };
    let means: Vec<f64> = (0..40).map(mean).collect();
    assert!(pearson(&means, &planted).unwrap() >= 0.9);
    let below = |drawn: &[usize]| {
        let (found, planted): (Vec<f64>, Vec<f64>) = drawn.iter().map(|item| (means[*item], planted[*item])).unzip();
        pearson(&found, &planted).unwrap()
    };
    assert!(bootstrap_interval(40, 0.95, 500, 3, below).unwrap().low >= 0.9);
}

#[test]
fn a_planted_number_is_read_and_a_shuffled_one_is_not() {
    let (states, _, of, planted) = occupations(2);
    let items: Vec<usize> = (0..2000).collect();
    let design = Design::Groups(&of);
    let splits = design.splits(&[0; 2000], &items, 5, 0).unwrap();
    let explained = |of_item: &dyn Fn(usize) -> f64| {
        let targets: Vec<f64> = (0..2000).map(of_item).collect();
        let targets = ArrayView2::from_shape((2000, 1), &targets).unwrap();
        let told =
            regress(&states.view(), targets, &splits, &[1.0, 100.0, 10_000.0], (design, 4, 0), Units::Spread).unwrap();
        told.explained(targets)[0].unwrap()
    };
    assert!(explained(&|item| planted[of[item]]) > 0.9);
    assert!(explained(&|item| planted[(of[item] * 7 + 3) % 40]) < 0.1);
}
