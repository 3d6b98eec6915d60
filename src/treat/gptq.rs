//! GPTQ: columns rounded one after the other, the error of each made up for by those that are not rounded yet.
//!
//! With U of the inverse of what inputs are together: e = (w_i − q_i) / U_ii, and w_j −= e U_ij for j behind i. The reference
//! does this in lazy blocks of 128 columns, which changes the order of additions and nothing else; here some outputs go
//! through all columns together, so that a row of U is read once for all of them.
//!
//! A group's levels are found when its first weight is reached, from its weights as they are by then. Channels that no
//! input reached keep their weights, rounded; the reference sets those to zero.
//!
//! Reference: Frantar et al. 2023, "GPTQ: accurate post-training quantization for generative pre-trained transformers".

use super::Matrix;
use super::dice::Dice;
use super::grid::{Grid, Levels};
use super::hessian::factor;
use ndarray::{Array2, Axis};
use rayon::prelude::*;

/// Outputs that go through the columns together.
const TOGETHER: usize = 16;

/// How errors are made up for.
#[derive(Clone, Copy, Debug)]
pub struct Making {
    /// The levels.
    pub grid: Grid,
    /// Whether the inputs of most weight are rounded first.
    pub act_order: bool,
    /// As a share of the mean of the diagonal.
    pub damping: f64,
}

/// The weights at levels, where `hessian` is (2/n) Σ x xᵀ.
pub fn gptq(weights: Matrix, hessian: Matrix, how: &Making, dice: &Dice) -> Matrix {
    if !how.act_order {
        return in_order(weights, &factor(hessian, how.damping), &how.grid, dice);
    }
    let order = falling(hessian.diag().as_standard_layout().as_slice().expect("in one piece"));
    let hessian = hessian.select(Axis(0), &order).select(Axis(1), &order);
    let rounded = in_order(weights.select(Axis(1), &order), &factor(hessian, how.damping), &how.grid, dice);
    let mut back = Array2::zeros(rounded.dim());
    for (place, input) in order.iter().enumerate() {
        back.column_mut(*input).assign(&rounded.column(place));
    }
    back
}

/// Places by falling value, of equal ones the first first.
fn falling(values: &[f64]) -> Vec<usize> {
    let mut order: Vec<usize> = (0..values.len()).collect();
    order.sort_by(|a, b| values[*b].total_cmp(&values[*a]));
    order
}

fn in_order(weights: Matrix, upper: &Matrix, grid: &Grid, dice: &Dice) -> Matrix {
    let mut weights = weights.as_standard_layout().into_owned(); // columns that were put in order lie otherwise
    let (inputs, shared) = (weights.ncols(), grid.shared(&weights));
    let values = weights.as_slice_mut().expect("rows in one piece");
    values.par_chunks_mut(inputs * TOGETHER).enumerate().for_each(|(place, rows)| {
        let own = |number: usize, row| Row { weights: row, levels: shared, dice: dice.of(place * TOGETHER + number) };
        let mut rows: Vec<Row> = rows.chunks_mut(inputs).enumerate().map(|(number, row)| own(number, row)).collect();
        for (column, factors) in upper.rows().into_iter().enumerate() {
            let factors = factors.to_slice().expect("rows in one piece");
            rows.iter_mut().for_each(|row| row.round(column, factors, grid, shared.is_none()));
        }
    });
    weights
}

/// An output on its way through the columns.
struct Row<'a> {
    weights: &'a mut [f64],
    levels: Option<Levels>,
    dice: Dice,
}

impl Row<'_> {
    fn round(&mut self, column: usize, factors: &[f64], grid: &Grid, own: bool) {
        let group = grid.group(self.weights.len());
        if own && column.is_multiple_of(group) {
            let end = (column + group).min(self.weights.len());
            self.levels = Some(Levels::of(self.weights[column..end].iter().copied(), grid));
        }
        let levels = self.levels.expect("found at the first column, or shared");
        let weight = self.weights[column];
        let rounded = levels.round(weight, &mut self.dice);
        let error = (weight - rounded) / factors[column];
        self.weights[column] = rounded;
        let behind = self.weights[column + 1..].iter_mut().zip(&factors[column + 1..]);
        behind.for_each(|(weight, factor)| *weight -= error * factor);
    }
}
