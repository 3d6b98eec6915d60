//! Parity with plain hooks, and what holds whatever the weights are.

use super::common::*;
use super::{CASES, IN_F32, IN_F64, here, some, span};
use ndarray::{Array2, array};
use patchclamp::method::das::{Span, Value};
use patchclamp::method::{Finding, Side};
use patchclamp::precision::Precision;
use patchclamp::spec::Loss;

fn metrics(values: &[Value]) -> Vec<f64> {
    values.iter().map(|value| value.metric).collect()
}

fn apart(a: &[f64], b: &[f64]) -> f64 {
    assert_eq!(a.len(), b.len());
    a.iter()
        .zip(b)
        .map(|(a, b)| (a - b).abs())
        .fold(0.0, |most, gap| if gap > most || gap.is_nan() { gap } else { most })
}

fn check_golden(case: &str) {
    let golden: serde_json::Value =
        serde_json::from_str(&std::fs::read_to_string(golden("das.json")).unwrap()).unwrap();
    let (loaded, data) = (load_in(case, Precision::F64), golden_pairs(&golden));
    let near = if case == "llama" { IN_F32 } else { IN_F64 };
    let cases = golden["models"][case]["spans"].as_array().unwrap();
    assert_eq!(cases.len(), 10);
    for one in cases {
        let [site, layer, head, position] = [0, 1, 2, 3].map(|at| &one["place"][at]);
        let site = if site == "z" { "attn.hook_z".to_string() } else { format!("hook_{}", site.as_str().unwrap()) };
        let over = if head.is_null() { "[Position]" } else { "[Head, Position]" };
        let heads = if head.is_null() { String::new() } else { format!("heads: [{head}], ") };
        let method =
            format!(r#"Das(sites: ["blocks.{layer}.{site}"], over: {over}, only: ({heads}positions: [{position}]))"#);
        let rows: Vec<Vec<f64>> = one["span"].as_array().unwrap().iter().map(floats).collect();
        let given = Array2::from_shape_fn((rows.len(), rows[0].len()), |(row, column)| rows[row][column]);
        here(&data, &method, &loaded, |here, swaps| {
            let found = here.exchanged(&[Some(given)]).unwrap().remove(0);
            assert_eq!(swaps.all.len(), 6);
            for (swap, value) in swaps.all.iter().zip(found) {
                let side = if swap.base == Side::Corrupt { &one["to"] } else { &one["back"] };
                let [metric, preferred] = ["metric", "preferred"].map(|name| floats(&side[name])[swap.item]);
                assert!((value.metric - metric).abs() < near, "{method}: {} {metric}", value.metric);
                assert_eq!(value.preferred, preferred, "{method}");
            }
        });
    }
}

#[test]
fn given_directions_exchanged_in_gpt2_are_what_plain_hooks_make_of_them() {
    check_golden("gpt2");
}

#[test]
fn given_directions_exchanged_in_llama_are_what_plain_hooks_make_of_them() {
    check_golden("llama");
}

/// Streams, what is written, and of heads one; one position, and all at once.
const PLACES: [&str; 4] = [
    r#"Das(sites: ["blocks.0.hook_mlp_out"], over: [Position], only: (positions: [2]))"#,
    r#"Das(sites: ["blocks.0.attn.hook_z"], over: [Head, Position], only: (heads: [1], positions: [1]))"#,
    r#"Das(sites: ["blocks.1.hook_attn_out"], over: [])"#,
    r#"Das(sites: ["hook_embed"], over: [Position], only: (positions: [0]))"#,
];

/// Prompts of one length where a position is named.
fn data(case: &str, method: &str) -> String {
    let lengths = if method.contains("[]") { [5, 4, 5] } else { [5; 3] };
    random_pairs(&lengths, (case == "bert").then_some(2))
}

#[test]
fn as_many_directions_as_there_are_exchange_the_whole_vector() {
    for (case, method) in CASES.into_iter().flat_map(|case| PLACES.map(|method| (case, method))) {
        let loaded = load_in(case, Precision::F64);
        here(&data(case, method), method, &loaded, |here, _| {
            let width = here.differences().ncols();
            let found = here.exchanged(&[None, Some(span(width, width)), Some(Array2::zeros((1, width)))]).unwrap();
            let [whole, all, nothing] = [0, 1, 2].map(|at| metrics(&found[at]));
            let base: Vec<f64> = here.ends.iter().map(|[base, _]| base.metric).collect();
            assert!(apart(&whole, &all) < IN_F64, "{case} {method}");
            assert!(apart(&nothing, &base) < IN_F64, "{case} {method}");
            assert!(apart(&whole, &base) > 1e-6, "{case} {method}: nothing is exchanged");
        });
    }
}

/// The other engine, with other code for resumed passes: values put in, not differences added.
#[test]
fn the_whole_vector_exchanged_is_patching() {
    for case in CASES {
        let loaded = load_in(case, Precision::F64);
        let data = data(case, PLACES[0]);
        let patch = r#"Patch(sites: ["blocks.0.hook_mlp_out"], over: [Position], only: (positions: [2]), direction: "#;
        let patched = ["Denoise)", "Noise)"].map(|direction| {
            let found = findings(&question(&data, &format!("{patch}{direction}"), ""), &loaded).remove(0);
            found.items[0].rows.iter().map(|row| row.effect).collect::<Vec<f64>>()
        });
        here(&data, PLACES[0], &loaded, |here, swaps| {
            let found = here.exchanged(&[None]).unwrap().remove(0);
            for ((swap, value), [base, _]) in swaps.all.iter().zip(&found).zip(&here.ends) {
                // the metric is read for the source run's answer, and turns its sign with the answers
                let expected = match swap.base {
                    Side::Corrupt => patched[0][swap.item],
                    Side::Clean => -patched[1][swap.item],
                };
                assert!((value.metric - base.metric - expected).abs() < IN_F64, "{case}");
            }
        });
    }
}

#[test]
fn turning_directions_within_their_span_changes_nothing() {
    let turn = array![[0.6, -0.8], [0.8, 0.6]];
    for case in CASES {
        here(&data(case, PLACES[0]), PLACES[0], &load_in(case, Precision::F64), |here, _| {
            let own = span(2, here.differences().ncols());
            let found = here.exchanged(&[Some(own.clone()), Some(turn.dot(&own)), Some(span(1, own.ncols()))]).unwrap();
            assert!(apart(&metrics(&found[0]), &metrics(&found[1])) < IN_F64, "{case}");
            assert!(apart(&metrics(&found[0]), &metrics(&found[2])) > 1e-6, "{case}");
        });
    }
}

#[test]
fn slopes_are_differences_of_the_loss() {
    const STEP: f64 = 1e-5;
    for (case, method) in CASES.into_iter().flat_map(|case| [PLACES[0], PLACES[1]].map(|method| (case, method))) {
        here(&data(case, method), method, &load_in(case, Precision::F64), |here, _| {
            let (width, chosen) = (here.differences().ncols(), [0, 2, 3, 5]);
            // any frame has a slope, not only an orthonormal one
            let (own, shares) = (some(2, width, 4), vec![0.7, 0.2]);
            for loss in [Loss::CrossEntropy, Loss::Metric] {
                let of = |own: &Span, shares: &[f64]| here.cost(&chosen, (own, Some(shares)), loss).unwrap();
                let cost = of(&own, &shares);
                let most = cost.span.iter().fold(0.0, |most: f64, slope| most.max(slope.abs()));
                assert!(most > 1e-6, "{case} {method}");
                for at in [[0, 1], [1, 0], [1, width - 1]] {
                    let moved = |by: f64| {
                        let mut own = own.clone();
                        own[at] += by;
                        of(&own, &shares).loss
                    };
                    let difference = (moved(STEP) - moved(-STEP)) / (2.0 * STEP);
                    assert!(
                        (cost.span[at] - difference).abs() < 1e-5 * most,
                        "{case} {loss:?}: {} {difference}",
                        cost.span[at]
                    );
                }
                let moved = |by: f64| of(&own, &[shares[0], shares[1] + by]).loss;
                let difference = (moved(STEP) - moved(-STEP)) / (2.0 * STEP);
                assert!((cost.shares[1] - difference).abs() < 1e-5 * most, "{case} {loss:?}");
                let whole = here.cost(&chosen, (&own, None), loss).unwrap().loss;
                assert!((whole - of(&own, &[1.0, 1.0]).loss).abs() < IN_F64, "{case}");
            }
        });
    }
}

/// The bits of everything that a run has learned.
fn learned(finding: &Finding) -> Vec<u32> {
    finding.tensors[0].1.values().flat_map(|(_, values)| values).map(|value| value.to_bits()).collect()
}

#[test]
fn a_fit_comes_again_and_learns_and_another_seed_is_another() {
    let method = r#"Das(sites: ["hook_resid_post"], over: [Layer, Position], only: (positions: [2, 4]), dimensions: [2], boundless: (most: 5), steps: 30, batch: 3)"#;
    let data = random_pairs(&[5; 6], None);
    let run = |more: &str| findings(&question(&data, method, more), &load("gpt2")).remove(0);
    let (one, again, other) = (run(""), run(""), run("seed: 1"));
    assert_eq!(learned(&one), learned(&again));
    assert_ne!(learned(&one), learned(&other));
    let loss = &one.tables[0].facts["loss"];
    let numbers: Vec<f64> = loss.split([' ', ';']).filter_map(|word| word.parse().ok()).collect();
    assert!(numbers[1] < numbers[0] - 0.1, "{loss}");
    // nothing behind the last block is read but the last position
    assert!(one.tensors[0].1.contains_key("blocks.0.hook_resid_post.position_2.das_2"));
    let frame = &one.tensors[0].1["blocks.1.hook_resid_post.position_4.das_2"];
    let rows: Vec<Vec<f64>> =
        frame.1.chunks_exact(frame.0[1]).map(|row| row.iter().map(|value| f64::from(*value)).collect()).collect();
    let dot = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f64>();
    for (row, column) in [(0, 0), (1, 1), (0, 1)] {
        let expected = f64::from(u8::from(row == column));
        assert!((dot(&rows[row], &rows[column]) - expected).abs() < 1e-5, "{frame:?}");
    }
}
