//! What the tests share: figures of others, random states, closeness.
#![allow(dead_code)] // not every test uses all

use ndarray::{Array2, ArrayView2};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use serde_json::Value;

/// What `tests/golden/compare.py` wrote.
pub fn golden(part: &str) -> Value {
    let all: Value = serde_json::from_str(include_str!("../golden/compare.json")).unwrap();
    all[part].clone()
}

/// A list of numbers.
pub fn values(of: &Value) -> Vec<f64> {
    of.as_array().unwrap().iter().map(|value| value.as_f64().unwrap()).collect()
}

/// A list of labels.
pub fn labels(of: &Value) -> Vec<usize> {
    of.as_array().unwrap().iter().map(|value| value.as_u64().unwrap() as usize).collect()
}

/// A list of lists of numbers.
pub fn matrix(of: &Value) -> Array2<f64> {
    let rows: Vec<Vec<f64>> = of.as_array().unwrap().iter().map(values).collect();
    Array2::from_shape_vec((rows.len(), rows[0].len()), rows.concat()).unwrap()
}

/// The largest difference.
pub fn apart(left: ArrayView2<f64>, right: ArrayView2<f64>) -> f64 {
    assert_eq!(left.dim(), right.dim());
    (&left - &right).iter().fold(0.0, |most: f64, gap| most.max(gap.abs()))
}

/// Fails where two lists differ by more than `tolerance`.
pub fn assert_close(found: &[f64], expected: &[f64], tolerance: f64) {
    assert_eq!(found.len(), expected.len());
    for (place, (found, expected)) in found.iter().zip(expected).enumerate() {
        assert!((found - expected).abs() <= tolerance, "{place}: {found} is not {expected}");
    }
}

/// Standard normal values by the transform of Box & Muller 1958.
pub fn normal(rows: usize, width: usize, seed: u64) -> Array2<f64> {
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    Array2::from_shape_fn((rows, width), |_| {
        let (radius, angle): (f64, f64) = (1.0 - random.random::<f64>(), random.random());
        (-2.0 * radius.ln()).sqrt() * (std::f64::consts::TAU * angle).cos()
    })
}

/// States of three classes, of 5 : 3 : 2 items, with correlated columns and means that differ.
pub fn states_of_classes(items: usize, width: usize, seed: u64) -> (Array2<f64>, Vec<usize>) {
    let labels: Vec<usize> = (0..items).map(|item| [0, 1, 0, 2, 0, 1, 0, 1, 0, 2][item % 10]).collect();
    let means = normal(3, width, seed + 1);
    let mut states = normal(items, width, seed).dot(&normal(width, width, seed + 2));
    states.rows_mut().into_iter().zip(&labels).for_each(|(mut row, label)| row.scaled_add(2.0, &means.row(*label)));
    (states, labels)
}
