//! Dissimilarities of conditions: how far apart the states of each two are.
//!
//! **What it measures.** For each pair of conditions (prompts, classes, tokens) the distance of their states: squared
//! Euclidean divided by the number of values; one minus correlation or cosine; squared Mahalanobis, which weighs values by
//! the noise; and crossnobis, the same from differences in independent halves of the data, whose noise cancels, so that it
//! is zero on average where two conditions do not differ, and negative as often as positive.
//!
//! **What it cannot show.** Along what they differ, or whether the difference is used. All but crossnobis are above zero by
//! noise alone, the more the fewer items a condition has.
//!
//! **Reference.** Kriegeskorte, Mur & Bandettini 2008, *Representational similarity analysis*, Frontiers in Systems
//! Neuroscience 2; Walther et al. 2016, *Reliability of dissimilarity measures for multi-voxel pattern analysis*,
//! NeuroImage 137, for crossnobis. Figures are those of `rsatoolbox`.
//!
//! **Example.**
//! ```
//! use ndarray::array;
//! use patchclamp_probes::compare::Dissimilarities;
//!
//! let patterns = array![[0.0, 0.0], [3.0, 4.0], [0.0, 4.0]];
//! let far = Dissimilarities::squared_euclidean(patterns.view())?;
//! assert_eq!(far.values(), [12.5, 8.0, 4.5]); // of (0, 1), (0, 2), (1, 2)
//! # Ok::<(), patchclamp_probes::DataError>(())
//! ```

use crate::data::{self, DataError};
use crate::matrix::{centred, outer};
use ndarray::{Array1, Array2, ArrayView2, Axis};

/// The dissimilarity of each pair of conditions.
#[derive(Clone, Debug, PartialEq)]
pub struct Dissimilarities {
    conditions: usize,
    /// Of (0, 1), (0, 2), …, (1, 2), ….
    values: Vec<f64>,
}

impl Dissimilarities {
    /// Of `values` for the pairs (0, 1), (0, 2), …, (1, 2), … of `conditions`.
    ///
    /// # Errors
    /// Below two conditions, if there is not one value for each pair, or one is not finite.
    pub fn new(conditions: usize, values: Vec<f64>) -> Result<Self, DataError> {
        data::enough("conditions", conditions, 2)?;
        data::count("dissimilarities", values.len(), conditions * (conditions - 1) / 2)?;
        match values.iter().position(|value| !value.is_finite()) {
            None => Ok(Self { conditions, values }),
            Some(column) => Err(DataError::NotFinite { what: "dissimilarities", row: 0, column }),
        }
    }

    /// Squared Euclidean distances of `patterns` `[condition, width]`, divided by the width.
    ///
    /// # Errors
    /// Below two conditions, without values, or if one is not finite.
    pub fn squared_euclidean(patterns: ArrayView2<f64>) -> Result<Self, DataError> {
        checked(patterns)?;
        // about the mean, where less is lost to rounding
        let (patterns, _) = centred(patterns);
        Self::of_kernel(outer(patterns.view(), patterns.view()), patterns.ncols() as f64)
    }

    /// One minus Pearson's correlation of `patterns` `[condition, width]`.
    ///
    /// # Errors
    /// As [`squared_euclidean`](Self::squared_euclidean), or if a pattern is constant.
    pub fn correlation(patterns: ArrayView2<f64>) -> Result<Self, DataError> {
        checked(patterns)?;
        if patterns.rows().into_iter().any(|pattern| pattern.iter().all(|value| *value == pattern[0])) {
            return Err(DataError::Constant { what: "a pattern" });
        }
        let means = patterns.sum_axis(Axis(1)) / patterns.ncols() as f64;
        Self::angles((&patterns - &means.insert_axis(Axis(1))).view())
    }

    /// One minus the cosine of `patterns` `[condition, width]`.
    ///
    /// # Errors
    /// As [`squared_euclidean`](Self::squared_euclidean), or if a pattern is zero.
    pub fn cosine(patterns: ArrayView2<f64>) -> Result<Self, DataError> {
        checked(patterns)?;
        Self::angles(patterns)
    }

    fn angles(patterns: ArrayView2<f64>) -> Result<Self, DataError> {
        let lengths: Array1<f64> = patterns.rows().into_iter().map(|pattern| pattern.dot(&pattern).sqrt()).collect();
        if lengths.iter().any(|length| *length == 0.0) {
            return Err(DataError::Constant { what: "a pattern" });
        }
        let units = &patterns / &lengths.insert_axis(Axis(1));
        let cosines = outer(units.view(), units.view());
        Self::new(patterns.nrows(), pairs(patterns.nrows()).map(|pair| 1.0 - cosines[pair]).collect())
    }

    /// Squared Mahalanobis distances of `patterns` `[condition, width]` by the `precision` `[width, width]` of the
    /// [noise](super::noise), divided by the width.
    ///
    /// # Errors
    /// As [`squared_euclidean`](Self::squared_euclidean), or if the precision is of another width.
    pub fn mahalanobis(patterns: ArrayView2<f64>, precision: ArrayView2<f64>) -> Result<Self, DataError> {
        checked(patterns)?;
        weighs(precision, patterns.ncols())?;
        let (patterns, _) = centred(patterns);
        let weighed = outer(patterns.view(), precision.t());
        Self::of_kernel(outer(weighed.view(), patterns.view()), patterns.ncols() as f64)
    }

    /// Crossnobis distances of `rows` `[item, width]`, each of one of the `conditions` `[item]` and one of the `folds`
    /// `[item]`, by the `precision` `[width, width]` of the noise: each fold in turn against all the others together.
    ///
    /// # Errors
    /// If a value is not finite, lengths differ, or there are not two folds with items of every condition each.
    pub fn crossnobis(
        rows: ArrayView2<f64>,
        conditions: &[usize],
        folds: &[usize],
        precision: ArrayView2<f64>,
    ) -> Result<Self, DataError> {
        checked(rows)?;
        weighs(precision, rows.ncols())?;
        data::count("conditions of items", conditions.len(), rows.nrows())?;
        data::count("folds of items", folds.len(), rows.nrows())?;
        let count = data::labels("conditions", conditions)?;
        let folds_count = data::labels("folds", folds)?;
        let mut values = Array1::<f64>::zeros(count * (count - 1) / 2);
        for fold in 0..folds_count {
            let held: Vec<bool> = folds.iter().map(|of| *of == fold).collect();
            let test = means_where(rows, conditions, count, |item| held[item])?;
            let train = means_where(rows, conditions, count, |item| !held[item])?;
            let kernel = outer(outer(train.view(), precision.t()).view(), test.view());
            values += &Array1::from(Self::of_kernel(kernel, rows.ncols() as f64)?.values);
        }
        Self::new(count, (values / folds_count as f64).to_vec())
    }

    /// Distances by a kernel `[condition, condition]`, symmetric or not, divided by `width`.
    fn of_kernel(kernel: Array2<f64>, width: f64) -> Result<Self, DataError> {
        let distance = |(i, j)| (kernel[[i, i]] + kernel[[j, j]] - kernel[[i, j]] - kernel[[j, i]]) / width;
        Self::new(kernel.nrows(), pairs(kernel.nrows()).map(distance).collect())
    }

    /// How many conditions there are.
    pub fn conditions(&self) -> usize {
        self.conditions
    }

    /// Of the pairs (0, 1), (0, 2), …, (1, 2), ….
    pub fn values(&self) -> &[f64] {
        &self.values
    }

    /// The dissimilarity of conditions `i` and `j`: 0 of one with itself.
    ///
    /// # Panics
    /// If there is no such condition.
    pub fn between(&self, i: usize, j: usize) -> f64 {
        assert!(i.max(j) < self.conditions, "conditions {i} and {j} must be below {}", self.conditions);
        match i.cmp(&j) {
            std::cmp::Ordering::Equal => 0.0,
            std::cmp::Ordering::Less => self.values[i * (2 * self.conditions - i - 1) / 2 + j - i - 1],
            std::cmp::Ordering::Greater => self.between(j, i),
        }
    }

    /// The same with the conditions in this order, which names each once.
    ///
    /// # Panics
    /// If there is no such condition, or there are fewer than two.
    pub fn reordered(&self, order: &[usize]) -> Self {
        assert!(order.len() > 1, "two conditions at least");
        let values = pairs(order.len()).map(|(i, j)| self.between(order[i], order[j])).collect();
        Self { conditions: order.len(), values }
    }

    /// The whole symmetric matrix, `[condition, condition]`.
    pub fn matrix(&self) -> Array2<f64> {
        Array2::from_shape_fn((self.conditions, self.conditions), |(i, j)| self.between(i, j))
    }
}

/// The mean of the `rows` `[item, width]` of each of the `conditions` `[item]`, `[condition, width]`.
///
/// # Errors
/// If there are not two conditions with items each, or the lengths differ.
pub fn condition_means(rows: ArrayView2<f64>, conditions: &[usize]) -> Result<Array2<f64>, DataError> {
    data::count("conditions of items", conditions.len(), rows.nrows())?;
    let count = data::labels("conditions", conditions)?;
    means_where(rows, conditions, count, |_| true)
}

fn means_where(
    rows: ArrayView2<f64>,
    conditions: &[usize],
    count: usize,
    chosen: impl Fn(usize) -> bool,
) -> Result<Array2<f64>, DataError> {
    let (mut means, mut items) = (Array2::zeros((count, rows.ncols())), vec![0.0; count]);
    for (item, condition) in conditions.iter().copied().enumerate().filter(|(item, _)| chosen(*item)) {
        means.row_mut(condition).scaled_add(1.0, &rows.row(item));
        items[condition] += 1.0;
    }
    if let Some(label) = items.iter().position(|items| *items == 0.0) {
        return Err(DataError::Empty { what: "conditions (within a fold, or without it)", label, labels: count });
    }
    Ok(means / &Array1::from(items).insert_axis(Axis(1)))
}

/// All pairs of `conditions`, first by the first.
pub(crate) fn pairs(conditions: usize) -> impl Iterator<Item = (usize, usize)> {
    (0..conditions).flat_map(move |i| (i + 1..conditions).map(move |j| (i, j)))
}

fn checked(patterns: ArrayView2<f64>) -> Result<(), DataError> {
    data::enough("conditions", patterns.nrows(), 2)?;
    data::enough("values of a pattern", patterns.ncols(), 1)?;
    data::finite("patterns", patterns)
}

fn weighs(precision: ArrayView2<f64>, width: usize) -> Result<(), DataError> {
    data::count("the precision's rows", precision.nrows(), width)?;
    data::count("the precision's columns", precision.ncols(), width)?;
    data::finite("precision", precision)
}
