//! AWQ: inputs that are large get more of the levels, by a scale that goes out again behind them.
//!
//! With a the mean of |x| a channel, s = a^ρ over √(max s · min s); W diag(s) is rounded, and its columns are divided by s. ρ of
//! {0, 0.05, …, 0.95} is that of least error of the maps' own outputs, ‖W X − Ŵ X‖², over all maps that read the same inputs.
//! The reference looks at the output of the whole attention or MLP, and folds 1/s into what stands before it: the same map.
//!
//! Reference: Lin et al. 2024, "AWQ: activation-aware weight quantization for on-device LLM compression and acceleration".

use super::Matrix;
use super::dice::Dice;
use super::grid::Grid;
use super::hessian::Moments;

/// Exponents that are tried.
const EXPONENTS: usize = 20;

/// The least scale before scales are made even (the reference's).
const LEAST: f64 = 1e-4;

/// The maps of one input at levels, each with its dice.
pub fn awq(maps: Vec<(Matrix, Dice)>, moments: &Moments, grid: &Grid) -> Vec<Matrix> {
    let tried = (0..EXPONENTS).map(|step| {
        let scales = scales(moments, step as f64 / EXPONENTS as f64);
        let rounded: Vec<Matrix> = maps.iter().map(|(weights, dice)| scaled(weights, &scales, grid, dice)).collect();
        let errors = maps.iter().zip(&rounded).map(|((weights, _), rounded)| moments.output(&(weights - rounded)));
        (errors.sum::<f64>(), rounded)
    });
    let best = tried.reduce(|best, next| if next.0 < best.0 { next } else { best });
    best.expect("there are exponents").1
}

/// What each channel is multiplied with.
pub fn scales(moments: &Moments, exponent: f64) -> Vec<f64> {
    let count = moments.count.max(1) as f64;
    let raised: Vec<f64> = moments.sizes.iter().map(|size| (size / count).powf(exponent).max(LEAST)).collect();
    let most = raised.iter().copied().fold(0.0, f64::max);
    let least = raised.iter().copied().fold(f64::INFINITY, f64::min);
    let middle = (most * least).sqrt();
    raised.iter().map(|scale| scale / middle).collect()
}

fn scaled(weights: &Matrix, scales: &[f64], grid: &Grid, dice: &Dice) -> Matrix {
    let mut rows = weights.clone();
    rows.rows_mut()
        .into_iter()
        .for_each(|mut row| row.iter_mut().zip(scales).for_each(|(weight, scale)| *weight *= scale));
    let mut rounded = grid.round(rows, dice);
    let by_rows = rounded.rows_mut().into_iter();
    by_rows.for_each(|mut row| row.iter_mut().zip(scales).for_each(|(weight, scale)| *weight /= scale));
    rounded
}
