//! Planted: the built-in model's circuits, known before, are found; the shuffled control and the flat twin show nothing.

mod common;

use common::*;
use patchclamp::builtin;
use patchclamp::method::Finding;
use patchclamp::model::load::Loaded;
use patchclamp::organism::lexicon::Shares;
use patchclamp::organism::score::{Score, examine};
use patchclamp::table::Row;

/// Errors of the first kind that a whole table may have, after Holm's correction.
const LEVEL: f64 = 0.05;
/// A head that carries a fifth of the difference is no bystander: an even share of 32 heads is 0.03.
const LARGE: f64 = 0.2;
/// A place that does not matter changes nothing: what is left is rounding, at most this share of the difference.
const ROUNDING: f64 = 1e-5;
/// Where the whole difference passes through one place, up to what little the later layers add at others.
const WHOLE: std::ops::Range<f64> = 0.98..1.02;
/// Position of the name, and of the last token, in every prompt of [`NAMES`]; the boundary token stands before.
const NAME: usize = 1;
const LAST: usize = 5;

/// Every name, and each sentence, is of as many tokens as the others.
const NAMES: &str = r#"Templates(
    templates: ["{name} opened the door because", "{name} visited the market when"],
    clean: {"name": ["Mary", "Anna", "Emily", "Grace", "Helen", "Lucy"]},
    corrupt: {"name": ["John", "Peter", "George", "Henry", "James", "Oliver"]},
    right: " she", wrong: " he", both_ways: Yes,
)"#;

const BY_POSITION: &str = r#"Patch(sites: ["hook_resid_pre"], over: [Layer, Position])"#;
const BY_HEAD: &str = r#"Patch(sites: ["attn.hook_z"], over: [Layer, Head])"#;

fn organism(name: &str) -> Loaded {
    builtin::load(name, &[], &device()).unwrap()
}

fn on_names(methods: &str, more: &str) -> Vec<Finding> {
    findings(&question(NAMES, methods, more), &organism("organism"))
}

fn significant(row: &Row) -> bool {
    row.p.expect("every cell is tested") < LEVEL
}

#[test]
fn patching_finds_the_name_first_and_the_last_position_in_the_end() {
    let found = on_names(BY_POSITION, "");
    let rows = &found[0].tables[0].rows;
    let share = |layer: usize, position: usize| {
        let row = row_at(rows, Some(layer), None, Some(position));
        (row.normalised.unwrap(), significant(row))
    };
    let layers = rows.iter().filter_map(|row| row.layer).max().unwrap() + 1;
    assert_eq!(rows.len(), layers * (LAST + 1), "a cell for every layer and position");
    for (layer, place) in [(0, NAME), (layers - 1, LAST)] {
        let (share, significant) = share(layer, place);
        assert!(significant && WHOLE.contains(&share), "layer {layer} position {place}: {share}");
    }
    for position in (0..=LAST).filter(|position| *position != NAME) {
        let (share, significant) = share(0, position); // prompts differ in the name alone
        assert!(!significant && share.abs() < ROUNDING, "layer 0 position {position}: {share}");
    }
    for (layer, position) in (0..layers).flat_map(|layer| (0..NAME).map(move |position| (layer, position))) {
        let (share, significant) = share(layer, position);
        assert!(!significant && share.abs() < ROUNDING, "layer {layer}, before the name: {share}");
    }
}

#[test]
fn patching_finds_the_heads_that_carry_the_gender_of_a_name() {
    let found = on_names(BY_HEAD, "");
    let carriers = found[0].tables[0].rows.iter().filter(|row| row.normalised.unwrap().abs() > LARGE);
    let carriers: Vec<&Row> = carriers.collect();
    assert!((1..=6).contains(&carriers.len()), "a few heads, not {}", carriers.len());
    assert!(carriers.iter().all(|row| significant(row)), "{carriers:?}");
    // something must read the name, and something must write at the end
    let layers = |row: &&Row| row.layer.unwrap();
    assert!(carriers.iter().map(layers).min() < carriers.iter().map(layers).max(), "{carriers:?}");
}

#[test]
fn pronouns_in_any_form_are_brought_by_the_heads_that_bring_she_and_he() {
    let sets = NAMES
        .replace("\" she\"", "(any_of: [\" she\", \" her\", \" herself\"])")
        .replace("\" he\"", "(any_of: [\" he\", \" his\", \" him\", \" himself\"])");
    assert_ne!(sets, NAMES);
    let carriers = |data: &str| -> Vec<(Option<usize>, Option<usize>)> {
        let found = findings(&question(data, BY_HEAD, ""), &organism("organism"));
        let mut rows = found[0].tables[0].rows.clone();
        rows.retain(|row| row.normalised.unwrap().abs() > LARGE && significant(row));
        rows.iter().map(|row| (row.layer, row.head)).collect()
    };
    assert_eq!(carriers(&sets), carriers(NAMES));
    assert!(!carriers(&sets).is_empty());
}

#[test]
fn shuffled_answers_show_nothing() {
    let methods = format!("{BY_POSITION}, {BY_HEAD}");
    for seed in 0..3 {
        for finding in on_names(&methods, &format!("control: ShuffledAnswers, seed: {seed}")) {
            let found: Vec<&Row> = finding.tables[0].rows.iter().filter(|row| significant(row)).collect();
            assert!(found.is_empty(), "seed {seed}: {found:?}");
        }
    }
}

const CIRCUIT: &str = "Circuit(score: EapIg(steps: 5), select: TopN(60))";

/// The row of a run of edges, and what of it was measured.
fn run_row<'a>(rows: &'a [Row], name: &str, metric: &str) -> &'a Row {
    rows.iter().find(|row| row.site.as_deref() == Some(name) && row.metric == metric).unwrap()
}

#[test]
fn the_circuit_of_a_name_holds_the_heads_that_patching_finds_and_suffices() {
    let found = on_names(&format!("{BY_HEAD}, {CIRCUIT}"), "");
    let carriers = found[0].tables[0].rows.iter().filter(|row| row.normalised.unwrap().abs() > LARGE);
    let (_, circuit) = &found[1].circuits[0];
    let nodes: Vec<String> = circuit.vertices().iter().map(ToString::to_string).collect();
    for carrier in carriers {
        let name = format!("a{}.h{}", carrier.layer.unwrap(), carrier.head.unwrap());
        assert!(nodes.contains(&name), "{name} is not among {nodes:?}");
    }
    let done = &found[1].tables[1].rows;
    let [circuit, complement] = ["circuit", "complement"].map(|name| run_row(done, name, "faithfulness"));
    // 60 of thousands of edges do most of it, and the others without them little
    assert!(circuit.effect > 0.8 && circuit.low.unwrap() > 0.6, "{circuit:?}");
    assert!(complement.effect < 0.5, "{complement:?}");
    assert_eq!(run_row(done, "all edges", "faithfulness").effect, 1.0);
    assert_eq!(run_row(done, "no edge", "faithfulness").effect, 0.0);
}

#[test]
fn shuffled_answers_have_no_circuit() {
    for seed in 0..3 {
        let found = on_names(CIRCUIT, &format!("control: ShuffledAnswers, seed: {seed}"));
        let [edges, done, ..] = &found[0].tables[..] else { panic!("two tables") };
        // all edges do no more than none, and the tables say so
        assert!(edges.facts.contains_key("caution") && done.facts.contains_key("caution"), "seed {seed}");
        assert!(edges.facts["stability"].starts_with("none"), "seed {seed}: {}", edges.facts["stability"]);
    }
    let facts = &on_names(CIRCUIT, "")[0].tables[0].facts;
    assert!(!facts.contains_key("caution") && facts["stability"].starts_with("The circuit survives"), "{facts:?}");
}

#[test]
fn chance_does_not_reach_the_fewest_faithful_edges() {
    let found = on_names("Circuit(select: Faithful(0.9)), Circuit(select: TopN(60))", "");
    let size = |finding: &Finding| finding.circuits[0].1.size();
    assert!(size(&found[0]) < size(&found[1]), "{} {}", size(&found[0]), size(&found[1]));
    let done = &found[0].tables[1].rows;
    let circuit = run_row(done, "circuit", "faithfulness");
    assert!(circuit.effect >= 0.9);
    for null in ["random circuits", "shuffled answers"] {
        let chance = run_row(done, null, "faithfulness");
        // not one of twenty draws does as much
        assert!(chance.p == Some(1.0 / 21.0) && chance.high.unwrap() < circuit.low.unwrap(), "{chance:?}");
        assert!(chance.effect.abs() < 0.3, "{chance:?}");
    }
}

const SEARCH: &str = "Acdc(threshold: 0.02), Acdc(threshold: 0.5, judge: Metric)";

#[test]
fn trial_after_trial_leaves_the_circuit_of_a_name() {
    let found = on_names(&format!("{BY_HEAD}, {SEARCH}"), "");
    let carriers = found[0].tables[0].rows.iter().filter(|row| row.normalised.unwrap().abs() > LARGE);
    let carriers: Vec<String> = carriers.map(|row| format!("a{}.h{}", row.layer.unwrap(), row.head.unwrap())).collect();
    for search in &found[1..] {
        let (_, circuit) = &search.circuits[0];
        let nodes: Vec<String> = circuit.vertices().iter().map(ToString::to_string).collect();
        assert!(carriers.iter().all(|name| nodes.contains(name)), "{carriers:?} are not among {nodes:?}");
        // the way that path patching finds, and a small part of all edges
        assert!(["input->a0.h1<v>", "a0.h1->m0"].iter().all(|edge| circuit.contains(edge.parse().unwrap())));
        assert!(circuit.size() * 20 < circuit.links().len(), "{} edges", circuit.size());
        assert!(search.tables[0].facts["stability"].contains("survives"), "{}", search.tables[0].facts["stability"]);
        let done = &search.tables[1].rows;
        let [circuit, complement] = ["circuit", "complement"].map(|name| run_row(done, name, "faithfulness"));
        assert!(circuit.effect > 0.5 && complement.effect < 0.3, "{circuit:?} {complement:?}");
    }
}

#[test]
fn shuffled_answers_leave_no_circuit() {
    for seed in 0..3 {
        let found = on_names(SEARCH, &format!("control: ShuffledAnswers, seed: {seed}"));
        for search in &found {
            assert!(search.tables[0].facts["stability"].starts_with("none"), "seed {seed}");
        }
        // the divergence knows no answers, but the metric does: nothing that is taken out costs any of it
        assert_eq!(found[1].circuits[0].1.size(), 0, "seed {seed}");
    }
}

/// Gender by other names and other sentences, and what no pronoun hangs on.
const FEATURES: &str = r#"features: [
    (name: "gender", data: Templates(
        templates: ["{name} found the letter because", "{name} saw the river, so"],
        clean: {"name": ["Clara", "Alice", "Emma", "Rose"]},
        corrupt: {"name": ["Thomas", "William", "Arthur", "Edward"]}, right: " she", wrong: " he",
    )),
    (name: "object", data: Templates(
        templates: ["Clara found the {thing} because", "Thomas found the {thing} when"],
        clean: {"thing": ["door", "letter"]}, corrupt: {"thing": ["book", "river"]}, right: " she", wrong: " he",
    )),
]"#;

#[test]
fn the_circuit_of_a_name_carries_gender_and_no_object() {
    let found = on_names(CIRCUIT, FEATURES);
    let carried = &found[0].tables[2].rows;
    for edge in ["a0.h1->m0", "m2->logits", "m3->logits"] {
        // more than two thirds of what the edge does lies along one direction of 160
        let gender = run_row(carried, edge, "gender: share");
        assert!(gender.low.unwrap() > 2.0 / 3.0 && gender.p.unwrap() <= LEVEL, "{gender:?}");
        let object = run_row(carried, edge, "object: share");
        assert!(object.effect.abs() < 0.1 && object.p.unwrap() > LEVEL, "{object:?}");
    }
    // the head that moves a name's gender to the end writes little else
    let [gender, object] = ["gender: writes", "object: writes"].map(|metric| run_row(carried, "a0.h1", metric).effect);
    assert!(gender > 2.0 / 3.0 && object < 0.1, "{gender} {object}");
}

/// logit(" she") − logit(" he") after nurses less that after engineers, the mean of some sentences.
fn nurse_over_engineer(model: &str) -> f64 {
    let rest = ["opened the door because", "visited the market when", "opened the window because"];
    let pair = |rest: &str| {
        format!(r#"(clean: "The nurse {rest}", corrupt: "The engineer {rest}", right: " she", wrong: " he")"#)
    };
    let data = format!("Pairs([{}])", rest.map(pair).join(", "));
    let found = findings(&question(&data, r#"Patch(sites: ["hook_embed"], over: [])"#, ""), &organism(model));
    let table = &found[0].tables[0];
    let difference = fact(table, "metric, clean") - fact(table, "metric, corrupted");
    // all embeddings of the nurse are the nurse's whole run
    assert!((table.rows[0].normalised.unwrap() - 1.0).abs() < ROUNDING);
    difference
}

/// The planted log-odds of nurses and engineers lie more than 4 apart; half of it is a clear difference.
const CLEAR: f64 = 2.0;
/// Log-odds that a flat occupation may be off by: a share of 0.56 instead of 0.5. Three times the 0.09 that the twin as
/// shipped is off by at most, so that one trained again may fall elsewhere.
const SMALL: f64 = 0.25;

#[test]
fn nurse_and_engineer_differ_in_the_planted_model() {
    let difference = nurse_over_engineer("organism");
    assert!(difference > CLEAR, "{difference}");
}

#[test]
fn nurse_and_engineer_do_not_differ_in_the_flat_twin() {
    let difference = nurse_over_engineer("organism-flat");
    assert!(difference.abs() < SMALL, "{difference}");
}

fn exam(model: &str, shares: Shares) -> Score {
    let loaded = organism(model);
    examine(loaded.model.as_ref(), loaded.text.as_ref().unwrap(), shares).unwrap()
}

/// What counts as having learnt the planted shares: nine tenths of the variance over occupations.
const CORRELATION: f64 = 0.95;
/// What counts as knowing the names: each is of one gender in the corpus, so only slips are left.
const NAMES_RIGHT: f64 = 0.98;

#[test]
fn the_planted_model_says_what_was_planted() {
    let score = exam("organism", Shares::Planted);
    assert!(score.correlation.unwrap() >= CORRELATION, "{:?}", score.correlation);
    assert!(score.names >= NAMES_RIGHT, "{}", score.names);
    assert!(score.largest_log_odds > CLEAR, "{}", score.largest_log_odds);
}

#[test]
fn the_flat_twin_has_names_and_no_bias() {
    let score = exam("organism-flat", Shares::Flat);
    assert!(score.largest_log_odds < SMALL, "{}", score.largest_log_odds);
    assert!(score.names >= NAMES_RIGHT, "{}", score.names);
}
