//! Scores of edges and runs of circuits held against goldens, edge by edge.

use super::*;
use patchclamp::circuit::Blocks;
use patchclamp::method::Bench;
use patchclamp::method::circuit::Evaluation;
use patchclamp::method::score::{Order, scores};
use patchclamp::node::Node;
use patchclamp::spec::{Score, Stand};
use serde_json::Value;

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

pub fn plan(data: &str, loaded: &Loaded) -> Plan {
    Plan::new(&experiment(&question(data, r#"Patch(sites: ["hook_embed"], over: [])"#, "")), loaded).unwrap()
}

pub fn bench<'a>(model: &'a dyn Model, plan: &'a Plan, rows: usize) -> Bench<'a> {
    let statistics = plan.experiment.statistics;
    Bench { model, text: None, items: &plan.items, features: &[], metric: plan.metric(), statistics, seed: 0, rows }
}

/// The edges of a model, with the neurons that are apart in it.
pub fn order(model: &dyn Model) -> Order {
    Order::new(&blocks(model))
}

/// The blocks of a model, with the neurons that are apart in it.
pub fn blocks(model: &dyn Model) -> Blocks {
    let dims = model.dims();
    let apart = |layer| model.block(layer).mlp.apart.iter().map(move |neuron| (layer, *neuron));
    Blocks::new(dims.layers, dims.heads, model.flow().unwrap()).with_neurons((0..dims.layers).flat_map(apart))
}

/// The model in which no heads share keys, and the neurons that a golden names are apart.
fn model_of(golden: &Value, loaded: &Loaded) -> Box<dyn Model> {
    let neurons = golden["neurons"].as_array().into_iter().flatten();
    let neuron = |name: &Value| match name.as_str().unwrap().parse().unwrap() {
        Node::Neuron(layer, neuron) => (layer, neuron),
        other => panic!("{other}"),
    };
    loaded.model.ungrouped().parted(&neurons.map(neuron).collect::<Vec<_>>())
}

pub fn scored(bench: &Bench, score: Score) -> Vec<Vec<f32>> {
    scored_by(bench, score, Stand::Corrupted)
}

pub fn scored_by(bench: &Bench, score: Score, stand: Stand) -> Vec<Vec<f32>> {
    scores(bench, &order(bench.model), (score, stand), &mut Steps::unkept(&mut ())).unwrap()
}

fn golden_of(file: &str, name: &str) -> Value {
    let text = std::fs::read_to_string(golden(file)).unwrap();
    serde_json::from_str::<Value>(&text).unwrap()[name].take()
}

fn check_scores(name: &str, golden: &Value, loaded: &Loaded, near: &Near) {
    let (model, plan) = (model_of(golden, loaded), plan(&golden_pairs(golden), loaded));
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

fn check_circuits(name: &str, golden: &Value, loaded: &Loaded) {
    let (model, plan) = (model_of(golden, loaded), plan(&golden_pairs(golden), loaded));
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

/// Holds everything that a golden file says of a model against what is found, in f64 and f32.
pub fn check(file: &str, name: &str, folder: &Path) {
    let golden = &golden_of(file, name);
    let in_f64 = match name {
        "gpt2" => Near { floor: 1e-9, ..IN_F64 },
        "pythia-parallel" => IN_F64,
        _ => Near { precision: Precision::F64, ..IN_F32 },
    };
    for near in [in_f64, IN_F32] {
        let loaded = load::folder(folder, &[], &Setting { device: device(), precision: near.precision }).unwrap();
        check_scores(name, golden, &loaded, &near);
        check_circuits(name, golden, &loaded);
    }
}
