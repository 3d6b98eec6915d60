//! What methods hold that learn directions or maps of states.

use super::{AT_A_HOOK, Sizes};
use crate::metric::Metric;
use crate::plan::{Das, TunedLens, changed};
use crate::site::Site;

/// Of what is fitted: as it is, its slope, and both means of Adam, each in f64 and so two numbers of f32, and once more on
/// its way to the journal.
const FITTED: u64 = 16;

impl Sizes<'_> {
    /// Every exchange's recorded runs at one place, and a batch of them on a tape.
    pub(super) fn searched(&self, plan: &Das, rows: u64) -> u64 {
        let sites = changed(&plan.sweep.cells);
        let dearest = sites.iter().map(|site| self.site(*site)).max().unwrap_or(0);
        let kept = self.stream() + self.layers() * self.past() + dearest;
        let rows = rows.min(2 * self.items * self.tried(plan));
        let recording = self.pass(&sites) + 2 * dearest + kept;
        // the loss of a step reads the whole vocabulary
        let step = self.tape(&[Site::Embed]) + 2 * kept + AT_A_HOOK * dearest + self.reading(Metric::LogProb).logits(2);
        2 * self.items * kept + rows * recording.max(step) + FITTED * self.widest(plan)
    }

    /// Spans that are exchanged, over all places.
    pub(super) fn tried(&self, plan: &Das) -> u64 {
        let fits = plan.dimensions.len() as u64 + u64::from(plan.boundless.is_some());
        plan.sweep.cells.len() as u64 * (2 + 3 * fits)
    }

    /// Numbers of the largest frame.
    fn widest(&self, plan: &Das) -> u64 {
        let most = plan.dimensions.iter().copied().chain(plan.boundless.map(|boundless| boundless.most)).max();
        let width = changed(&plan.sweep.cells).iter().map(|site| self.width(*site)).max().unwrap_or(1);
        most.unwrap_or(1) as u64 * width
    }

    fn width(&self, site: Site) -> u64 {
        crate::model::shape(self.dims(), site, 1, 1).last().copied().unwrap_or(1) as u64
    }

    /// Bytes of all directions that are learned.
    pub(super) fn spans(&self, plan: &Das) -> u64 {
        let fits = plan.dimensions.len() as u64 + u64::from(plan.boundless.is_some());
        4 * fits * plan.sweep.cells.len() as u64 * self.widest(plan)
    }

    /// The streams of all prompts and of a batch, logits of the positions of a step twice, and a translator on a tape.
    pub(super) fn translated(&self, plan: &TunedLens, rows: u64) -> u64 {
        let items = rows.min(self.items);
        let streams = (plan.sites.len() as u64 + 1) * self.stream();
        let batch = (plan.batch as u64).min(2 * self.items * self.length);
        let read = 2 * (4 * self.stream() + self.logits(self.length)) * items;
        let step = batch * (8 * self.dims().d_model as u64 + 8 * self.vocabulary());
        let recorded = 2 * self.items * streams + items * (streams + self.pass(&plan.sites));
        recorded + step.max(read) + (FITTED + AT_A_HOOK) * self.translator()
    }

    fn translator(&self) -> u64 {
        let width = self.dims().d_model as u64;
        width * (width + 1)
    }

    /// Bytes of all translators.
    pub(super) fn translators(&self, plan: &TunedLens) -> u64 {
        4 * plan.sites.len() as u64 * self.translator()
    }
}
