//! Planted: directions that are known beforehand are found, and none where there is nothing.

use super::common::*;
use super::{bench, searched};
use patchclamp::builtin;
use patchclamp::compile::compile;
use patchclamp::method::das::{Fit, Here, Swaps, Value};
use patchclamp::plan::Plan;
use patchclamp::precision::Precision;
use patchclamp::program::{Name, Task};
use patchclamp::spec::Loss;
use patchclamp::table::Row;
use patchclamp::tensor::{Setting, to_doubles};

const NAMES: &str = r#"Templates(
    templates: ["{name} opened the door because", "{name} read a story when"],
    clean: {"name": ["Mary", "Anna", "Emily", "Grace", "Helen", "Lucy"]},
    corrupt: {"name": ["John", "Peter", "George", "Henry", "James", "Oliver"]},
    right: " she", wrong: " he", both_ways: Yes,
)"#;

fn found<'a>(rows: &'a [Row], method: &str, metric: &str, layer: usize) -> &'a Row {
    let own = |row: &&Row| row.method == method && row.metric == metric && row.layer == Some(layer);
    rows.iter().find(own).unwrap_or_else(|| panic!("no {method}, {metric}"))
}

/// Patching finds gender at the answer's token behind every block, and at the name before the first head that reads it; one
/// direction is enough for names that were not learned from, and random ones do nothing.
#[test]
fn one_direction_carries_gender_where_patching_finds_it() {
    let method = r#"Das(sites: ["hook_resid_post"], over: [Layer], only: (positions: [5], layers: [0, 2]), steps: 50, held_out: (apart: Words)),
        Das(sites: ["hook_resid_post"], over: [Layer], only: (positions: [3], layers: [0, 2]), steps: 10, held_out: (apart: Words))"#;
    let findings = findings(&question(NAMES, method, ""), &builtin::load("organism", &[], &device()).unwrap());
    let accuracy = |finding: usize, method: &str, layer: usize| {
        found(&findings[finding].tables[0].rows, method, "interchange_accuracy", layer).effect
    };
    for layer in [0, 2] {
        let (learned, whole) = (accuracy(0, "DAS", layer), accuracy(0, "whole vector", layer));
        assert!(whole == 1.0 && learned >= 0.95 * whole, "layer {layer}: {learned} {whole}");
        assert!(accuracy(0, "random", layer) < 0.05);
        let effect = |method| found(&findings[0].tables[0].rows, method, "logit_diff", layer);
        let (learned, random) = (effect("DAS"), effect("random"));
        assert!(
            learned.normalised.unwrap() > 0.7 && learned.low.unwrap() > random.high.unwrap(),
            "{learned:?} {random:?}"
        );
        assert!(random.normalised.unwrap().abs() < 0.05 && random.p.is_none(), "{random:?}");
        // at a token between, patching finds nothing
        assert!(accuracy(1, "DAS", layer) <= accuracy(1, "whole vector", layer) + 0.05, "layer {layer}");
    }
    let facts = &findings[0].tables[0].facts;
    assert_eq!(facts["accuracy, nothing exchanged"], "0.0000; the source run's own: 1.0000");
    assert_eq!(facts["items"], "12 held out, 12 learned from; apart: tokens by which the prompts of a pair differ");
    // items keep their numbers
    let held: std::collections::BTreeSet<usize> = findings[0].items[0].rows.iter().filter_map(|row| row.item).collect();
    assert!(held.len() == 12 && held.iter().any(|item| *item > 11), "{held:?}");
}

/// Of an exclusive or the answer hangs on neither bit alone, so that among all pairs its own direction is the only one that is
/// worth anything: that which the unembedding reads.
#[test]
fn the_direction_of_a_compiled_variable_is_found_and_none_where_it_is_not() {
    let task = Task { program: Name::Xor, symbols: None, length: None, beside: Vec::new() };
    let setting = Setting { device: device(), precision: Precision::F64 };
    let loaded = compile(&task).unwrap().load(&[], setting).unwrap();
    let last = loaded.model.dims().layers - 1;
    let text = |position: usize| {
        let das = format!(
            r#"Das(sites: ["blocks.{last}.hook_resid_post"], over: [Position], only: (positions: [{position}]))"#
        );
        format!(r#"(question: "?", model: Compiled(program: Xor), data: Program(items: 8), methods: [{das}])"#)
    };
    let fitted = |position: usize| {
        let plan = Plan::new(&experiment(&text(position)), &loaded).unwrap_or_else(|error| panic!("{error}"));
        let (bench, taped) = (bench(&plan, &loaded), loaded.model.on_tape());
        let swaps = Swaps::of(&bench, &(0..plan.items.len()).collect::<Vec<_>>());
        let here = Here::record(&bench, taped.as_ref(), &searched(&plan).sweep.cells[0], &swaps).unwrap();
        let width = here.differences().ncols();
        let fit = Fit { shape: [1, width], boundless: None, steps: 200, rate: 0.1, batch: 64, seed: (0, 0) };
        let mut state = fit.begin();
        for _ in 0..fit.steps {
            let chosen = fit.draw(&state, swaps.all.len());
            let cost = here.cost(&chosen, (&fit.span(&state), None), Loss::Metric).unwrap();
            fit.step(&mut state, &cost);
        }
        let own = fit.found(&state);
        let tried = here.exchanged(&[Some(own.clone()), None]).unwrap();
        let accuracy = |values: &[Value]| values.iter().map(|value| value.preferred).sum::<f64>() / values.len() as f64;
        let answers = plan.items[0].answers.clone().unwrap();
        (own, accuracy(&tried[0]), accuracy(&tried[1]), state.losses.unwrap(), [answers.right[0], answers.wrong[0]])
    };
    let (own, learned, whole, _, answers) = fitted(2);
    let unembedding = loaded.model.unembedding().weight;
    let (vocabulary, values) = (unembedding.dims()[1], to_doubles(&unembedding));
    let column =
        |token: u32| (0..own.ncols()).map(|row| values[row * vocabulary + token as usize]).collect::<Vec<f64>>();
    let true_direction: Vec<f64> = column(answers[0]).iter().zip(column(answers[1])).map(|(a, b)| a - b).collect();
    let length = true_direction.iter().map(|value| value * value).sum::<f64>().sqrt();
    let cosine = own.row(0).iter().zip(&true_direction).map(|(own, other)| own * other).sum::<f64>() / length;
    assert!(cosine.abs() > 0.99, "{cosine}");
    assert_eq!([learned, whole], [1.0, 1.0]);
    // the first bit's own token knows nothing of the answer
    let (_, learned, whole, [first, loss], _) = fitted(1);
    assert_eq!([learned, whole], [0.0, 0.0]);
    assert_eq!(first, loss);
}
