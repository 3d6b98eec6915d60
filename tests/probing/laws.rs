//! Laws: what holds whatever a model has learnt.

use crate::common::*;
use patchclamp::method::Finding;
use patchclamp::spec::Control;
use patchclamp::table::{Row, Table};

/// Sums of one order and of another: f32 in the model.
const ROUNDING: f64 = 1e-4;

fn organism() -> patchclamp::model::load::Loaded {
    patchclamp::builtin::load("organism", &[], &device()).unwrap()
}

const NAMES: &str = r#"Templates(
    templates: ["{name} opened the door because", "{name} visited the market when", "{name} closed the book when"],
    clean: {"name": ["Mary", "Anna", "Emily", "Grace", "Helen", "Lucy"]},
    corrupt: {"name": ["John", "Peter", "George", "Henry", "James", "Oliver"]},
    right: " she", wrong: " he",
)"#;

fn told<'a>(table: &'a Table, metric: &str) -> Vec<&'a Row> {
    let rows: Vec<&Row> = table.rows.iter().filter(|row| row.metric == metric).collect();
    assert!(!rows.is_empty(), "{metric} stands in {}", table.name);
    rows
}

fn table<'a>(found: &'a Finding, name: &str) -> &'a Table {
    found.tables.iter().find(|table| table.name.ends_with(name)).unwrap_or_else(|| panic!("no table {name}"))
}

#[test]
fn an_eraser_leaves_nothing_that_a_line_could_tell() {
    let found = &findings(
        &question(NAMES, "Erase(by: [Leace, Mean, Inlp(rounds: 6), Oracle], random_directions: 2)", ""),
        &organism(),
    )[0];
    for by in ["leace", "mean", "oracle"] {
        let table = table(found, &format!("erase.{by}.left"));
        for row in told(table, "compression, after") {
            // what all prompts taught is gone from all of them: a code that looks is longer than one that does not
            assert!(row.effect <= 1.0, "{by} layer {:?}: {}", row.layer, row.effect);
        }
        for (before, after) in told(table, "accuracy, before").iter().zip(told(table, "accuracy, after")) {
            assert!(before.effect == 1.0 && after.effect < 0.9, "{by} layer {:?}: {}", after.layer, after.effect);
        }
        for row in told(table, "accuracy, random directions") {
            assert_eq!(row.effect, 1.0, "{by}: other directions hold nothing of it");
        }
    }
}

#[test]
fn leace_moves_states_least() {
    let found = &findings(&question(NAMES, "Erase(hidden: 0, random_directions: 1)", ""), &organism())[0];
    let moved =
        |by: &str| told(table(found, &format!("erase.{by}.left")), "moved").iter().map(|row| row.effect).collect();
    let [leace, mean]: [Vec<f64>; 2] = ["leace", "mean"].map(moved);
    for layer in 0..leace.len() {
        assert!(leace[layer] <= mean[layer] * (1.0 + ROUNDING), "layer {layer}: {} and {}", leace[layer], mean[layer]);
    }
}

#[test]
fn control_labels_and_shuffled_ones_are_told_at_chance_of_words_unseen() {
    let found = &findings(&question(NAMES, "Probe(hidden: 0, shuffles: 40)", ""), &organism())[0];
    let table = table(found, "probe");
    for row in told(table, "accuracy, shuffled labels") {
        assert!(row.low.unwrap() < 0.5 && 0.5 < row.high.unwrap(), "{row:?}");
    }
    for (own, shuffled) in told(table, "accuracy").iter().zip(told(table, "accuracy, shuffled labels")) {
        assert!(own.effect > shuffled.high.unwrap() && own.p.unwrap() < 0.05);
    }
    for row in told(table, "accuracy, random weights") {
        assert!(row.low.unwrap() < 0.75, "a model that has learnt nothing knows no names: {row:?}");
    }
}

#[test]
fn selectivity_is_the_task_less_the_control() {
    let found =
        &findings(&question(NAMES, "Probe(hidden: 0, shuffles: 0, apart: Items, penalties: [1])", ""), &organism())[0];
    let table = table(found, "probe");
    let parts = told(table, "accuracy").into_iter().zip(told(table, "accuracy, control task"));
    for ((task, control), selectivity) in parts.zip(told(table, "selectivity")) {
        assert!((task.effect - control.effect - selectivity.effect).abs() < 1e-12, "splits by prompt, both");
    }
}

#[test]
fn a_gap_is_what_can_be_told_less_what_is_used() {
    let method = "Probe(hidden: 0, shuffles: 0, used: [Erase, Swap], random_directions: 3)";
    let found = &findings(&question(NAMES, method, ""), &organism())[0];
    let (gaps, probes) = (table(found, "probe.gap"), table(found, "probe"));
    for (share, accuracy) in told(gaps, "share, decodable").iter().zip(told(probes, "accuracy")) {
        assert!((share.effect - (accuracy.effect - 0.5) / 0.5).abs() < 1e-12);
    }
    for way in ["erase", "swap"] {
        let effects = table(found, &format!("probe.{way}"));
        let shares = told(gaps, &format!("share, {way}"));
        for (share, row) in shares.iter().zip(&effects.rows) {
            assert!((share.effect - row.normalised.unwrap()).abs() < 1e-12, "{way}");
        }
        let parts = told(gaps, "share, decodable").into_iter().zip(shares);
        for ((told, used), gap) in parts.zip(told(gaps, &format!("gap, {way}"))) {
            assert!((told.effect - used.effect - gap.effect).abs() < 1e-12);
            assert!(gap.low.unwrap() <= gap.effect && gap.effect <= gap.high.unwrap());
        }
    }
}

#[test]
fn shuffled_answers_reach_what_is_told() {
    let mut told_of = Vec::new();
    for control in [Control::None, Control::ShuffledAnswers] {
        let more = format!("control: {control:?}");
        let found =
            &findings(&question(NAMES, "Probe(hidden: 0, shuffles: 0, random_models: 0)", &more), &organism())[0];
        told_of.push(told(table(found, "probe"), "accuracy")[3].effect);
    }
    assert!(told_of[0] == 1.0 && told_of[1] < 0.8, "{told_of:?}");
}

/// Of few words many shuffles leave a split with one class to learn from.
#[test]
fn shuffles_that_cannot_be_learnt_are_left_out() {
    let pair =
        |item: usize| format!("(clean: [5, {}, 9], corrupt: [5, {}, 9], right: 1, wrong: 2)", 10 + item, 20 + item);
    let data = format!("Pairs([{}])", (0..3).map(pair).collect::<Vec<_>>().join(", "));
    let method = "Probe(folds: 2, penalties: [1], hidden: 0, shuffles: 1, random_models: 0)";
    let mut drawn = [0, 0];
    for seed in 0..24 {
        let found = &findings(&question(&data, method, &format!("seed: {seed}")), &load("gpt2"))[0];
        let rows = &found.tables[0].rows;
        drawn[usize::from(rows.iter().any(|row| row.metric == "accuracy, shuffled labels"))] += 1;
    }
    assert!(drawn[0] > 0 && drawn[1] > 0, "some seeds have such a shuffle and some have not: {drawn:?}");
}
