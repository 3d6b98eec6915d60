//! What classifying holds.

use super::{Sizes, TABLE_ROW};
use crate::plan::Classifying;
use crate::site::Site;
use crate::spec::{Train, Whole};

/// Rows of a stream that tell of all classes.
const ROWS: u64 = 24;

/// Copies of states in f64 while a head is fitted: folds, scaled, and slopes.
const FITTED: u64 = 8;

/// Of a weight that is trained: as it was, as it is, its slope, and both means of AdamW.
const TRAINED: u64 = 5;

impl Sizes<'_> {
    /// A model while it is trained, a batch on its tape, and the texts that are tested.
    fn trained(&self, plan: &Classifying, whole: &Whole, rows: u64) -> u64 {
        let weights = super::super::weights(self.model) + (self.dims().d_model * plan.classes.len()) as u64;
        let step = (whole.rows as u64).min(self.items) * (self.tape(&[Site::Embed]) + self.pass(&plan.sites));
        let asked = rows.min(self.items) * self.pass(&plan.sites);
        TRAINED * weights + step.max(asked)
    }

    /// States of all texts at all streams, and a head while it is fitted; or what training a whole model holds.
    pub(super) fn classified(&self, plan: &Classifying, rows: u64) -> u64 {
        if let Train::Whole(whole) = &plan.train {
            return self.trained(plan, whole, rows);
        }
        let (width, classes) = (self.dims().d_model as u64, plan.classes.len() as u64);
        let states = 2 * self.items * width * plan.sites.len() as u64;
        let fitted = FITTED * 2 * (self.items * (width + classes) + width * classes * plan.penalties.len() as u64);
        let pass = rows.min(self.items) * (2 * self.sites(&plan.sites) + self.pass(&plan.sites));
        states + pass.max(fitted)
    }

    /// Bytes of its tables: figures, gaps by class, cells, and what every item was told to be.
    pub(super) fn judged(&self, plan: &Classifying) -> u64 {
        let classes = plan.classes.len() as u64;
        plan.sites.len() as u64 * (ROWS + 5 * classes + 2 * plan.parts.test.len() as u64) * TABLE_ROW
    }
}
