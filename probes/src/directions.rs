//! Few directions that hold most of what many rows have, by singular values.
//!
//! **What it measures.** The leading right singular vectors of a matrix `[row, width]`, uncentred: no other so many
//! orthonormal directions hold more of the rows' sum of squares. Of differences between two classes, item by item, they
//! are the directions along which the classes differ most; the first is near the difference of means where all differ alike.
//!
//! **What it cannot show.** That a model reads them. Rows that differ in two things at once give directions of both.
//!
//! **Reference.** Eckart & Young 1936, *The approximation of one matrix by another of lower rank*; of differences
//! between contrasting prompts, Zou et al. 2023, *Representation engineering*.
//!
//! **Example.**
//! ```
//! use ndarray::array;
//! use patchclamp_probes::Directions;
//!
//! let differences = array![[2.0, 0.0], [4.0, 0.0], [3.0, 0.1]];
//! let gender = Directions::leading(differences.view(), 1).unwrap();
//! assert!(gender.vectors()[[0, 0]] > 0.999);
//! assert!(gender.share() > 0.999);
//! ```

use faer::Mat;
use ndarray::{Array2, ArrayView2, Axis};

/// Orthonormal directions, and how much of some rows they hold.
#[derive(Clone, Debug, PartialEq)]
pub struct Directions {
    vectors: Array2<f64>,
    share: f64,
}

/// Of the largest singular value, what is no more than rounding.
const ROUNDING: f64 = 1e-10;

impl Directions {
    /// The `count` directions that hold most of `rows` `[row, width]`, each pointing where the sum of the rows does; fewer
    /// where the rows span fewer. `None` where no row differs from zero, or one is not finite.
    ///
    /// # Panics
    /// If `count` is 0.
    pub fn leading(rows: ArrayView2<f64>, count: usize) -> Option<Self> {
        assert!(count > 0, "at least one direction");
        if !rows.iter().all(|value| value.is_finite()) {
            return None;
        }
        let matrix = Mat::from_fn(rows.nrows(), rows.ncols(), |row, column| rows[[row, column]]);
        let split = matrix.thin_svd().ok()?;
        let values: Vec<f64> = split.S().column_vector().iter().copied().collect();
        let largest = values.first().copied().filter(|largest| *largest > 0.0)?;
        let kept = values.iter().take(count).take_while(|value| **value > ROUNDING * largest).count();
        let vectors = Array2::from_shape_fn((kept, rows.ncols()), |(place, column)| split.V()[(column, place)]);
        let squares = |values: &[f64]| values.iter().map(|value| value * value).sum::<f64>();
        Some(Directions { vectors: along(vectors, rows), share: squares(&values[..kept]) / squares(&values) })
    }

    /// The directions that these rows `[count, width]` span, in their order; fewer where they span fewer. `None` as for
    /// [`Directions::leading`].
    pub fn spanned(rows: ArrayView2<f64>) -> Option<Self> {
        Directions::leading(rows, rows.nrows().max(1))
    }

    /// `[count, width]`, orthonormal rows.
    pub fn vectors(&self) -> ArrayView2<'_, f64> {
        self.vectors.view()
    }

    /// The share of the rows' sum of squares that they hold, 0 to 1.
    pub fn share(&self) -> f64 {
        self.share
    }

    /// The mean squared cosine of the principal angles between two spans, over as many angles as the smaller has
    /// directions: 1 where one holds the other, 0 where they are at right angles.
    ///
    /// # Panics
    /// If their widths differ.
    pub fn overlap(&self, other: &Self) -> f64 {
        let cosines = self.vectors.dot(&other.vectors.t());
        cosines.mapv(|cosine| cosine * cosine).sum() / self.vectors.nrows().min(other.vectors.nrows()) as f64
    }
}

/// The same directions, each turned to where the sum of the rows points.
fn along(mut vectors: Array2<f64>, rows: ArrayView2<f64>) -> Array2<f64> {
    let sum = rows.sum_axis(Axis(0));
    for mut vector in vectors.rows_mut() {
        let ahead = vector.dot(&sum);
        // where the rows cancel, the first value that is not zero is positive
        let first = vector.iter().copied().find(|value| *value != 0.0).unwrap_or(1.0);
        if ahead < 0.0 || (ahead == 0.0 && first < 0.0) {
            vector.mapv_inplace(|value| -value);
        }
    }
    vectors
}

#[cfg(test)]
mod tests {
    use super::*;
    use ndarray::array;
    use rand::{Rng, SeedableRng};
    use rand_chacha::ChaCha8Rng;

    fn random(rows: usize, width: usize, seed: u64) -> Array2<f64> {
        let mut draws = ChaCha8Rng::seed_from_u64(seed);
        Array2::from_shape_fn((rows, width), |_| draws.random_range(-1.0..1.0))
    }

    #[test]
    fn directions_are_orthonormal_and_hold_all_where_there_are_as_many_as_the_rows_span() {
        for (rows, width) in [(9, 5), (4, 7)] {
            let matrix = random(rows, width, 1);
            let all = Directions::leading(matrix.view(), 99).unwrap();
            let gram = all.vectors().dot(&all.vectors().t());
            let identity: Array2<f64> = Array2::eye(rows.min(width));
            assert!((&gram - &identity).iter().all(|value| value.abs() < 1e-12));
            let again = matrix.dot(&all.vectors().t()).dot(&all.vectors());
            assert!((&again - &matrix).iter().all(|value| value.abs() < 1e-12));
            assert!((all.share() - 1.0).abs() < 1e-12);
        }
    }

    #[test]
    fn no_other_direction_holds_more() {
        let matrix = random(20, 6, 2);
        let best = Directions::leading(matrix.view(), 1).unwrap();
        let held = |vector: ArrayView2<f64>| matrix.dot(&vector.t()).mapv(|value| value * value).sum();
        for seed in 3..40 {
            let other = Directions::spanned(random(1, 6, seed).view()).unwrap();
            assert!(held(other.vectors()) < held(best.vectors()), "seed {seed}");
        }
    }

    #[test]
    fn a_planted_direction_is_found_and_points_ahead() {
        let differences = array![[-3.0, -4.0], [-6.0, -8.0]];
        let found = Directions::leading(differences.view(), 2).unwrap();
        assert_eq!(found.vectors().nrows(), 1, "both rows lie on one line");
        assert!((found.vectors()[[0, 0]] + 0.6).abs() < 1e-12 && (found.vectors()[[0, 1]] + 0.8).abs() < 1e-12);
    }

    #[test]
    fn spans_overlap_by_the_angle_between_them() {
        let line = |angle: f64| Directions::spanned(array![[angle.cos(), angle.sin(), 0.0]].view()).unwrap();
        let plane = Directions::spanned(array![[1.0, 0.0, 0.0], [0.0, 1.0, 0.0]].view()).unwrap();
        assert!((line(0.0).overlap(&line(1.0)) - 1f64.cos().powi(2)).abs() < 1e-12);
        assert!((plane.overlap(&line(0.3)) - 1.0).abs() < 1e-12);
        assert!(line(0.0).overlap(&line(std::f64::consts::FRAC_PI_2)) < 1e-12);
    }

    #[test]
    fn what_has_no_direction_has_none() {
        assert_eq!(Directions::leading(Array2::zeros((3, 2)).view(), 1), None);
        assert_eq!(Directions::leading(Array2::zeros((0, 2)).view(), 1), None);
        assert_eq!(Directions::leading(array![[f64::NAN, 1.0]].view(), 1), None);
    }
}
