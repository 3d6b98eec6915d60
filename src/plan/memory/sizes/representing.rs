//! What comparisons of spaces hold.

use super::{Sizes, TABLE_ROW};
use crate::plan::{Representing, changed, width};

/// Rows that a cell has in the tables beside those of its models.
const ROWS: u64 = 6;

impl Sizes<'_> {
    /// States of all cells, of the model and of its twins, in f64, while one of them is compared.
    pub(super) fn represented(&self, plan: &Representing, rows: u64) -> u64 {
        let cells = &plan.sweep.cells;
        let sites = changed(cells);
        let of_cell = |cell| self.items * width(cell, self.model) as u64;
        let all: u64 = cells.iter().map(of_cell).sum();
        let widest = cells.iter().map(of_cell).max().unwrap_or(0);
        let twin = if plan.random_models > 0 { crate::plan::memory::weights(self.model) } else { 0 };
        let pass = rows.min(self.items) * (2 * self.sites(&sites) + self.pass(&sites));
        // kernels of the items, dissimilarities of conditions in some forms, or centred copies of both spaces
        let compared = 8 * self.items * self.items + 16 * (plan.count() * plan.count()) as u64 + 8 * widest;
        2 * all * (1 + plan.random_models as u64) + all + twin + pass.max(compared)
    }

    /// Bytes of what is told, and of the states that are kept for other runs, as values and on their way to a file.
    pub(super) fn spaces(&self, plan: &Representing) -> u64 {
        let cells = &plan.sweep.cells;
        let states: u64 = cells.iter().map(|cell| self.items * width(cell, self.model) as u64).sum();
        let count = cells.len() as u64;
        3 * 4 * states + (count * (ROWS + 3 * plan.models.len() as u64) + count * count) * TABLE_ROW
    }
}
