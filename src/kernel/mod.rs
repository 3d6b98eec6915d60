//! Arithmetic on plain `f32` memory: what a pass does on the CPU between its matrix products, each in one go.
//!
//! A number depends neither on how the work was split over threads nor on the processor's vector width: every sum has its
//! one order, and a multiplication is fused with an addition only where that is written. So a value that a hook watches has
//! the same bits as one that was never written to memory.

pub mod attention;
pub mod copy;
pub mod function;
pub mod norm;
pub mod normaliser;
mod product;
pub mod rotary;

use rayon::prelude::*;

/// Numbers a task: large enough to outweigh handing it out.
const TASK: usize = 1 << 14;
/// Partial sums of a row: as many as the widest vector registers hold.
const LANES: usize = 16;

/// Work on a part of a tensor's memory.
///
/// A trait and no closure, because what is to use the processor's widest vectors must be inlined into the function that was
/// compiled for them, which can be asked of a method only.
trait Work: Sync {
    /// Works on `part`, which begins at number `start` of the whole.
    fn on(&self, start: usize, part: &mut [f32]);
}

/// Does the work in parallel, `size` numbers at a time, with the widest vector instructions that this processor has.
fn parts(values: &mut [f32], size: usize, work: &impl Work) {
    let task = |(number, part): (usize, &mut [f32])| {
        pulp::Arch::new().dispatch(Vectorised { work, start: number * size, part });
    };
    if values.len() <= size {
        return task((0, values));
    }
    values.par_chunks_mut(size).enumerate().for_each(task);
}

/// The same, a whole number of rows at a time.
fn rows(values: &mut [f32], width: usize, work: &impl Work) {
    parts(values, (TASK / width).max(1) * width, work);
}

struct Vectorised<'a, W> {
    work: &'a W,
    start: usize,
    part: &'a mut [f32],
}

impl<W: Work> pulp::NullaryFnOnce for Vectorised<'_, W> {
    type Output = ();

    #[inline(always)]
    fn call(self) {
        self.work.on(self.start, self.part);
    }
}

/// `f` of every number, in place.
pub fn map(values: &mut [f32], f: impl Fn(f32) -> f32 + Sync) {
    struct Map<F>(F);
    impl<F: Fn(f32) -> f32 + Sync> Work for Map<F> {
        #[inline(always)]
        fn on(&self, _: usize, part: &mut [f32]) {
            for value in part {
                *value = (self.0)(*value);
            }
        }
    }
    parts(values, TASK, &Map(f));
}

/// Adds `bias` to every row.
pub fn add_to_rows(values: &mut [f32], bias: &[f32]) {
    struct Add<'a>(&'a [f32]);
    impl Work for Add<'_> {
        #[inline(always)]
        fn on(&self, _: usize, part: &mut [f32]) {
            for row in part.chunks_exact_mut(self.0.len()) {
                for (value, bias) in row.iter_mut().zip(self.0) {
                    *value += bias;
                }
            }
        }
    }
    rows(values, bias.len(), &Add(bias));
}

/// The sum of a row, in [`LANES`] partial sums.
#[inline(always)]
fn sum(row: &[f32]) -> f32 {
    let mut lanes = [0.0; LANES];
    let (blocks, rest) = row.as_chunks::<LANES>();
    for block in blocks {
        for (lane, value) in lanes.iter_mut().zip(block) {
            *lane += value;
        }
    }
    for (lane, value) in lanes.iter_mut().zip(rest) {
        *lane += value;
    }
    lanes.iter().sum()
}

/// The largest number of a row.
#[inline(always)]
fn largest(row: &[f32]) -> f32 {
    let mut lanes = [f32::NEG_INFINITY; LANES];
    let (blocks, rest) = row.as_chunks::<LANES>();
    for block in blocks {
        for (lane, value) in lanes.iter_mut().zip(block) {
            *lane = if *value > *lane { *value } else { *lane };
        }
    }
    for (lane, value) in lanes.iter_mut().zip(rest) {
        *lane = if *value > *lane { *value } else { *lane };
    }
    lanes.iter().fold(f32::NEG_INFINITY, |most, lane| most.max(*lane))
}
