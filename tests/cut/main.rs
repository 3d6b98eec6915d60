//! Cuts: laws of what is cut, cuts that are known beforehand, and mistakes.

#[path = "../common/mod.rs"]
mod common;

mod laws;
mod mistakes;
mod planted;

use common::*;
use patchclamp::method::{Bench, Finding};
use patchclamp::model::Model;
use patchclamp::model::load::Loaded;
use patchclamp::plan::{Item, Plan};
use patchclamp::table::{Row, Table};

/// An experiment that cuts.
fn cutting(data: &str, keep: &str, ways: &str, more: &str) -> String {
    question(data, &format!("Cut(ways: [{ways}], keep: (data: {keep}), {more})"), "")
}

fn bench<'a>(model: &'a dyn Model, items: &'a [Item], plan: &Plan) -> Bench<'a> {
    let (statistics, metric) = (plan.experiment.statistics, plan.metric());
    Bench { model, text: None, items, features: &[], metric, statistics, seed: 0, rows: 64 }
}

fn planned(text: &str, loaded: &Loaded) -> Plan {
    Plan::new(&experiment(text), loaded).unwrap_or_else(|error| panic!("{error}"))
}

fn row<'a>(table: &'a Table, site: &str, metric: &str) -> &'a Row {
    let found = table.rows.iter().find(|row| row.site.as_deref() == Some(site) && row.metric == metric);
    found.unwrap_or_else(|| panic!("no {metric} of {site} in {}", table.name))
}

fn effect(finding: &Finding, site: &str, metric: &str) -> f64 {
    row(&finding.tables[0], site, metric).effect
}
