//! What probes and erasers hold.

use super::{Sizes, TABLE_ROW};
use crate::plan::{Probed, changed, width};

/// The most values of states that are held at once, as `method::states` groups cells.
const MOST_VALUES: u64 = 1 << 27;

/// Rows that a place has in the tables: accuracies and their controls, and those of each way to change states.
const ROWS: u64 = 12;

impl Sizes<'_> {
    /// States of a group of places, as often as they are held with those of `twins`, or the runs that go on from them.
    pub(super) fn probed(&self, plan: &Probed, twins: usize, ways: usize, rows: u64) -> u64 {
        let cells = &plan.sweep.cells;
        let sites = changed(cells);
        let samples = plan.samples.items.len() as u64;
        let values = cells.iter().map(|cell| samples * width(cell, self.model) as u64);
        let widest = values.clone().max().unwrap_or(0);
        let held = values.sum::<u64>().min(MOST_VALUES.max(widest)) * (1 + twins as u64 + u64::from(ways > 0));
        let twin = if twins > 0 { crate::plan::memory::weights(self.model) } else { 0 };
        let pass = rows.min(samples) * (2 * self.sites(&sites) + self.pass(&sites));
        // the rows that one split learns from, as doubles, and the second moments of their values
        let square = cells.iter().map(|cell| width(cell, self.model) as u64).max().unwrap_or(0).pow(2);
        let fit = 2 * widest + 6 * square;
        let run = if ways == 0 { 0 } else { self.sweep(cells, rows) + rows * 6 * self.sites(&sites) };
        held + twin + pass.max(fit).max(run)
    }

    /// What probes hold beside states that are mapped from files.
    pub(super) fn mapped(&self, plan: &Probed) -> u64 {
        let widest = plan.sweep.cells.iter().map(|cell| width(cell, self.model) as u64).max().unwrap_or(0);
        // second moments, and a few values of every sample
        6 * widest.pow(2) + 64 * plan.samples.items.len() as u64
    }

    /// Bytes of what is told.
    pub(super) fn told(&self, plan: &Probed, ways: usize, draws: usize) -> u64 {
        let (cells, samples) = (plan.sweep.cells.len() as u64, plan.samples.items.len() as u64);
        let runs = (ways * (1 + draws)) as u64;
        let of_samples = (7 + plan.samples.classes.len() as u64) * 8 + TABLE_ROW;
        cells * (samples * of_samples + self.items * runs * 8 + ROWS * TABLE_ROW) + ways as u64 * self.table(cells)
    }
}
