//! The mean and the spread of every feature over the items that a probe learns from.
//!
//! **What it measures.** Per feature the mean and the standard deviation (of the items themselves, divided by n), so that a
//! penalty weighs all features alike, whatever their unit.
//!
//! **What it cannot show.** A feature that never varies has no unit: its spread is given as 1, and a probe gives it no weight.
//!
//! **Reference.** scikit-learn's `StandardScaler`.
//!
//! **Example.**
//! ```
//! use ndarray::array;
//! use patchclamp_probes::decode::Scale;
//!
//! let states = array![[1.0, 5.0], [3.0, 5.0], [9.0, 5.0]];
//! let scale = &Scale::of(&states.view(), &[&[0, 1]])?[0]; // the third item is held out
//! assert_eq!((scale.centre()[0], scale.spread()[0]), (2.0, 1.0));
//! assert_eq!((scale.centre()[1], scale.spread()[1]), (5.0, 1.0));
//! # Ok::<(), patchclamp_probes::decode::DecodeError>(())
//! ```

use super::DecodeError;
use crate::product::add_product;
use crate::rows::{Rows, blocks, first_not_finite};
use ndarray::{Array1, Array2, ArrayView1, Axis, s};

/// Of the mean: a spread below it is rounding, also where the states were made in `f32`.
const ROUNDING: f64 = 1e-10;

/// The mean and the spread of each feature.
#[derive(Clone, Debug, PartialEq)]
pub struct Scale {
    centre: Array1<f64>,
    spread: Array1<f64>,
}

impl Scale {
    /// That of each of `sets` of items, in one look at the rows.
    ///
    /// # Errors
    /// [`DecodeError::NotFinite`] if any row holds such a value, [`DecodeError::Empty`] if a set is empty.
    ///
    /// # Panics
    /// If there is no such item.
    pub fn of(rows: &dyn Rows, sets: &[&[usize]]) -> Result<Vec<Self>, DecodeError> {
        let made = moments(rows, sets)?;
        Ok(made.into_iter().map(Self::from_moments).collect())
    }

    fn from_moments(moments: Moments) -> Self {
        let spread = moments.variance.mapv(|variance| if variance > 0.0 { variance.sqrt() } else { 1.0 });
        Self { centre: moments.mean, spread }
    }

    /// Only the mean, with a spread of 1 everywhere: features keep their units.
    pub fn unscaled(mut self) -> Self {
        self.spread.fill(1.0);
        self
    }

    /// The means, `[feature]`.
    pub fn centre(&self) -> ArrayView1<'_, f64> {
        self.centre.view()
    }

    /// The standard deviations, `[feature]`; 1 where a feature never varies.
    pub fn spread(&self) -> ArrayView1<'_, f64> {
        self.spread.view()
    }

    /// Rows `[item, feature]` in units of this scale.
    pub(crate) fn apply(&self, rows: ndarray::ArrayView2<f64>) -> Array2<f64> {
        (&rows - &self.centre) / &self.spread
    }
}

/// The mean and the variance (divided by n) of each feature in some items.
pub(crate) struct Moments {
    pub(crate) mean: Array1<f64>,
    pub(crate) variance: Array1<f64>,
}

/// The mean and the variance (divided by n) of each feature in each of `sets` of items, in one look at the rows; a variance
/// that is no more than rounding is 0.
///
/// # Errors
/// As for [`Scale::of`].
pub(crate) fn moments(rows: &dyn Rows, sets: &[&[usize]]) -> Result<Vec<Moments>, DecodeError> {
    if sets.iter().any(|set| set.is_empty()) {
        return Err(DecodeError::Empty { what: "items to learn from" });
    }
    let pilot = mean(rows)?;
    let shares = shares(rows.count(), sets);
    let mut firsts = Array2::zeros((sets.len(), rows.width()));
    let mut seconds = firsts.clone();
    let mut scratch = Vec::new();
    for range in blocks(rows) {
        // about the common mean, so that squares of a large mean do not drown the spread
        let mut apart = &rows.block(range.clone(), &mut scratch) - &pilot;
        let shares = shares.slice(s![.., range]);
        add_product(firsts.view_mut(), shares, apart.view(), 1.0);
        apart.mapv_inplace(|value| value * value);
        add_product(seconds.view_mut(), shares, apart.view(), 1.0);
    }
    let made = firsts.rows().into_iter().zip(seconds.rows());
    Ok(made.map(|(first, second)| about(&pilot, first, second)).collect())
}

/// The mean and the variance of features whose first and second moments about `pilot` are these.
fn about(pilot: &Array1<f64>, first: ArrayView1<f64>, second: ArrayView1<f64>) -> Moments {
    let centre = pilot + &first;
    let variance = &second - &(&first * &first);
    let told = |(variance, centre): (&f64, &f64)| {
        let rounding = (ROUNDING * centre).powi(2);
        if *variance > rounding { *variance } else { 0.0 }
    };
    let variance = variance.iter().zip(&centre).map(told).collect();
    Moments { mean: centre, variance }
}

/// The mean of all rows; an error if one is not finite.
fn mean(rows: &dyn Rows) -> Result<Array1<f64>, DecodeError> {
    let (mut sum, mut scratch) = (Array1::zeros(rows.width()), Vec::new());
    for range in blocks(rows) {
        sum += &rows.block(range, &mut scratch).sum_axis(Axis(0));
    }
    // a value that is not finite shows in the sum, so that only then all have to be looked at one by one
    let astray = if sum.iter().all(|sum: &f64| sum.is_finite()) { None } else { first_not_finite(rows) };
    match astray {
        Some((item, feature)) => Err(DecodeError::NotFinite { item, feature }),
        None => Ok(sum / rows.count().max(1) as f64),
    }
}

/// `[set, item]`: one over the size of a set for each of its items.
fn shares(items: usize, sets: &[&[usize]]) -> Array2<f64> {
    let mut shares = Array2::zeros((sets.len(), items));
    for (mut row, set) in shares.rows_mut().into_iter().zip(sets) {
        set.iter().for_each(|item| row[*item] += 1.0 / set.len() as f64);
    }
    shares
}

/// Which units the penalty sees.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Units {
    /// Each feature in its own: a feature of large numbers is penalised less.
    Own,
    /// Each feature divided by its standard deviation among the items to learn from.
    Spread,
}

impl Units {
    /// `scale` in these units.
    pub(crate) fn of(self, scale: Scale) -> Scale {
        match self {
            Units::Own => scale.unscaled(),
            Units::Spread => scale,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ndarray::array;

    #[test]
    fn each_set_has_its_own_mean_and_spread() {
        let states = Array2::from_shape_fn((2000, 90), |(row, column)| ((row * 7 + column) as f64).sin() * 3.0 + 1e4);
        let odd: Vec<usize> = (0..2000).filter(|row| row % 2 == 1).collect();
        let few = [3, 900, 1999];
        let scales = Scale::of(&states.view(), &[&odd, &few]).unwrap();
        for (scale, set) in scales.iter().zip([odd.as_slice(), &few]) {
            let own = states.select(Axis(0), set);
            let (mean, spread) = (own.mean_axis(Axis(0)).unwrap(), own.std_axis(Axis(0), 0.0));
            // rounding of numbers near 10,000, and of their squares about the mean
            assert!((&scale.centre - &mean).iter().all(|gap| gap.abs() < 1e-9));
            assert!((&scale.spread - &spread).iter().all(|gap| gap.abs() < 1e-9));
        }
    }

    #[test]
    fn what_never_varies_has_a_spread_of_one() {
        let states = array![[0.1, 0.0], [0.1, 0.0], [0.1, 0.0]];
        let scale = &Scale::of(&states.view(), &[&[0, 1, 2]]).unwrap()[0];
        assert_eq!(scale.spread, array![1.0, 1.0]);
        assert!(scale.apply(states.view()).iter().all(|value| value.abs() < 1e-15));
    }

    #[test]
    fn a_value_that_is_not_finite_is_named_also_where_it_is_held_out() {
        let states = array![[1.0, 2.0], [3.0, 4.0], [5.0, f64::NAN]];
        let found = Scale::of(&states.view(), &[&[0, 1]]);
        assert_eq!(found, Err(DecodeError::NotFinite { item: 2, feature: 1 }));
    }
}
