//! Effects and restored probabilities against independent implementations, and against figures that the authors published.

use super::common::*;
use patchclamp::method::Bench;
use patchclamp::method::effects::{Effects, Odds, relative};
use patchclamp::method::trace::trace;
use patchclamp::model::load::{Loaded, folder};
use patchclamp::plan::{Plan, Step};
use patchclamp::steps::Steps;
use patchclamp::table::Row;
use serde_json::Value;
use std::path::{Path, PathBuf};

/// Two implementations in f32 that add in different orders. Odds are e to the power of logits, so that effects agree
/// relative to themselves.
const TOLERANCE: f64 = 1e-5;
/// The same for the odds of a trained model, which are thousands: logits of some tens, to seven digits.
const OF_THOUSANDS: f64 = 5e-5;

fn json(name: &str) -> Value {
    serde_json::from_str(&std::fs::read_to_string(golden(name)).unwrap()).unwrap()
}

fn number(value: &Value) -> f64 {
    value.as_f64().unwrap()
}

fn assert_close(found: f64, expected: f64, tolerance: f64, what: &str) {
    assert!((found - expected).abs() <= tolerance * (1.0 + expected.abs()), "{what}: {found}, expected {expected}");
}

/// A model of the goldens, or of the real weights beside the checkout.
fn model(case: &str) -> Option<Loaded> {
    match case {
        "stories260K" => real_weights(case).map(|path| folder(&path, &[], &device()).unwrap()),
        _ => Some(load(case)),
    }
}

/// An item of mediation.json as RON: tokens, or text where the golden was made from text.
fn pair(item: &Value) -> String {
    let subject: Vec<u64> = (item["subject"][0].as_u64().unwrap()..item["subject"][1].as_u64().unwrap()).collect();
    let prompt = |name: &str| item.get(format!("{name}_text")).unwrap_or(&item[name]).to_string();
    let subject = if item.get("clean_text").is_some() { "\"girl\"".to_string() } else { format!("{subject:?}") };
    format!(
        "(clean: {}, corrupt: {}, right: {}, wrong: {}, subject: {subject})",
        prompt("clean"),
        prompt("corrupt"),
        item["right"],
        item["wrong"]
    )
}

#[test]
fn effects_are_those_of_whole_runs_with_torch_hooks() {
    let methods = [
        ("heads", "Mediate(mediators: Heads)"),
        ("layers", "Mediate(mediators: Layers)"),
        ("model", "Mediate(mediators: Model)"),
        ("mlp_layers", "Mediate(mediators: Neurons(over: [Layer]))"),
        (
            "mlp_neurons",
            "Mediate(mediators: Neurons(), only: (neurons: [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23]))",
        ),
    ];
    for (case, items) in json("mediation.json").as_object().unwrap() {
        let Some(loaded) = model(case) else { continue };
        let tolerance = if case == "stories260K" { OF_THOUSANDS } else { TOLERANCE };
        let items = items.as_array().unwrap();
        let data = format!("Pairs([{}])", items.iter().map(pair).collect::<Vec<_>>().join(", "));
        let all: Vec<&str> = methods.iter().map(|(_, method)| *method).collect();
        let (plan, outcome) = carry_out(&question(&data, &all.join(", "), ""), &loaded);
        for (item, expected) in items.iter().enumerate() {
            assert_eq!(serde_json::json!(plan.items[item].clean), expected["clean"]);
            for ((name, _), finding) in methods.iter().zip(&outcome.findings) {
                let what = format!("{case} item {item} {name}");
                let rows: Vec<&Row> = finding.items[0].rows.iter().filter(|row| row.item == Some(item)).collect();
                let of = |metric: &str| {
                    rows.iter().filter(|row| row.metric == metric).map(|row| row.effect).collect::<Vec<_>>()
                };
                let effects = &expected["effects"];
                let places = leaves(&effects[*name]);
                assert_eq!(
                    (of("NIE").len(), of("NDE").len(), of("TE").len()),
                    (places.len(), places.len(), 1),
                    "{what}"
                );
                let total = number(&effects["TE"]);
                assert_close(of("TE")[0], total, tolerance, &what);
                for (at, [indirect, direct]) in places.iter().enumerate() {
                    assert_close(of("NIE")[at], *indirect, tolerance, &format!("{what} {at} NIE"));
                    assert_close(of("NDE")[at], *direct, tolerance, &format!("{what} {at} NDE"));
                    let scale = 1.0 + total.abs() + indirect.abs() + direct.abs();
                    assert!((of("gap")[at] - (total - indirect - direct)).abs() <= tolerance * scale, "{what} gap");
                }
            }
        }
    }
}

/// The innermost lists, which are NIE and NDE.
fn leaves(value: &Value) -> Vec<[f64; 2]> {
    let list = value.as_array().unwrap();
    match list[0].is_number() {
        true => vec![[number(&list[0]), number(&list[1])]],
        false => list.iter().flat_map(leaves).collect(),
    }
}

/// A trace with the noise of the goldens.
fn traced(loaded: &Loaded, data: &str) -> (Plan, patchclamp::method::Finding) {
    let text = question(data, "Trace(window: 3, copies: 3)", "");
    let plan = Plan::new(&experiment(&text), loaded).unwrap_or_else(|error| panic!("{error}"));
    let bench = Bench {
        model: loaded.model.as_ref(),
        text: loaded.text.as_ref(),
        items: &plan.items,
        features: &[],
        metric: plan.metric(),
        statistics: plan.experiment.statistics,
        seed: 0,
        rows: 8,
    };
    let formula = |item: usize, copy: usize, [tokens, width]: [usize; 2]| {
        let value =
            |token: usize, channel: usize| 1.5 * ((1 + 3 * item + 5 * copy + 7 * token + 11 * channel) as f64).sin();
        (0..tokens).flat_map(|token| (0..width).map(move |channel| value(token, channel))).collect()
    };
    let Step::Trace(tracing) = &plan.steps[0] else { panic!("a trace was asked for") };
    let finding = trace(&bench, tracing, &formula, &mut Steps::unkept(&mut ())).unwrap();
    (plan, finding)
}

fn fact_of(item: &Value) -> String {
    match item.get("text") {
        Some(text) => format!("(prompt: {text}, subject: {})", item["words"]),
        None => {
            let [start, end] = [0, 1].map(|at| item["subject"][at].as_u64().unwrap());
            format!("(prompt: {}, subject: {:?})", item["prompt"], (start..end).collect::<Vec<_>>())
        }
    }
}

#[test]
fn restored_probabilities_are_those_of_whole_runs_with_torch_hooks() {
    for (case, expected) in json("tracing.json").as_object().unwrap() {
        let Some(loaded) = model(case) else { continue };
        let items = expected["items"].as_array().unwrap();
        // one by one, so that the table by tokens has every position; the noise and sigma are those of all
        let data = format!("Facts([{}])", items.iter().map(fact_of).collect::<Vec<_>>().join(", "));
        let (plan, finding) = traced(&loaded, &data);
        let sigma: f64 =
            finding.tables[0].facts["noise"].split("σ = ").nth(1).unwrap().split(',').next().unwrap().parse().unwrap();
        assert_close(sigma, number(&expected["sigma"]), 1e-4, case);
        for (index, item) in items.iter().enumerate() {
            let what = format!("{case} item {index}");
            assert_eq!(serde_json::json!(plan.items[index].clean), item["prompt"], "{what}");
            let rows: Vec<&Row> = finding.items[0].rows.iter().filter(|row| row.item == Some(index)).collect();
            let corrupted = number(&item["corrupted"]);
            let total = rows.iter().find(|row| row.metric == "TE").unwrap().effect;
            assert_close(total, number(&item["clean"]) - corrupted, TOLERANCE, &what);
            for row in rows.iter().filter(|row| row.metric == "IE") {
                let restored = &item["restored"][row.site.as_ref().unwrap()][row.layer.unwrap()];
                let positions = positions(row.position.unwrap(), &plan.items[index]);
                let mean = positions.iter().map(|at| number(&restored[*at])).sum::<f64>() / positions.len() as f64;
                assert_close(row.effect, mean - corrupted, TOLERANCE, &format!("{what} {row:?}"));
            }
            // every role that the prompt has, for three sites in every layer
            let roles = (0..6).filter(|role| !positions(*role, &plan.items[index]).is_empty()).count();
            assert_eq!(rows.len() - 1, roles * 3 * loaded.model.dims().layers, "{what}");
        }
    }
}

/// The positions of a role, written down apart from the program's own.
fn positions(role: usize, item: &patchclamp::plan::Item) -> Vec<usize> {
    let (subject, last) = (item.subject.clone().unwrap(), item.clean.len() - 1);
    let all = 0..item.clean.len();
    let is = |at: &usize| match role {
        0 => *at == subject.start,
        1 => subject.start < *at && *at + 1 < subject.end,
        2 => *at + 1 == subject.end,
        3 => *at == subject.end,
        4 => subject.end < *at && *at < last,
        _ => *at == last,
    };
    all.filter(is).collect()
}

/// A file of the authors of causal mediation; says loudly where there is none.
fn published(name: &str) -> Option<Value> {
    let folder = shared(Path::new("data/vig-causal-mediation"))?;
    let path: PathBuf = folder.join(format!("attention_intervention_{name}.json"));
    Some(serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap())
}

/// One item of the authors' file: ratios from the probabilities of its candidates, and the published change of the
/// ratio under each intervention.
fn published_item(item: &Value, indirect: f64, direct: f64) -> Effects {
    let odds = |when: &str| {
        number(&item[format!("candidate2_{when}_prob")]) / number(&item[format!("candidate1_{when}_prob")])
    };
    let (clean, corrupt) = (odds("base"), odds("alt"));
    let changed = |effect: f64| clean * (1.0 + effect);
    Effects::of(Odds { clean, corrupt, carried: changed(indirect), held: changed(direct) })
}

#[test]
fn the_published_effects_of_attention_in_gpt2_come_out_of_the_published_probabilities() {
    // Vig et al. 2020: total, indirect and direct effect, to three decimals
    let published_means = [
        ("gpt2_filtered_dev", 87, Some([0.249, 0.182, 0.079])),
        ("distilgpt2_filtered_dev", 61, Some([0.118, 0.033, 0.087])),
        // of Winogender the files alone have them
        ("bls_gpt2_filtered", 21, None),
        ("bls_distilgpt2_filtered", 15, None),
    ];
    for (name, count, means) in published_means {
        let Some(file) = published(name) else { return };
        let items: Vec<Effects> = file["results"]
            .as_array()
            .unwrap()
            .iter()
            .map(|item| {
                let [indirect, direct] =
                    ["indirect", "direct"].map(|effect| number(&item[format!("{effect}_effect_model")]));
                let effects = published_item(item, indirect, direct);
                assert_close(effects.total, number(&item["total_effect"]), 1e-9, name);
                assert!((effects.gap() - (number(&item["total_effect"]) - indirect - direct)).abs() < 1e-9, "{name}");
                effects
            })
            .collect();
        assert_eq!((items.len(), &file["num_examples_analyzed"]), (count, &count.into()), "{name}");
        let found = Effects::mean(&items);
        let exact = ["mean_total_effect", "mean_model_indirect_effect", "mean_model_direct_effect"]
            .map(|key| number(&file[key]));
        let found = [found.total, found.indirect, found.direct];
        for (effect, (found, exact)) in found.into_iter().zip(exact).enumerate() {
            assert_close(found, exact, 1e-9, name);
            let rounded = means.map_or(exact, |means| means[effect]);
            assert!((found - rounded).abs() <= 0.0005, "{name}: {found}, published {rounded}");
        }
    }
    assert_eq!(relative(3.0, 2.0), 0.5);
}

/// A float of six digits and one of sixteen, both through a softmax of logits of a few units.
const OF_SETS: f64 = 1e-5;

#[test]
fn sets_of_answers_are_sums_of_probabilities_in_torch() {
    let golden = json("sets.json");
    let set = |name: &str, item: usize| format!("(any_of: {})", golden[name][item]);
    let pair = |item: usize| {
        let (clean, corrupt) = (&golden["clean"][item], &golden["corrupt"][item]);
        format!("(clean: {clean}, corrupt: {corrupt}, right: {}, wrong: {})", set("right", item), set("wrong", item))
    };
    let data = format!("Pairs([{}, {}])", pair(0), pair(1));
    let patch = r#"Patch(sites: ["hook_resid_pre"], over: [Layer, Position])"#;
    for (case, expected) in golden["models"].as_object().unwrap() {
        for metric in ["LogitDiff", "Logit", "LogProb", "Probability", "ProbabilityDiff"] {
            let found = findings(&question(&data, patch, &format!("metric: {metric}")), &load(case));
            for row in &found[0].items[0].rows {
                let (layer, position, item) = (row.layer.unwrap(), row.position.unwrap(), row.item.unwrap());
                let value = |of: &serde_json::Value| of[metric][item].as_f64().unwrap();
                let effect = value(&expected["patched"][layer][position]) - value(&expected["corrupt"]);
                assert!((row.effect - effect).abs() < OF_SETS, "{case} {metric} {row:?}: torch gives {effect}");
            }
        }
    }
}
