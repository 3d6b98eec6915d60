//! What stitching holds.

use super::Sizes;
use crate::metric::Metric;
use crate::plan::{Stitching, Twofold};

/// Ways in which states are put in: mapped, as they are, mapped after shuffles, of random weights.
const WAYS: u64 = 4;

/// Numbers that each of these has three rows of: metric, agreement, divergence.
const READ: u64 = 3;

impl Sizes<'_> {
    /// The other model and a twin, states of both at all streams in f64, and the maps of one stream while they are fitted.
    pub(super) fn stitched(&self, plan: &Stitching, rows: u64) -> u64 {
        let (own, theirs) = (self.dims().d_model as u64, plan.guest.model.dims().d_model as u64);
        let places = |prompts: &[Twofold]| prompts.iter().map(|prompt| prompt.at.len() as u64).sum::<u64>();
        let (fit, all) = (places(&plan.fit), places(&plan.fit) + places(&plan.test));
        let (into, from) = (plan.into.len() as u64, plan.from.len() as u64);
        let guest = crate::plan::memory::weights(plan.guest.model.as_ref()) * (1 + plan.random_models.min(1) as u64);
        let states = 2 * (fit * own * into + all * theirs * from * (1 + plan.random_models as u64));
        // scaled states, their eigenvectors, and every set of targets centred and along these
        let rank = theirs.min(fit);
        let fitted = 2 * (2 * fit * theirs + 3 * rank * theirs + 2 * into * (fit * own + rank * own + theirs * own));
        let test = 2 * (plan.test.len() as u64 * self.vocabulary() + 2 * all * own);
        let batch = rows.min(self.items);
        let pass = batch * (self.pass(&plan.into) + self.reading(Metric::LogProb).logits(1));
        guest + states + fitted + test + pass
    }

    /// Rows of its table.
    pub(super) fn joined(&self, plan: &Stitching) -> u64 {
        WAYS * READ * (0..plan.from.len()).map(|from| plan.joined(from).len() as u64).sum::<u64>()
    }
}
