//! SparseGPT: weights set to zero whose loss the others can make up for, and do.
//!
//! As [GPTQ](super::gptq), with what goes in the place of what is rounded: in each block of columns the weights of least
//! w² / U_ii² over all outputs, or so many of every so many neighbours of an output, as they are when they are reached.
//!
//! Reference: Frantar & Alistarh 2023, "SparseGPT: massive language models can be accurately pruned in one-shot".

use super::Matrix;
use super::hessian::factor;
use super::prune::lowest;
use crate::spec::{Sparsity, Within};
use ndarray::{Array2, s};
use rayon::prelude::*;
use std::ops::Range;

/// The weights without those that go, where `hessian` is (2/n) Σ x xᵀ; `block` are the columns that are judged together.
pub fn sparse_gpt(mut weights: Matrix, hessian: Matrix, sparsity: Sparsity, damping: f64, block: usize) -> Matrix {
    let (upper, inputs) = (factor(hessian, damping), weights.ncols());
    // neighbours are judged by themselves, so only they have to wait for each other
    let width = match sparsity {
        Sparsity::Of(_, of) => of,
        Sparsity::Share(_) => block.max(1),
    };
    for start in (0..inputs).step_by(width) {
        let columns = start..(start + width).min(inputs);
        let gone = judged(&weights, &upper, columns.clone(), sparsity);
        let rows = weights.as_slice_mut().expect("rows in one piece").par_chunks_mut(inputs);
        let gone = gone.as_slice().expect("rows in one piece").par_chunks(columns.len());
        rows.zip(gone).for_each(|(row, gone)| remove(row, gone, columns.start, &upper));
    }
    weights
}

/// Which weights of some columns go.
fn judged(weights: &Matrix, upper: &Matrix, columns: Range<usize>, sparsity: Sparsity) -> Array2<bool> {
    let mut losses = weights.slice(s![.., columns.clone()]).to_owned();
    for (mut losses, place) in losses.columns_mut().into_iter().zip(columns) {
        let own = upper[[place, place]];
        losses.mapv_inplace(|weight| (weight / own).powi(2));
    }
    lowest(&losses, sparsity, Within::Tensor)
}

/// Sets the weights of one output that go to zero, from column `start` on, and makes up for them.
fn remove(row: &mut [f64], gone: &[bool], start: usize, upper: &Matrix) {
    for column in (start..).zip(gone).filter(|(_, gone)| **gone).map(|(column, _)| column) {
        let factors = upper.row(column);
        let factors = factors.to_slice().expect("rows in one piece");
        let error = row[column] / factors[column];
        row[column] = 0.0;
        row[column + 1..].iter_mut().zip(&factors[column + 1..]).for_each(|(weight, factor)| *weight -= error * factor);
    }
}
