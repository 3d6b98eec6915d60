//! Pearson's and Spearman's correlation and the least-squares slope: does what was measured follow what was planted?
//!
//! **What it measures.** [`pearson`]: how nearly the points lie on a line. [`slope`]: how steep the
//! line is; 1 where the measured effect is the planted one, below 1 where it is shrunk. [`spearman`]:
//! how nearly one rises wherever the other does.
//!
//! **What it cannot show.** A correlation of 1 allows any scale and shift, so it does not show that
//! an estimate is right; one of 0 allows a relation that is not a line. Neither shows a cause.
//!
//! **Reference.** Pearson 1896, *Mathematical Contributions to the Theory of Evolution III*,
//! Philosophical Transactions of the Royal Society A 187.
//!
//! **Example.**
//! ```
//! use patchclamp_probes::{pearson, slope};
//!
//! let (planted, measured) = ([0.0, 1.0, 2.0], [1.0, 1.5, 2.0]);
//! assert_eq!(slope(&planted, &measured), Some(0.5));
//! assert!((pearson(&planted, &measured).unwrap() - 1.0).abs() < 1e-15);
//! ```

use ndarray::{Array2, ArrayView1, Axis, stack};
use ndarray_stats::CorrelationExt;

/// Pearson's r of the pairs `(x, y)`, −1 to 1, without unit. `None` below two pairs, if a value is
/// not finite, or where one side is constant and so has no correlation.
///
/// # Panics
/// If `x` and `y` differ in length.
pub fn pearson(x: &[f64], y: &[f64]) -> Option<f64> {
    let r = pairs(x, y).pearson_correlation().ok()?[[0, 1]]; // not finite where a side is constant
    r.is_finite().then(|| r.clamp(-1.0, 1.0)) // rounding can leave r above 1
}

/// Spearman's ρ of the pairs `(x, y)`: Pearson's r of their ranks, equal values sharing the mean of theirs. `None` as
/// [`pearson`].
///
/// # Panics
/// If `x` and `y` differ in length.
pub fn spearman(x: &[f64], y: &[f64]) -> Option<f64> {
    let finite = x.iter().chain(y).all(|value| value.is_finite());
    finite.then(|| pearson(&ranks(x), &ranks(y)))?
}

/// The rank of each value, from 1; equal values share the mean of theirs.
pub(crate) fn ranks(values: &[f64]) -> Vec<f64> {
    let mut rising: Vec<usize> = (0..values.len()).collect();
    rising.sort_by(|left, right| values[*left].total_cmp(&values[*right]));
    let (mut ranks, mut below) = (vec![0.0; values.len()], 0);
    for tied in rising.chunk_by(|left, right| values[*left] == values[*right]) {
        let shared = below as f64 + (tied.len() as f64 + 1.0) / 2.0;
        tied.iter().for_each(|place| ranks[*place] = shared);
        below += tied.len();
    }
    ranks
}

/// The least-squares slope of `y` on `x`, in units of `y` per unit of `x`. `None` below two pairs,
/// if a value is not finite, or where `x` is constant.
///
/// # Panics
/// If `x` and `y` differ in length.
pub fn slope(x: &[f64], y: &[f64]) -> Option<f64> {
    let pairs = pairs(x, y);
    if is_constant(x) {
        return None;
    }
    let covariance = pairs.cov(0.0).ok()?;
    let slope = covariance[[0, 1]] / covariance[[0, 0]];
    slope.is_finite().then_some(slope)
}

/// Both sides as rows, `[2, pair]`.
fn pairs(x: &[f64], y: &[f64]) -> Array2<f64> {
    assert_eq!(x.len(), y.len(), "x and y must pair up");
    stack![Axis(0), ArrayView1::from(x), ArrayView1::from(y)]
}

/// Whether there is no spread, as below two values. By comparison and not by the covariance: that of
/// three times 0.1 with itself is not 0 but 2e-34.
fn is_constant(values: &[f64]) -> bool {
    values.iter().all(|value| *value == values[0])
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Rounding of sums of a few products of numbers below 100.
    const ROUNDING: f64 = 1e-12;

    #[test]
    fn a_small_case_is_right_by_hand() {
        // Means 2.5 and 4; products −1.5·−2, −0.5·0, 0.5·−1, 1.5·3 sum to 7; squares to 5 and 14.
        let (x, y) = ([1.0, 2.0, 3.0, 4.0], [2.0, 4.0, 3.0, 7.0]);
        assert!((pearson(&x, &y).unwrap() - 7.0 / 70.0_f64.sqrt()).abs() < ROUNDING);
        assert!((slope(&x, &y).unwrap() - 1.4).abs() < ROUNDING);
    }

    #[test]
    fn a_line_has_correlation_one_and_its_own_slope() {
        let x = [0.1, -3.0, 2.5, 7.0];
        for steepness in [3.0, -0.25] {
            let y = x.map(|x| steepness * x + 11.0);
            assert!((pearson(&x, &y).unwrap() - f64::signum(steepness)).abs() < ROUNDING);
            assert!((slope(&x, &y).unwrap() - steepness).abs() < ROUNDING);
        }
    }

    #[test]
    fn ranks_forget_all_but_the_order_and_share_ties() {
        // ranks 1, 2.5, 2.5, 4 against 1, 2, 3, 4: the products of deviations sum to 4.5, the squares to 4.5 and 5
        let rho = spearman(&[0.0, 5.0, 5.0, 1e6], &[-3.0, 0.1, 0.2, 7.0]).unwrap();
        assert!((rho - 4.5 / (4.5f64 * 5.0).sqrt()).abs() < ROUNDING);
        assert_eq!(spearman(&[1.0, 2.0, 3.0], &[1.0, 8.0, 27.0]), Some(1.0));
        assert_eq!(spearman(&[1.0, f64::NAN], &[1.0, 2.0]), None);
    }

    #[test]
    fn correlation_forgets_scale_and_shift_and_order_of_the_sides() {
        let (x, y) = ([1.0, 5.0, 2.0, 8.0, 3.0], [0.3, 0.1, 0.9, 0.4, 0.2]);
        let r = pearson(&x, &y).unwrap();
        let moved = x.map(|x| 40.0 * x - 7.0);
        assert!((pearson(&moved, &y).unwrap() - r).abs() < ROUNDING);
        assert!((pearson(&y, &x).unwrap() - r).abs() < ROUNDING);
    }

    #[test]
    fn correlation_never_leaves_its_range() {
        for (pairs, step) in (2..20).flat_map(|pairs| (1..20).map(move |step| (pairs, step))) {
            let x: Vec<f64> = (0..pairs).map(|pair| f64::from(pair * step) * 0.1 + 0.3).collect();
            let y: Vec<f64> = x.iter().map(|x| x * 0.7 + 1.1).collect();
            assert!(pearson(&x, &y).unwrap() <= 1.0, "{pairs} {step}");
        }
    }

    #[test]
    fn a_constant_side_has_no_correlation() {
        let (constant, varied) = ([0.1, 0.1, 0.1], [1.0, 2.0, 4.0]);
        assert_eq!(pearson(&constant, &varied), None);
        assert_eq!(pearson(&varied, &constant), None);
        assert_eq!(slope(&constant, &varied), None);
        assert!(slope(&varied, &constant).unwrap().abs() < ROUNDING);
    }

    #[test]
    fn too_few_pairs_and_values_that_are_not_finite_have_no_answer() {
        for (x, y) in [(vec![], vec![]), (vec![1.0], vec![2.0]), (vec![1.0, 2.0], vec![f64::NAN, 1.0])] {
            assert_eq!((pearson(&x, &y), slope(&x, &y)), (None, None));
        }
    }

    #[test]
    #[should_panic(expected = "must pair up")]
    fn sides_of_different_length_are_a_mistake_of_the_caller() {
        pearson(&[1.0, 2.0], &[1.0, 2.0, 3.0]);
    }
}
