//! Laws of answers that are sets of tokens, in every method that reads answers.

use super::common::*;
use patchclamp::method::Tensors;
use patchclamp::table::Row;

const METRICS: [&str; 5] = ["LogitDiff", "Logit", "LogProb", "Probability", "ProbabilityDiff"];
/// One method for each way that an answer is read.
const METHODS: &str = r#"Patch(sites: ["attn.hook_z"], over: [Layer, Head]), Ablate(sites: ["hook_mlp_out"], over: [Layer]),
    PathPatch(senders: Heads), LogitLens(), Knockout(from: [0], over: [Layer]), Mediate(mediators: Layers),
    Generate(tokens: 2), Record(sites: ["logits"], gradients: ["hook_embed"])"#;
/// Two orders of addition in f32, on gradients of a few units.
const TOLERANCE: f64 = 2e-5;

/// Two items with these answers, each written as RON.
fn data(first: [&str; 2], second: [&str; 2]) -> String {
    let pair = |clean: &str, corrupt: &str, [right, wrong]: [&str; 2]| {
        format!("(clean: {clean}, corrupt: {corrupt}, right: {right}, wrong: {wrong})")
    };
    format!("Pairs([{}, {}])", pair("[1, 9, 3]", "[1, 12, 3]", first), pair("[1, 30, 4]", "[1, 31, 4]", second))
}

/// Everything that the methods find, in words; nothing of what says how the metric is written.
fn all(case: &str, metric: &str, data: &str) -> String {
    let found = findings(&question(data, METHODS, &format!("metric: {metric}")), &load(case));
    let rows: Vec<&Row> = found
        .iter()
        .flat_map(|finding| finding.tables.iter().chain(&finding.items))
        .flat_map(|table| &table.rows)
        .collect();
    let tensors: Vec<_> = found.iter().flat_map(|finding| &finding.tensors).collect();
    format!("{rows:?} {tensors:?}")
}

#[test]
fn a_set_of_one_token_is_the_token() {
    for case in ["gpt2", "llama"] {
        for metric in METRICS {
            let token = all(case, metric, &data(["5", "6"], ["7", "8"]));
            let set = all(case, metric, &data(["(any_of: [5])", "6"], ["7", "(any_of: [8])"]));
            assert!(token == set, "{case} {metric}");
        }
    }
}

#[test]
fn the_order_of_a_set_changes_nothing() {
    for metric in METRICS {
        let one =
            all("gpt2", metric, &data(["(any_of: [5, 40, 7])", "(any_of: [6, 2])"], ["7", "(any_of: [8, 1, 3, 2])"]));
        let other =
            all("gpt2", metric, &data(["(any_of: [40, 7, 5])", "(any_of: [2, 6])"], ["7", "(any_of: [3, 2, 8, 1])"]));
        assert!(one == other, "{metric}");
        let fewer =
            all("gpt2", metric, &data(["(any_of: [40, 7])", "(any_of: [2, 6])"], ["7", "(any_of: [3, 2, 8, 1])"]));
        assert!(one != fewer, "{metric}");
    }
}

/// What recording keeps of the clean prompts under a metric, with these right answers.
fn recorded_with(metric: &str, right: [&str; 2]) -> Tensors {
    let text = question(
        &data([right[0], "2"], [right[1], "3"]),
        r#"Record(sites: ["logits"], gradients: ["hook_embed", "blocks.1.hook_resid_pre"])"#,
        &format!("metric: {metric}"),
    );
    findings(&text, &load("gpt2")).remove(0).tensors.remove(0).1
}

/// The gradients of two items at a site, as doubles.
fn slopes(tensors: &Tensors, site: &str) -> [Vec<f64>; 2] {
    let values: Vec<f64> = tensors[&format!("grad.{site}")].1.iter().map(|value| f64::from(*value)).collect();
    let (one, other) = values.split_at(values.len() / 2);
    [one.to_vec(), other.to_vec()]
}

/// p of some tokens behind an item.
fn probabilities(tensors: &Tensors, item: usize, tokens: &[usize]) -> Vec<f64> {
    let (shape, values) = &tensors["logits"];
    let (positions, vocabulary) = (shape[1], shape[2]);
    let last = &values[(item * positions + positions - 1) * vocabulary..][..vocabulary];
    let total: f64 = last.iter().map(|logit| f64::from(*logit).exp()).sum();
    tokens.iter().map(|token| f64::from(last[*token]).exp() / total).collect()
}

#[test]
fn the_slope_of_a_set_is_that_of_a_sum_of_probabilities() {
    // sets of two sizes in one batch, so that the shorter one is filled up
    let sets: [&[usize]; 2] = [&[5, 7, 40], &[6]];
    for metric in ["Probability", "LogProb", "Logit"] {
        let single = if metric == "Logit" { "Logit" } else { "Probability" };
        let whole = recorded_with(metric, ["(any_of: [5, 7, 40])", "(any_of: [6])"]);
        let singles = ["5", "7", "40"].map(|token| recorded_with(single, [token, "6"]));
        for site in ["hook_embed", "blocks.1.hook_resid_pre"] {
            for (item, set) in sets.iter().enumerate() {
                let p = probabilities(&whole, item, set);
                let total: f64 = p.iter().sum();
                let weight = |index: usize| match metric {
                    "Probability" => 1.0,
                    "LogProb" => 1.0 / total,
                    _ => p[index] / total,
                };
                let found = &slopes(&whole, site)[item];
                for (at, found) in found.iter().enumerate() {
                    let parts = (0..set.len()).map(|index| weight(index) * slopes(&singles[index], site)[item][at]);
                    let expected: f64 = parts.sum();
                    assert!((found - expected).abs() < TOLERANCE, "{metric} {site} {item} {at}: {found}, {expected}");
                }
                assert!(found.iter().any(|slope| slope.abs() > 1e-3), "{metric} {site}: no slope");
            }
        }
    }
}

/// Every row reads as many columns as the longest one, whichever stands first.
#[test]
fn an_item_in_a_batch_is_the_item_alone_however_large_its_sets() {
    let pair = |clean: &str, corrupt: &str, right: &str, wrong: &str| {
        format!("(clean: {clean}, corrupt: {corrupt}, right: {right}, wrong: {wrong})")
    };
    let items = [
        pair("[1, 9, 3]", "[1, 12, 3]", "5", "6"),
        pair("[1, 30, 4]", "[1, 31, 4]", "(any_of: [5, 7, 40])", "(any_of: [6, 2])"),
        pair("[2, 30, 4]", "[2, 31, 4]", "8", "(any_of: [1, 2, 3])"),
    ];
    let effects = |order: &[usize]| -> Vec<Vec<f64>> {
        let data: Vec<&str> = order.iter().map(|item| items[*item].as_str()).collect();
        let method = r#"Patch(sites: ["hook_resid_pre"], over: [Layer, Position])"#;
        let found = findings(&question(&format!("Pairs([{}])", data.join(", ")), method, ""), &load("gpt2"));
        let rows = &found[0].items[0].rows;
        let of = |item| rows.iter().filter(|row| row.item == Some(item)).map(|row| row.effect).collect();
        (0..order.len()).map(of).collect()
    };
    let alone = [0, 1, 2].map(|item| effects(&[item]).remove(0));
    for order in [[0, 1, 2], [1, 0, 2], [2, 0, 1]] {
        for (item, found) in order.iter().zip(effects(&order)) {
            assert!(!found.is_empty() && found.len() == alone[*item].len());
            let apart = found.iter().zip(&alone[*item]).map(|(a, b)| (a - b).abs()).fold(0.0, f64::max);
            assert!(apart < TOLERANCE, "item {item} in {order:?}: {apart}");
        }
    }
}
