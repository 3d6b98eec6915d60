//! Arithmetic on plain `f32` memory: what a pass does on the CPU between its matrix products, each in one go.
//!
//! A number depends neither on how the work was split over threads nor on the processor's vector width: every sum has its
//! one order, and multiplications are not fused with additions. So a value that a hook watches has the same bits as one
//! that was never written to memory.

pub mod attention;
pub mod function;
pub mod norm;

use rayon::prelude::*;

/// Numbers a task: large enough to outweigh handing it out.
const TASK: usize = 1 << 14;
/// Partial sums of a row: as many as the widest vector registers hold.
const LANES: usize = 16;

/// Runs `work` with the widest vector instructions that this processor has.
pub fn vectorised<R>(work: impl FnOnce() -> R) -> R {
    pulp::Arch::new().dispatch(work)
}

/// Calls `work` with the number and the memory of every row of `width` numbers, in parallel.
pub fn each_row(values: &mut [f32], width: usize, work: impl Fn(usize, &mut [f32]) + Sync) {
    let rows = (TASK / width).max(1);
    let task = |(task, chunk): (usize, &mut [f32])| {
        vectorised(|| chunk.chunks_exact_mut(width).enumerate().for_each(|(row, x)| work(task * rows + row, x)))
    };
    if values.len() <= TASK {
        return task((0, values));
    }
    values.par_chunks_mut(rows * width).enumerate().for_each(task);
}

/// `f` of every number, in place and in parallel.
pub fn map(values: &mut [f32], f: impl Fn(f32) -> f32 + Sync) {
    let task = |chunk: &mut [f32]| vectorised(|| chunk.iter_mut().for_each(|value| *value = f(*value)));
    values.par_chunks_mut(TASK).for_each(task);
}

/// Adds `bias` to every row.
pub fn add_to_rows(values: &mut [f32], bias: &[f32]) {
    each_row(values, bias.len(), |_, row| row.iter_mut().zip(bias).for_each(|(value, bias)| *value += bias));
}

/// Adds `other`, number by number.
pub fn add(values: &mut [f32], other: &[f32]) {
    let pairs = values.par_chunks_mut(TASK).zip(other.par_chunks(TASK));
    pairs.for_each(|(values, other)| vectorised(|| values.iter_mut().zip(other).for_each(|(a, b)| *a += b)));
}

/// The sum of `term` over a row, in [`LANES`] partial sums.
#[inline(always)]
fn sum(row: &[f32], term: impl Fn(f32) -> f32) -> f32 {
    let mut lanes = [0.0; LANES];
    let (blocks, rest) = row.as_chunks::<LANES>();
    for block in blocks {
        lanes.iter_mut().zip(block).for_each(|(lane, value)| *lane += term(*value));
    }
    lanes.iter_mut().zip(rest).for_each(|(lane, value)| *lane += term(*value));
    lanes.iter().sum()
}

/// The largest number of a row.
#[inline(always)]
fn largest(row: &[f32]) -> f32 {
    let mut lanes = [f32::NEG_INFINITY; LANES];
    let (blocks, rest) = row.as_chunks::<LANES>();
    let more = |lane: &mut f32, value: &f32| *lane = if *value > *lane { *value } else { *lane };
    for block in blocks {
        lanes.iter_mut().zip(block).for_each(|(lane, value)| more(lane, value));
    }
    lanes.iter_mut().zip(rest).for_each(|(lane, value)| more(lane, value));
    lanes.iter().fold(f32::NEG_INFINITY, |most, lane| most.max(*lane))
}
