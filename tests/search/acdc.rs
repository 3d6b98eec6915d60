//! ACDC: parity with an independent search that runs the whole model for every edge, and the laws of doing with less.

use super::*;
use insta::assert_snapshot;
use patchclamp::method::acdc::{Decided, Decision, search};
use patchclamp::method::rewire::Wiring;
use patchclamp::precision::Precision;
use patchclamp::steps::{Kept, Shard, Steps};
use serde_json::Value;

fn searched(bench: &Bench, plan: &Acdc) -> Decided {
    search(bench, plan, plan.thresholds[0], &mut Steps::unkept(&mut ())).unwrap().unwrap()
}

fn mean(decision: &Decision) -> f64 {
    let sum: f64 = decision.change.iter().map(|change| f64::from(*change)).sum();
    sum / decision.change.len().max(1) as f64
}

fn check(name: &str, precision: Precision, near: f64) {
    let text = std::fs::read_to_string(golden("acdc.json")).unwrap();
    let golden: Value = serde_json::from_str::<Value>(&text).unwrap()[name].take();
    let loaded = load_in(name, precision);
    let (model, plan) = (loaded.model.ungrouped(), plan(&golden_pairs(&golden), &loaded));
    for case in golden["searches"].as_array().unwrap() {
        let judge = if case["judge"] == "metric" { Judge::Metric } else { Judge::Divergence };
        let stand = match case["ablation"].as_str().unwrap() {
            "Corrupted" => Stand::Corrupted,
            "Mean" => Stand::Mean,
            "MeanPerPosition" => Stand::MeanPerPosition,
            _ => Stand::Zero,
        };
        let asked = acdc(model.as_ref(), case["threshold"].as_f64().unwrap(), judge, stand);
        let found = searched(&bench(model.as_ref(), &plan, 16), &asked);
        let what = format!("{name} {precision:?} {judge:?} {stand:?}");
        assert_eq!(found.edges.len(), golden["edges"].as_array().unwrap().len());
        for tried in case["tried"].as_array().unwrap() {
            let edge = golden["edges"][tried[0].as_u64().unwrap() as usize].as_str().unwrap();
            let decision = &found.edges[&edge.parse::<Edge>().unwrap()];
            assert_eq!(decision.kept, tried[2] == 1, "{what} {edge}");
            let expected = tried[1].as_f64().unwrap();
            let difference = (mean(decision) - expected).abs();
            assert!(
                difference < near * expected.abs().max(1.0),
                "{what} {edge}: Δ differs by {difference}, {expected}"
            );
        }
        let judged = found.values.iter().map(|value| f64::from(*value)).sum::<f64>() / found.values.len() as f64;
        let expected = case["judged"].as_f64().unwrap();
        assert!((judged - expected).abs() < near * expected.abs().max(2.0), "{what}: {judged} {expected}");
    }
}

/// The reference is written with six digits, and rotates in f32 whatever the rest is computed in.
const IN_F64: f64 = 5e-6;
/// f32 in another order of additions.
const IN_F32: f64 = 1e-4;

#[test]
fn every_decision_is_that_of_a_search_with_whole_passes() {
    for name in ["gpt2", "llama", "pythia-parallel"] {
        check(name, Precision::F64, IN_F64);
        check(name, Precision::F32, IN_F32);
    }
}

/// One edge after the other, a whole pass for each.
fn with_whole_passes(bench: &Bench, asked: &Acdc) -> Vec<(Edge, bool, f64)> {
    let (mut severed, mut now) = (Vec::new(), whole_pass(bench, asked, &[]));
    let mut found = Vec::new();
    for port in Wiring::ports(&asked.blocks) {
        for from in Wiring::whole(asked.blocks.clone()).parents(port) {
            let edge = Edge::new(from, port);
            let without = whole_pass(bench, asked, &[severed.as_slice(), &[edge]].concat());
            let change = without.iter().zip(&now).map(|(new, old)| new - old).sum::<f64>() / now.len() as f64;
            let kept = change >= asked.thresholds[0];
            if !kept {
                severed.push(edge);
                now = without;
            }
            found.push((edge, kept, change));
        }
    }
    found
}

#[test]
fn resumed_trials_are_whole_passes_in_every_family() {
    for case in DECODERS {
        let loaded = load_in(case, Precision::F64);
        if loaded.model.flow().is_none() {
            continue;
        }
        let (model, plan) = (loaded.model.ungrouped(), plan(LATE, &loaded));
        for (judge, stand, threshold) in
            [(Judge::Divergence, Stand::Corrupted, 0.003), (Judge::Metric, Stand::Zero, 0.02)]
        {
            let asked = acdc(model.as_ref(), threshold, judge, stand);
            let bench = bench(model.as_ref(), &plan, 16);
            let found = searched(&bench, &asked);
            for (edge, kept, change) in with_whole_passes(&bench, &asked) {
                let decision = &found.edges[&edge];
                assert_eq!(decision.kept, kept, "{case} {judge:?} {edge}");
                let difference = (mean(decision) - change).abs();
                // what is kept of a change is an f32
                assert!(difference < 1e-6, "{case} {judge:?} {edge}: {difference} of {change}");
            }
            let severed: Vec<Edge> =
                found.edges.iter().filter(|(_, decision)| !decision.kept).map(|(edge, _)| *edge).collect();
            for (found, expected) in found.values.iter().zip(whole_pass(&bench, &asked, &severed)) {
                assert!((f64::from(*found) - expected).abs() < 1e-6, "{case} {judge:?}: {found} {expected}");
            }
        }
    }
}

#[test]
fn how_many_trials_share_a_run_changes_nothing() {
    let loaded = load_in("gpt2", Precision::F64);
    let plan = plan(LATE, &loaded);
    let asked = acdc(loaded.model.as_ref(), 0.003, Judge::Divergence, Stand::Corrupted);
    let [one, some, many] = [1, 5, 64].map(|rows| searched(&bench(loaded.model.as_ref(), &plan, rows), &asked));
    for other in [some, many] {
        assert_eq!(one.kept(), other.kept());
        for (edge, decision) in &one.edges {
            assert!((mean(decision) - mean(&other.edges[edge])).abs() < 1e-6, "{edge}");
        }
    }
}

#[test]
fn a_search_that_was_broken_off_goes_on_with_the_same_bits() {
    let loaded = load("gpt2");
    let plan = plan(LATE, &loaded);
    let asked = acdc(loaded.model.as_ref(), 0.003, Judge::Divergence, Stand::Corrupted);
    let bench = bench(loaded.model.as_ref(), &plan, 64);
    let whole = searched(&bench, &asked);
    let ports = Wiring::ports(&asked.blocks);
    for done in [1, ports.len() / 2, ports.len()] {
        let decided = |port: &patchclamp::node::Port| -> Vec<Decision> {
            let parents = Wiring::whole(asked.blocks.clone()).parents(*port);
            parents.into_iter().map(|from| whole.edges[&Edge::new(from, *port)].clone()).collect()
        };
        let step = |(number, port)| (number, postcard::to_stdvec(&decided(port)).unwrap());
        let kept: Kept = ports.iter().take(done).enumerate().map(step).collect();
        let mut nobody = ();
        let mut steps = Steps::new(kept, None, Shard::WHOLE, &mut nobody);
        let again = search(&bench, &asked, asked.thresholds[0], &mut steps).unwrap().unwrap();
        assert!(again == whole, "{done} of {} ports", ports.len());
    }
}

#[test]
fn what_cannot_be_searched_is_refused_with_a_reason() {
    let told = |case: &str, method: &str| {
        let text = question(&random_pairs(&[5, 4], Some(2)), method, "");
        Plan::new(&experiment(&text), &load(case)).map(|_| ()).expect_err("it cannot be run").to_string()
    };
    let wrong = "Acdc(threshold: [0, -0.1, NaN, 0.1, 0.1], ablate: MeanPerPosition), Acdc(threshold: [])";
    assert_snapshot!(told("gpt2", wrong), @r"
    methods[0].ablate: MeanPerPosition needs prompts of one length; use Corrupted, Mean or Zero, or split the data
    methods[0].threshold: 0 is no number above 0: at 0 an edge that does nothing may stay or go by rounding alone; give for instance 0.01
    methods[0].threshold: -0.1 is no number above 0: at 0 an edge that does nothing may stay or go by rounding alone; give for instance 0.01
    methods[0].threshold: NaN is no number above 0: at 0 an edge that does nothing may stay or go by rounding alone; give for instance 0.01
    methods[0].threshold: 0.1 stands in the list twice; leave one out
    methods[1].threshold: is an empty list; give at least one, for instance 0.01
    ");
    let wrong = "Circuit(select: Faithful(1.5), random_circuits: 20000), Circuit(select: Faithful(NaN), shuffled_answers: 10001), Acdc(threshold: 1, random_circuits: 10001)";
    assert_snapshot!(told("gpt2", wrong), @r"
    methods[0].select: 1.5 is no share above 0 and up to 1 of what all edges do; give for instance 0.9
    methods[0].random_circuits: 20000 draws; give 10000 at the most, or 0 for none
    methods[1].select: NaN is no share above 0 and up to 1 of what all edges do; give for instance 0.9
    methods[1].shuffled_answers: 10001 draws; give 10000 at the most, or 0 for none
    methods[2].random_circuits: 10001 draws; give 10000 at the most, or 0 for none
    ");
    assert_snapshot!(told("bert", "Acdc(threshold: 0.1)"), @"methods[0]: needs a model in which everything that heads and MLPs write is added to one stream; here a norm stands between, so a single edge is not defined");
}
