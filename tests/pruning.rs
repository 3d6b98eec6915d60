//! Edge pruning: masks on the tape are the runs of circuits, their slopes the scores of edges; what is fitted is kept and comes again.

mod common;

use common::*;
use insta::assert_snapshot;
use patchclamp::circuit::Blocks;
use patchclamp::method::circuit::Evaluation;
use patchclamp::method::edge_pruning::Masked;
use patchclamp::method::score::{Order, scores};
use patchclamp::method::{Bench, Finding};
use patchclamp::model::Model;
use patchclamp::model::load::Loaded;
use patchclamp::plan::Plan;
use patchclamp::precision::Precision;
use patchclamp::spec::{Judge, Score, Stand};
use patchclamp::steps::Steps;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// Every wiring, and heads that share keys.
const CASES: [&str; 4] = ["gpt2", "llama", "pythia-parallel", "qwen3"];

fn plan(loaded: &Loaded) -> Plan {
    Plan::new(&experiment(&question(&random_pairs(&[5, 4, 5], None), "LogitLens()", "")), loaded).unwrap()
}

fn bench<'a>(model: &'a dyn Model, plan: &'a Plan) -> Bench<'a> {
    let statistics = plan.experiment.statistics;
    Bench { model, text: None, items: &plan.items, features: &[], metric: plan.metric(), statistics, seed: 0, rows: 2 }
}

fn order(model: &dyn Model) -> Order {
    Order::new(&Blocks::new(model.dims().layers, model.dims().heads, model.flow().unwrap()))
}

/// Shares between 0 and 1.
fn shares(count: usize) -> Vec<f64> {
    let mut random = ChaCha8Rng::seed_from_u64(5);
    (0..count).map(|_| random.random_range(0.0..1.0)).collect()
}

#[test]
fn where_nothing_is_pruned_the_slope_of_a_mask_is_the_score_of_its_edge() {
    let stands = [Stand::Corrupted, Stand::Zero, Stand::Mean];
    for (case, stand) in CASES.into_iter().flat_map(|case| stands.map(|stand| (case, stand))) {
        let loaded = load_in(case, Precision::F64);
        let (model, plan) = (loaded.model.ungrouped(), plan(&loaded));
        let (bench, order) = (bench(model.as_ref(), &plan), order(model.as_ref()));
        let masked = Masked::new(&bench, &order, (Judge::Metric, stand)).unwrap();
        let (_, slopes) = masked.cost(&vec![0.0; order.count()]).unwrap();
        let found = scores(&bench, &order, (Score::Eap, stand), &mut Steps::unkept(&mut ())).unwrap();
        let mean = |edge: usize| found.iter().map(|item| f64::from(item[edge])).sum::<f64>() / found.len() as f64;
        let means: Vec<f64> = (0..order.count()).map(mean).collect();
        let most = means.iter().fold(0.0, |most: f64, score| most.max(score.abs()));
        assert!(most > 0.0, "{case}");
        for ((slope, score), edge) in slopes.iter().zip(&means).zip(order.edges()) {
            // the loss is the metric times −1; scores are kept in f32
            assert!((slope + score).abs() < 1e-6 * most + 1e-6 * score.abs(), "{case} {edge}: {slope} {score}");
        }
    }
}

#[test]
fn edges_severed_by_a_whole_share_are_outside_the_circuit() {
    for case in CASES {
        let loaded = load_in(case, Precision::F64);
        let (model, plan) = (loaded.model.ungrouped(), plan(&loaded));
        let (bench, order) = (bench(model.as_ref(), &plan), order(model.as_ref()));
        for stand in [Stand::Corrupted, Stand::Zero, Stand::Mean] {
            let masked = Masked::new(&bench, &order, (Judge::Metric, stand)).unwrap();
            let shares: Vec<f64> = shares(order.count()).iter().map(|share| share.round()).collect();
            let edges = order.edges().into_iter().zip(&shares);
            let outside: Vec<_> = edges.filter(|(_, share)| **share == 1.0).map(|(edge, _)| edge).collect();
            assert!(!outside.is_empty() && outside.len() < order.count());
            let evaluation = Evaluation::new(&bench, stand).unwrap();
            let of = |items: &[usize]| -> f64 {
                evaluation.values(items, std::slice::from_ref(&outside)).unwrap()[0].iter().sum()
            };
            let expected = -(of(&[0, 2]) + of(&[1])) / 3.0;
            let (loss, _) = masked.cost(&shares).unwrap();
            assert!((loss - expected).abs() < 1e-9, "{case} {stand:?}: {loss} {expected}");
        }
    }
}

#[test]
fn slopes_are_differences_of_the_loss() {
    const STEP: f64 = 1e-5;
    let loaded = load_in("llama", Precision::F64);
    let (model, plan) = (loaded.model.ungrouped(), plan(&loaded));
    let (bench, order) = (bench(model.as_ref(), &plan), order(model.as_ref()));
    for judge in [Judge::Divergence, Judge::Metric] {
        let masked = Masked::new(&bench, &order, (judge, Stand::Corrupted)).unwrap();
        let shares = shares(order.count());
        let (_, slopes) = masked.cost(&shares).unwrap();
        let most = slopes.iter().fold(0.0, |most: f64, slope| most.max(slope.abs()));
        for edge in (0..order.count()).step_by(7) {
            let at = |by: f64| {
                let mut moved = shares.clone();
                moved[edge] += by;
                masked.cost(&moved).unwrap().0
            };
            let difference = (at(STEP) - at(-STEP)) / (2.0 * STEP);
            assert!((slopes[edge] - difference).abs() < 1e-4 * most, "{judge:?}: {} {difference}", slopes[edge]);
        }
    }
}

#[test]
fn nothing_diverges_where_nothing_is_severed() {
    let loaded = load_in("gpt2", Precision::F64);
    let plan = plan(&loaded);
    let (bench, order) = (bench(loaded.model.as_ref(), &plan), order(loaded.model.as_ref()));
    let masked = Masked::new(&bench, &order, (Judge::Divergence, Stand::Corrupted)).unwrap();
    let (loss, slopes) = masked.cost(&vec![0.0; order.count()]).unwrap();
    assert!(loss.abs() < 1e-12 && slopes.iter().all(|slope| slope.abs() < 1e-12), "{loss}");
    assert!(masked.cost(&vec![1.0; order.count()]).unwrap().0 > 1e-6);
}

fn pruned(more: &str) -> Finding {
    let method = "EdgePruning(target: Edges(9), steps: 40, seeds: 2)";
    findings(&question(&random_pairs(&[5, 4, 5], None), method, more), &load("gpt2")).remove(0)
}

fn chances(finding: &Finding) -> Vec<f64> {
    finding.circuits[0].1.scores()
}

#[test]
fn a_fit_comes_again_and_another_seed_is_another() {
    let (one, again, other) = (pruned(""), pruned(""), pruned("seed: 1"));
    assert_eq!(chances(&one), chances(&again));
    assert_ne!(chances(&one), chances(&other));
    let (name, circuit) = &one.circuits[0];
    assert!(name == "01_edge_pruning" && circuit.size() <= 9);
    assert!(chances(&one).iter().all(|chance| (0.0..=1.0).contains(chance)));
    assert_eq!(one.tables[0].facts["fit"], "2 seeds, 40 steps of rate 0.1");
    let inclusion = one.tables[0].rows.iter().filter(|row| row.metric == "inclusion");
    assert!(inclusion.map(|row| row.effect).all(|share| [0.0, 0.5, 1.0].contains(&share)));
}

#[test]
fn masks_that_cannot_be_fitted_are_refused_with_a_reason() {
    let told = |case: &str, methods: &str, more: &str| {
        let half = if more.is_empty() { Precision::F32 } else { Precision::F16 };
        let text = question(&random_pairs(&[5, 4], Some(2)), methods, more);
        Plan::new(&experiment(&text), &load_in(case, half)).map(|_| ()).expect_err("it cannot be run").to_string()
    };
    let wrong = [
        "EdgePruning(target: Edges(0), steps: 0, seeds: 0, learning_rate: -1.0, ablate: MeanPerPosition)",
        "EdgePruning(target: Sparsity(0.0))",
        "EdgePruning(target: Sparsity(1.5))",
        "EdgePruning(target: Sparsity(1.0))",
        "EdgePruning(target: Edges(76))",
    ];
    assert_snapshot!(told("gpt2", &wrong.join(", "), ""), @r"
    methods[0].ablate: MeanPerPosition needs prompts of one length; use Corrupted, Mean or Zero, or split the data
    methods[0].steps: 0 is not between 1 and 100000
    methods[0].seeds: 0 is not between 1 and 100000
    methods[0].learning_rate: -1 is no number above 0; give for instance 0.1
    methods[0].target: 0 edges; this model has 1 to 75 to choose from
    methods[1].target: a share of 0 is not above 0 and at most 1; 0.98 keeps two edges of a hundred
    methods[2].target: a share of 1.5 is not above 0 and at most 1; 0.98 keeps two edges of a hundred
    methods[3].target: a share of 1 of 75 edges leaves none; 0.986667 leaves one
    methods[4].target: 76 edges; this model has 1 to 75 to choose from
    ");
    assert_snapshot!(told("bert", "EdgePruning(target: Edges(5))", ""), @"methods[0]: needs a model in which everything that heads and MLPs write is added to one stream; here a norm stands between, so a single edge is not defined");
    assert_snapshot!(told("gpt2", "EdgePruning(target: Edges(5))", "precision: F16"), @"methods[0]: what an edge changes is less than half precision rounds away; use `precision: F32` or F64");
}
