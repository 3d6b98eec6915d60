//! How many rows at once: what a method holds in memory, estimated from sizes, against the budget.
//!
//! The estimate is an upper bound for the longest prompt. It counts, in numbers, what is alive at once: weights,
//! results that wait to be written, the recorded run that rows go on from, and what a row holds at the peak of a block.

mod sizes;

use super::{Item, Problems, Step};
use crate::model::{Model, Visitor};
use crate::precision::Precision;
use crate::spec::{Experiment, Memory};
use crate::tensor::Tensor;
use sizes::Sizes;

/// Rows in a batch where memory does not bind: enough to keep a processor at work, few enough for a laptop.
pub const ROWS: usize = 64;

/// Bytes of the program itself, its threads and what the allocator keeps back: measured with a model of no size.
const PROGRAM: u64 = 64 << 20;

/// Bytes of a weight in a file: that is mapped into memory while tensors are made of it.
const STORED: u64 = 4;

/// What a forward pass holds beyond the tensors counted: temporaries of single operations, and memory that the allocator
/// has not given back. Measured with GPT-2 small's shapes, prompts of 16 to 256 tokens, 1 to 64 rows.
const OVERHEAD: f64 = 1.25;

/// What one method works with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Load {
    /// Rows in a batch at the most.
    pub rows: usize,
    /// What the run then needs at the most, estimated.
    pub memory: Memory,
}

/// The load of each method in the experiment's budget; where not even one row fits, problems say what is needed.
pub fn loads(
    steps: &[Step],
    (model, items): (&dyn Model, &[Item]),
    experiment: &Experiment,
    problems: &mut Problems,
) -> Vec<Load> {
    let sizes = Sizes::new(model, items, experiment.metric);
    let number = bytes(experiment.precision);
    let results: u64 = steps.iter().map(|step| sizes.results(step, number)).sum();
    let count = weights(model);
    let (weights, loading) = (count * number, count * loading(experiment.precision));
    let load = |step: &Step| {
        let with = |rows: usize| {
            let peak = (sizes.peak(step, rows as u64) * number) as f64 * OVERHEAD;
            let running = weights + results + (peak as u64).max(sizes.drawing(step));
            Load { rows, memory: Memory(PROGRAM + running.max(loading)) }
        };
        let fits = |load: &Load| experiment.memory.is_none_or(|budget| load.memory <= budget);
        (1..=ROWS).rev().map(with).find(fits).unwrap_or_else(|| with(1))
    };
    let loads: Vec<Load> = steps.iter().map(load).collect();
    let most = loads.iter().map(|load| load.memory).max();
    if let (Some(budget), Some(most)) = (experiment.memory, most.filter(|most| Some(*most) > experiment.memory)) {
        let (most, weights) = (most.rounded(), Memory(weights).rounded());
        let what = format!(
            "{budget} is too little: one row at a time needs about {most}, of which {weights} are weights; give at least that, or use shorter prompts, fewer sites or a smaller model"
        );
        problems.add("memory", what);
    }
    loads
}

/// Bytes of a number in a tensor; those of half precision become f32 on their way out.
fn bytes(precision: Precision) -> u64 {
    if precision == Precision::F64 { 8 } else { 4 }
}

/// Bytes a weight while a model is read: in the file and as a tensor. In half precision the same model is read in f32
/// too, to see what that costs.
fn loading(precision: Precision) -> u64 {
    let again = if precision.is_half() { bytes(Precision::F32) } else { 0 };
    STORED + bytes(precision) + again
}

/// How many numbers the weights of a model are.
fn weights(model: &dyn Model) -> u64 {
    struct Count(u64);
    impl Visitor for Count {
        fn matrix(&mut self, _: &str, weight: &mut Tensor<2>) {
            self.0 += weight.dims().iter().product::<usize>() as u64;
        }
        fn vector(&mut self, _: &str, weight: &mut Tensor<1>) {
            self.0 += weight.dims()[0] as u64;
        }
    }
    let mut count = Count(0);
    model.on_tape().visit(&mut count); // a copy that shares its weights
    count.0
}
