//! Quantiles with linear interpolation, and the central interval between two of them.
//!
//! **What it measures.** The range that holds the central `level` of some draws.
//!
//! **What it cannot show.** Whether the draws stand for anything: that is for what made them.
//!
//! **Reference.** Hyndman & Fan 1996, *Sample Quantiles in Statistical Packages*, The American
//! Statistician 50, type 7: the default of numpy and R.
//!
//! **Example.**
//! ```
//! use patchclamp_probes::{Interval, quantile};
//!
//! let draws = [1.0, 2.0, 3.0, 4.0, 5.0];
//! assert_eq!(quantile(&draws, 0.375), Some(2.5));
//! assert_eq!(Interval::percentile(&draws, 0.5), Some(Interval { low: 2.0, high: 4.0 }));
//! ```

/// A closed range, in the unit of the values it was made from.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Interval {
    /// Lower end.
    pub low: f64,
    /// Upper end, not below `low`.
    pub high: f64,
}

impl Interval {
    /// The central `level` (a fraction, 0.95 for 95 %) of `draws`: between their quantiles
    /// `(1 − level) / 2` and `(1 + level) / 2`. `None` without draws, or if one is not finite.
    ///
    /// # Panics
    /// If `level` is not above 0 and below 1.
    pub fn percentile(draws: &[f64], level: f64) -> Option<Self> {
        assert!(level > 0.0 && level < 1.0, "level {level} must be above 0 and below 1");
        let mut scratch = finite(draws)?.to_vec();
        Some(Self {
            low: select(&mut scratch, (1.0 - level) / 2.0),
            high: select(&mut scratch, f64::midpoint(1.0, level)),
        })
    }

    /// Whether `value` lies in the range, ends included.
    pub fn contains(&self, value: f64) -> bool {
        self.low <= value && value <= self.high
    }

    /// `high − low`, in the unit of the values.
    pub fn width(&self) -> f64 {
        self.high - self.low
    }
}

/// The quantile `fraction` of `values`: the value at place `fraction · (n − 1)` in rising order,
/// interpolated linearly between its neighbours. `None` without values, or if one is not finite.
///
/// # Panics
/// If `fraction` is not in 0 to 1.
pub fn quantile(values: &[f64], fraction: f64) -> Option<f64> {
    assert!((0.0..=1.0).contains(&fraction), "fraction {fraction} must lie in 0 to 1");
    Some(select(&mut finite(values)?.to_vec(), fraction))
}

/// `values` where there are some and all are finite.
pub(crate) fn finite(values: &[f64]) -> Option<&[f64]> {
    let usable = !values.is_empty() && values.iter().all(|value| value.is_finite());
    usable.then_some(values)
}

/// [`quantile`] of values to be reordered, at least one.
///
/// The standard library's selection and not `ndarray-stats`' (0.7), which is quadratic in ties: equal
/// draws, common where a patch has no effect, took it 20 ms for 10⁴ and the whole stack for 10⁵.
fn select(values: &mut [f64], fraction: f64) -> f64 {
    let place = fraction * (values.len() - 1) as f64;
    let (_, low, above) = values.select_nth_unstable_by(place as usize, f64::total_cmp);
    let high = above.iter().copied().reduce(f64::min).unwrap_or(*low);
    between(*low, high, place.fract())
}

/// `part` of the way from `low` to `high`, from the nearer end, as numpy does it: exact at both ends.
fn between(low: f64, high: f64, part: f64) -> f64 {
    let step = high - low;
    if part < 0.5 { low + step * part } else { high - step * (1.0 - part) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ndarray::Array1;
    use ndarray_stats::{MaybeNan, Quantile1dExt, interpolate::Linear};

    /// Rounding of one interpolation between numbers below 100.
    const ROUNDING: f64 = 1e-13;

    #[test]
    fn quantiles_are_those_of_numpy_by_hand() {
        // Places 0.25·3 = 0.75, 0.5·3 = 1.5, 0.9·3 = 2.7 in 1, 3, 7, 15.
        let values = [7.0, 1.0, 15.0, 3.0];
        for (fraction, expected) in [(0.0, 1.0), (0.25, 2.5), (0.5, 5.0), (0.9, 12.6), (1.0, 15.0)] {
            assert!((quantile(&values, fraction).unwrap() - expected).abs() < ROUNDING, "{fraction}");
        }
    }

    #[test]
    fn quantiles_are_those_of_ndarray_stats() {
        let values: Vec<f64> = (0..97).map(|i| (f64::from(i) * 1.3).sin() * 40.0).collect();
        for fraction in (0..=100).map(|percent| f64::from(percent) / 100.0) {
            let mut peer = Array1::from(values.clone());
            let peer = <f64 as MaybeNan>::remove_nan_mut(peer.view_mut())
                .quantile_mut(*fraction.try_as_not_nan().unwrap(), &Linear)
                .unwrap();
            let gap = quantile(&values, fraction).unwrap() - f64::from_not_nan(peer);
            assert!(gap.abs() < ROUNDING, "{fraction}");
        }
    }

    #[test]
    fn an_interval_cuts_off_as_much_below_as_above() {
        let draws: Vec<f64> = (0..=100).rev().map(f64::from).collect();
        let interval = Interval::percentile(&draws, 0.9).unwrap();
        assert!((interval.low - 5.0).abs() < ROUNDING && (interval.high - 95.0).abs() < ROUNDING);
        assert!((interval.width() - 90.0).abs() < ROUNDING);
    }

    #[test]
    fn an_interval_contains_its_ends_and_what_lies_between() {
        let interval = Interval { low: -1.0, high: 2.0 };
        assert!([-1.0, 0.0, 2.0].iter().all(|inside| interval.contains(*inside)));
        assert!([-1.1, 2.1, f64::NAN].iter().all(|outside| !interval.contains(*outside)));
    }

    #[test]
    fn a_million_equal_draws_are_no_trouble() {
        let interval = Interval::percentile(&vec![0.25; 1_000_000], 0.95);
        assert_eq!(interval, Some(Interval { low: 0.25, high: 0.25 }));
    }

    #[test]
    fn no_draws_and_draws_that_are_not_finite_have_no_interval() {
        for draws in [&[][..], &[1.0, f64::NAN, 2.0], &[1.0, f64::INFINITY]] {
            assert_eq!(Interval::percentile(draws, 0.5), None);
            assert_eq!(quantile(draws, 0.5), None);
        }
        assert_eq!(quantile(&[3.0], 0.3), Some(3.0));
    }

    #[test]
    #[should_panic(expected = "level 95 must be above 0 and below 1")]
    fn a_level_in_percent_is_a_mistake_of_the_caller() {
        Interval::percentile(&[1.0, 2.0], 95.0);
    }
}
