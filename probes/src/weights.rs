//! Sums of the same items under many weightings: the inner loop of every resampling method.

use crate::interval::finite;
use ndarray::{Array1, Array2, ArrayView1};

/// How often, or with which sign, each draw counts each item.
///
/// One row an item, so that a sum over items runs along all draws at once: the compiler vectorises
/// it, and each draw still adds its items in their order, with the same rounding on every platform.
#[derive(Clone, Debug)]
pub(crate) struct Weights {
    /// `[item, draw]`. Whole numbers below 2²⁴, which `f32` holds exactly in half the memory.
    table: Array2<f32>,
}

impl Weights {
    /// `draws` columns, each with the weight of every one of the `items` as `column` gives them.
    pub(crate) fn new(items: usize, draws: usize, mut column: impl FnMut() -> Vec<f32>) -> Self {
        let mut table = Array2::zeros((items, draws));
        for mut place in table.columns_mut() {
            place.assign(&ArrayView1::from(&column()));
        }
        Self { table }
    }

    /// How many items a draw weighs.
    pub(crate) fn items(&self) -> usize {
        self.table.nrows()
    }

    /// `values` `[item]` where they can be resampled: at least two, all finite.
    ///
    /// # Panics
    /// If there are not as many values as items.
    pub(crate) fn usable<'a>(&self, values: &'a [f64]) -> Option<&'a [f64]> {
        let (found, expected) = (values.len(), self.items());
        assert_eq!(found, expected, "one value for each item that was drawn");
        finite(values).filter(|values| values.len() > 1)
    }

    /// The weighted sum of `values` `[item]` under each draw, `[draw]`.
    pub(crate) fn sums(&self, values: &[f64]) -> Array1<f64> {
        let mut sums = Array1::zeros(self.table.ncols());
        for (weights, value) in self.table.rows().into_iter().zip(values) {
            sums.zip_mut_with(&weights, |sum, weight| *sum += value * f64::from(*weight));
        }
        sums
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ndarray::array;

    #[test]
    fn each_draw_weighs_the_items_by_its_own_column() {
        let mut columns = [vec![1.0, 1.0, 1.0], vec![-1.0, 0.0, 3.0]].into_iter();
        let weights = Weights::new(3, 2, || columns.next().unwrap());
        assert_eq!(weights.sums(&[0.5, 2.0, 10.0]), array![12.5, 29.5]);
    }
}
