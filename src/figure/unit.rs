//! Whether a figure shows effects or normalised effects.

use super::choose::words;
use super::{Bar, pivot};
use crate::table::{Row, quantity};

/// Two ratios this close, of the largest effect, are one: numbers may have been through a decimal.
const SAME: f64 = 1e-6;

/// Metrics that a row has a value of, and no effect on.
const QUANTITIES: [&str; 16] = [
    "accuracy",
    "calibration_error",
    "compression",
    "divergence",
    "edges",
    "faithfulness",
    "gap",
    "incompleteness",
    "information",
    "jaccard",
    "moved",
    "rank",
    "roc_area",
    "roc_staircase",
    "selectivity",
    "share",
];

/// What a figure's numbers are.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Unit {
    /// Effects in the metric's unit.
    Effect,
    /// Normalised effects; an effect times this factor is one, if there is one such factor.
    Normalised(Option<f64>),
}

/// Whether rows of this metric have a value of it, and no effect on it.
pub fn is_quantity(metric: &str) -> bool {
    QUANTITIES.contains(&quantity(metric).0)
}

impl Unit {
    /// Normalised if every row is.
    pub fn of(rows: &[&Row]) -> Self {
        if rows.iter().all(|row| row.normalised.is_some()) {
            return Self::Normalised(factor(rows));
        }
        Self::Effect
    }

    /// The same, but effects where the intervals, which are those of effects, cannot be converted.
    pub fn with_intervals(rows: &[&Row]) -> Self {
        let intervals = rows.iter().any(|row| row.low.is_some());
        match Self::of(rows) {
            Self::Normalised(None) if intervals => Self::Effect,
            unit => unit,
        }
    }

    /// The row's number.
    pub fn value(self, row: &Row) -> f64 {
        match self {
            Self::Effect => row.effect,
            Self::Normalised(_) => row.normalised.unwrap_or(f64::NAN),
        }
    }

    /// The row's interval, in order.
    pub fn interval(self, row: &Row) -> (Option<f64>, Option<f64>) {
        match self {
            Self::Effect => (row.low, row.high),
            Self::Normalised(None) => (None, None),
            Self::Normalised(Some(factor)) => {
                let (low, high) = (row.low.map(|end| end * factor), row.high.map(|end| end * factor));
                if factor < 0.0 { (high, low) } else { (low, high) }
            }
        }
    }

    /// The title of an axis of such numbers.
    pub fn title(self, rows: &[&Row]) -> String {
        let name = rows.first().map_or("", |row| quantity(&row.metric).0);
        let metric = words(name);
        match self {
            // a quantity of its own, which nothing is done to
            Self::Effect if metric.contains(": ") => metric,
            Self::Effect if is_quantity(name) => capitalised(&metric),
            Self::Effect => format!("Effect on {metric}"),
            Self::Normalised(_) => format!("Normalised effect ({metric})"),
        }
    }

    /// The row as a bar.
    pub fn bar(self, row: &Row, label: String) -> Bar {
        let (low, high) = self.interval(row);
        Bar { label, value: self.value(row), low, high, mark: pivot::is_marked(row) }
    }
}

/// With a capital letter.
pub fn capitalised(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map_or(String::new(), |first| first.to_uppercase().chain(letters).collect())
}

/// The factor from effect to normalised effect, if it is the same for all rows.
fn factor(rows: &[&Row]) -> Option<f64> {
    let finite = |row: &&&Row| row.effect.is_finite();
    let row = rows.iter().filter(finite).max_by(|a, b| a.effect.abs().total_cmp(&b.effect.abs()))?;
    let factor = row.normalised? / row.effect;
    let slack = SAME * row.normalised?.abs();
    let same = |row: &&Row| (row.normalised.unwrap_or(f64::NAN) - row.effect * factor).abs() <= slack;
    (factor.is_finite() && rows.iter().filter(|row| row.effect.is_finite()).all(same)).then_some(factor)
}
