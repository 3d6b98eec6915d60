//! Ridge regression: numbers, or classes as ±1, as a linear function of the states, for a whole path of penalties at once.
//!
//! **What it measures.** The minimum of `Σ_i ‖y_i − w·x_i − b‖² + λ‖w‖²`, intercepts not penalised, in closed form: one
//! decomposition serves every penalty and every target. As a classifier it is least squares on ±1, the largest wins:
//! scikit-learn's `Ridge` and `RidgeClassifier` with `alpha = λ`.
//!
//! **What it cannot show.** Probabilities: what it says of a class is a number near ±1, and not log-odds. Features that never
//! vary get no weight, those that are collinear share theirs.
//!
//! **Reference.** Hoerl & Kennard 1970, *Ridge regression: biased estimation for nonorthogonal problems*, Technometrics 12.
//!
//! **Example.**
//! ```
//! use ndarray::array;
//! use patchclamp_probes::decode::{Units, ridge};
//!
//! let states = array![[0.0], [1.0], [2.0]];
//! let targets = array![[1.0], [3.0], [5.0]];
//! let maps = ridge(&states.view(), targets.view(), &[0, 1, 2], &[1e-9, 2.0], Units::Own)?;
//! assert!((maps[0].weight()[[0, 0]] - 2.0).abs() < 1e-6); // least squares
//! assert!((maps[1].weight()[[0, 0]] - 1.0).abs() < 1e-12); // Σx² is 2 about the mean: a penalty of 2 halves it
//! assert!((maps[1].bias()[0] - 2.0).abs() < 1e-12);
//! # Ok::<(), patchclamp_probes::decode::DecodeError>(())
//! ```

use super::family::check_penalties;
use super::gram::gram;
use super::{DecodeError, Labels, Scale, Units};
use crate::Affine;
use crate::matrix::symmetric;
use crate::product::{add_product, product};
use crate::rows::{Picked, Rows, blocks};
use ndarray::{Array1, Array2, ArrayView2, Axis, s};

/// The map from states to targets that each of `penalties` gives, `[penalty]`, learnt from `items`; `targets` `[item, target]`
/// of all rows.
///
/// # Errors
/// Where rows or targets are not finite, do not fit, or there are no items; [`DecodeError::Penalty`].
pub fn ridge(
    rows: &dyn Rows,
    targets: ArrayView2<f64>,
    items: &[usize],
    penalties: &[f64],
    units: Units,
) -> Result<Vec<Affine>, DecodeError> {
    check_penalties(penalties)?;
    let path = Path::new(rows, &[targets], items, units)?;
    penalties.iter().map(|penalty| path.map(0, *penalty)).collect()
}

/// What one decomposition of the states tells of several sets of targets, under any penalty.
pub(super) struct Path {
    scale: Scale,
    /// Of each set.
    means: Vec<Array1<f64>>,
    split: Decomposed,
}

impl Path {
    /// Of `sets` `[item, target]` of all rows, learnt from `items`.
    pub(super) fn new(
        rows: &dyn Rows,
        sets: &[ArrayView2<f64>],
        items: &[usize],
        units: Units,
    ) -> Result<Self, DecodeError> {
        sets.iter().try_for_each(|targets| check(rows, *targets))?;
        let picked = Picked { rows, items };
        let every: Vec<usize> = (0..items.len()).collect();
        let named = |error| match error {
            DecodeError::NotFinite { item, feature } => DecodeError::NotFinite { item: items[item], feature },
            other => other,
        };
        let scale = units.of(Scale::of(&picked, &[&every]).map_err(named)?.remove(0));
        let (mut means, mut centred) = (Vec::new(), Vec::new());
        for targets in sets {
            let own = targets.select(Axis(0), items);
            let mean = own.mean_axis(Axis(0)).ok_or(DecodeError::Empty { what: "items to learn from" })?;
            centred.push(own - &mean);
            means.push(mean);
        }
        let split = Decomposed::new(&picked, &scale, &centred)?;
        Ok(Path { scale, means, split })
    }

    /// The map to a set under a penalty.
    pub(super) fn map(&self, set: usize, penalty: f64) -> Result<Affine, DecodeError> {
        affine(&self.split.weights(set, penalty), &self.scale, &self.means[set])
    }
}

/// Classes as targets: 1 for an item's own, −1 for the others; one column, for class 1, where there are two.
pub fn signs(labels: &Labels) -> Array2<f64> {
    let first = usize::from(labels.classes() == 2);
    let shape = (labels.count(), labels.classes() - first);
    Array2::from_shape_fn(shape, |(item, column)| if labels.of()[item] == column + first { 1.0 } else { -1.0 })
}

/// The class of each row that a map to [`signs`] says, of equals the first.
///
/// # Panics
/// If the rows are not as wide as those it learnt from.
pub fn classify(map: &Affine, rows: &dyn Rows) -> Vec<usize> {
    let images = images(map, rows);
    let likeliest = |row: ndarray::ArrayView1<f64>| match row.len() {
        1 => usize::from(row[0] > 0.0),
        classes => (0..classes).rev().max_by(|a, b| row[*a].total_cmp(&row[*b])).unwrap_or(0),
    };
    images.rows().into_iter().map(likeliest).collect()
}

/// What a map makes of rows, `[item, target]`, a block at a time.
///
/// # Panics
/// If the rows are not as wide as those it learnt from.
pub fn images(map: &Affine, rows: &dyn Rows) -> Array2<f64> {
    assert_eq!(rows.width(), map.input_width(), "rows must be as wide as those that the map learnt from");
    let mut images = Array2::zeros((rows.count(), map.output_width()));
    images += &map.bias();
    let mut scratch = Vec::new();
    for range in blocks(rows) {
        let block = rows.block(range.clone(), &mut scratch);
        add_product(images.slice_mut(s![range, ..]), block, map.weight().t(), 1.0);
    }
    images
}

fn check(rows: &dyn Rows, targets: ArrayView2<f64>) -> Result<(), DecodeError> {
    if rows.width() == 0 {
        return Err(DecodeError::Empty { what: "features" });
    }
    if rows.count() != targets.nrows() {
        return Err(DecodeError::Lengths { rows: rows.count(), values: targets.nrows() });
    }
    match targets.rows().into_iter().position(|row| !row.iter().all(|value| value.is_finite())) {
        Some(item) => Err(DecodeError::Target { item }),
        None => Ok(()),
    }
}

/// A map in the features' own units.
fn affine(weights: &Array2<f64>, scale: &Scale, means: &Array1<f64>) -> Result<Affine, DecodeError> {
    let weights = weights / &scale.spread();
    let bias = means - &weights.dot(&scale.centre());
    Affine::new(weights, bias).map_err(|_| DecodeError::Decomposition)
}

/// The eigenvectors of the second moments of features or, where items are fewer, of the products of items.
struct Decomposed {
    values: Array1<f64>,
    /// The targets of each set along each eigenvector, `[set][eigenvector, target]`.
    along: Vec<Array2<f64>>,
    /// From an eigenvector to features, `[feature, eigenvector]`.
    back: Array2<f64>,
}

impl Decomposed {
    fn new(rows: &dyn Rows, scale: &Scale, sets: &[Array2<f64>]) -> Result<Self, DecodeError> {
        if rows.count() < rows.width() {
            let scaled = scale.apply(rows.block(0..rows.count(), &mut Vec::new()));
            let (values, vectors) = eigen(&product(scaled.view(), scaled.t()))?;
            let along = sets.iter().map(|targets| product(vectors.t(), targets.view())).collect();
            return Ok(Self { values, along, back: product(scaled.t(), vectors.view()) });
        }
        let (values, vectors) = eigen(&gram(rows, scale))?;
        let blank = |targets: &Array2<f64>| Array2::zeros((rows.width(), targets.ncols()));
        let mut sums: Vec<Array2<f64>> = sets.iter().map(blank).collect();
        let mut scratch = Vec::new();
        for range in blocks(rows) {
            let block = scale.apply(rows.block(range.clone(), &mut scratch));
            for (sums, targets) in sums.iter_mut().zip(sets) {
                add_product(sums.view_mut(), block.t(), targets.slice(s![range.clone(), ..]), 1.0);
            }
        }
        let along = sums.iter().map(|sums| product(vectors.t(), sums.view())).collect();
        Ok(Self { values, along, back: vectors })
    }

    /// `[target, feature]` for scaled features.
    fn weights(&self, set: usize, penalty: f64) -> Array2<f64> {
        let shrunk = &self.along[set] / &self.values.mapv(|value| value.max(0.0) + penalty).insert_axis(Axis(1));
        product(shrunk.t(), self.back.t())
    }
}

/// Eigenvalues and eigenvectors (columns) of a symmetric matrix.
fn eigen(matrix: &Array2<f64>) -> Result<(Array1<f64>, Array2<f64>), DecodeError> {
    let (values, vectors) = symmetric("second moments", matrix.view()).map_err(|_| DecodeError::Decomposition)?;
    Ok((values.into(), vectors))
}
