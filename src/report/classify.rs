//! Classifiers of two models beside each other.

use super::measure::held;
use super::{Beside, Folder, ReportError};
use crate::method::classify::{differences, is_of};
use crate::method::represent::AGAINST;
use crate::plan::{Plan, Step};
use crate::run::Outcome;
use crate::spec::Variant;
use crate::table::Table;

/// Adds to an outcome a table for each of its classifiers: its own model's figures, those of the variant's finished run, and their
/// differences text by text.
pub fn hold_classified(
    outcome: &mut Outcome,
    plan: &Plan,
    variant: &Variant,
    beside: &Beside,
) -> Result<(), ReportError> {
    let there = Folder::existing(&beside.folder)?;
    for (finding, step) in outcome.findings.iter_mut().zip(&plan.steps) {
        let Step::Classify(classifying) = step else { continue };
        let (main, own) = (&finding.tables[0], &finding.items[0]);
        let others = there.read_items(&own.name)?;
        let (statistics, seed) = (plan.experiment.statistics, plan.experiment.seed);
        let even = beside.layers[0] == beside.layers[1];
        let found = differences(classifying, [&own.rows, &others], even, statistics, seed);
        let mut table = held(main, &found, variant);
        table.facts.extend(beside.uneven("only the last streams of either are held against each other"));
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
