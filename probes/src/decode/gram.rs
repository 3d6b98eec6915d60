//! The products of each two features, summed over rows that are read a block at a time.

use super::Scale;
use crate::matrix::{Gram, view};
use crate::rows::Rows;
use ndarray::Array2;

/// How many rows are read at a time: enough that the sums are fetched and stored seldom.
const DEPTH: usize = 512;

/// `Σ x xᵀ` over scaled rows, `[feature, feature]`.
pub(crate) fn gram(rows: &dyn Rows, scale: &Scale) -> Array2<f64> {
    let (count, width) = (rows.count(), rows.width());
    let (mut sums, mut scratch) = (Gram::new(width), Vec::new());
    for first in (0..count).step_by(DEPTH) {
        let block = scale.apply(rows.block(first..(first + DEPTH).min(count), &mut scratch));
        sums.add(view(&block.into()), 1.0);
    }
    sums.part((0, 0), (width, width), 1.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn read_by_blocks_it_is_the_product() {
        let states = Array2::from_shape_fn((1100, 300), |(row, column)| ((row * 13 + column * 7) as f64).sin() + 2.0);
        let all: Vec<usize> = (0..1100).collect();
        let scale = &Scale::of(&states.view(), &[&all]).unwrap()[0];
        let (found, scaled) = (gram(&states.view(), scale), scale.apply(states.view()));
        let expected = scaled.t().dot(&scaled);
        for ((row, column), value) in found.indexed_iter() {
            // rounding of a sum of a thousand numbers near 1
            assert!((value - expected[[row, column]]).abs() < 1e-9, "{row} {column}");
        }
    }
}
