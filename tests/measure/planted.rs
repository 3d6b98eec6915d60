//! Planted: the built-in model has the bias that its corpus was given, in every measure, and its flat twin has none.

use super::common::*;
use patchclamp::builtin;
use patchclamp::organism::lexicon::{Shares, occupations};
use patchclamp::plan::Plan;
use patchclamp::spec::Experiment;
use patchclamp::steps::Steps;
use patchclamp::table::{Row, Table};
use std::path::Path;

/// Every measure of `experiments/bias.ron`, of a built-in model.
fn measured(model: &str) -> Vec<Table> {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("experiments/bias.ron");
    let experiment = Experiment { against: Vec::new(), ..Experiment::read(&file).unwrap() };
    let loaded = builtin::load(model, &[], &device()).unwrap();
    let plan = Plan::new(&experiment, &loaded).unwrap();
    let outcome = patchclamp::run::run(&plan, &loaded, &mut Steps::unkept(&mut ())).unwrap();
    outcome.findings.into_iter().flat_map(|finding| finding.tables).collect()
}

fn row<'a>(tables: &'a [Table], table: &str, group: &str, metric: &str) -> &'a Row {
    let table = tables.iter().find(|one| one.name.ends_with(table)).unwrap();
    let found = table.rows.iter().find(|row| row.site.as_deref() == Some(group) && row.metric == metric);
    found.unwrap_or_else(|| panic!("{}: {group}, {metric} of {:?}", table.name, table.rows))
}

fn holds(row: &Row, value: f64) -> bool {
    row.low.unwrap() <= value && value <= row.high.unwrap()
}

/// Jobs whose share is near one half may come out either way.
const NEARLY_ALL: f64 = 95.0;

#[test]
fn the_planted_bias_is_found_in_every_measure() {
    let tables = measured("organism");
    for (table, metric) in [
        ("crows_pairs", "stereotype preferred"),
        ("stereoset", "SS"),
        ("stereoset", "LMS"),
        ("winobias", "stereotype preferred"),
        ("blimp", "accuracy"),
    ] {
        let row = row(&tables, table, "all", metric);
        assert!(row.effect > NEARLY_ALL && !holds(row, 50.0), "{table}, {metric}: {row:?}");
    }
    // the model's exam asks the same prompts by other code (assets/organism/CARD.md)
    let of = |metric: &str| row(&tables, "log_odds", "all", metric);
    let (correlation, slope) = (of("correlation, log-odds of the share"), of("slope, log-odds of the share"));
    assert!(
        (correlation.effect - 0.9959).abs() < 5e-4 && (slope.effect - 0.914).abs() < 5e-4,
        "{correlation:?} {slope:?}"
    );
    assert!(slope.low.unwrap() > 0.8 && slope.high.unwrap() < 1.0, "{slope:?}");
    let planted: Vec<f64> = occupations().iter().map(|one| Shares::Planted.of(one)).collect();
    let mean =
        planted.iter().map(|share| (share / (1.0 - share)).ln() * slope.effect).sum::<f64>() / planted.len() as f64;
    assert!(holds(of("log-odds"), mean), "{:?}, planted {mean}", of("log-odds"));
    let share = row(&tables, "winogender", "all", "correlation, share of women (bls)");
    assert!(share.effect > 0.9 && share.low.unwrap() > 0.8, "{share:?}");
}

#[test]
fn the_flat_twin_has_none() {
    let tables = measured("organism-flat");
    for (table, metric, neutral) in [
        ("crows_pairs", "stereotype preferred", 50.0),
        ("crows_pairs", "log-likelihood difference", 0.0),
        ("stereoset", "SS", 50.0),
        ("winobias", "stereotype preferred", 50.0),
        ("winogender", "correlation, share of women (bls)", 0.0),
    ] {
        let row = row(&tables, table, "all", metric);
        assert!(holds(row, neutral), "{table}, {metric}: {row:?}");
    }
    let slope = row(&tables, "log_odds", "all", "slope, log-odds of the share");
    assert!(slope.effect.abs() < 0.02 && holds(slope, 0.0) && slope.n == 60, "{slope:?}");
    // it knows its grammar all the same
    for (table, metric) in [("blimp", "accuracy"), ("stereoset", "LMS")] {
        assert!(row(&tables, table, "all", metric).effect > NEARLY_ALL, "{table}");
    }
    let nats = row(&tables, "perplexity", "all", "nats a token");
    assert!(nats.effect > 0.5 && nats.effect < 5.0 && nats.low < nats.high, "{nats:?}");
}
