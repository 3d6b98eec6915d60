//! Pruning: the lowest weights by some score, a share of all or so many of every so many neighbours, set to zero.

use super::Matrix;
use crate::spec::{Sparsity, Within};
use ndarray::Array2;
use rand::Rng;
use rand::seq::index::sample;
use rand_chacha::ChaCha8Rng;

/// Whether each weight goes, of scores in rows: the lowest, and of equal ones the first.
pub fn lowest(scores: &Matrix, sparsity: Sparsity, within: Within) -> Array2<bool> {
    let mut gone = Array2::from_elem(scores.dim(), false);
    let (inputs, flags) = (scores.ncols(), gone.as_slice_mut().expect("rows in one piece"));
    let scores = scores.as_slice().expect("rows in one piece");
    match sparsity {
        Sparsity::Of(zeros, of) => {
            for (scores, flags) in scores.chunks(inputs).zip(flags.chunks_mut(inputs)) {
                scores.chunks(of).zip(flags.chunks_mut(of)).for_each(|(scores, flags)| mark(scores, flags, zeros));
            }
        }
        Sparsity::Share(share) => {
            let piece = if within == Within::Row { inputs } else { scores.len() };
            let count = count(piece, share);
            scores.chunks(piece).zip(flags.chunks_mut(piece)).for_each(|(scores, flags)| mark(scores, flags, count));
        }
    }
    gone
}

/// How many of `all` a share is: never more than it says.
pub fn count(all: usize, share: f64) -> usize {
    // a share such as 0.7 of 10 is 7, though the product may be a hair below
    (all as f64 * share + 1e-9).floor() as usize
}

/// Marks the `count` lowest.
fn mark(scores: &[f64], flags: &mut [bool], count: usize) {
    let mut order: Vec<usize> = (0..scores.len()).collect();
    order.sort_by(|a, b| scores[*a].total_cmp(&scores[*b]));
    order.iter().take(count).for_each(|place| flags[*place] = true);
}

/// The weights without those that go.
pub fn without(mut weights: Matrix, gone: &Array2<bool>) -> Matrix {
    weights.iter_mut().zip(gone).filter(|(_, gone)| **gone).for_each(|(weight, _)| *weight = 0.0);
    weights
}

/// Without those that are smallest.
pub fn by_magnitude(weights: Matrix, sparsity: Sparsity, within: Within) -> Matrix {
    let gone = lowest(&weights.mapv(f64::abs), sparsity, within);
    without(weights, &gone)
}

/// Without any.
pub fn by_chance(weights: Matrix, sparsity: Sparsity, within: Within, mut random: ChaCha8Rng) -> Matrix {
    let scores = Matrix::from_shape_simple_fn(weights.dim(), || random.random());
    let gone = lowest(&scores, sparsity, within);
    without(weights, &gone)
}

/// Without any, until of Σ (w ‖x‖)² as much is gone as `would` differs by: of the whole map, or of each output; `norms` are those
/// of the inputs.
pub fn as_much(weights: Matrix, would: &Matrix, norms: &[f64], within: Within, mut random: ChaCha8Rng) -> Matrix {
    let weighed = |mut sizes: Matrix| {
        let by_rows = sizes.rows_mut().into_iter();
        by_rows.for_each(|mut row| row.iter_mut().zip(norms).for_each(|(size, norm)| *size = (*size * norm).powi(2)));
        sizes.into_raw_vec_and_offset().0
    };
    let (sizes, lost) = (weighed(weights.clone()), weighed(&weights - would));
    let piece = if within == Within::Row { weights.ncols() } else { weights.len() };
    let mut gone = Array2::from_elem(weights.dim(), false);
    let flags = gone.as_slice_mut().expect("rows in one piece").chunks_mut(piece);
    let mut left = 0.0; // what one piece is short of, the next makes up for
    for ((sizes, lost), flags) in sizes.chunks(piece).zip(lost.chunks(piece)).zip(flags) {
        left = mark_until(sizes, left + lost.iter().sum::<f64>(), flags, &mut random);
    }
    without(weights, &gone)
}

/// Marks any until the next would take their sum further from `enough`, and gives back what is left of that.
fn mark_until(sizes: &[f64], enough: f64, flags: &mut [bool], random: &mut ChaCha8Rng) -> f64 {
    let mut left = enough;
    for place in sample(random, sizes.len(), sizes.len()) {
        if left <= sizes[place] / 2.0 {
            break;
        }
        left -= sizes[place];
        flags[place] = true;
    }
    left
}

/// Without those of least |weight| · ‖input‖, as many in each row; `norms` are those of the inputs.
pub fn by_inputs(weights: Matrix, norms: &[f64], sparsity: Sparsity) -> Matrix {
    let mut scores = weights.mapv(f64::abs);
    scores
        .rows_mut()
        .into_iter()
        .for_each(|mut row| row.iter_mut().zip(norms).for_each(|(score, norm)| *score *= norm));
    let gone = lowest(&scores, sparsity, Within::Row);
    without(weights, &gone)
}
