//! Spaces held against those of a variant, and maps of spaces held against each other.

use super::{Folder, ReportError};
use crate::figure::{Figure, HeatMap, Scale, words};
use crate::method::represent::{AGAINST, BETWEEN, between, spaces};
use crate::plan::{Plan, Step};
use crate::run::Outcome;
use crate::spec::Variant;
use crate::table::{Row, Table};
use indexmap::IndexSet;
use ndarray::Array2;
use std::path::Path;

/// Adds to an outcome a table for each of its methods that compare spaces, of its own and of those that the variant's finished
/// run in `folder` has kept.
pub fn hold_spaces(outcome: &mut Outcome, plan: &Plan, variant: &Variant, folder: &Path) -> Result<(), ReportError> {
    let there = Folder::existing(folder)?;
    for (finding, step) in outcome.findings.iter_mut().zip(&plan.steps) {
        let Step::Represent(representing) = step else { continue };
        let Some((stem, own)) = finding.tensors.first() else { continue };
        let others = there.read_tensors(&format!("tensors/{stem}.safetensors"))?;
        let (name, statistics) = (format!("{stem}{AGAINST}{}", variant.name), plan.experiment.statistics);
        let held = (spaces(own), spaces(&others));
        let seed = plan.experiment.seed;
        let found = between((&name, &variant.name), representing, (&held.0, &held.1), statistics, seed);
        finding.tables.extend(found);
    }
    Ok(())
}

/// Whether a table holds spaces against each other.
pub(super) fn is_of(table: &Table) -> bool {
    let both = |row: &Row| row.site.as_ref().is_some_and(|site| site.contains(BETWEEN));
    table.name.contains("represent") && !table.rows.is_empty() && table.rows.iter().all(both)
}

/// A map for each metric: up the first space, across the second.
pub(super) fn figures(table: &Table) -> Vec<(String, Figure)> {
    let metrics: IndexSet<&str> = table.rows.iter().map(|row| row.metric.as_str()).collect();
    let map = |metric: &&str| (format!("{}_{metric}", table.name), Figure::HeatMap(map(table, metric)));
    metrics.iter().map(map).collect()
}

fn map(table: &Table, metric: &str) -> HeatMap {
    let rows: Vec<&Row> = table.rows.iter().filter(|row| row.metric == metric).collect();
    let named = |row: &Row| row.site.as_deref()?.split_once(BETWEEN).map(|(a, b)| (a.to_string(), b.to_string()));
    let pairs: Vec<((String, String), f64)> = rows.iter().filter_map(|row| Some((named(row)?, row.effect))).collect();
    let up: IndexSet<&String> = pairs.iter().map(|((first, _), _)| first).collect();
    let across: IndexSet<&String> = pairs.iter().map(|((_, second), _)| second).collect();
    let mut values = Array2::from_elem((up.len(), across.len()), f64::NAN);
    for ((first, second), value) in &pairs {
        if let (Some(row), Some(column)) = (up.get_index_of(first), across.get_index_of(second)) {
            values[[row, column]] = *value;
        }
    }
    let (marks, negative) = (Array2::default(values.dim()), values.iter().any(|value| *value < 0.0));
    let word = if up.iter().chain(&across).all(|name| name.starts_with("layer ")) { "Layer" } else { "Space" };
    let short = |names: &IndexSet<&String>| {
        names
            .iter()
            .map(|name| words(name.strip_prefix("layer ").filter(|_| word == "Layer").unwrap_or(name)))
            .collect()
    };
    let of = table.name.split_once(AGAINST).map_or(String::new(), |(_, variant)| format!(" of {variant}"));
    HeatMap {
        title: table.title.clone(),
        x_title: format!("{word}{of}"),
        y_title: word.into(),
        value_title: table.facts.get(metric).cloned().unwrap_or_else(|| words(metric)),
        x: short(&across),
        y: short(&up),
        values,
        marks,
        mark_title: String::new(),
        scale: if negative { Scale::Diverging } else { Scale::Sequential },
    }
}
