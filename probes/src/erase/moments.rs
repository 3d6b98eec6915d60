//! Means and covariances of states and what they are labelled with, summed block by block.
//!
//! **What it measures.** Of rows `x` (states) and `z` (a property: classes as indicators, or values), the means, Σxx, Σxz
//! and Σzz, divided by n − 1. The states need never be in memory together: width 4,096 takes 70 MB however many there
//! are, and a block of rows at a time.
//!
//! **What it cannot show.** Anything that is not linear: two properties with the same moments look the same.
//!
//! **Reference.** Chan, Golub & LeVeque 1983, *Algorithms for Computing the Sample Variance*, The American Statistician
//! 37, for sums over blocks that keep their digits where the mean is far from zero.
//!
//! **Example.**
//! ```
//! use ndarray::array;
//! use patchclamp_probes::erase::Moments;
//!
//! let mut moments = Moments::new(2, 1);
//! moments.add(array![[1.0, 0.0], [3.0, 0.0]].view(), array![[0.0], [1.0]].view())?;
//! moments.add(array![[5.0, 3.0]].view(), array![[2.0]].view())?;
//! assert_eq!(moments.mean(), array![3.0, 1.0]);
//! assert_eq!(moments.covariance()?, array![[4.0, 3.0], [3.0, 3.0]]);
//! assert_eq!(moments.cross_covariance()?, array![[2.0], [1.5]]);
//! # Ok::<(), patchclamp_probes::DataError>(())
//! ```

use crate::data::{self, DataError};
use crate::matrix::{Gram, view};
use ndarray::{Array1, Array2, ArrayView1, ArrayView2, Axis, CowArray};

/// Rows that are copied, centred and multiplied at once: 64 MB at width 4,096.
const BLOCK: usize = 2048;

/// Sums over rows of states and targets side by side.
#[derive(Clone, Debug)]
pub struct Moments {
    items: usize,
    width: usize,
    /// Of states and targets side by side, `[width + targets]`.
    mean: Array1<f64>,
    /// Of the deviations from it.
    squares: Gram,
}

impl Moments {
    /// Of no rows, for states of `width` values and `targets` values or classes to each.
    pub fn new(width: usize, targets: usize) -> Self {
        let both = width + targets;
        Self { items: 0, width, mean: Array1::zeros(both), squares: Gram::new(both) }
    }

    /// Of states `[item, width]` and their classes, one of `classes`, `[item]`.
    ///
    /// # Errors
    /// As [`add_classes`](Self::add_classes).
    pub fn of_classes(states: ArrayView2<f64>, labels: &[usize], classes: usize) -> Result<Self, DataError> {
        let mut moments = Self::new(states.ncols(), classes);
        moments.add_classes(states, labels)?;
        Ok(moments)
    }

    /// Adds states `[item, width]`, of `f64` or `f32`, and their targets `[item, target]`.
    ///
    /// # Errors
    /// If they are not equally many or not as wide as announced, or a value is not finite. Nothing is added then.
    pub fn add<T: Copy + Into<f64>>(
        &mut self,
        states: ArrayView2<T>,
        targets: ArrayView2<f64>,
    ) -> Result<(), DataError> {
        data::count("states' columns", states.ncols(), self.width)?;
        data::count("targets' columns", targets.ncols(), self.mean.len() - self.width)?;
        data::count("targets' rows", targets.nrows(), states.nrows())?;
        data::finite("targets", targets)?;
        if let Some(((row, column), _)) = states.indexed_iter().find(|(_, value)| !(**value).into().is_finite()) {
            return Err(DataError::NotFinite { what: "states", row, column });
        }
        for (states, targets) in states.axis_chunks_iter(Axis(0), BLOCK).zip(targets.axis_chunks_iter(Axis(0), BLOCK)) {
            self.add_block(self.beside(states, targets));
        }
        Ok(())
    }

    /// Adds states `[item, width]` and their classes `[item]`, counted from 0.
    ///
    /// # Errors
    /// As [`add`](Self::add), or if there is no such class.
    pub fn add_classes<T: Copy + Into<f64>>(
        &mut self,
        states: ArrayView2<T>,
        labels: &[usize],
    ) -> Result<(), DataError> {
        let classes = self.mean.len() - self.width;
        data::count("labels", labels.len(), states.nrows())?;
        if let Some(label) = labels.iter().copied().find(|label| *label >= classes) {
            return Err(DataError::NoSuchLabel { what: "classes", label, labels: classes });
        }
        let mut indicators = Array2::zeros((labels.len(), classes));
        labels.iter().enumerate().for_each(|(item, label)| indicators[[item, *label]] = 1.0);
        self.add(states, indicators.view())
    }

    /// Adds what another has summed, so that parts can be summed by themselves.
    ///
    /// # Errors
    /// If it is of other widths.
    pub fn merge(&mut self, other: &Self) -> Result<(), DataError> {
        data::count("states' columns", other.width, self.width)?;
        data::count("targets' columns", other.mean.len() - other.width, self.mean.len() - self.width)?;
        if other.items == 0 {
            return Ok(());
        }
        self.squares.merge(&other.squares);
        self.move_mean(&other.mean, other.items);
        Ok(())
    }

    /// Counts `items` with the mean `mean` among those here: their deviations from it are already summed.
    fn move_mean(&mut self, mean: &Array1<f64>, items: usize) {
        let (here, there) = (self.items as f64, items as f64);
        let apart = (mean - &self.mean).insert_axis(Axis(0)); // [1, both]
        if self.items > 0 {
            self.squares.add(view(&CowArray::from(apart.view())), here * there / (here + there));
        }
        self.mean.scaled_add(there / (here + there), &apart.row(0));
        self.items += items;
    }

    /// States and targets side by side, `[item, width + targets]`.
    fn beside<T: Copy + Into<f64>>(&self, states: ArrayView2<T>, targets: ArrayView2<f64>) -> Array2<f64> {
        let mut block = Array2::zeros((states.nrows(), self.mean.len()));
        let (mut left, mut right) = block.view_mut().split_at(Axis(1), self.width);
        left.zip_mut_with(&states, |place, value| *place = (*value).into());
        right.assign(&targets);
        block
    }

    /// Adds one block, which is centred on its own mean first.
    fn add_block(&mut self, mut block: Array2<f64>) {
        let mean = block.sum_axis(Axis(0)) / block.nrows() as f64;
        for mut row in block.rows_mut() {
            row -= &mean;
        }
        self.squares.add(view(&CowArray::from(block.view())), 1.0);
        self.move_mean(&mean, block.nrows());
    }

    /// How many rows were added.
    pub fn items(&self) -> usize {
        self.items
    }

    /// How many values a state has.
    pub fn width(&self) -> usize {
        self.width
    }

    /// The mean state, `[width]`.
    pub fn mean(&self) -> ArrayView1<'_, f64> {
        self.mean.slice_axis(Axis(0), (..self.width).into())
    }

    /// The mean of the targets, `[target]`: of indicators the share of each class.
    pub fn target_mean(&self) -> ArrayView1<'_, f64> {
        self.mean.slice_axis(Axis(0), (self.width..).into())
    }

    /// Σxx, `[width, width]`.
    ///
    /// # Errors
    /// Below two rows.
    pub fn covariance(&self) -> Result<Array2<f64>, DataError> {
        self.part((0, 0), (self.width, self.width))
    }

    /// Σxz, `[width, target]`.
    ///
    /// # Errors
    /// Below two rows.
    pub fn cross_covariance(&self) -> Result<Array2<f64>, DataError> {
        self.part((0, self.width), (self.width, self.mean.len() - self.width))
    }

    /// Σzz, `[target, target]`.
    ///
    /// # Errors
    /// Below two rows.
    pub fn target_covariance(&self) -> Result<Array2<f64>, DataError> {
        let targets = self.mean.len() - self.width;
        self.part((self.width, self.width), (targets, targets))
    }

    fn part(&self, from: (usize, usize), size: (usize, usize)) -> Result<Array2<f64>, DataError> {
        data::enough("items", self.items, 2)?;
        Ok(self.squares.part(from, size, 1.0 / (self.items - 1) as f64))
    }
}
