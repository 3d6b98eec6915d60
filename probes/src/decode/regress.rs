//! Ridge regression on items held out: how much of a number can be read from the states.
//!
//! **What it measures.** Predictions of items that a map did not learn from, with the penalty of the least squared error in
//! inner folds, and the share of the targets' variance that they explain.
//!
//! **What it cannot show.** What a curved function of the states would tell. The share may be below zero: the mean of the
//! items held out is not known to the map.
//!
//! **Reference.** Hastie, Tibshirani & Friedman 2009, *The Elements of Statistical Learning*, sections 3.4 and 7.10;
//! scikit-learn's `r2_score` for the share.
//!
//! **Example.**
//! ```
//! use ndarray::{Array2, s};
//! use patchclamp_probes::decode::{Design, Units, regress};
//!
//! let states = Array2::from_shape_fn((60, 4), |(item, feature)| ((item * 7 + feature * 3) as f64).sin());
//! let targets = states.slice(s![.., ..1]).mapv(|value| 3.0 * value - 1.0);
//! let every: Vec<usize> = (0..60).collect();
//! let splits = Design::Items.splits(&[0; 60], &every, 5, 0)?;
//! let inner = (Design::Items, 4, 0);
//! let found = regress(&states.view(), targets.view(), &splits, &[1e-3, 1.0], inner, Units::Spread)?;
//! assert!(found.explained(targets.view())[0].is_some_and(|share| share > 0.999));
//! # Ok::<(), patchclamp_probes::decode::DecodeError>(())
//! ```

use super::family::all_finite;
use super::folds::{Design, Split};
use super::held::assert_each_once;
use super::ridge::images;
use super::several::several;
use super::training::Chosen;
use super::{DecodeError, Units};
use crate::rows::{Picked, Rows};
use ndarray::{Array1, Array2, ArrayView2};

/// What ridge regression says of items held out.
#[derive(Clone, Debug, PartialEq)]
pub struct Regressed {
    /// `[item, target]`.
    pub predictions: Array2<f64>,
    /// The penalty that was chosen in each fold.
    pub penalties: Vec<f64>,
}

impl Regressed {
    /// `1 − Σ(y − ŷ)² / Σ(y − ȳ)²` of each target: at most 1, below 0 where the mean says more; `None` for a target that
    /// never varies.
    ///
    /// # Panics
    /// If there is not a target for each prediction.
    pub fn explained(&self, targets: ArrayView2<f64>) -> Vec<Option<f64>> {
        assert_eq!(targets.dim(), self.predictions.dim(), "a target for each prediction");
        let squares = |values: Array1<f64>| values.iter().map(|value| value * value).sum::<f64>();
        let one = |(target, found): (ndarray::ArrayView1<f64>, ndarray::ArrayView1<f64>)| {
            let all = squares(&target - target.mean()?);
            (all > 0.0).then(|| 1.0 - squares(&target - &found) / all)
        };
        targets.columns().into_iter().zip(self.predictions.columns()).map(one).collect()
    }
}

/// Ridge regression on items held out, with the penalty of the least squared error over `folds` inner folds of `design`.
///
/// # Errors
/// As for [`ridge`], and [`DecodeError::Folds`].
///
/// # Panics
/// If the splits do not hold out each item once.
pub fn regress(
    rows: &dyn Rows,
    targets: ArrayView2<f64>,
    splits: &[Split],
    penalties: &[f64],
    (design, folds, seed): (Design, usize, u64),
    units: Units,
) -> Result<Regressed, DecodeError> {
    assert_each_once(splits, targets.nrows());
    let mut regressed = Regressed { predictions: Array2::zeros(targets.raw_dim()), penalties: Vec::new() };
    for split in splits {
        let Chosen { probe: map, penalty } =
            several(rows, &[targets], &split.train, penalties, (design, folds, seed), units)?.remove(0);
        let found = images(&map, &Picked { rows, items: &split.test });
        split.test.iter().zip(found.rows()).for_each(|(item, row)| regressed.predictions.row_mut(*item).assign(&row));
        regressed.penalties.push(penalty);
    }
    if !regressed.predictions.iter().all(|value| value.is_finite()) {
        all_finite(rows)?;
    }
    Ok(regressed)
}
