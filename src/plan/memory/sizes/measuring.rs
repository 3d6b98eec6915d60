//! What scoring texts holds.

use super::{Sizes, TABLE_ROW};
use crate::plan::{Kind, Measuring, Set};
use crate::score::LOGITS;

/// Columns of an item, and what is told of a group, at the most.
const COLUMNS: u64 = 8;

impl Sizes<'_> {
    /// The beginnings of a batch with their keys and values, as recorded and as picked, and the rows that go on from them; or
    /// the experiment's own prompts.
    pub(super) fn measured(&self, plan: &Measuring, rows: u64) -> u64 {
        let texts = Sizes { length: plan.longest().max(1) as u64, ..*self };
        let past = 2 * texts.layers() * texts.past();
        let logits = (LOGITS as u64).min(rows * texts.length * texts.vocabulary()).max(texts.vocabulary());
        let scored = rows * (past + 2 * texts.stream() + texts.block()) + 2 * logits;
        let read = |set: &Set| if let Kind::Weat { sites, .. } = &set.kind { sites.len() as u64 } else { 0 };
        let states = plan.sets.iter().map(read).max().unwrap_or(0) * rows * texts.stream();
        states + scored.max(rows.min(self.items) * self.pass(&[]))
    }

    /// Bytes of the columns of every item and of the draws, which are of items by their number.
    pub(super) fn columns(&self, plan: &Measuring) -> u64 {
        let cases: u64 = plan.sets.iter().map(|set| set.cases.len() as u64 * numbers(set)).sum();
        let most = plan.sets.iter().map(|set| set.cases.len() as u64).max().unwrap_or(0);
        let tokens: u64 = plan.requests().map(|request| (request.ids.len() + 2 * request.reads.len()) as u64).sum();
        cases * TABLE_ROW + most * drawn(plan) + 16 * tokens
    }
}

/// Numbers of an item, and what is told of its group.
fn numbers(set: &Set) -> u64 {
    match &set.kind {
        Kind::Weat { attributes, .. } => COLUMNS + *attributes as u64,
        _ => COLUMNS,
    }
}

/// Bytes for an item of the set that is at work: its number in every draw; where models are held against each other, its sign in
/// every pattern of the paired test.
fn drawn(plan: &Measuring) -> u64 {
    let signs = if plan.is_paired { 4 * plan.statistics.permutations as u64 } else { 0 };
    8 * plan.statistics.resamples as u64 + signs
}
