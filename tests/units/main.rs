//! Units and directions: localised, lesioned, steered; laws, parity with plain hooks, and what was planted.

#[path = "../common/mod.rs"]
mod common;

mod localise;
mod steer;

use common::*;
use patchclamp::method::Finding;
use patchclamp::plan::Plan;
use patchclamp::table::{Row, Table};
use serde_json::Value;

/// What f32 leaves of a logit, and of what is read of it.
const ROUNDING: f64 = 2e-5;

/// The table whose name ends so.
fn table<'a>(finding: &'a Finding, name: &str) -> &'a Table {
    finding.tables.iter().find(|table| table.name.ends_with(name)).unwrap_or_else(|| panic!("no table {name}"))
}

/// The row of a table with this site and metric; several layers have one each.
fn row<'a>(rows: &'a [Row], site: &str, metric: &str) -> &'a Row {
    let found = rows.iter().find(|row| row.site.as_deref() == Some(site) && row.metric == metric);
    found.unwrap_or_else(|| panic!("no row {site:?}, {metric:?}"))
}

/// What a plan says is wrong.
fn refused(text: &str, model: &str) -> String {
    Plan::new(&experiment(text), &load(model)).map(|_| ()).expect_err("it cannot be run").to_string()
}

fn goldens() -> Value {
    serde_json::from_str(&std::fs::read_to_string(golden("units.json")).unwrap()).unwrap()
}

/// The pairs of both parts, as RON, and how many each has.
fn golden_parts(goldens: &Value) -> (String, usize) {
    let mut pairs = Vec::new();
    for part in ["a", "b"] {
        let held = &goldens["parts"][part];
        for (item, clean) in held["clean"].as_array().unwrap().iter().enumerate() {
            let (corrupt, answers) = (&held["corrupt"][item], &held["answers"][item]);
            pairs.push(format!(
                "(clean: {clean}, corrupt: {corrupt}, right: {}, wrong: {}, labels: {{\"part\": \"{part}\"}})",
                answers[0], answers[1]
            ));
        }
    }
    (format!("Pairs([{}])", pairs.join(", ")), pairs.len() / 2)
}

/// The mean of what both parts of the goldens have.
fn mean_of_parts(goldens: &Value, of: impl Fn(&Value) -> Vec<f64>) -> f64 {
    let all: Vec<f64> = ["a", "b"].iter().flat_map(|part| of(&goldens["parts"][part])).collect();
    all.iter().sum::<f64>() / all.len() as f64
}

fn close(found: f64, expected: f64, tolerance: f64, what: &str) {
    assert!((found - expected).abs() <= tolerance, "{what}: {found}, not {expected}");
}
