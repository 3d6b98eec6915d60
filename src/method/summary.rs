//! From one value an item to a row: mean, interval, test; Holm's correction over a whole table.

use super::Bench;
use crate::table::Row;
use patchclamp_probes::{Flips, Resamples, holm_known};

/// Resamples and sign patterns of the items, drawn once for all rows.
pub struct Summary {
    resamples: Resamples,
    flips: Flips,
    level: f64,
}

impl Summary {
    /// For the items of a bench.
    pub fn new(bench: &Bench) -> Self {
        let (items, statistics) = (bench.items.len(), bench.statistics);
        Summary {
            resamples: Resamples::new(items, statistics.resamples, bench.seed),
            flips: Flips::new(items, statistics.permutations, bench.seed),
            level: statistics.level,
        }
    }

    /// The row with mean, bootstrap interval and sign-flip p of `effects`, one an item; `scale` is the effect that counts as 1.
    pub fn row(&self, row: Row, effects: &[f64], scale: Option<f64>) -> Row {
        let interval = self.resamples.interval(effects, self.level);
        Row { p: self.flips.p_value(effects), ..self.described(row, effects, scale, interval) }
    }

    /// The same without a test, for values that chance does not scatter around zero.
    pub fn untested(&self, row: Row, values: &[f64], scale: Option<f64>) -> Row {
        let interval = self.resamples.interval(values, self.level);
        self.described(row, values, scale, interval)
    }

    fn described(
        &self,
        row: Row,
        values: &[f64],
        scale: Option<f64>,
        interval: Option<patchclamp_probes::Interval>,
    ) -> Row {
        let effect = mean(values);
        Row {
            effect,
            normalised: scale.filter(|scale| *scale != 0.0).map(|scale| effect / scale),
            low: interval.map(|interval| interval.low),
            high: interval.map(|interval| interval.high),
            n: values.len(),
            ..row
        }
    }
}

/// The mean of at least one value.
pub fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len() as f64
}

/// Holm's correction of the p-values of one sweep.
pub fn correct(rows: &mut [Row]) {
    let corrected = holm_known(&rows.iter().map(|row| row.p).collect::<Vec<_>>());
    rows.iter_mut().zip(corrected).for_each(|(row, p)| row.p = p);
}
