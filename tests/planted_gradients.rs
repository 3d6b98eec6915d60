//! Planted: estimates and learned masks find the built-in model's heads, known before, and nothing in the shuffled control.

mod common;

use common::*;
use patchclamp::builtin;
use patchclamp::method::Finding;
use patchclamp::table::Row;

/// Errors of the first kind that a whole table may have, after Holm's correction.
const LEVEL: f64 = 0.05;
/// A head that carries a fifth of the difference is no bystander: an even share of 32 heads is 0.03.
const LARGE: f64 = 0.2;

/// Every name, and each sentence, is of as many tokens as the others. Twelve observations: of fewer no row of 32 can be told
/// from chance.
const NAMES: &str = r#"Templates(
    templates: ["{name} opened the door because", "{name} visited the market when"],
    clean: {"name": ["Mary", "Anna", "Emily", "Grace", "Helen", "Lucy"]},
    corrupt: {"name": ["John", "Peter", "George", "Henry", "James", "Oliver"]},
    right: " she", wrong: " he", both_ways: Yes,
)"#;

const BY_HEAD: &str = r#"Patch(sites: ["attn.hook_z"], over: [Layer, Head])"#;

fn on_names(methods: &str, more: &str) -> Vec<Finding> {
    findings(&question(NAMES, methods, more), &builtin::load("organism", &[], &device()).unwrap())
}

fn significant(row: &Row) -> bool {
    row.p.expect("every cell is tested") < LEVEL
}

/// The row of a run of edges, and what of it was measured.
fn run_row<'a>(rows: &'a [Row], name: &str, metric: &str) -> &'a Row {
    rows.iter().find(|row| row.site.as_deref() == Some(name) && row.metric == metric).unwrap()
}

const ESTIMATED: &str = r#"AttributionPatch(sites: ["attn.hook_z"], over: [Layer, Head], score: AtPIg(steps: 5))"#;

#[test]
fn estimates_find_the_heads_that_patching_finds() {
    let found = on_names(&format!("{}, {ESTIMATED}", BY_HEAD.replace("])", "], direction: Noise)")), "");
    let large = |finding: &Finding| -> Vec<(Option<usize>, Option<usize>)> {
        let rows =
            finding.tables[0].rows.iter().filter(|row| row.normalised.unwrap().abs() > LARGE && significant(row));
        rows.map(|row| (row.layer, row.head)).collect()
    };
    assert!(!large(&found[0]).is_empty());
    assert_eq!(large(&found[1]), large(&found[0]));
}

#[test]
fn shuffled_answers_have_no_estimates() {
    for seed in 0..3 {
        for finding in on_names(ESTIMATED, &format!("control: ShuffledAnswers, seed: {seed}")) {
            let found: Vec<&Row> = finding.tables[0].rows.iter().filter(|row| significant(row)).collect();
            assert!(found.is_empty(), "seed {seed}: {found:?}");
        }
    }
}

const PRUNED: &str = "EdgePruning(target: Edges(60), steps: 150, learning_rate: 0.2, seeds: 2)";

#[test]
fn learned_masks_keep_the_heads_that_patching_finds_and_suffice() {
    let found = on_names(&format!("{BY_HEAD}, {PRUNED}"), "");
    let carriers = found[0].tables[0].rows.iter().filter(|row| row.normalised.unwrap().abs() > LARGE);
    let (_, circuit) = &found[1].circuits[0];
    let nodes: Vec<String> = circuit.vertices().iter().map(ToString::to_string).collect();
    for carrier in carriers {
        let name = format!("a{}.h{}", carrier.layer.unwrap(), carrier.head.unwrap());
        assert!(nodes.contains(&name), "{name} is not among {nodes:?}");
    }
    assert!(found[1].tables[0].facts["stability"].starts_with("Circuits of 2 seeds share"));
    let done = &found[1].tables[1].rows;
    let [circuit, complement] = ["circuit", "complement"].map(|name| run_row(done, name, "faithfulness"));
    assert!(circuit.effect > 0.8 && circuit.low.unwrap() > 0.6, "{circuit:?}");
    assert!(complement.effect < 0.5, "{complement:?}");
}

#[test]
fn shuffled_answers_have_no_learned_circuit() {
    let more = "control: ShuffledAnswers";
    let method = "EdgePruning(target: Edges(60), steps: 20, seeds: 1, judge: Metric)";
    // what single parts do needs no circuit
    for table in &on_names(method, more)[0].tables[..2] {
        assert!(
            table.facts.contains_key("caution") && table.facts["stability"].starts_with("none"),
            "{:?}",
            table.facts
        );
    }
}
