//! Effect sizes: how large is a difference, in units that another study can be held against?
//!
//! **What it measures.** [`cohens_d`]: the difference of two means over their common spread; [`hedges_g`]: the same without
//! its bias for few items; [`paired_d`]: the mean of differences over their own spread; [`cliffs_delta`]: how much more
//! often an item of the first is above one of the second than below; [`odds_ratio`]: of a table of counts, with its
//! interval.
//!
//! **What it cannot show.** Whether an effect is real, or matters. Spread that the design makes (many templates, or one)
//! makes d small or large without any change of the difference.
//!
//! **Reference.** Cohen 1988, *Statistical Power Analysis for the Behavioral Sciences*; Hedges 1981, *Distribution theory for
//! Glass's estimator of effect size*, Journal of Educational Statistics 6; Cliff 1993, Psychological Bulletin 114; Woolf
//! 1955, *On estimating the relation between blood group and disease*, Annals of Human Genetics 19; Haldane 1956.
//!
//! **Example.**
//! ```
//! use patchclamp_probes::effect::{cliffs_delta, cohens_d};
//!
//! assert_eq!(cohens_d(&[3.0, 5.0], &[1.0, 3.0]), Some(2.0 / 2.0_f64.sqrt()));
//! assert_eq!(cliffs_delta(&[3.0, 5.0], &[1.0, 3.0]), Some(0.75)); // three pairs above, one tied
//! ```

use crate::interval::{Interval, finite};
use crate::special::{ln_gamma, normal_quantile};
use crate::unit::selectivity::{mean, variance};

/// (ā − b̄) over the root of the pooled variance. `None` without an item, below three in all, if one is not finite, or
/// where neither varies.
pub fn cohens_d(a: &[f64], b: &[f64]) -> Option<f64> {
    let (a, b) = (finite(a)?, finite(b)?);
    let free = |values: &[f64]| (values.len() - 1) as f64;
    let squares = |values: &[f64]| if values.len() > 1 { variance(values) * free(values) } else { 0.0 };
    let pooled = (squares(a) + squares(b)) / (free(a) + free(b));
    (pooled > 0.0).then(|| (mean(a) - mean(b)) / pooled.sqrt())
}

/// [`cohens_d`] times Γ(m/2) / (√(m/2) Γ((m − 1)/2)), m the degrees of freedom: without bias for normal values. `None` as
/// [`cohens_d`], and below four items in all.
pub fn hedges_g(a: &[f64], b: &[f64]) -> Option<f64> {
    let freedom = (a.len() + b.len()).saturating_sub(2) as f64;
    if freedom < 2.0 {
        return None;
    }
    let log = ln_gamma(freedom / 2.0) - ln_gamma((freedom - 1.0) / 2.0) - (freedom / 2.0).ln() / 2.0;
    Some(cohens_d(a, b)? * log.exp())
}

/// The mean of `differences` over their standard deviation (n − 1). `None` below two, if one is not finite, or where they
/// do not vary.
pub fn paired_d(differences: &[f64]) -> Option<f64> {
    let values = finite(differences).filter(|values| values.len() > 1)?;
    let spread = variance(values).sqrt();
    (spread > 0.0).then(|| mean(values) / spread)
}

/// The share of pairs in which `a` is above less the share in which it is below, −1 to 1. `None` without items, or if one is
/// not finite.
pub fn cliffs_delta(a: &[f64], b: &[f64]) -> Option<f64> {
    let (a, mut rising) = (finite(a)?, finite(b)?.to_vec());
    rising.sort_by(f64::total_cmp);
    let more = |value: &f64| {
        let below = rising.partition_point(|other| other < value);
        let above = rising.len() - rising.partition_point(|other| other <= value);
        below as f64 - above as f64
    };
    Some(a.iter().map(more).sum::<f64>() / (a.len() * rising.len()) as f64)
}

/// The odds ratio of a table of counts `[[with, without], [with, without]]` and its interval at `level`, by the normal
/// distribution of its logarithm. Where a count is 0, a half is added to all. `None` where a row or a column is empty.
///
/// # Panics
/// If `level` is not above 0 and below 1.
pub fn odds_ratio(table: [[u64; 2]; 2], level: f64) -> Option<(f64, Interval)> {
    assert!(level > 0.0 && level < 1.0, "level {level} must be above 0 and below 1");
    let [[a, b], [c, d]] = table;
    if a + b == 0 || c + d == 0 || a + c == 0 || b + d == 0 {
        return None;
    }
    let more = if [a, b, c, d].contains(&0) { 0.5 } else { 0.0 };
    let [a, b, c, d] = [a, b, c, d].map(|count| count as f64 + more);
    let log = (a * d / (b * c)).ln();
    let reach = normal_quantile(f64::midpoint(1.0, level)) * (1.0 / a + 1.0 / b + 1.0 / c + 1.0 / d).sqrt();
    Some((log.exp(), Interval { low: (log - reach).exp(), high: (log + reach).exp() }))
}
