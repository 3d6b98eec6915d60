//! How many rows at once: what a method holds in memory, estimated from sizes, against the budget.
//!
//! The estimate is an upper bound for the longest prompt. It counts, in numbers, what is alive at once: weights,
//! results that wait to be written, the recorded run that rows go on from, and what a row holds at the peak of a block.

use super::{Item, Problems, Step, Sweep, changed};
use crate::metric::Metric;
use crate::model::{Dims, Model, Visitor, shape};
use crate::precision::Precision;
use crate::site::Site;
use crate::spec::{Ablation, Experiment, Memory};
use crate::tensor::Tensor;
use std::collections::BTreeSet;

/// Rows in a batch where memory does not bind: enough to keep a processor at work, few enough for a laptop.
pub const ROWS: usize = 64;

/// Bytes of the program itself, its threads and what the allocator keeps back: measured with a model of no size.
const PROGRAM: u64 = 64 << 20;

/// Bytes of a weight in a file: that is mapped into memory while tensors are made of it.
const STORED: u64 = 4;

/// Bytes of a row of a table with its texts, in both forms in which it is written: measured.
const TABLE_ROW: u64 = 600;

/// Bytes of a cell of a figure while it is drawn: its SVG, the tree of that, the page. Measured with the patterns of GPT-2
/// small for 64 tokens.
const DRAWN_CELL: u64 = 1400;

/// How many copies of an activation are alive where a hook changes or keeps it: before, after, and its picked part.
const AT_A_HOOK: u64 = 3;

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

/// Numbers that parts of a pass hold, for one row of the longest prompt.
struct Sizes<'a> {
    model: &'a dyn Model,
    metric: Metric,
    length: u64,
    items: u64,
    sides: u64,
}

impl<'a> Sizes<'a> {
    fn new(model: &'a dyn Model, items: &[Item], metric: Metric) -> Self {
        let length = items.iter().map(|item| item.clean.len()).max().unwrap_or(0) as u64;
        let sides = if items.iter().any(|item| item.answers.is_some()) { 2 } else { 1 };
        Sizes { model, metric, length, items: items.len() as u64, sides }
    }

    fn dims(&self) -> &Dims {
        self.model.dims()
    }

    fn layers(&self) -> u64 {
        self.dims().layers as u64
    }

    fn vocabulary(&self) -> u64 {
        self.dims().vocabulary as u64
    }

    fn site(&self, site: Site) -> u64 {
        shape(self.dims(), site, 1, self.length as usize).iter().map(|size| *size as u64).product()
    }

    fn sites(&self, sites: &[Site]) -> u64 {
        sites.iter().map(|site| self.site(*site)).sum()
    }

    fn stream(&self) -> u64 {
        self.length * self.dims().d_model as u64
    }

    /// Keys and values of a layer.
    fn past(&self) -> u64 {
        self.length * (2 * self.dims().key_heads * self.dims().d_head) as u64
    }

    /// Queries, keys and values of a layer.
    fn ports(&self) -> u64 {
        self.length * (self.dims().heads * self.dims().d_head) as u64 + self.past()
    }

    fn pattern(&self) -> u64 {
        self.dims().heads as u64 * self.length * self.length
    }

    /// The peak of a block: the stream, what enters, what is normalised, and attention's or the MLP's own.
    fn block(&self) -> u64 {
        // side by side and by heads; scores, the same with their mask, pattern
        let attention = 2 * self.ports() + 3 * self.pattern();
        let branches = if self.model.sites().contains(&Site::MlpPreLinear(0)) { 3 } else { 2 };
        let neurons = branches * self.length * self.dims().d_mlp as u64;
        3 * self.stream() + attention.max(neurons)
    }

    /// A pass that stops at `sites`, and what is read out of it.
    fn pass(&self, sites: &[Site]) -> u64 {
        let dearest = sites.iter().map(|site| self.site(*site)).max().unwrap_or(0);
        self.block() + AT_A_HOOK * dearest + self.read()
    }

    fn read(&self) -> u64 {
        if self.metric.needs_vocabulary() { self.logits(1) } else { 0 }
    }

    /// Logits at so many positions: as a tensor, what is picked of it, and as values.
    fn logits(&self, positions: u64) -> u64 {
        3 * positions * self.vocabulary()
    }

    /// What is alive at the peak of a method with so many rows in a batch.
    fn peak(&self, step: &Step, rows: u64) -> u64 {
        let items = rows.min(self.items);
        match step {
            Step::Record { sites, gradients } => {
                let one = self.recorded(sites, gradients);
                // as tensors, as values, and twice as bytes on the way to the journal
                let step = items * (4 * one + self.pass(sites) + self.tape(gradients));
                // as bytes, and put together as a file
                step.max(2 * self.items * one)
            }
            Step::LogitLens(sites) => items * (self.sites(sites) + self.pass(sites)),
            Step::DirectLogitAttribution => {
                let heads = self.site(Site::HeadOut(0));
                let kept = self.layers() * (heads + 2 * self.stream()) + 2 * self.stream();
                items * (kept + AT_A_HOOK * heads + self.pass(&[]) + self.logits(self.length))
            }
            Step::Attention(_) => {
                let kept = self.layers() * (4 * self.pattern() + self.past());
                items * (kept + self.pass(&[Site::HeadOut(0)]))
            }
            Step::Patch(sweep, _) => self.sweep(sweep, rows),
            Step::Ablate(sweep, with) => self.means(sweep, *with, items) + self.sweep(sweep, rows),
            Step::Generate { tokens, .. } => {
                // keys and values so far, the new ones, and both side by side
                let past = 3 * self.layers() * self.past() * (self.length + *tokens as u64) / self.length.max(1);
                items * (past + self.pass(&[Site::ResidPre(0)]) + self.logits(1))
            }
        }
    }

    /// What is recorded of a row: states, gradients, and always all logits.
    fn recorded(&self, sites: &[Site], gradients: &[Site]) -> u64 {
        let states: u64 = sites.iter().filter(|site| **site != Site::Logits).map(|site| self.site(*site)).sum();
        states + self.sites(gradients) + self.length * self.vocabulary()
    }

    /// Everything that a pass on a tape keeps for the way back.
    fn tape(&self, gradients: &[Site]) -> u64 {
        if gradients.is_empty() { 0 } else { 2 * self.layers() * (self.block() + self.pattern()) }
    }

    /// The recorded run of a batch of items, and the rows that go on from it.
    fn sweep(&self, sweep: &Sweep, rows: u64) -> u64 {
        let sites = changed(&sweep.cells);
        let items = (rows / 2).max(1).min(self.items);
        let rows = rows.min(items * sweep.cells.len() as u64);
        let begins = sites.iter().map(|site| site.layer()).collect::<BTreeSet<_>>().len() as u64;
        // what is there and what stands in for it
        let base = begins * self.stream() + self.layers() * self.past() + 2 * self.sites(&sites);
        let put = sweep.cells.iter().map(|cell| self.cell(cell)).max().unwrap_or(0);
        items * base + rows * (self.pass(&sites) + self.past() + put)
    }

    /// What a cell puts in for one row.
    fn cell(&self, cell: &super::Cell) -> u64 {
        let share = |site: &Site| {
            let heads = if cell.head.is_some() { self.dims().heads as u64 } else { 1 };
            let positions = if cell.position.is_some() { self.length } else { 1 };
            self.site(*site) / (heads * positions).max(1)
        };
        cell.sites.iter().map(share).sum()
    }

    /// Passes over all items that an ablation by means needs before.
    fn means(&self, sweep: &Sweep, with: Ablation, items: u64) -> u64 {
        let sites = changed(&sweep.cells);
        match with {
            Ablation::Mean | Ablation::MeanPerPosition => items * (self.sites(&sites) + self.block()),
            Ablation::Zero | Ablation::Resample => 0,
        }
    }

    /// Bytes that a method's results hold until they are written.
    fn results(&self, step: &Step, number: u64) -> u64 {
        match step {
            Step::Record { sites, gradients } => {
                // vectors that grow batch by batch are up to half as long again as what they hold
                self.sides * self.items * self.recorded(sites, gradients) * number * 3 / 2
            }
            Step::Attention(_) => 3 * self.items * self.layers() * self.pattern() * number,
            Step::Patch(sweep, _) | Step::Ablate(sweep, _) => self.table(sweep.cells.len() as u64),
            Step::LogitLens(sites) => self.table(sites.len() as u64 * self.length),
            Step::DirectLogitAttribution => self.table(self.layers() * (self.dims().heads as u64 + 2)),
            Step::Generate { .. } => self.table(1),
        }
    }

    /// Bytes that the largest figures of a method take while they are drawn: every head's pattern, of a causal model the half
    /// below the diagonal.
    fn drawing(&self, step: &Step) -> u64 {
        let cells =
            if self.model.is_causal() { self.length * (self.length + 1) / 2 } else { self.length * self.length };
        match step {
            Step::Attention(_) => self.layers() * self.dims().heads as u64 * cells * DRAWN_CELL,
            _ => 0,
        }
    }

    /// A table of so many places, with a row for every item.
    fn table(&self, places: u64) -> u64 {
        places * self.items * TABLE_ROW
    }
}
