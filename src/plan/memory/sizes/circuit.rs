//! What methods hold that go back over a tape, or run circuits.

use super::{AT_A_HOOK, Sizes};
use crate::circuit::Blocks;
use crate::metric::Metric;
use crate::plan::{Acdc, Attribution, Circuits, Top, changed, rows_of_length};
use crate::site::Site;
use crate::spec::{Judge, Stand};

impl Sizes<'_> {
    /// What heads and MLPs write in both runs, and the streams between blocks.
    pub(super) fn written(&self) -> u64 {
        self.layers() * (2 * (self.site(Site::Mix(0)) + 2 * self.stream()) + self.stream() + self.past())
    }

    /// A circuit, and the choice of its neurons.
    pub(super) fn circuits(&self, plan: &Circuits, rows: u64) -> u64 {
        let kept = |top: &Top| 2 * self.items * top.by.sweep.cells.len() as u64; // estimates of all neurons, as f64
        let chosen = plan.top.as_ref().map_or(0, |top| self.attribution(&top.by, rows) + kept(top));
        self.evaluated(plan.stand, rows, &plan.expected()).max(chosen)
    }

    /// Edges scored on a tape or patched, and circuits run: what nodes write, as wide as the stream, is there twice; what a
    /// neuron that is a node reads and writes is too, as it was, changed and normed. Where positions are told apart, what is as
    /// wide as the stream is there once more, position by position.
    pub(super) fn circuit(&self, rows: u64, blocks: &Blocks) -> u64 {
        let (neurons, copies) = (blocks.neurons().len() as u64, if blocks.positions().is_some() { 3 } else { 2 });
        let items = (rows_of_length(self.length as usize, rows as usize) as u64).min(self.items);
        let (nodes, heads) = (self.layers() * (self.dims().heads as u64 + 1) + 1, self.site(Site::HeadOut(0)));
        let parts = 2 * AT_A_HOOK * neurons * self.stream();
        let wide = copies * items * (nodes + neurons) * self.stream();
        let slopes = self.layers() * (3 * self.site(Site::Mix(0)) + 2 * self.stream());
        let scored =
            items * (2 * self.written() + slopes + self.tape(&[Site::Embed]) + AT_A_HOOK * heads + 2 * parts) + wide;
        let patched = items * self.written() + rows * (self.pass(&[Site::Mix(0)]) + parts);
        let run = items * (self.written() + self.pass(&[]) + 3 * AT_A_HOOK * heads + parts) + wide;
        scored.max(patched).max(run)
    }

    /// Both runs' states and their difference, gradients, the tape; on the way to sums the dearest site as f64, of a pattern
    /// that is computed anew three of them.
    pub(super) fn attribution(&self, plan: &Attribution, rows: u64) -> u64 {
        let items = (rows_of_length(self.length as usize, rows as usize) as u64).min(self.items);
        let sites = changed(&plan.sweep.cells);
        let through = sites.iter().filter(|site| plan.through_pattern(**site)).count() as u64;
        let dearest = sites.iter().map(|site| self.site(*site)).max().unwrap_or(0);
        let kept = 4 * self.sites(&sites) + through * (4 * self.pattern() + 3 * self.ports()) + 3 * self.stream();
        let summed = AT_A_HOOK * dearest.max(if through > 0 { 3 * self.pattern() } else { 0 });
        items * (kept + summed + self.tape(&[Site::Embed]) + self.pass(&sites))
    }

    /// A circuit run on a tape: every head's queries, keys and values have an input of their own, and every reader of the
    /// stream has all that was lost before it side by side. What all items are held against stays from pass to pass.
    pub(super) fn severed(&self, rows: u64, judge: Judge) -> u64 {
        let items = (rows_of_length(self.length as usize, rows as usize) as u64).min(self.items);
        let (nodes, heads) = (self.layers() * (self.dims().heads as u64 + 1) + 1, self.site(Site::HeadOut(0)));
        // each of three inputs as it was, changed, and both normed; what is lost once for each reader
        let split = self.layers() * 3 * 2 * AT_A_HOOK * heads;
        let lost = (4 * self.layers() + 1) * nodes * self.stream();
        let whole = if judge == Judge::Divergence { self.vocabulary() } else { 0 };
        let pass = 2 * self.written() + split + 2 * lost + self.tape(&[Site::Embed]) + self.logits(2);
        self.items * (self.written() + whole) + items * pass
    }

    /// Edges taken out by trial: of every item what nodes write, and what ports of the circuit read; of rows on trial what
    /// has changed on the way.
    pub(super) fn acdc(&self, plan: &Acdc, rows: u64) -> u64 {
        let heads = self.dims().heads as u64;
        let (nodes, ports) = (self.layers() * (heads + 1) + 1, self.layers() * (3 * heads + 1) + 1);
        let judged = if plan.judge == Judge::Divergence { Metric::LogProb } else { self.metric };
        let read = self.reading(judged).read();
        // the next token after the whole model, in f64
        let reference = if plan.judge == Judge::Divergence { 2 * self.vocabulary() } else { 0 };
        let held = self.written() + ports * self.stream() + reference;
        let recorded = rows.min(self.items) * (self.written() + self.pass(&[]));
        let trial = rows * ((2 * nodes + ports) * self.stream() + 3 * self.stream() + self.block() + read);
        self.items * held + recorded.max(trial)
    }

    /// A circuit run, and its parts taken out or constants fitted to it.
    pub(super) fn evaluated(&self, stand: Stand, rows: u64, blocks: &Blocks) -> u64 {
        let neurons = blocks.neurons().len() as u64;
        let further = match stand {
            Stand::Optimal { .. } => self.severed(rows, Judge::Divergence),
            _ => self.removals(rows, neurons),
        };
        self.circuit(rows, blocks).max(further)
    }

    /// Edges and nodes taken out of a circuit, batch by batch.
    fn removals(&self, rows: u64, neurons: u64) -> u64 {
        let items = (rows_of_length(self.length as usize, rows as usize) as u64).min(self.items);
        let heads = self.dims().heads as u64;
        let (nodes, ports) = (self.layers() * (heads + 1) + 1 + neurons, self.layers() * (3 * heads + 1) + 1 + neurons);
        let held = items * (self.written() + ports * self.stream());
        held + rows * ((2 * nodes + ports) * self.stream() + self.pass(&[]))
    }
}
