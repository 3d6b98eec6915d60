//! The products of each two features, summed over rows that are read a block at a time.

use super::Scale;
use crate::product::add_product;
use crate::rows::Rows;
use ndarray::{Array2, s};
use rayon::prelude::*;

/// How many columns of the matrix one thread sums at a time.
const PANEL: usize = 128;
/// How many rows are read at a time: enough that the sums are fetched and stored seldom.
const DEPTH: usize = 512;

/// `Σ x xᵀ` over scaled rows, `[feature, feature]`: the lower half, and what lies near it, by panels of columns that threads share.
pub(crate) fn gram(rows: &dyn Rows, scale: &Scale) -> Array2<f64> {
    let (count, width) = (rows.count(), rows.width());
    let panel = |first: usize| Array2::zeros((width - first, PANEL.min(width - first)));
    let mut panels: Vec<Array2<f64>> = (0..width).step_by(PANEL).map(panel).collect();
    let mut scratch = Vec::new();
    for first in (0..count).step_by(DEPTH) {
        let block = scale.apply(rows.block(first..(first + DEPTH).min(count), &mut scratch));
        let turned = block.t().as_standard_layout().into_owned(); // [feature, row]
        panels.par_iter_mut().enumerate().for_each(|(place, panel)| {
            let left = turned.slice(s![place * PANEL.., ..]);
            let right = left.slice(s![..panel.ncols(), ..]);
            add_product(panel.view_mut(), left, right.t(), 1.0);
        });
    }
    let mut whole = Array2::zeros((width, width));
    for (place, panel) in panels.iter().enumerate() {
        let first = place * PANEL;
        whole.slice_mut(s![first.., first..first + panel.ncols()]).assign(panel);
    }
    whole
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_lower_half_is_that_of_the_product() {
        let states = Array2::from_shape_fn((1100, 300), |(row, column)| ((row * 13 + column * 7) as f64).sin() + 2.0);
        let all: Vec<usize> = (0..1100).collect();
        let scale = &Scale::of(&states.view(), &[&all]).unwrap()[0];
        let (found, scaled) = (gram(&states.view(), scale), scale.apply(states.view()));
        let expected = scaled.t().dot(&scaled);
        for ((row, column), value) in found.indexed_iter().filter(|((row, column), _)| row >= column) {
            // rounding of a sum of a thousand numbers near 1
            assert!((value - expected[[row, column]]).abs() < 1e-9, "{row} {column}");
        }
    }
}
