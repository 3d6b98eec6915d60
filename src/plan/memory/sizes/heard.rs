//! Methods that hear all that questions say: logits at every position, before and behind their softmax.

use super::{Sizes, TABLE_ROW};
use crate::plan::{Localising, Question, Steering};
use crate::spec::Ablation;

/// Numbers that an f64 takes.
const DOUBLE: u64 = 2;

impl Sizes<'_> {
    /// The same for the longest of these questions.
    fn for_questions<'q>(&self, questions: impl Iterator<Item = &'q Question>) -> Self {
        let longest = questions.map(|question| question.tokens.len() as u64).max().unwrap_or(0);
        Sizes { length: self.length.max(longest), ..*self }
    }

    /// A row under a hook: logits, their softmax and what is picked of it at every position, and those at the answer as f64.
    fn heard(&self) -> u64 {
        3 * self.length * self.vocabulary() + 3 * DOUBLE * self.vocabulary() + self.block()
    }

    /// Responses of all units, then rows in which units are replaced.
    pub(super) fn localised(&self, plan: &Localising, rows: u64) -> u64 {
        let questions = || plan.tasks.iter().flat_map(|task| &task.questions);
        let own = self.for_questions(questions());
        let units: u64 = plan.sites.iter().map(|site| self.site(*site) / self.length.max(1)).sum();
        let responses = DOUBLE * 2 * units * questions().count() as u64;
        let put = if plan.lesions.contains(&Ablation::Resample) { 3 } else { 1 };
        // a site before and behind its hook, the mask as wide as it, and what stands in
        responses + rows * (own.heard() + put * own.sites(&plan.sites) + 3 * own.dearest(&plan.sites))
    }

    /// The largest of some sites for one row.
    fn dearest(&self, sites: &[crate::site::Site]) -> u64 {
        sites.iter().map(|site| self.site(*site)).max().unwrap_or(0)
    }

    /// What lesions say, and their tables.
    pub(super) fn lesions(&self, plan: &Localising) -> u64 {
        let questions: u64 = plan.tasks.iter().map(|task| task.questions.len() as u64).sum();
        let (tasks, kinds) = (plan.tasks.len() as u64, plan.lesions.len() as u64);
        let units: u64 = plan.sites.iter().map(|site| self.site(*site) / self.length.max(1)).sum();
        // four f64 a question and set; rows of single pairs; seven rows a unit
        questions * plan.sets() as u64 * kinds * 32 + (questions * tasks * kinds + 7 * tasks * units) * TABLE_ROW
    }

    /// States of all questions at the largest cell, its directions, then rows that are moved along them.
    pub(super) fn steered(&self, plan: &Steering, rows: u64) -> u64 {
        let questions = || plan.tasks.iter().flat_map(|task| &task.questions);
        let own = self.for_questions(questions());
        let widths =
            plan.cells.iter().map(|cell| cell.sites.iter().map(|site| self.site(*site) / self.length.max(1)).sum());
        let width: u64 = widths.max().unwrap_or(0);
        let courses = (plan.by.len() * plan.tasks.len() + plan.random) as u64;
        let held = DOUBLE * width * (2 * questions().count() as u64 + 2 * courses);
        // a row's direction once as it is and once as what is taken out, and the state around its hook
        let site = plan.cells.iter().map(|cell| own.dearest(&cell.sites)).max().unwrap_or(0);
        held + rows * (own.heard() + 2 * width + 4 * site)
    }

    /// What doses say, and their tables.
    pub(super) fn doses(&self, plan: &Steering) -> u64 {
        let questions: u64 = plan.tasks.iter().map(|task| task.questions.len() as u64).sum();
        let cells = plan.cells.len() as u64;
        let doses = plan.operations.len().max(1) as u64 * (plan.coefficients.len() as u64 + 1);
        // four f64 a question and condition; a row a prompt of every dose; eight rows a dose and task
        let rows = cells * doses * plan.by.len() as u64 * (questions + 8 * plan.tasks.len() as u64);
        questions * plan.conditions() as u64 * cells * 32 + rows * TABLE_ROW
    }
}
