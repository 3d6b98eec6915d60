//! What a method holds at its peak and as its results, in numbers, from the sizes of model and prompts.

mod circuit;
mod classifying;
mod cutting;
mod heard;
mod learned;
mod measuring;
mod probing;
mod representing;
mod stitching;
mod sweeps;

use crate::metric::Metric;
use crate::model::{Dims, Model, shape};
use crate::plan::{Cell, Item, Step, changed};
use crate::site::Site;

/// Bytes of a row of a table with its texts, in both forms in which it is written: measured.
const TABLE_ROW: u64 = 600;

/// Bytes of a cell of a figure while it is drawn: its SVG, the tree of that, the page. Measured with the patterns of GPT-2
/// small for 64 tokens.
const DRAWN_CELL: u64 = 1400;

/// How many copies of an activation are alive where a hook changes or keeps it: before, after, and its picked part.
const AT_A_HOOK: u64 = 3;

/// Numbers that parts of a pass hold, for one row of the longest prompt.
pub(super) struct Sizes<'a> {
    model: &'a dyn Model,
    metric: Metric,
    length: u64,
    items: u64,
    sides: u64,
    /// Tokens of an item's sets beyond one each, which hardly count.
    sets: u64,
    /// Tokens of the longest answer, one behind the other.
    answer: u64,
}

impl<'a> Sizes<'a> {
    /// For the longest of the prompts.
    pub(super) fn new(model: &'a dyn Model, items: &[Item], metric: Metric) -> Self {
        let more = items.iter().flat_map(|item| &item.more).map(Vec::len).max().unwrap_or(0);
        // an answer is run behind its prompt, but for its last token
        let length = (items.iter().map(|item| item.clean.len()).max().unwrap_or(0) + more) as u64;
        let sides = if items.iter().any(|item| item.answers.is_some()) { 2 } else { 1 };
        let tokens = |item: &Item| item.answers.as_ref().map_or(0, |both| both.right.len() + both.wrong.len());
        let sets = items.iter().map(tokens).max().unwrap_or(0).saturating_sub(2) as u64;
        Sizes { model, metric, length, items: items.len() as u64, sides, sets, answer: more as u64 + 1 }
    }

    /// The same where rows are read by another metric than the experiment's.
    fn reading(&self, metric: Metric) -> Self {
        Sizes { metric, ..*self }
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
        match self.metric.needs_vocabulary() {
            true => self.logits(self.answer),
            // their columns of the unembedding, picked and turned, and their logits
            false => self.sets * (2 * self.dims().d_model as u64 + 3),
        }
    }

    /// Logits at so many positions: as a tensor, what is picked of it, and as values.
    fn logits(&self, positions: u64) -> u64 {
        3 * positions * self.vocabulary()
    }

    /// What is alive at the peak of a method with so many rows in a batch.
    pub(super) fn peak(&self, step: &Step, rows: u64) -> u64 {
        let items = rows.min(self.items);
        match step {
            Step::Record { sites, gradients, filed: Some(_) } => {
                // as tensors, and the widest of them as values
                let one = self.sites(sites) + self.sites(gradients);
                items * (2 * one + self.pass(sites) + self.tape(gradients))
            }
            Step::Record { sites, gradients, filed: None } => {
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
            Step::Patch(sweep, _) => self.sweep(&sweep.cells, rows),
            Step::AttributionPatch(plan) => self.attribution(plan, rows),
            Step::Ablate(sweep, with) => self.means(sweep, *with, items) + self.sweep(&sweep.cells, rows),
            Step::Mediate(_, sweep) => {
                // answers of one token are read together, others each in a run of its own
                let metric = if self.answer > 1 { Metric::LogProb } else { Metric::LogitDiff };
                2 * self.reading(metric).sweep(&sweep.cells, rows)
            }
            Step::Trace(tracing) => {
                let clean = self.sites(&changed(&tracing.cells)) + self.logits(1);
                items * clean + self.reading(Metric::Probability).sweep(&tracing.cells, rows)
            }
            Step::Probe(plan) if plan.states.is_some() => self.mapped(&plan.probed),
            Step::Probe(plan) => self.probed(&plan.probed, plan.random_models, plan.used.len(), rows),
            Step::Erase(plan) => self.probed(&plan.probed, 0, plan.by.len(), rows),
            Step::Represent(plan) => self.represented(plan, rows),
            Step::Knockout(cuts) => {
                let group = |(_, cells): &(Vec<usize>, Vec<Cell>)| self.sweep(cells, rows);
                cuts.groups.iter().map(group).max().unwrap_or(0)
            }
            Step::PathPatch(_) => items * self.written() + rows * (2 * self.stream() + self.pass(&[Site::HeadOut(0)])),
            Step::Circuit(plan) => self.circuits(plan, rows),
            Step::EvaluateCircuit(given) => self.evaluated(given.stand, rows, given.circuit.blocks()),
            Step::EdgePruning(plan) => self.severed(rows, plan.judge),
            Step::Acdc(plan) => self.acdc(plan, rows).max(self.circuit(rows, &plan.blocks)),
            Step::Patchscope(_) => items * self.layers() * self.stream() + rows * self.generated(self.length),
            Step::Generate { tokens, .. } => items * self.generated(*tokens as u64),
            Step::Localise(plan) => self.localised(plan, rows),
            Step::Steer(plan) => self.steered(plan, rows),
            Step::Measure(plan) => self.measured(plan, rows),
            Step::Das(plan) => self.searched(plan, rows),
            Step::TunedLens(plan) => self.translated(plan, rows),
            Step::PatchWeights(_) => rows * self.pass(&[]),
            Step::PatchModels(plan) => self.sweep(&plan.sweep.cells, rows),
            Step::Stitch(plan) => self.stitched(plan, rows),
            Step::Classify(plan) => self.classified(plan, rows),
            Step::Cut(plan) => self.cutting(plan, rows),
        }
    }

    /// A row that is continued: keys and values so far, the new ones, and both side by side.
    fn generated(&self, tokens: u64) -> u64 {
        let past = 3 * self.layers() * self.past() * (self.length + tokens) / self.length.max(1);
        past + self.pass(&[Site::ResidPre(0)]) + self.logits(1)
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

    /// Bytes that a method's results hold until they are written.
    pub(super) fn results(&self, step: &Step, number: u64) -> u64 {
        match step {
            Step::Record { sites, filed: Some(filed), .. } => {
                // a file while it is put together; of every item the size of each site and what the index says of it
                let whole: u64 = filed.positions.iter().map(|positions| positions.len() as u64 * filed.row()).sum();
                let told = self.sides * self.items * 16 * sites.len() as u64 + 2 * self.items * TABLE_ROW;
                filed.size.max(filed.item()).min(whole) + told
            }
            Step::Record { sites, gradients, filed: None } => {
                // vectors that grow batch by batch are up to half as long again as what they hold
                self.sides * self.items * self.recorded(sites, gradients) * number * 3 / 2
            }
            Step::Attention(_) => 3 * self.items * self.layers() * self.pattern() * number,
            Step::AttributionPatch(plan) => self.table(plan.sweep.cells.len() as u64),
            Step::Patch(sweep, _) | Step::Ablate(sweep, _) => self.table(sweep.cells.len() as u64),
            Step::LogitLens(sites) => self.table(sites.len() as u64 * self.length),
            Step::DirectLogitAttribution => self.table(self.layers() * (self.dims().heads as u64 + 2)),
            Step::Generate { .. } => self.table(1),
            Step::Mediate(_, sweep) => self.table(4 * sweep.cells.len() as u64),
            Step::Trace(tracing) => self.table(tracing.cells.len() as u64),
            Step::PathPatch(paths) => self.table(paths.branches.len() as u64),
            Step::EdgePruning(plan) => plan.blocks.edges().len() as u64 * 6 * TABLE_ROW + self.table(4),
            Step::EvaluateCircuit(given) => given.circuit.links().len() as u64 * 6 * TABLE_ROW + self.table(32),
            Step::Circuit(plan) => {
                let edges = plan.expected().count() as u64;
                // scores of items as f32, those of exchanged answers too, as f64 and summed by observations; each edge's
                // three rows, and its places in graphs and files
                edges * (self.items * 24 + 6 * TABLE_ROW) + self.table(32)
            }
            Step::Acdc(plan) => {
                let (edges, searches) = (plan.blocks.edges().len() as u64, plan.thresholds.len() as u64);
                searches * (edges * (self.items * 20 + 3 * TABLE_ROW) + self.table(8))
            }
            Step::Probe(plan) => self.told(&plan.probed, plan.used.len(), plan.random_directions),
            Step::Erase(plan) => self.told(&plan.probed, plan.by.len(), plan.random_directions),
            Step::Represent(plan) => self.spaces(plan),
            Step::Knockout(cuts) => {
                self.table(cuts.groups.iter().map(|(_, cells)| cells.len() as u64).max().unwrap_or(0))
            }
            Step::Patchscope(scope) => self.table(scope.states.len() as u64),
            Step::Localise(plan) => self.lesions(plan),
            Step::Steer(plan) => self.doses(plan),
            Step::Measure(plan) => self.columns(plan),
            Step::Das(plan) => self.spans(plan) + self.table(2 * self.tried(plan)),
            Step::TunedLens(plan) => self.translators(plan) + self.table(6 * plan.sites.len() as u64),
            Step::PatchWeights(plan) => {
                self.table(6 * plan.exchange.parts().len() as u64) + self.items * 16 * plan.sets.len() as u64
            }
            Step::PatchModels(plan) => self.table(plan.sweep.cells.len() as u64),
            Step::Stitch(plan) => self.table(self.joined(plan)),
            Step::Classify(plan) => self.judged(plan),
            Step::Cut(plan) => self.cuts(plan),
        }
    }

    /// Bytes that the largest figures of a method take while they are drawn: every head's pattern, of a causal model the half
    /// below the diagonal.
    pub(super) fn drawing(&self, step: &Step) -> u64 {
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
