//! Scores of edges and runs of circuits: parity with torch's autograd, edge by edge, and the laws that hold whatever the weights.

#[path = "../common/mod.rs"]
mod common;

mod constant;

use common::*;
use insta::assert_snapshot;
use patchclamp::method::Bench;
use patchclamp::method::circuit::Evaluation;
use patchclamp::method::score::{Order, scores};
use patchclamp::model::Model;
use patchclamp::model::load::{self, Loaded};
use patchclamp::plan::Plan;
use patchclamp::precision::Precision;
use patchclamp::spec::{Score, Stand};
use patchclamp::steps::Steps;
use patchclamp::tensor::Setting;
use serde_json::Value;
use std::path::Path;

/// How near scores must come to the reference's, in each precision.
struct Near {
    /// Relative to the reference's score, edge by edge.
    relative: f64,
    /// Relative to the largest score of an item: what is left of a score that is a small difference of large terms.
    floor: f64,
    precision: Precision,
}

/// The reference is written with six digits, and rotates in f32 whatever the rest is computed in; Llama's norms are in f32
/// there too.
const IN_F64: Near = Near { relative: 5e-6, floor: 1e-6, precision: Precision::F64 };
/// f32 in another order of additions.
const IN_F32: Near = Near { relative: 1e-4, floor: 3e-6, precision: Precision::F32 };

fn plan(data: &str, loaded: &Loaded) -> Plan {
    Plan::new(&experiment(&question(data, r#"Patch(sites: ["hook_embed"], over: [])"#, "")), loaded).unwrap()
}

fn bench<'a>(model: &'a dyn Model, plan: &'a Plan, rows: usize) -> Bench<'a> {
    let statistics = plan.experiment.statistics;
    Bench { model, text: None, items: &plan.items, features: &[], metric: plan.metric(), statistics, seed: 0, rows }
}

fn order(model: &dyn Model) -> Order {
    let dims = model.dims();
    Order::new(dims.layers, dims.heads, model.flow().unwrap())
}

fn scored(bench: &Bench, score: Score) -> Vec<Vec<f32>> {
    scored_by(bench, score, Stand::Corrupted)
}

fn scored_by(bench: &Bench, score: Score, stand: Stand) -> Vec<Vec<f32>> {
    scores(bench, &order(bench.model), (score, stand), &mut Steps::unkept(&mut ())).unwrap()
}

fn golden_of(name: &str) -> Value {
    let text = std::fs::read_to_string(golden("edges.json")).unwrap();
    serde_json::from_str::<Value>(&text).unwrap()[name].take()
}

fn check_scores(name: &str, loaded: &Loaded, near: &Near) {
    let golden = golden_of(name);
    let (model, plan) = (loaded.model.ungrouped(), plan(&golden_pairs(&golden), loaded));
    let names: Vec<String> = order(model.as_ref()).edges().iter().map(ToString::to_string).collect();
    let expected: Vec<&str> = golden["edges"].as_array().unwrap().iter().map(|edge| edge.as_str().unwrap()).collect();
    assert_eq!(names, expected);
    let steps = golden["steps"].as_u64().unwrap() as usize;
    let methods = [
        ("eap", Score::Eap),
        ("eap_ig_inputs", Score::EapIg { steps }),
        ("clean_corrupted", Score::CleanCorrupted),
        ("eap_ig_activations", Score::EapIgActivations { steps }),
        ("exact", Score::Exact),
        ("information_flow", Score::InformationFlow),
    ];
    for (method, score) in methods {
        let found = scored(&bench(model.as_ref(), &plan, 16), score);
        let step = if method == "exact" { golden["exact_step"].as_u64().unwrap() as usize } else { 1 };
        for (item, expected) in golden["scores"][method].as_array().unwrap().iter().enumerate() {
            let expected = floats(expected);
            // an exact score is a difference of two metrics, and rounded as they are
            let metric = if method == "exact" { floats(&golden["clean_metric"])[item].abs() } else { 0.0 };
            let most = expected.iter().fold(metric, |most: f64, score| most.max(score.abs()));
            assert_eq!(names.iter().step_by(step).count(), expected.len());
            for (edge, expected) in (0..names.len()).step_by(step).zip(expected) {
                let difference = (f64::from(found[item][edge]) - expected).abs();
                let allowed = near.relative * expected.abs() + near.floor * most;
                assert!(
                    difference <= allowed,
                    "{name} {:?} {method} item {item} {}: {difference} of {expected}",
                    near.precision,
                    names[edge]
                );
            }
        }
    }
}

fn check_circuits(name: &str, loaded: &Loaded) {
    let golden = golden_of(name);
    let (model, plan) = (loaded.model.ungrouped(), plan(&golden_pairs(&golden), loaded));
    let bench = bench(model.as_ref(), &plan, 16);
    let (edges, items) = (order(model.as_ref()).edges(), (0..plan.items.len()).collect::<Vec<_>>());
    for case in golden["circuits"].as_array().unwrap() {
        let stand = match case["ablation"].as_str().unwrap() {
            "Corrupted" => Stand::Corrupted,
            "Mean" => Stand::Mean,
            "MeanPerPosition" => Stand::MeanPerPosition,
            _ => Stand::Zero,
        };
        let inside: Vec<usize> =
            case["inside"].as_array().unwrap().iter().map(|edge| edge.as_u64().unwrap() as usize).collect();
        let outside = (0..edges.len()).filter(|edge| !inside.contains(edge)).map(|edge| edges[edge]).collect();
        let found = Evaluation::new(&bench, stand).unwrap().values(&items, &[outside]).unwrap();
        for (found, expected) in found[0].iter().zip(floats(&case["metric"])) {
            let difference = (found - expected).abs() / expected.abs().max(1.0);
            assert!(difference < 1e-5, "{name} {stand:?} {}: {found} {expected}", inside.len());
        }
    }
}

fn check(name: &str, folder: &Path) {
    let in_f64 = match name {
        "gpt2" => Near { floor: 1e-9, ..IN_F64 },
        "pythia-parallel" => IN_F64,
        _ => Near { precision: Precision::F64, ..IN_F32 },
    };
    for near in [in_f64, IN_F32] {
        let loaded = load::folder(folder, &[], &Setting { device: device(), precision: near.precision }).unwrap();
        check_scores(name, &loaded, &near);
        check_circuits(name, &loaded);
    }
}

#[test]
fn scores_and_circuits_agree_with_autograd_through_gpt2() {
    check("gpt2", &golden("gpt2"));
}

#[test]
fn scores_and_circuits_agree_with_autograd_through_parallel_blocks() {
    check("pythia-parallel", &golden("pythia-parallel"));
}

#[test]
fn scores_and_circuits_agree_with_autograd_where_heads_share_keys() {
    check("llama", &golden("llama"));
}

#[test]
fn scores_and_circuits_agree_with_autograd_through_real_weights() {
    if let Some(folder) = real_weights("stories260K") {
        check("stories260K", &folder);
    }
}

/// Any model is linear in a change that is small enough: then attribution by gradients is exact, edge by edge.
#[test]
fn where_the_model_is_linear_attribution_is_exact() {
    const SMALL: f64 = 1e-5; // what is left is of its order, and f64 has eleven digits beyond it
    for case in DECODERS {
        let loaded = load_in(case, Precision::F64);
        if loaded.model.flow().is_none() {
            continue;
        }
        let mut model = loaded.model.ungrouped();
        model.visit(&mut Beside(SMALL));
        let plan = plan(NEIGHBOURS, &loaded);
        let bench = bench(model.as_ref(), &plan, 64);
        let exact = scored(&bench, Score::Exact);
        let most = exact.iter().flatten().fold(0.0, |most: f32, score| most.max(score.abs()));
        assert!(most > 0.0, "{case}");
        for score in
            [Score::Eap, Score::EapIg { steps: 2 }, Score::CleanCorrupted, Score::EapIgActivations { steps: 2 }]
        {
            let found = scored(&bench, score);
            for (found, exact) in found.iter().flatten().zip(exact.iter().flatten()) {
                assert!((found - exact).abs() <= 1e-3 * most, "{case} {score:?}: {found} {exact}");
            }
        }
    }
}

#[test]
fn scores_out_of_the_input_tend_to_the_whole_difference() {
    let data = random_pairs(&[5, 5, 5], None);
    for case in ["gpt2", "llama", "pythia-parallel", "qwen3"] {
        let loaded = load(case);
        let (model, plan) = (loaded.model.ungrouped(), plan(&data, &loaded));
        let bench = bench(model.as_ref(), &plan, 64);
        let order = order(model.as_ref());
        let whole = |side| bench.whole(side, &mut Steps::unkept(&mut ())).unwrap();
        let (clean, corrupt) = (whole(patchclamp::method::Side::Clean), whole(patchclamp::method::Side::Corrupt));
        // what the sums over the edges out of the input, in so many steps, are off by
        let errors = |steps: usize| -> Vec<f64> {
            let found = scored(&bench, Score::EapIg { steps });
            let sum = |item: &Vec<f32>| order.edges_of(0).map(|edge| f64::from(item[edge])).sum::<f64>();
            (0..found.len()).map(|item| sum(&found[item]) - (corrupt[item] - clean[item])).collect()
        };
        let (few, many) = (errors(128), errors(256));
        for (item, (few, many)) in few.iter().zip(&many).enumerate() {
            // a sum over m steps is off by a term in 1/m, which two of them cancel, and then by one in 1/m²
            let left = 0.1 * few.abs() + 1e-3 * (corrupt[item] - clean[item]).abs();
            assert!((2.0 * many - few).abs() < left, "{case} item {item}: {few} {many}");
        }
    }
}

/// The embeddings go straight to the input's output, so both kinds of interpolation are one for its edges.
#[test]
fn both_kinds_of_integration_agree_on_the_input() {
    let data = random_pairs(&[5, 5], None);
    for case in ["gpt2", "gemma", "pythia-parallel"] {
        let loaded = load(case);
        let (model, plan) = (loaded.model.ungrouped(), plan(&data, &loaded));
        let bench = bench(model.as_ref(), &plan, 3); // rows of a node in several passes
        let inputs = order(model.as_ref()).edges_of(0);
        for stand in [Stand::Corrupted, Stand::Mean, Stand::MeanPerPosition] {
            let [a, b] = [Score::EapIg { steps: 3 }, Score::EapIgActivations { steps: 3 }]
                .map(|score| scored_by(&bench, score, stand));
            for (a, b) in a.iter().zip(&b) {
                let most = a.iter().fold(0.0, |most: f32, score| most.max(score.abs()));
                let near = a[inputs.clone()].iter().zip(&b[inputs.clone()]).all(|(a, b)| (a - b).abs() < 1e-5 * most);
                assert!(near, "{case} {stand:?}");
            }
        }
    }
}

#[test]
fn items_do_not_meet_in_a_batch() {
    let data = random_pairs(&[5, 4, 5], None);
    let loaded = load("gpt2");
    let plan = plan(&data, &loaded);
    for score in [Score::EapIg { steps: 2 }, Score::Exact, Score::InformationFlow] {
        let [one, many] = [1, 64].map(|rows| scored(&bench(loaded.model.as_ref(), &plan, rows), score));
        for (one, many) in one.iter().flatten().zip(many.iter().flatten()) {
            assert!((one - many).abs() < 1e-5, "{score:?}: {one} {many}");
        }
    }
}

#[test]
fn the_full_circuit_is_the_clean_run_and_the_empty_one_the_corrupted() {
    let data = random_pairs(&[5, 5, 5], None);
    for case in DECODERS {
        let loaded = load(case);
        if loaded.model.flow().is_none() {
            continue;
        }
        let (model, plan) = (loaded.model.ungrouped(), plan(&data, &loaded));
        let bench = bench(model.as_ref(), &plan, 64);
        let whole = |side| bench.whole(side, &mut Steps::unkept(&mut ())).unwrap();
        let (clean, corrupt) = (whole(patchclamp::method::Side::Clean), whole(patchclamp::method::Side::Corrupt));
        let edges = order(model.as_ref()).edges();
        let found =
            Evaluation::new(&bench, Stand::Corrupted).unwrap().values(&[0, 1, 2], &[Vec::new(), edges]).unwrap();
        assert_eq!(found[0], clean, "{case}");
        for (found, corrupt) in found[1].iter().zip(&corrupt) {
            assert!((found - corrupt).abs() < 1e-4, "{case}: {found} {corrupt}");
        }
    }
}

#[test]
fn what_has_no_circuit_is_refused_with_a_reason() {
    let told = |case: &str, methods: &str, more: &str| {
        let text = question(&random_pairs(&[5, 4], Some(2)), methods, more);
        let half = if more.is_empty() { Precision::F32 } else { Precision::F16 };
        Plan::new(&experiment(&text), &load_in(case, half)).map(|_| ()).expect_err("it cannot be run").to_string()
    };
    let wrong = "Circuit(score: EapIg(steps: 0), select: TopN(5000), ablate: MeanPerPosition)";
    assert_snapshot!(told("gpt2", wrong, ""), @r"
    methods[0].score.steps: 0 is not between 1 and 10000
    methods[0].ablate: MeanPerPosition needs prompts of one length; use Corrupted, Mean or Zero, or split the data
    methods[0].select: 5000 edges; this model has 1 to 75 to choose from
    ");
    assert_snapshot!(told("bert", "Circuit(select: TopN(5))", ""), @"methods[0]: needs a model in which everything that heads and MLPs write is added to one stream; here a norm stands between, so a single edge is not defined");
    assert_snapshot!(told("gpt2", "Circuit(select: TopN(5))", "precision: F16"), @"methods[0]: what an edge changes is less than half precision rounds away; use `precision: F32` or F64");
}
