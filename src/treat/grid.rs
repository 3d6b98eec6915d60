//! Rounding to a few evenly spaced levels, to the nearest or by chance.
//!
//! By chance the mean over draws is the weight itself, and the squared error about twice that of the nearest level. Levels from the
//! least weight to the greatest have a whole zero, so that those two may lie up to half a level outside of them: there both
//! ways of rounding go to the last level, and the mean is that level.

use super::Matrix;
use super::dice::Dice;
use crate::spec::{Per, Scheme};
use rayon::prelude::*;

/// Levels for weights of one map.
#[derive(Clone, Copy, Debug)]
pub struct Grid {
    /// Of a weight.
    pub bits: u32,
    /// Where levels lie.
    pub scheme: Scheme,
    /// Which weights share a scale.
    pub per: Per,
}

/// Bits of a scale, as programs that compute with rounded weights keep it.
const SCALE: f64 = 16.0;

impl Grid {
    /// Neighbours of an output of `inputs` weights that share a scale.
    pub fn group(&self, inputs: usize) -> usize {
        match self.per {
            Per::Tensor | Per::Channel => inputs,
            Per::Group(width) => width.min(inputs),
        }
    }

    /// Bits a weight, scales and zeros included, of a map of this shape.
    pub fn width(&self, [outputs, inputs]: [usize; 2]) -> f64 {
        let zero = if self.scheme == Scheme::Asymmetric { f64::from(self.bits) } else { 0.0 };
        let scales = match self.per {
            Per::Tensor => 1,
            _ => outputs * inputs.div_ceil(self.group(inputs)),
        };
        f64::from(self.bits) + (SCALE + zero) * scales as f64 / (outputs * inputs) as f64
    }

    /// The levels that all weights share; `None` where each output has its own.
    pub fn shared(&self, weights: &Matrix) -> Option<Levels> {
        (self.per == Per::Tensor).then(|| Levels::of(weights.iter().copied(), self))
    }

    /// Every weight at a level.
    pub fn round(&self, mut weights: Matrix, dice: &Dice) -> Matrix {
        let (inputs, shared) = (weights.ncols(), self.shared(&weights));
        let group = self.group(inputs);
        let values = weights.as_slice_mut().expect("rows in one piece");
        values.par_chunks_mut(inputs).enumerate().for_each(|(output, row)| {
            let mut dice = dice.of(output);
            for group in row.chunks_mut(group) {
                let levels = shared.unwrap_or_else(|| Levels::of(group.iter().copied(), self));
                group.iter_mut().for_each(|weight| *weight = levels.round(*weight, &mut dice));
            }
        });
        weights
    }
}

/// The levels of weights that share a scale: s (q − z) for whole q between two ends.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Levels {
    scale: f64,
    zero: f64,
    least: f64,
    most: f64,
}

impl Levels {
    /// Those that reach as far as the weights.
    pub fn of(weights: impl Iterator<Item = f64> + Clone, grid: &Grid) -> Self {
        let steps = f64::from(1_u32 << grid.bits);
        match grid.scheme {
            Scheme::Symmetric => {
                let largest = weights.fold(0.0, |most: f64, weight| most.max(weight.abs()));
                let most = steps / 2.0 - 1.0;
                // where all are zero any scale will do
                let scale = if largest > 0.0 { largest / most } else { 1.0 };
                Levels { scale, zero: 0.0, least: -most, most }
            }
            Scheme::Asymmetric => {
                let least = weights.clone().fold(f64::INFINITY, f64::min);
                let most = weights.fold(f64::NEG_INFINITY, f64::max);
                Levels::between(least, most, steps - 1.0)
            }
        }
    }

    fn between(least: f64, most: f64, steps: f64) -> Self {
        if most > least {
            let scale = (most - least) / steps;
            return Levels { scale, zero: (-least / scale).round_ties_even(), least: 0.0, most: steps };
        }
        // one value: it is a level, and so is zero
        let scale = if least == 0.0 { 1.0 } else { least.abs() };
        Levels { scale, zero: f64::from(u8::from(least < 0.0)), least: 0.0, most: steps }
    }

    /// The level of a weight.
    pub fn round(&self, weight: f64, dice: &mut Dice) -> f64 {
        let level = dice.whole(weight / self.scale) + self.zero;
        self.scale * (level.clamp(self.least, self.most) - self.zero)
    }
}
