//! Where states come from: rows that can be read a block at a time, so that a probe never needs them all in `f64`.
//!
//! **What it measures.** Nothing: it is the seam between the statistics and a matrix in memory, in `f32` or `f64`, or a file
//! that is mapped into memory.
//!
//! **What it cannot show.** Whether the numbers mean anything; only whether each is finite ([`first_not_finite`]).
//!
//! **Reference.** None needed.
//!
//! **Example.** 100,000 states of width 4,096 take 1.6 GB in `f32`, and no more while they are read.
//! ```
//! use ndarray::array;
//! use patchclamp_probes::rows::{Columns, Picked, gathered};
//!
//! let states = array![[1.0_f32, 2.0, 3.0], [4.0, 5.0, 6.0]];
//! let last = Picked { rows: &states.view(), items: &[1] };
//! assert_eq!(gathered(&Columns { rows: &last, features: &[2, 0] }), array![[6.0, 4.0]]);
//! ```

use ndarray::{Array2, ArrayView2, s};
use std::ops::Range;

/// Rows of equal width, read as `f64`. Any number of threads read at once.
pub trait Rows: Sync {
    /// How many rows there are.
    fn count(&self) -> usize;

    /// How many values a row has.
    fn width(&self) -> usize;

    /// Writes row `row` into `into` `[width]`.
    ///
    /// # Panics
    /// If there is no such row, or `into` is not as wide.
    fn copy(&self, row: usize, into: &mut [f64]);

    /// The rows of `range`, `[row, width]`: a view of the source where it holds just that, else of `scratch`.
    ///
    /// # Panics
    /// If there are no such rows.
    fn block<'a>(&'a self, range: Range<usize>, scratch: &'a mut Vec<f64>) -> ArrayView2<'a, f64> {
        let (count, width) = (range.len(), self.width());
        scratch.resize(count * width, 0.0);
        if width > 0 {
            for (row, into) in range.zip(scratch.chunks_exact_mut(width)) {
                self.copy(row, into);
            }
        }
        ArrayView2::from_shape((count, width), scratch).expect("as many values as rows times width")
    }
}

impl Rows for ArrayView2<'_, f64> {
    fn count(&self) -> usize {
        self.nrows()
    }

    fn width(&self) -> usize {
        self.ncols()
    }

    fn copy(&self, row: usize, into: &mut [f64]) {
        assert_eq!(into.len(), self.ncols(), "as many places as a row has values");
        for (place, value) in into.iter_mut().zip(self.row(row)) {
            *place = *value;
        }
    }

    fn block<'a>(&'a self, range: Range<usize>, _: &'a mut Vec<f64>) -> ArrayView2<'a, f64> {
        self.slice(s![range, ..])
    }
}

impl Rows for ArrayView2<'_, f32> {
    fn count(&self) -> usize {
        self.nrows()
    }

    fn width(&self) -> usize {
        self.ncols()
    }

    fn copy(&self, row: usize, into: &mut [f64]) {
        assert_eq!(into.len(), self.ncols(), "as many places as a row has values");
        match self.row(row).to_slice() {
            // a plain loop over slices, which the compiler vectorises
            Some(values) => into.iter_mut().zip(values).for_each(|(place, value)| *place = f64::from(*value)),
            None => into.iter_mut().zip(self.row(row)).for_each(|(place, value)| *place = f64::from(*value)),
        }
    }
}

/// Some rows of others, in the order of `items`; a row may stand there repeatedly.
#[derive(Clone, Copy)]
pub struct Picked<'a> {
    /// The rows to pick from.
    pub rows: &'a dyn Rows,
    /// Which of them.
    pub items: &'a [usize],
}

impl Rows for Picked<'_> {
    fn count(&self) -> usize {
        self.items.len()
    }

    fn width(&self) -> usize {
        self.rows.width()
    }

    fn copy(&self, row: usize, into: &mut [f64]) {
        self.rows.copy(self.items[row], into);
    }
}

/// Some features of rows, in the order of `features`.
#[derive(Clone, Copy)]
pub struct Columns<'a> {
    /// The rows with all their features.
    pub rows: &'a dyn Rows,
    /// Which features.
    pub features: &'a [usize],
}

impl Rows for Columns<'_> {
    fn count(&self) -> usize {
        self.rows.count()
    }

    fn width(&self) -> usize {
        self.features.len()
    }

    fn copy(&self, row: usize, into: &mut [f64]) {
        let mut whole = vec![0.0; self.rows.width()];
        self.rows.copy(row, &mut whole);
        into.iter_mut().zip(self.features).for_each(|(place, feature)| *place = whole[*feature]);
    }

    fn block<'a>(&'a self, range: Range<usize>, scratch: &'a mut Vec<f64>) -> ArrayView2<'a, f64> {
        let (count, mut inner) = (range.len(), Vec::new());
        let whole = self.rows.block(range, &mut inner);
        scratch.clear();
        for row in whole.rows() {
            scratch.extend(self.features.iter().map(|feature| row[*feature]));
        }
        ArrayView2::from_shape((count, self.width()), scratch).expect("as many values as rows times features")
    }
}

/// All of some rows, `[row, feature]`, in memory.
pub fn gathered(rows: &dyn Rows) -> Array2<f64> {
    let (mut found, mut scratch) = (Array2::zeros((rows.count(), rows.width())), Vec::new());
    for range in blocks(rows) {
        found.slice_mut(s![range.clone(), ..]).assign(&rows.block(range, &mut scratch));
    }
    found
}

/// The row and feature of the first value that is not finite, if there is one.
pub fn first_not_finite(rows: &dyn Rows) -> Option<(usize, usize)> {
    let mut scratch = Vec::new();
    blocks(rows).find_map(|range| {
        let first = range.start;
        let block = rows.block(range, &mut scratch);
        let astray = block.indexed_iter().find(|(_, value)| !value.is_finite());
        astray.map(|((row, feature), _)| (first + row, feature))
    })
}

/// How many values of a block of rows fit well into the second cache of a core: half a megabyte of `f64`.
const BLOCK_VALUES: usize = 1 << 16;

/// Ranges of rows, in order, each small enough to stay in a cache between two looks at it.
pub(crate) fn blocks(rows: &dyn Rows) -> impl Iterator<Item = Range<usize>> + use<> {
    within(0..rows.count(), rows.width())
}

/// [`blocks`] of some of the rows.
pub(crate) fn within(range: Range<usize>, width: usize) -> impl Iterator<Item = Range<usize>> {
    let step = (BLOCK_VALUES / width.max(1)).clamp(16, 1024);
    let end = range.end;
    range.step_by(step).map(move |first| first..(first + step).min(end))
}

#[cfg(test)]
mod tests {
    use super::*;
    use ndarray::array;

    #[test]
    fn blocks_hold_every_row_once_and_in_order() {
        for (count, width) in [(0, 3), (1, 3), (5000, 7), (300, 4096), (100, 0)] {
            let values = Array2::<f32>::zeros((count, width));
            let rows: Vec<usize> = blocks(&values.view()).flatten().collect();
            assert_eq!(rows, (0..count).collect::<Vec<_>>());
        }
    }

    #[test]
    fn narrow_and_wide_and_turned_views_read_alike() {
        let wide = array![[1.5, -2.0], [0.25, 8.0], [3.0, 1.0]];
        let (narrow, turned) = (wide.mapv(|value| value as f32), wide.t().to_owned());
        let sources: [&dyn Rows; 3] = [&wide.view(), &narrow.view(), &turned.t()];
        for rows in sources {
            assert_eq!(rows.block(1..3, &mut Vec::new()), wide.slice(s![1..3, ..]));
            assert_eq!(gathered(&Columns { rows, features: &[1] }).column(0), wide.column(1));
            assert_eq!(
                Picked { rows: &Columns { rows, features: &[1] }, items: &[2] }.block(0..1, &mut Vec::new()),
                array![[1.0]]
            );
            assert_eq!(Picked { rows, items: &[2, 0, 2] }.block(1..2, &mut Vec::new()), array![[1.5, -2.0]]);
        }
    }

    #[test]
    fn the_first_value_that_is_not_finite_is_named() {
        let mut values = Array2::<f64>::zeros((2000, 700));
        assert_eq!(first_not_finite(&values.view()), None);
        values[[1700, 3]] = f64::NAN;
        values[[1999, 0]] = f64::INFINITY;
        assert_eq!(first_not_finite(&values.view()), Some((1700, 3)));
    }
}
