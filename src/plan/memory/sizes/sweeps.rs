//! What sweeps hold: the recorded run of a batch, and the rows that go on from it.

use super::Sizes;
use crate::plan::{Cell, Sweep, changed};
use crate::site::Site;
use crate::spec::Ablation;
use std::collections::BTreeSet;

impl Sizes<'_> {
    /// The recorded run of a batch of items, and the rows that go on from it.
    pub(super) fn sweep(&self, cells: &[Cell], rows: u64) -> u64 {
        let sites = changed(cells);
        let items = (rows / 2).max(1).min(self.items);
        let rows = rows.min(items * cells.len() as u64);
        let begins = sites.iter().map(|site| site.layer()).collect::<BTreeSet<_>>().len() as u64;
        // what is there and what stands in for it
        let base = begins * self.stream() + self.layers() * self.past() + 2 * self.sites(&sites);
        let put = cells.iter().map(|cell| self.cell(cell)).max().unwrap_or(0);
        items * base + rows * (self.pass(&sites) + self.past() + put)
    }

    /// What a cell puts in for one row.
    fn cell(&self, cell: &Cell) -> u64 {
        let share = |site: &Site| {
            let heads = if cell.head.is_some() { self.dims().heads as u64 } else { 1 };
            let positions = if cell.position.is_some() { self.length } else { 1 };
            self.site(*site) / (heads * positions).max(1)
        };
        cell.sites.iter().map(share).sum()
    }

    /// Passes over all items that an ablation by means needs before.
    pub(super) fn means(&self, sweep: &Sweep, with: Ablation, items: u64) -> u64 {
        let sites = changed(&sweep.cells);
        match with {
            Ablation::Mean | Ablation::MeanPerPosition => items * (self.sites(&sites) + self.block()),
            Ablation::Zero | Ablation::Resample => 0,
        }
    }
}
