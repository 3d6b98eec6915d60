//! Association of words: figures of an independent implementation, known answers, what is left out, what is said of mistakes.

use super::common::*;
use super::figures::{case, set};
use super::readers::told;
use patchclamp::data::bias::associations;
use patchclamp::method::measure::{Columns, clusters, differences, estimates, figures};
use patchclamp::plan::{Kind, Set, Step};
use patchclamp::spec::Statistics;
use serde_json::Value;
use std::collections::BTreeMap;

/// Cosines of states in f32 of two implementations, over a spread of a few hundredths.
const TOLERANCE: f64 = 2e-4;

#[test]
fn effect_sizes_are_those_of_states_of_transformers() {
    let Some(folder) = real_weights("stories260K") else { return };
    let golden: Value = serde_json::from_str(&std::fs::read_to_string(golden("measures.json")).unwrap()).unwrap();
    let (told, place) = (&golden["weat"], tempfile::tempdir().unwrap());
    let path = place.path().join("weat.json");
    std::fs::write(&path, serde_json::json!({"test": told}).to_string()).unwrap();
    let loaded = patchclamp::model::load::folder(&folder, &[], &device()).unwrap();
    for (template, layers) in told["layers"].as_object().unwrap() {
        let measure = format!(
            "Measure(measures: [Weat(path: {path:?}, template: {template:?}, sites: [\"hook_embed\", \"hook_resid_post\"])])"
        );
        let text = format!("(question: \"q\", model: Path({folder:?}), methods: [{measure}])");
        let rows = &findings(&text, &loaded)[0].tables[0].rows;
        for (layer, expected) in layers.as_array().unwrap().iter().enumerate() {
            let site =
                layer.checked_sub(1).map_or("hook_embed".into(), |layer| format!("blocks.{layer}.hook_resid_post"));
            let group = format!("test, {site}");
            let of = |metric: &str| rows.iter().find(|row| row.site.as_ref() == Some(&group) && row.metric == metric);
            let size = of("effect size").unwrap();
            let [effect, p] = [0, 1].map(|at| expected[at].as_f64().unwrap());
            assert!((size.effect - effect).abs() < TOLERANCE, "{template} {site}: {}, expected {effect}", size.effect);
            assert!((size.p.unwrap() - p).abs() < 1e-12, "{template} {site}: {:?}, expected {p}", size.p);
            assert!(size.low.unwrap() < effect && effect < size.high.unwrap() && size.n == 8, "{size:?}");
        }
    }
}

/// A test of two words a set whose cosines are written down: rows have set, attribute, and a cosine with each of a1, a2, b1, b2.
fn by_hand(near: [f64; 4]) -> (Set, Columns) {
    let sites = vec!["hook_embed".parse().unwrap()];
    let kind = Kind::Weat { sites, attributes: 4, draws: 100, seed: 1 };
    let cases = (0..8).map(|item| case(&item.to_string(), &["t", "hook_embed"], &[]));
    let cases = cases.enumerate().map(|(number, case)| patchclamp::plan::Case { number, ..case }).collect();
    let row = |item: usize| {
        let attribute = if item < 4 { f64::NAN } else { (item - 4) as f64 };
        // the mean cosine with A less that with B is what is written down, however the attributes are drawn
        let near = near.get(item).copied().unwrap_or(0.0);
        vec![(item / 2) as f64, attribute, near, near, 0.0, 0.0]
    };
    let names = ["set", "attribute", "1", "2", "3", "4"].map(str::to_string).to_vec();
    (set(kind, cases), Columns { names, rows: (0..8).map(row).collect() })
}

#[test]
fn effect_size_and_chance_by_hand() {
    // X 0.4 and 0.2, Y 0.0 and −0.2: means 0.3 and −0.1, spread of all √(0.2 / 3); of the six partitions one is as far
    let (set, columns) = by_hand([0.4, 0.2, 0.0, -0.2]);
    let figures = figures(&set, &columns);
    let found = estimates(&columns.rows, &clusters(&set), &figures, Statistics::default(), 1);
    assert_eq!([figures[0].metric.as_str(), figures[1].metric.as_str()], ["effect size", "difference of association"]);
    assert!((found[0].value.unwrap() - 0.4 / (0.2f64 / 3.0).sqrt()).abs() < 1e-12 && figures[0].counted == 4);
    assert!((found[0].p.unwrap() - 1.0 / 6.0).abs() < 1e-12 && (found[1].value.unwrap() - 0.4).abs() < 1e-12);
    // each set keeps its two words in every draw, so that none is lost, and the means stay within their words
    assert_eq!((found[0].lost, found[1].lost), (0, 0));
    let interval = found[1].interval.unwrap();
    assert!((interval.low - 0.2).abs() < 1e-12 && (interval.high - 0.6).abs() < 1e-12, "{interval:?}");
    // all alike: no spread, so no effect size, and every partition is as far
    let (set, columns) = by_hand([0.1; 4]);
    let found = estimates(&columns.rows, &clusters(&set), &self::figures(&set, &columns), Statistics::default(), 1);
    assert_eq!((found[0].value, found[0].p), (None, Some(1.0)));
}

#[test]
fn two_models_are_compared_on_the_same_words() {
    let items = |columns: &Columns| -> BTreeMap<usize, Vec<(String, f64)>> {
        let row = |row: &Vec<f64>| columns.names.iter().cloned().zip(row.iter().copied()).collect();
        columns.rows.iter().map(row).enumerate().collect()
    };
    let (set, own) = by_hand([0.4, 0.2, 0.0, -0.2]);
    let (_, turned) = by_hand([0.0, -0.2, 0.4, 0.2]);
    let of = |other: &Columns| differences(&set, [&items(&own), &items(other)], Statistics::default(), 1);
    let same = of(&own);
    assert_eq!((same[0].values[2].0, same[0].p), (0.0, Some(1.0)));
    let apart = &of(&turned)[1];
    assert!((apart.values[2].0 + 0.8).abs() < 1e-12 && apart.n == 4, "{apart:?}");
    let interval = apart.values[2].1.unwrap();
    // every word changes as much as the others of its set, so that draws of the same words do not differ
    assert!((interval.high + 0.8).abs() < 1e-12 && (interval.low + 0.8).abs() < 1e-12, "{interval:?}");
}

#[test]
fn published_forms_are_one_form() {
    let place = tempfile::tempdir().unwrap();
    let path = place.path().join("w.json");
    let read = |text: &str| {
        std::fs::write(&path, text).unwrap();
        associations(&path).map_err(|error| error.to_string())
    };
    let seat = r#"{"targ1": {"category": "Jobs", "examples": ["a", "b", "a"]}, "targ2": {"category": "Homes", "examples": ["c"]},
        "attr1": {"category": "Men", "examples": ["d"]}, "attr2": {"category": "Women", "examples": ["e"]}}"#;
    let one = &read(seat).unwrap()[0];
    assert_eq!(
        (one.name.as_str(), one.sets().map(|set| set.concat())),
        ("Jobs / Homes", ["ab", "c", "d", "e"].map(String::from))
    );
    let sets = r#""X": ["a"], "Y": ["c"], "A": ["d"], "B": ["e"]"#;
    let several = read(&format!(r#"{{"about": "tests", "one": {{{sets}}}, "two": {{{sets}}}}}"#)).unwrap();
    assert_eq!(several.iter().map(|test| test.name.as_str()).collect::<Vec<_>>(), ["one", "two"]);
    assert_eq!(read(&format!(r#"[{{"name": "n", {sets}}}]"#)).unwrap()[0].name, "n");
    for (text, says) in [
        ("{\n1", "w.json:2: no JSON"),
        ("[]", "has no test: an object with four sets of words, named targ1, targ2, attr1, attr2; X, Y, A, B"),
        (r#"{"one": {"X": ["a"], "Y": ["b"]}}"#, "one: lacks a set; it has X, Y"),
        (r#"{"X": [], "Y": ["c"], "A": ["d"], "B": ["e"]}"#, "`X` is empty"),
        (r#"{"X": ["a", 3], "Y": ["c"], "A": ["d"], "B": ["e"]}"#, "`X` has no word at place 2"),
        (
            r#"{"X": 3, "Y": ["c"], "A": ["d"], "B": ["e"]}"#,
            "`X` is neither a list of words nor an object with `examples`",
        ),
    ] {
        let error = read(text).unwrap_err();
        assert!(error.contains(says), "{error}\nshould say: {says}");
    }
}

#[test]
fn what_is_wrong_with_tests_is_told_at_once() {
    let sets = "x: [\"nurse\"], y: [\"plumber\"], a: [\"she\"], b: [\"he\"]";
    for (measure, says) in [
        ("Weat()".to_string(), "methods[0].measures[0]: has no test; name a file with `path`, or write `tests`"),
        (format!("Weat(tests: [(name: \"t\", {sets}), (name: \"t\", {sets})])"), "two tests are called \"t\""),
        (format!("Weat(tests: [(name: \"t\", {sets})], template: \"This\")"), "measures[0].template: has no {word}"),
        (
            format!("Weat(tests: [(name: \"t\", {sets})], sites: [\"attn.hook_z\"])"),
            "measures[0].sites: `blocks.0.attn.hook_z` is not a stream of width",
        ),
        (
            format!("Weat(tests: [(name: \"t\", {sets})], template: \"{} {{word}}\")", "the door ".repeat(60)),
            "t: of the 1 words of X the tokenizer knows none that fits into the model's positions",
        ),
    ] {
        let error = told(&measure, "").map(drop).unwrap_err();
        assert!(error.contains(says), "{error}\nshould say: {says}");
    }
}

#[test]
fn words_that_the_tokenizer_does_not_know_are_left_out_and_named() {
    let Some(folder) = real_weights("tinystories-656k") else { return };
    let loaded = patchclamp::model::load::folder(&folder, &[], &device()).unwrap();
    let sets = "x: [\"girl\", \"日\"], y: [\"boy\"], a: [\"doll\"], b: [\"car\"]";
    let measure = format!("Measure(measures: [Weat(tests: [(name: \"t\", {sets})], read: Mean)])");
    let text = format!("(question: \"q\", model: Path({folder:?}), methods: [{measure}])");
    let plan = patchclamp::plan::Plan::new(&experiment(&text), &loaded).unwrap();
    let Step::Measure(measuring) = &plan.steps[0] else { panic!("a measure was planned") };
    let fact = measuring.sets[0].facts.iter().find(|(name, _)| *name == "not in the vocabulary");
    assert_eq!(fact.unwrap().1, "1 of 5 words, left out: 日 (X of t)");
}
