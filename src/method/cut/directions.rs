//! The direction in which what a node writes differs between clean and corrupted prompts, and directions of what it writes by
//! chance.

use crate::method::ablate::states;
use crate::method::score::Written;
use crate::method::{Bench, Side};
use crate::model::HookError;
use crate::node::Node;
use crate::tensor::{Tensor, to_doubles};
use ndarray::{Array1, Array2, Axis};
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use rand_distr::{Distribution, StandardNormal};
use std::collections::{BTreeMap, BTreeSet};

/// Sums over what a node writes, position by position.
struct Sums {
    /// Clean less corrupted.
    difference: Array1<f64>,
    all: Array1<f64>,
    count: f64,
    /// Of the lengths of all that is written, against which rounding is told from a difference.
    lengths: f64,
    /// Weighted at random, `[draw, d_model]`, and the sum of these weights.
    drawn: Array2<f64>,
    weights: Array1<f64>,
}

/// Unit directions of each node: that of the mean difference over the items of a bench and all positions, then `draws` of
/// random weights on what it writes less its mean, so that they lie where it writes.
pub fn of(
    bench: &Bench,
    nodes: &BTreeSet<Node>,
    draws: usize,
    seed: u64,
) -> Result<BTreeMap<Node, Vec<Vec<f64>>>, HookError> {
    let sites = Written::sites(bench.model);
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    let mut sums: BTreeMap<Node, Sums> =
        nodes.iter().map(|node| (*node, Sums::new(bench.model.dims().d_model, draws))).collect();
    for items in bench.batches(bench.rows) {
        for (side, sign) in [(Side::Clean, 1.0), (Side::Corrupt, -1.0)] {
            let written = Written::from_states(states(bench, &items, side, &sites)?);
            for (node, sums) in &mut sums {
                sums.add(&written.added_by(bench.model, *node), sign, &mut random);
            }
        }
    }
    Ok(sums.into_iter().map(|(node, sums)| (node, sums.directions())).collect())
}

impl Sums {
    fn new(width: usize, draws: usize) -> Self {
        let nothing = || Array1::zeros(width);
        let (drawn, weights) = (Array2::zeros((draws, width)), Array1::zeros(draws));
        Sums { difference: nothing(), all: nothing(), count: 0.0, lengths: 0.0, drawn, weights }
    }

    /// Adds what a node writes `[row, 1, pos, d_model]`.
    fn add(&mut self, written: &Tensor<4>, sign: f64, random: &mut ChaCha8Rng) {
        let [rows, _, positions, width] = written.dims();
        let states = Array2::from_shape_vec((rows * positions, width), to_doubles(written)).expect("as its shape says");
        let sum = states.sum_axis(Axis(0));
        self.difference.scaled_add(sign, &sum);
        self.all += &sum;
        self.count += states.nrows() as f64;
        self.lengths += states.rows().into_iter().map(|state| state.dot(&state).sqrt()).sum::<f64>();
        let weights =
            Array2::from_shape_fn((self.drawn.nrows(), states.nrows()), |_| StandardNormal.sample(&mut *random));
        self.drawn += &weights.dot(&states);
        self.weights += &weights.sum_axis(Axis(1));
    }

    fn directions(mut self) -> Vec<Vec<f64>> {
        let mean = self.all / self.count.max(1.0);
        for (mut drawn, weight) in self.drawn.rows_mut().into_iter().zip(&self.weights) {
            drawn.scaled_add(-weight, &mean);
        }
        let drawn = self.drawn.rows().into_iter().map(|drawn| unit(&drawn.to_owned(), self.lengths));
        std::iter::once(unit(&self.difference, self.lengths)).chain(drawn).collect()
    }
}

/// Of what is added up, the share that may be rounding of states in single precision.
const ROUNDING: f64 = 1e-6;

/// Of length 1; nothing of nothing, or of what rounding leaves of a sum of terms of these lengths in all.
fn unit(vector: &Array1<f64>, lengths: f64) -> Vec<f64> {
    let length = vector.dot(vector).sqrt();
    let scale = if length > ROUNDING * lengths { 1.0 / length } else { 0.0 };
    vector.iter().map(|value| value * scale).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_rounding_leaves_is_no_direction() {
        assert_eq!(unit(&Array1::from(vec![3e-9, 4e-9]), 1.0), [0.0, 0.0]);
        assert_eq!(unit(&Array1::from(vec![0.0, 0.0]), 0.0), [0.0, 0.0]);
        assert_eq!(unit(&Array1::from(vec![3e-3, 4e-3]), 1.0), [0.6, 0.8]);
    }
}
