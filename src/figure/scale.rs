//! Ranges of numbers, and where their ticks stand.

use super::palette::{Colour, Scale};
use crate::table::Rounding;

/// Beyond these sizes the arithmetic of drawing would overflow or vanish.
const LEAST: f64 = 1e-290;
const MOST: f64 = 1e290;

fn drawable(values: impl IntoIterator<Item = f64>) -> impl Iterator<Item = f64> {
    values.into_iter().filter(|value| value.is_finite()).map(|value| value.clamp(-MOST, MOST))
}

/// A stretch of numbers with `low < high`, both finite.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Range {
    /// Lowest value.
    pub low: f64,
    /// Highest value.
    pub high: f64,
}

impl Range {
    /// The range of the finite `values`: widened where they are all the same, 0 to 1 without any.
    pub fn of(values: impl IntoIterator<Item = f64>) -> Self {
        let ends = drawable(values).fold(None, |ends: Option<(f64, f64)>, value| {
            let (low, high) = ends.unwrap_or((value, value));
            Some((low.min(value), high.max(value)))
        });
        match ends {
            None => Self { low: 0.0, high: 1.0 },
            Some((low, high)) if high - low <= LEAST.max(f64::EPSILON * low.abs().max(high.abs())) => {
                let around = if low.abs() < LEAST { 1.0 } else { low.abs() / 2.0 };
                Self { low: low - around, high: high + around }
            }
            Some((low, high)) => Self { low, high },
        }
    }

    /// For colours: as far below zero as above, or from zero (or below) up.
    pub fn for_colours(values: impl IntoIterator<Item = f64>, scale: Scale) -> Self {
        let values: Vec<_> = drawable(values).collect();
        let largest = values.iter().fold(0.0, |most: f64, value| most.max(value.abs()));
        let most = if largest < LEAST { 1.0 } else { largest };
        match scale {
            Scale::Diverging => Self { low: -most, high: most },
            Scale::Sequential => Self::of(values.into_iter().chain([0.0])),
        }
    }

    /// With `share` of its length added at both ends.
    pub fn padded(self, share: f64) -> Self {
        let more = (self.high - self.low) * share;
        Self { low: self.low - more, high: self.high + more }
    }

    /// How far `value` is on the way from low to high; 0 to 1 inside.
    pub fn share(self, value: f64) -> f64 {
        (value - self.low) / (self.high - self.low)
    }

    /// About `most` round numbers inside, evenly spaced: three at least, so that the spacing is seen.
    pub fn ticks(self, most: usize) -> Vec<f64> {
        let finer = (most.max(1)..most.max(1) + 4).map(|most| self.ticks_at_most(most));
        let mut finer = finer.skip_while(|ticks| ticks.len() < 3);
        finer.next().unwrap_or_else(|| self.ticks_at_most(most + 4))
    }

    fn ticks_at_most(self, most: usize) -> Vec<f64> {
        let step = round_step((self.high - self.low) / most as f64);
        let slack = step * 1e-6;
        let first = ((self.low - slack) / step).ceil();
        let inside = |tick: &f64| *tick <= self.high + slack;
        (0..=most).map(|index| (first + index as f64) * step).take_while(inside).collect()
    }
}

/// The least of 1, 2, 5 times a power of ten that is not below `least`.
fn round_step(least: f64) -> f64 {
    let power = 10f64.powf(least.log10().floor());
    let steps = [1.0, 2.0, 5.0, 10.0];
    let step = steps.into_iter().find(|step| step * power >= least * (1.0 - 1e-9));
    step.unwrap_or(10.0) * power
}

/// The ticks as text, all with the decimals that their spacing needs.
pub fn tick_labels(ticks: &[f64]) -> Vec<String> {
    let step = ticks.windows(2).map(|pair| pair[1] - pair[0]).next().unwrap_or(1.0);
    let decimals = -(step.log10() + 1e-9).floor();
    let largest = ticks.iter().fold(0.0, |most: f64, tick| most.max(tick.abs()));
    if decimals > 4.0 || largest >= 1e6 {
        return ticks.iter().map(|tick| exponent(*tick, step)).collect();
    }
    let rounding = Rounding::Decimals(decimals.max(0.0) as usize);
    ticks.iter().map(|tick| rounding.show(*tick)).collect()
}

fn exponent(tick: f64, step: f64) -> String {
    if tick.abs() < step / 2.0 {
        return "0".into();
    }
    format!("{tick:.1e}").replace(".0e", "e").replace('-', "−")
}

/// Numbers to colours.
#[derive(Clone, Copy, Debug)]
pub struct Shade {
    /// Its palette.
    pub scale: Scale,
    /// What its ends stand for.
    pub range: Range,
}

impl Shade {
    /// The shade that just holds `values`.
    pub fn of(values: impl IntoIterator<Item = f64>, scale: Scale) -> Self {
        Self { scale, range: Range::for_colours(values, scale) }
    }

    /// The colour of `value`; what lies outside is as its nearer end.
    pub fn colour(&self, value: f64) -> Colour {
        self.scale.colour(self.range.share(value))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ticks_are_round_and_inside() {
        let ticks = Range { low: -0.37, high: 1.02 }.ticks(6);
        assert_eq!(tick_labels(&ticks), ["0.0", "0.5", "1.0"]);
        assert_eq!(tick_labels(&Range { low: 0.0, high: 4e-7 }.ticks(4)), ["0", "1e−7", "2e−7", "3e−7", "4e−7"]);
        assert_eq!(tick_labels(&Range { low: -2e6, high: 2e6 }.ticks(4)), ["−2e6", "−1e6", "0", "1e6", "2e6"]);
    }

    #[test]
    fn every_input_has_a_range() {
        for values in [vec![], vec![f64::NAN], vec![3.0, 3.0], vec![0.0], vec![f64::INFINITY], vec![f64::MAX, f64::MIN]]
        {
            let range = Range::of(values.clone());
            assert!(range.low < range.high && (range.high - range.low).is_finite(), "{values:?} {range:?}");
            let ticks = range.ticks(2).len();
            assert!((3..=7).contains(&ticks), "{values:?} {ticks}");
        }
    }

    #[test]
    fn zero_is_the_middle_of_a_diverging_scale() {
        let shade = Shade::of([-1.0, 3.0, f64::NAN], Scale::Diverging);
        assert_eq!(shade.colour(0.0), Scale::Diverging.colour(0.5));
        assert_eq!(shade.range, Range { low: -3.0, high: 3.0 });
    }
}
