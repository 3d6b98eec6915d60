//! The BCa bootstrap: percentile intervals corrected for bias and skew.
//!
//! **What it measures.** As the [percentile bootstrap](mod@crate::bootstrap) the range in which a statistic lies over samples
//! drawn again, but between other percentiles: moved by how far the draws lie to one side of the statistic, and by how
//! much its spread changes with its value (from leaving out one item, or one group, at a time). The error of its level falls
//! with the number of items rather than with its root, and it does not depend on the scale of the statistic.
//!
//! **What it cannot show.** What items of another kind would give. With a handful of items the correction is as uncertain as
//! what it corrects; of statistics with jumps, such as medians, it is not to be trusted.
//!
//! **Reference.** Efron 1987, *Better bootstrap confidence intervals*, Journal of the American Statistical Association 82.
//!
//! **Example.**
//! ```
//! use patchclamp_probes::{Resamples, mean_interval};
//!
//! let skewed = [0.1, 0.2, 0.1, 0.3, 0.2, 0.1, 4.0, 0.2, 0.4, 0.1];
//! let (plain, better) = (mean_interval(&skewed, 0.95, 2000, 7).unwrap(), Resamples::new(10, 2000, 7).bca(&skewed, 0.95).unwrap());
//! assert!(better.low > plain.low && better.high > plain.high); // further towards the long tail
//! ```

use crate::bootstrap::{Resamples, bootstrap};
use crate::groups::Groups;
use crate::interval::{Interval, finite, quantile};
use crate::special::{normal_below, normal_quantile};

impl Resamples {
    /// The BCa interval at `level` (a fraction) of the mean of `values` `[item]`. `None` as for
    /// [`interval`](Self::interval), or where all draws lie on one side of the mean.
    ///
    /// # Panics
    /// If there is not one value for each item, or `level` is not above 0 and below 1.
    pub fn bca(&self, values: &[f64], level: f64) -> Option<Interval> {
        let draws = self.means(values)?;
        let (all, count) = (values.iter().sum::<f64>(), values.len() as f64);
        let without = |group: &Vec<usize>| {
            let sum: f64 = group.iter().map(|item| values[*item]).sum();
            (all - sum) / (count - group.len() as f64)
        };
        let left_out: Vec<f64> = self.groups().members().iter().map(without).collect();
        bca(all / count, &draws, &left_out, level)
    }
}

/// The BCa interval at `level` of any `statistic` of `items` item numbers, in its unit. `None` below two items, without draws,
/// if the statistic of one draw is not finite, or where all draws lie on one side of it.
///
/// # Panics
/// If `level` is not above 0 and below 1, or there are 2³² items or more.
pub fn bca_interval(
    items: usize,
    level: f64,
    draws: usize,
    seed: u64,
    statistic: impl FnMut(&[usize]) -> f64,
) -> Option<Interval> {
    of_groups(&Groups::single(items), level, draws, seed, statistic)
}

/// The same with whole `groups` `[item]` drawn and left out.
///
/// # Panics
/// As [`bca_interval`].
pub fn bca_clustered(
    groups: &[usize],
    level: f64,
    draws: usize,
    seed: u64,
    statistic: impl FnMut(&[usize]) -> f64,
) -> Option<Interval> {
    of_groups(&Groups::new(groups), level, draws, seed, statistic)
}

fn of_groups(
    groups: &Groups,
    level: f64,
    draws: usize,
    seed: u64,
    mut statistic: impl FnMut(&[usize]) -> f64,
) -> Option<Interval> {
    if groups.count() < 2 {
        return None;
    }
    let drawn = bootstrap(groups.count(), draws, seed, |drawn| statistic(&groups.items_of(drawn)));
    let left_out: Vec<f64> = (0..groups.count()).map(|group| statistic(&groups.without(group))).collect();
    let all: Vec<usize> = (0..groups.items()).collect();
    bca(statistic(&all), &drawn, &left_out, level)
}

/// Draws this close to the statistic, relative to the largest, equal it: those that hold each item or group once, in another
/// order, differ by rounding. They count half on either side.
const TIE: f64 = 1e-12;

/// The BCa interval at `level` of a statistic that is `observed` on all items, of its `draws`, and of what it is with each
/// item or group `left_out` in turn. `None` without draws, with a value that is not finite, or where all draws lie on one side.
///
/// # Panics
/// If `level` is not above 0 and below 1.
pub fn bca(observed: f64, draws: &[f64], left_out: &[f64], level: f64) -> Option<Interval> {
    assert!(level > 0.0 && level < 1.0, "level {level} must be above 0 and below 1");
    finite(&[observed])?;
    let (draws, left_out) = (finite(draws)?, finite(left_out)?);
    let largest = draws.iter().fold(observed.abs(), |most, draw| most.max(draw.abs()));
    let below = draws.iter().filter(|draw| **draw < observed - TIE * largest).count() as f64;
    let equal = draws.iter().filter(|draw| (**draw - observed).abs() <= TIE * largest).count() as f64;
    let bias = normal_quantile((below + equal / 2.0) / draws.len() as f64);
    let skew = acceleration(left_out);
    let end = |share: f64| {
        let z = bias + normal_quantile(share);
        let place = normal_below(bias + z / (1.0 - skew * z));
        (bias.is_finite() && 1.0 - skew * z > 0.0).then(|| quantile(draws, place))?
    };
    Some(Interval { low: end((1.0 - level) / 2.0)?, high: end(f64::midpoint(1.0, level))? })
}

/// Σ d³ / 6 (Σ d²)^1.5 of the deviations; 0 where leaving out changes nothing.
fn acceleration(left_out: &[f64]) -> f64 {
    if left_out.iter().all(|value| *value == left_out[0]) {
        return 0.0;
    }
    let mean = left_out.iter().sum::<f64>() / left_out.len() as f64;
    let sum = |power: i32| left_out.iter().map(|value| (mean - value).powi(power)).sum::<f64>();
    sum(3) / (6.0 * sum(2).powf(1.5))
}
