//! Spaces held against those of a variant, and maps of spaces held against each other.

use super::{Folder, ReportError};
use crate::figure::{Figure, HeatMap, Panel, Panels, Scale, words};
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
    let named = ["represent", "stitch"].iter().any(|name| table.name.contains(name));
    named && !table.rows.is_empty() && table.rows.iter().all(both)
}

/// A figure for each metric: a map of the first space, up, and the second, across; of several methods one beside the other.
pub(super) fn figures(table: &Table) -> Vec<(String, Figure)> {
    let metrics: IndexSet<&str> = table.rows.iter().map(|row| row.metric.as_str()).collect();
    let plain = |name: &str| name.replace(|letter: char| !letter.is_ascii_alphanumeric(), "_");
    metrics.iter().map(|metric| (format!("{}_{}", table.name, plain(metric)), figure(table, metric))).collect()
}

/// Two spaces, by name.
type Pair<'a> = (&'a str, &'a str);

fn figure(table: &Table, metric: &str) -> Figure {
    let rows: Vec<&Row> = table.rows.iter().filter(|row| row.metric == metric).collect();
    let value = |row: &Row| row.normalised.unwrap_or(row.effect);
    let pairs: Vec<Pair> = rows.iter().filter_map(|row| row.site.as_deref()?.split_once(BETWEEN)).collect();
    let up: IndexSet<&str> = pairs.iter().map(|(first, _)| *first).collect();
    let across: IndexSet<&str> = pairs.iter().map(|(_, second)| *second).collect();
    let map = |method: &str| {
        let mut values = Array2::from_elem((up.len(), across.len()), f64::NAN);
        for (row, (first, second)) in rows.iter().zip(&pairs).filter(|(row, _)| row.method == method) {
            if let (Some(place), Some(column)) = (up.get_index_of(first), across.get_index_of(second)) {
                values[[place, column]] = value(row);
            }
        }
        values
    };
    let word = if up.iter().chain(&across).all(|name| name.starts_with("layer ")) { "Layer" } else { "Space" };
    let short = |names: &IndexSet<&str>| -> Vec<String> {
        let short = |name: &&str| words(name.strip_prefix("layer ").filter(|_| word == "Layer").unwrap_or(name));
        names.iter().map(short).collect()
    };
    let of = table.name.split_once(AGAINST).map_or(String::new(), |(_, variant)| format!(" of {variant}"));
    let (title, x_title, y_title) = (table.title.clone(), format!("{word}{of}"), word.to_string());
    let shown = rows.iter().any(|row| row.normalised.is_some()).then(|| format!("{}, normalised", words(metric)));
    let value_title = table.facts.get(metric).cloned().or(shown).unwrap_or_else(|| words(metric));
    let negative = rows.iter().any(|row| value(row) < 0.0);
    let scale = if negative { Scale::Diverging } else { Scale::Sequential };
    let (x, y, mark_title) = (short(&across), short(&up), String::new());
    let methods: IndexSet<&str> = rows.iter().map(|row| row.method.as_str()).collect();
    if let [only] = methods.iter().copied().collect::<Vec<_>>()[..] {
        let (values, marks) = (map(only), Array2::default((up.len(), across.len())));
        return Figure::HeatMap(HeatMap {
            title,
            x_title,
            y_title,
            value_title,
            x,
            y,
            values,
            marks,
            mark_title,
            scale,
        });
    }
    let panel = |method: &&str| {
        let marks = Array2::default((up.len(), across.len()));
        Panel { title: method.to_string(), values: map(method), marks }
    };
    let panels = methods.iter().map(panel).collect();
    Figure::Panels(Panels { title, x_title, y_title, value_title, x, y, panels, columns: None, mark_title, scale })
}
