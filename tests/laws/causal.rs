//! Laws of causal mediation and tracing: what carries everything, what carries nothing, noise of one seed, shards.

use super::common::*;
use patchclamp::method::trace::{standard_normal, trace};
use patchclamp::method::{Bench, Finding};
use patchclamp::model::load::Loaded;
use patchclamp::plan::{Plan, Step};
use patchclamp::run::run;
use patchclamp::steps::{Journal, RunError, Shard, Steps, kept_in};
use patchclamp::table::Row;
use std::collections::BTreeMap;

/// Of ratios and probabilities from f32 logits that batches of other sizes add in another order.
const TOLERANCE: f64 = 2e-5;

fn of<'a>(finding: &'a Finding, metric: &'a str) -> impl Iterator<Item = &'a Row> {
    finding.items[0].rows.iter().filter(move |row| row.metric == metric)
}

fn assert_all(finding: &Finding, metric: &str, other: impl Fn(&Row) -> f64, what: &str) {
    for row in of(finding, metric) {
        let expected = other(row);
        assert!((row.effect - expected).abs() <= TOLERANCE * (1.0 + expected.abs()), "{what} {row:?}: {expected}");
    }
}

fn total(finding: &Finding, item: Option<usize>) -> f64 {
    of(finding, "TE").find(|row| row.item == item).unwrap().effect
}

/// Two lengths; prompts differ at position 1 alone, answers have up to three tokens.
fn pairs(subject: &str) -> String {
    format!(
        "Pairs([(clean: [3, 7, 9, 11, 4], corrupt: [3, 8, 9, 11, 4], right: 5, wrong: 6, subject: {subject}), \
         (clean: [13, 17, 19, 21], corrupt: [13, 18, 19, 21], right: [15, 2, 7], wrong: [16], subject: {subject}), \
         (clean: [40, 41, 19, 2], corrupt: [40, 31, 19, 2], right: 25, wrong: 26, subject: {subject})])"
    )
}

#[test]
fn a_mediator_of_everything_carries_the_whole_effect_and_one_of_nothing_none() {
    for case in ["gpt2", "llama", "pythia-parallel"] {
        let loaded = load(case);
        let site = "blocks.0.hook_resid_pre";
        let method = format!("Mediate(mediators: Neurons(site: {site:?}, over: []))");
        let everything = &findings(&question(&pairs("[1]"), &method, ""), &loaded)[0];
        assert!(
            (0..3).all(|item| total(everything, Some(item)).abs() > 0.01),
            "{case}: the corrupted prompt does nothing"
        );
        assert_all(everything, "NIE", |row| total(everything, row.item), case);
        assert_all(everything, "NDE", |_| 0.0, case);
        assert_all(everything, "gap", |_| 0.0, case);
        // what stands before the only token that differs is the same after both prompts
        let nothing = &findings(&question(&pairs("[0]"), &method, ""), &loaded)[0];
        assert_all(nothing, "NIE", |_| 0.0, case);
        assert_all(nothing, "NDE", |row| total(nothing, row.item), case);
        assert_all(nothing, "gap", |_| 0.0, case);
    }
}

#[test]
fn an_answer_of_one_token_has_the_effects_of_the_same_answer_as_a_list() {
    let single = "Pairs([(clean: [3, 7, 9], corrupt: [3, 8, 9], right: 5, wrong: 6)])";
    let loaded = load("gpt2");
    let effects = |data: &str| -> Vec<f64> {
        let found = &findings(&question(data, "Mediate()", ""), &loaded)[0];
        found.tables[0].rows.iter().map(|row| row.effect).collect()
    };
    assert_eq!(effects(single), effects(&single.replace("5,", "[5],")));
}

/// Facts of two lengths with subjects of one token.
const FACTS: &str = "Facts([(prompt: [3, 7, 9, 11, 4], subject: [1]), (prompt: [13, 17, 19, 21], subject: [2]), \
                      (prompt: [23, 27, 29, 31, 5], subject: [1])])";

#[test]
fn the_subjects_embeddings_restored_are_the_plain_run() {
    for case in ["gpt2", "llama", "pythia-parallel"] {
        let method = "Trace(sites: [\"hook_embed\", \"hook_resid_pre\"])";
        let finding = &findings(&question(FACTS, method, ""), &load(case))[0];
        assert!((0..3).any(|item| total(finding, Some(item)).abs() > 0.01), "{case}: noise does nothing");
        for item in 0..3 {
            // the first role is the first token of the subject, here the only one
            let input = of(finding, "IE").filter(|row| row.item == Some(item) && row.position == Some(0));
            for row in input.filter(|row| row.layer.unwrap_or(0) == 0) {
                assert!((row.effect - total(finding, row.item)).abs() <= TOLERANCE, "{case} {row:?}");
            }
        }
    }
}

#[test]
fn no_noise_has_no_effect() {
    for noise in ["Sigma(0.0)", "Subjects(0)"] {
        let finding = &findings(&question(FACTS, &format!("Trace(noise: {noise})"), ""), &load("gpt2"))[0];
        assert_all(finding, "TE", |_| 0.0, noise);
        assert_all(finding, "IE", |_| 0.0, noise);
    }
}

/// A trace in batches of at most so many rows.
fn in_batches(loaded: &Loaded, rows: usize, seed: u64) -> Vec<f64> {
    let plan = Plan::new(&experiment(&question(FACTS, "Trace()", "")), loaded).unwrap();
    let bench = Bench {
        model: loaded.model.as_ref(),
        text: None,
        items: &plan.items,
        features: &[],
        metric: plan.metric(),
        statistics: plan.experiment.statistics,
        seed,
        rows,
    };
    let Step::Trace(tracing) = &plan.steps[0] else { panic!("a trace was asked for") };
    let found = trace(&bench, tracing, &standard_normal(seed), &mut Steps::unkept(&mut ())).unwrap();
    found.items[0].rows.iter().map(|row| row.effect).collect()
}

#[test]
fn noise_of_one_seed_is_the_same_whatever_the_batches() {
    let loaded = load("gpt2");
    let found = in_batches(&loaded, 64, 3);
    for rows in [1, 6, 7] {
        let other = in_batches(&loaded, rows, 3);
        let close = found.iter().zip(&other).all(|(a, b)| (a - b).abs() <= TOLERANCE);
        assert!(found.len() == other.len() && close, "{rows} rows: {found:?} {other:?}");
    }
    assert_ne!(found, in_batches(&loaded, 64, 4));
}

#[test]
fn facts_that_the_model_does_not_know_are_left_out() {
    let loaded = load("gpt2");
    let tops: Vec<u32> =
        [vec![3, 7, 9, 11, 4], vec![13, 17, 19, 21]].into_iter().map(|prompt| top(&loaded, prompt)).collect();
    let facts = |first: u32, second: u32| {
        format!(
            "Facts([(prompt: [3, 7, 9, 11, 4], subject: [1, 2], attribute: [{first}, 9]), \
             (prompt: [13, 17, 19, 21], subject: [2], attribute: [{second}])])"
        )
    };
    let trace =
        |data: &str, facts: &str| findings(&question(data, &format!("Trace(facts: {facts})"), ""), &loaded).remove(0);
    let known = trace(&facts(tops[0], tops[1] + 1), "Known");
    let all = trace(&facts(tops[0], tops[1] + 1), "All");
    assert!(known.tables[0].facts["facts"].starts_with("1 of 2"), "{}", known.tables[0].facts["facts"]);
    assert!(known.tables[0].rows.iter().all(|row| row.n == 1));
    for (known, all) in known.items[0].rows.iter().zip(all.items[0].rows.iter().filter(|row| row.item == Some(0))) {
        assert_eq!((known.item, known.effect), (Some(0), all.effect));
    }
    let none = trace(&facts(tops[0] + 1, tops[1] + 1), "Known");
    assert!(none.tables[0].rows.is_empty() && none.tables[0].facts["TE"] == "none");
}

fn top(loaded: &Loaded, prompt: Vec<u32>) -> u32 {
    use patchclamp::tensor::to_floats;
    let last = prompt.len() - 1;
    let logits =
        logits(loaded.model.as_ref(), &patchclamp::text::Tokens::new(vec![prompt]), &mut ()).narrow(1, last, 1);
    let logits = to_floats(&logits);
    (0..logits.len()).max_by(|a, b| logits[*a].total_cmp(&logits[*b])).unwrap() as u32
}

#[test]
fn shards_put_together_are_the_whole_run() {
    let loaded = load("llama");
    let mediations = "Mediate(mediators: Heads), Mediate(mediators: Neurons())";
    for (data, methods) in [(pairs("[1]").as_str(), mediations), (FACTS, "Trace(), Trace(sites: [\"hook_embed\"])")] {
        let plan =
            Plan::new(&experiment(&question(data, methods, "")), &loaded).unwrap_or_else(|error| panic!("{error}"));
        let whole = tables(run(&plan, &loaded, &mut Steps::unkept(&mut ())).unwrap().findings);
        let (folder, fingerprint) = (tempfile::tempdir().unwrap(), [7; 32]);
        for number in 1..=3 {
            let journal = Journal::open(&folder.path().join(format!("{number}.steps")), &fingerprint).unwrap();
            let mut nobody = ();
            let mut steps = Steps::new(BTreeMap::new(), Some(journal), Shard { number, of: 3 }, &mut nobody);
            assert!(matches!(run(&plan, &loaded, &mut steps), Err(RunError::Elsewhere)), "{methods}");
        }
        let kept = kept_in(folder.path(), &fingerprint).unwrap();
        let mut nobody = ();
        let merged = run(&plan, &loaded, &mut Steps::new(kept, None, Shard::NONE, &mut nobody)).unwrap();
        assert!(whole == tables(merged.findings), "{methods}");
    }
}

fn tables(findings: Vec<Finding>) -> Vec<String> {
    findings
        .iter()
        .flat_map(|finding| finding.tables.iter().chain(&finding.items))
        .map(|table| table.to_csv())
        .collect()
}
