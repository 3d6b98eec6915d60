//! Classifiers of two models beside each other.

use super::measure::held;
use super::{Folder, ReportError};
use crate::method::classify::{differences, is_of};
use crate::method::represent::AGAINST;
use crate::plan::{Plan, Step};
use crate::run::Outcome;
use crate::spec::Variant;
use crate::table::Table;
use std::path::Path;

/// Adds to an outcome a table for each of its classifiers: its own model's figures, those of the variant's finished run in
/// `folder`, and their differences text by text.
pub fn hold_classified(
    outcome: &mut Outcome,
    plan: &Plan,
    variant: &Variant,
    folder: &Path,
) -> Result<(), ReportError> {
    let there = Folder::existing(folder)?;
    for (finding, step) in outcome.findings.iter_mut().zip(&plan.steps) {
        let Step::Classify(classifying) = step else { continue };
        let (main, own) = (&finding.tables[0], &finding.items[0]);
        let file = format!("tables/{}.items.csv", own.name);
        let others = Table::rows_from_csv(&there.read_text(&file)?)
            .map_err(|error| ReportError::NoRun(format!("{file}: {error}")))?;
        let (statistics, seed) = (plan.experiment.statistics, plan.experiment.seed);
        let found = differences(classifying, [&own.rows, &others], statistics, seed);
        let table = held(main, &found, variant);
        finding.tables.push(table);
    }
    Ok(())
}

/// Whether a table holds classifiers against each other.
pub(super) fn is_held(table: &Table) -> bool {
    is_of(table) && table.name.contains(AGAINST)
}

/// Whether a table has figures for `bias.csv`: those over all classes, gaps class by class, and what they are beside another
/// model's.
pub(super) fn is_told(table: &Table) -> bool {
    is_of(table) && !table.name.ends_with(".cells")
}
