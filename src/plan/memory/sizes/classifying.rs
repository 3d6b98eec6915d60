//! What classifying holds.

use super::{Sizes, TABLE_ROW};
use crate::plan::Classifying;

/// Rows of a stream that tell of all classes.
const ROWS: u64 = 24;

/// Copies of states in f64 while a head is fitted: folds, scaled, and slopes.
const FITTED: u64 = 8;

impl Sizes<'_> {
    /// States of all texts at all streams, and a head while it is fitted.
    pub(super) fn classified(&self, plan: &Classifying, rows: u64) -> u64 {
        let (width, classes) = (self.dims().d_model as u64, plan.classes.len() as u64);
        let states = 2 * self.items * width * plan.sites.len() as u64;
        let fitted = FITTED * 2 * (self.items * (width + classes) + width * classes * plan.penalties.len() as u64);
        let pass = rows.min(self.items) * (2 * self.sites(&plan.sites) + self.pass(&plan.sites));
        states + pass.max(fitted)
    }

    /// Bytes of its tables: figures, gaps by class, cells, and what every item was told to be.
    pub(super) fn judged(&self, plan: &Classifying) -> u64 {
        let classes = plan.classes.len() as u64;
        plan.sites.len() as u64 * (ROWS + 5 * classes + plan.parts.test.len() as u64) * TABLE_ROW
    }
}
