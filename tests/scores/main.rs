//! Scores of edges and runs of circuits: parity with torch's autograd, edge by edge, and the laws that hold whatever the weights.

#[path = "../common/mod.rs"]
mod common;

mod constant;

use common::edges::*;
use common::*;
use insta::assert_snapshot;
use patchclamp::method::circuit::Evaluation;
use patchclamp::plan::Plan;
use patchclamp::precision::Precision;
use patchclamp::spec::{Score, Stand};
use patchclamp::steps::Steps;

#[test]
fn scores_and_circuits_agree_with_autograd_through_gpt2() {
    check("edges.json", "gpt2", &golden("gpt2"));
}

#[test]
fn scores_and_circuits_agree_with_autograd_through_parallel_blocks() {
    check("edges.json", "pythia-parallel", &golden("pythia-parallel"));
}

#[test]
fn scores_and_circuits_agree_with_autograd_where_heads_share_keys() {
    check("edges.json", "llama", &golden("llama"));
}

#[test]
fn scores_and_circuits_agree_with_autograd_through_real_weights() {
    if let Some(folder) = real_weights("stories260K") {
        check("edges.json", "stories260K", &folder);
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
