//! Planted: what the built-in model was taught is told from its states, and used where patching finds it.

use crate::common::*;
use patchclamp::builtin;
use patchclamp::organism::lexicon::{Shares, occupations};
use patchclamp::table::Row;

/// A place that does nothing: what is left is rounding, at most this share of the difference.
const NOTHING: f64 = 0.01;

const NAMES: &str = r#"Templates(
    templates: ["{name} opened the door because", "{name} visited the market when"],
    clean: {"name": ["Mary", "Anna", "Emily", "Grace", "Helen", "Lucy", "Clara", "Alice"]},
    corrupt: {"name": ["John", "Peter", "George", "Henry", "James", "Oliver", "Thomas", "William"]},
    right: " she", wrong: " he", both_ways: Yes,
)"#;

#[test]
fn gender_is_told_from_names_at_every_layer_and_not_without_training() {
    let found = &findings(
        &question(NAMES, "Probe(over: [Layer], used: [Swap], shuffles: 20)", ""),
        &builtin::load("organism", &[], &device()).unwrap(),
    )[0];
    let rows = |metric: &str| -> Vec<&Row> { found.tables[0].rows.iter().filter(|row| row.metric == metric).collect() };
    for row in rows("accuracy") {
        assert!(row.low.unwrap() > 0.9 && row.p.unwrap() < 0.05, "{row:?}");
    }
    for row in rows("information") {
        assert!(row.effect > 0.9, "a bit a name: {row:?}");
    }
    for row in rows("accuracy, random weights") {
        assert!(row.low.unwrap() <= 0.5, "{row:?}");
    }
    // labels that names were given by chance cannot be told of names unseen
    let control = rows("accuracy, control task");
    assert!(!control.is_empty() && control.iter().all(|row| row.effect < 0.9), "{control:?}");
}

#[test]
fn gender_is_used_where_patching_finds_it() {
    let methods = r#"
        Probe(sites: ["hook_resid_pre"], over: [Layer, Position], used: [Swap], shuffles: 0, hidden: 0, random_models: 0,
            random_directions: 5),
        Patch(sites: ["hook_resid_pre"], over: [Layer, Position], direction: Noise)"#;
    let found = findings(&question(NAMES, methods, ""), &builtin::load("organism", &[], &device()).unwrap());
    let gap = found[0].tables.iter().find(|table| table.name.ends_with("probe.gap")).unwrap();
    let patched = &found[1].tables[0].rows;
    let share = |metric: &str, row: &Row| {
        let here = |other: &&Row| other.metric == metric && (other.layer, other.position) == (row.layer, row.position);
        gap.rows.iter().find(here).unwrap().effect
    };
    for row in patched {
        let (whole, swapped, random) =
            (row.normalised.unwrap(), share("share, swap", row), share("share, swap at random", row));
        if whole.abs() < NOTHING {
            assert!(swapped.abs() < 2.0 * NOTHING, "{row:?}: {swapped}");
        }
        if whole > 0.9 && row.layer > Some(0) {
            assert!(swapped > 0.3 && swapped > 10.0 * random.abs(), "{row:?}: {swapped}, {random}");
        }
    }
    // what can be told at the last token before the name's gender has come there is nothing; behind the name, between, it can
    // be told and is not used
    let idle = patched.iter().filter(|row| row.normalised.unwrap().abs() < NOTHING && row.layer == Some(3));
    assert!(idle.clone().any(|row| share("share, decodable", row) > 0.9), "something is known and not used");
}

#[test]
fn the_share_of_women_in_an_occupation_is_told_by_the_log_odds_of_a_probe() {
    let all = occupations();
    let one_word = |occupation: &&patchclamp::organism::lexicon::Occupation| !occupation.english.contains(' ');
    let share = |occupation: &patchclamp::organism::lexicon::Occupation| Shares::Planted.of(occupation);
    let (mut women, mut men): (Vec<_>, Vec<_>) = all.iter().filter(one_word).partition(|job| share(job) > 0.5);
    let count = women.len().min(men.len());
    women.truncate(count);
    men.truncate(count);
    let words = |jobs: &[&patchclamp::organism::lexicon::Occupation]| {
        jobs.iter().map(|job| format!("{:?}", job.english)).collect::<Vec<_>>().join(", ")
    };
    let data = format!(
        r#"Templates(
            templates: ["The {{job}} opened the door because", "The {{job}} read a story when", "The {{job}} saw the river, so"],
            clean: {{"job": [{}]}}, corrupt: {{"job": [{}]}}, right: " she", wrong: " he",
        )"#,
        words(&women),
        words(&men)
    );
    let text = question(&data, "Probe(shuffles: 0, hidden: 0, random_models: 0)", "uneven: LeaveOut");
    let found = &findings(&text, &builtin::load("organism", &[], &device()).unwrap())[0];
    let told = found.tables.iter().find(|table| table.name.ends_with("probe.words")).expect("a row a word");
    let of_word = |row: &Row| {
        let word = row.site.as_deref().unwrap();
        let share = all.iter().find(|job| job.english == word).map(share)?;
        Some((row.effect, (share / (1.0 - share)).ln()))
    };
    let (log_odds, planted): (Vec<f64>, Vec<f64>) = told.rows.iter().filter_map(of_word).unzip();
    assert!(log_odds.len() > 20, "{} occupations", log_odds.len());
    let r = patchclamp_probes::pearson(&log_odds, &planted).unwrap();
    assert!(r >= 0.9, "{r} over {} occupations", log_odds.len());
}
