//! Attribution patching: parity with torch's autograd, node by node, and the laws that hold whatever the weights.

mod common;

use common::*;
use insta::assert_snapshot;
use patchclamp::circuit::Blocks;
use patchclamp::method::Bench;
use patchclamp::method::score::{Order, scores};
use patchclamp::model::load::{self, Loaded};
use patchclamp::model::{Model, Visitor};
use patchclamp::node::Node;
use patchclamp::plan::Plan;
use patchclamp::precision::Precision;
use patchclamp::spec::{Score, Stand};
use patchclamp::steps::Steps;
use patchclamp::tensor::{Setting, Tensor};
use serde_json::Value;
use std::path::Path;

/// The reference is written with six digits, and rotates in f32 whatever the rest is computed in; Llama's norms are in f32
/// there too.
const RELATIVE: f64 = 1e-4;
/// Of the largest estimate of a table: what is left of one that is a small difference of large terms.
const FLOOR: f64 = 3e-6;

/// Estimates of the only method, `[cell][item]`.
fn estimates(data: &str, method: &str, loaded: &Loaded) -> Vec<Vec<f64>> {
    let finding = findings(&question(data, method, ""), loaded).remove(0);
    let mut cells: Vec<Vec<f64>> = Vec::new();
    for row in &finding.items[0].rows {
        if row.item == Some(0) {
            cells.push(Vec::new());
        }
        cells.last_mut().unwrap().push(row.effect);
    }
    cells
}

fn assert_near(found: &[Vec<f64>], expected: &[Vec<f64>], relative: f64, what: &str) {
    assert_eq!(found.len(), expected.len(), "{what}");
    let most = expected.iter().flatten().fold(0.0, |most: f64, value| most.max(value.abs()));
    assert!(most > 0.0, "{what}: nothing to compare");
    for (cell, (found, expected)) in found.iter().zip(expected).enumerate() {
        assert_eq!(found.len(), expected.len(), "{what}");
        for (found, expected) in found.iter().zip(expected) {
            let allowed = relative * expected.abs() + FLOOR.max(relative / 30.0) * most;
            assert!((found - expected).abs() <= allowed, "{what}, cell {cell}: {found} of {expected}");
        }
    }
}

fn check(name: &str, folder: &Path) {
    let text = std::fs::read_to_string(golden("nodes.json")).unwrap();
    let golden = serde_json::from_str::<Value>(&text).unwrap()[name].take();
    for precision in [Precision::F64, Precision::F32] {
        let loaded = load::folder(folder, &[], &Setting { device: device(), precision }).unwrap();
        for case in golden["cases"].as_array().unwrap() {
            let method = case["method"].as_str().unwrap();
            let expected: Vec<Vec<f64>> = case["values"].as_array().unwrap().iter().map(floats).collect();
            let found = estimates(&golden_pairs(&golden), method, &loaded);
            assert_near(&found, &expected, RELATIVE, &format!("{name} {precision:?} {method}"));
        }
    }
}

#[test]
fn estimates_agree_with_autograd_through_gpt2() {
    check("gpt2", &golden("gpt2"));
}

#[test]
fn estimates_agree_with_autograd_where_heads_share_keys() {
    check("llama", &golden("llama"));
}

#[test]
fn estimates_agree_with_autograd_through_real_weights() {
    if let Some(folder) = real_weights("stories260K") {
        check("stories260K", &folder);
    }
}

/// Scales the weights that one of some names is in.
struct Scaled(f64, &'static [&'static str]);

impl Visitor for Scaled {
    fn matrix(&mut self, name: &str, weight: &mut Tensor<2>) {
        if self.1.iter().any(|part| name.contains(part)) {
            *weight = weight.clone() * self.0;
        }
    }
    fn vector(&mut self, name: &str, weight: &mut Tensor<1>) {
        if self.1.iter().any(|part| name.contains(part)) {
            *weight = weight.clone() * self.0;
        }
    }
}

fn scaled(case: &str, by: f64, weights: &'static [&'static str]) -> Loaded {
    let mut loaded = load_in(case, Precision::F64);
    let mut seen = Names(Vec::new());
    loaded.model.visit(&mut seen);
    let found = weights.iter().all(|part| seen.0.iter().any(|name| name.contains(part)));
    assert!(found, "{weights:?} are not all among {:?}", seen.0);
    loaded.model.visit(&mut Scaled(by, weights));
    loaded
}

struct Names(Vec<String>);

impl Visitor for Names {
    fn matrix(&mut self, name: &str, _: &mut Tensor<2>) {
        self.0.push(name.to_string());
    }
    fn vector(&mut self, name: &str, _: &mut Tensor<1>) {
        self.0.push(name.to_string());
    }
}

/// Where attention writes next to nothing, all that stands behind a pattern is linear in it.
const WHISPER: f64 = 3e-6;

#[test]
fn through_the_pattern_an_estimate_is_exact_where_all_behind_it_is_linear() {
    let data = random_pairs(&[6, 6, 6], None);
    for case in ["gpt2", "llama", "qwen3", "pythia-parallel"] {
        let loaded = scaled(case, WHISPER, &["attn.out"]);
        for site in ["attn.hook_q", "attn.hook_k"] {
            for over in ["Layer, Head", "Layer, Head, Position", "Head"] {
                let only = if over == "Layer, Head" { ", only: (positions: [1, 3, 4])" } else { "" };
                let place = format!("sites: [\"{site}\"], over: [{over}]{only}");
                let exact = estimates(&data, &format!("Patch({place}, direction: Noise)"), &loaded);
                let score =
                    |score: &str| estimates(&data, &format!("AttributionPatch({place}, score: {score})"), &loaded);
                // what is left is of the order of what attention writes
                assert_near(&score("AtPStar(fixes: [Attention])"), &exact, 1e-3, &format!("{case} {place}"));
                let off = |(a, b): (&f64, &f64)| (a - b).abs() > 1e-2 * b.abs();
                let plain = score("AtP");
                assert!(plain.iter().flatten().zip(exact.iter().flatten()).any(off), "{case}: no softmax to put right");
            }
        }
    }
}

/// Any model is linear in a change that is small enough, through softmax, bounds of scores and norms of keys.
#[test]
fn where_the_model_is_linear_an_estimate_is_exact() {
    const SMALL: f64 = 1e-5; // what is left is of its order, and f64 has eleven digits beyond it
    for case in DECODERS {
        let mut loaded = load_in(case, Precision::F64);
        loaded.model.visit(&mut Beside(SMALL));
        let at = |sites: &str, score: &str| {
            let place = format!("sites: [{sites}], over: [Layer, Head, Position], direction: Noise");
            let method = if score == "Patch" {
                format!("Patch({place})")
            } else {
                format!("AttributionPatch({place}, score: {score})")
            };
            estimates(NEIGHBOURS, &method, &loaded)
        };
        for sites in [r#""attn.hook_q", "attn.hook_k""#, r#""attn.hook_z""#] {
            let exact = at(sites, "Patch");
            for score in ["AtP", "AtPIg(steps: 2)", "AtPStar(fixes: [Attention])"] {
                assert_near(&at(sites, score), &exact, 3e-2, &format!("{case} {sites} {score}"));
            }
        }
    }
}

#[test]
fn where_nothing_cancels_dropping_gradients_changes_no_size() {
    let data = random_pairs(&[5, 5], None);
    // nothing behind a place writes anything of note, so all goes straight to the logits
    let loaded = scaled("llama", 1e-9, &["attn.out", "mlp.out"]);
    for site in ["hook_mlp_out", "hook_attn_out", "mlp.hook_post"] {
        let score = |score: &str| {
            let method = format!("AttributionPatch(sites: [\"{site}\"], over: [Layer, Position], score: {score})");
            estimates(&data, &method, &loaded)
        };
        let mut plain = score("AtP");
        plain.iter_mut().flatten().for_each(|value| *value = value.abs());
        assert_near(&score("AtPStar(fixes: [GradDrop])"), &plain, 1e-5, site);
    }
}

#[test]
fn estimates_of_positions_add_up_to_that_of_all() {
    let data = random_pairs(&[5, 5, 5], None);
    let loaded = load_in("gpt2", Precision::F64);
    for score in ["AtP", "AtPIg(steps: 2)"] {
        let at = |over: &str| {
            let method = format!("AttributionPatch(sites: [\"attn.hook_z\"], over: [{over}], score: {score})");
            estimates(&data, &method, &loaded)
        };
        let (apart, together) = (at("Head, Position, Neuron"), at("Head"));
        let each = apart.len() / together.len();
        let sums: Vec<Vec<f64>> = apart
            .chunks_exact(each)
            .map(|cells| (0..3).map(|item| cells.iter().map(|cell| cell[item]).sum()).collect())
            .collect();
        assert_near(&sums, &together, 1e-9, score);
    }
}

/// What a node writes reaches the metric over its edges alone.
#[test]
fn the_estimate_of_a_node_is_the_sum_over_its_edges() {
    let data = random_pairs(&[5, 5, 5], None);
    for case in ["gpt2", "gemma", "pythia-parallel"] {
        let loaded = load_in(case, Precision::F64);
        for (estimate, score) in [("AtP", Score::Eap), ("AtPIg(steps: 3)", Score::EapIg { steps: 3 })] {
            let plan = Plan::new(&experiment(&question(&data, "LogitLens()", "")), &loaded).unwrap();
            let model = loaded.model.ungrouped();
            let bench = bench(model.as_ref(), &plan);
            let dims = model.dims();
            let order = Order::new(&Blocks::new(dims.layers, dims.heads, model.flow().unwrap()));
            let edges = scores(&bench, &order, (score, Stand::Corrupted), &mut Steps::unkept(&mut ())).unwrap();
            let sum = |node: usize| -> Vec<f64> {
                edges.iter().map(|item| order.edges_of(node).map(|edge| f64::from(item[edge])).sum()).collect()
            };
            for (site, over) in [("attn.hook_result", "Layer, Head"), ("hook_mlp_out", "Layer")] {
                let heads = site == "attn.hook_result";
                let here = |node: &usize| match order.nodes[*node] {
                    Node::Head(..) => heads,
                    Node::Mlp(_) | Node::Neuron(..) => !heads,
                    Node::Input => false,
                };
                let expected: Vec<Vec<f64>> = (0..order.nodes.len()).filter(here).map(sum).collect();
                let method = format!("AttributionPatch(sites: [\"{site}\"], over: [{over}], score: {estimate})");
                assert_near(&estimates(&data, &method, &loaded), &expected, 1e-5, &format!("{case} {method}"));
            }
        }
    }
}

fn bench<'a>(model: &'a dyn Model, plan: &'a Plan) -> Bench<'a> {
    let statistics = plan.experiment.statistics;
    Bench { model, text: None, items: &plan.items, features: &[], metric: plan.metric(), statistics, seed: 0, rows: 16 }
}

#[test]
fn items_do_not_meet_in_a_batch() {
    let loaded = load_in("llama", Precision::F64);
    let data = random_pairs(&[5, 4, 5, 4], None);
    for score in ["AtP", "AtPIg(steps: 2)", "AtPStar()"] {
        let method = format!("AttributionPatch(sites: [\"attn.hook_k\"], over: [Layer, Head], score: {score})");
        let many = estimates(&data, &method, &loaded);
        let text = question(&data, &method, "");
        let mut plan = Plan::new(&experiment(&text), &loaded).unwrap();
        plan.loads[0].rows = 1;
        let outcome = patchclamp::run::run(&plan, &loaded, &mut Steps::unkept(&mut ())).unwrap();
        let one: Vec<f64> = outcome.findings[0].items[0].rows.iter().map(|row| row.effect).collect();
        for (one, many) in one.iter().zip(many.iter().flatten()) {
            assert!((one - many).abs() < 1e-9, "{score}: {one} {many}");
        }
    }
}

#[test]
fn an_estimate_without_sign_is_not_tested() {
    let told = |score: &str| {
        let method = format!("AttributionPatch(sites: [\"attn.hook_z\"], over: [Layer, Head], score: {score})");
        findings(&question(&random_pairs(&[5; 4], None), &method, ""), &load("gpt2")).remove(0).tables.remove(0)
    };
    let (plain, dropped) = (told("AtP"), told("AtPStar()"));
    assert!(plain.rows.iter().all(|row| row.p.is_some()) && plain.title.contains("(AtP, noise)"));
    assert!(dropped.rows.iter().all(|row| row.p.is_none() && row.effect >= 0.0 && row.low.is_some()));
    assert_eq!(dropped.facts["score"], "AtP*");
}

#[test]
fn what_cannot_be_estimated_is_refused_with_a_reason() {
    let told = |methods: &str, more: &str| {
        let half = if more.is_empty() { Precision::F32 } else { Precision::F16 };
        let text = question(&random_pairs(&[5, 5], None), methods, more);
        Plan::new(&experiment(&text), &load_in("gpt2", half)).map(|_| ()).expect_err("it cannot be run").to_string()
    };
    let wrong = [
        r#"AttributionPatch(sites: ["attn.hook_z"], over: [Layer], score: AtPIg(steps: 0))"#,
        r#"AttributionPatch(sites: ["attn.hook_k"], over: [Neuron], score: AtPStar(fixes: [Attention, Attention]))"#,
        r#"AttributionPatch(sites: ["attn.hook_q"], over: [Head], score: AtPStar(fixes: []))"#,
        r#"AttributionPatch(sites: ["attn.hook_y"], over: [Head])"#,
    ];
    assert_snapshot!(told(&wrong.join(", "), ""), @r#"
    methods[0].score.steps: 0 is not between 1 and 10000
    methods[1].score.fixes: Attention stands twice
    methods[1].over: `blocks.0.attn.hook_k` goes through the pattern as a whole; leave its neurons together, or write AtP
    methods[2].score.fixes: is empty; write AtP for the plain estimate, or name Attention or GradDrop
    methods[3].sites[0]: gpt2 has no site "attn.hook_y"; `patchclamp sites MODEL` lists them
    "#);
    assert_snapshot!(told(r#"AttributionPatch(sites: ["attn.hook_z"], over: [Layer])"#, "precision: F16"), @"methods[0]: gradients are computed in F32 or F64 only; half precision rounds small ones to zero; use `precision: F32`");
}
