//! Tuned lens: at zero it is the logit lens, given translators read what torch reads, and what is learned holds on other items.

mod common;

use common::*;
use patchclamp::builtin;
use patchclamp::method::tuned_lens::{Fit, State, Streams, Translator, read};
use patchclamp::method::{Bench, Finding};
use patchclamp::model::load::Loaded;
use patchclamp::plan::{Parts, Plan, Step, TunedLens};
use patchclamp::precision::Precision;
use patchclamp::site::Site;
use patchclamp::table::Row;
use patchclamp::tensor::from_doubles;

/// What sums in f64 leave, of logits below ten.
const IN_F64: f64 = 1e-9;
/// The same where the reference computes its norms in f32, as Llama's of `transformers` does whatever its weights are.
const IN_F32: f64 = 1e-5;

fn planned(data: &str, loaded: &Loaded) -> Plan {
    Plan::new(&experiment(&question(data, "TunedLens()", "")), loaded).unwrap_or_else(|error| panic!("{error}"))
}

fn lens(plan: &Plan) -> &TunedLens {
    let Step::TunedLens(lens) = &plan.steps[0] else { panic!("another method") };
    lens
}

fn bench<'a>(plan: &'a Plan, loaded: &'a Loaded) -> Bench<'a> {
    let (model, statistics) = (loaded.model.as_ref(), plan.experiment.statistics);
    Bench { model, text: None, items: &plan.items, features: &[], metric: plan.metric(), statistics, seed: 0, rows: 2 }
}

#[test]
fn a_given_translator_reads_what_torch_reads() {
    let golden: serde_json::Value =
        serde_json::from_str(&std::fs::read_to_string(golden("das.json")).unwrap()).unwrap();
    for case in ["gpt2", "llama"] {
        let loaded = load_in(case, Precision::F64);
        let plan = planned(&golden_pairs(&golden), &loaded);
        let (expected, setting) = (&golden["models"][case]["lens"], loaded.model.setting());
        let rows: Vec<f64> = expected["weight"].as_array().unwrap().iter().flat_map(floats).collect();
        let width = loaded.model.dims().d_model;
        let weight = from_doubles(rows, [width, width], &setting).transpose();
        let translator = Translator::new(weight, from_doubles(floats(&expected["bias"]), [1, width], &setting));
        // all items are read
        let parts = Parts { fit: vec![0], test: vec![0, 1, 2], apart: String::new() };
        let own = TunedLens { parts, ..lens(&plan).clone() };
        let [_, tuned, _] = read(&bench(&plan, &loaded), &own, Site::ResidPost(0), &translator).unwrap();
        let near = if case == "llama" { IN_F32 } else { IN_F64 };
        for (name, found) in ["metric", "bits", "agreement"].iter().zip(&tuned) {
            for (found, expected) in found.iter().zip(floats(&expected[name])) {
                assert!((found - expected).abs() < near, "{case} {name}: {found} {expected}");
            }
        }
    }
}

fn rows<'a>(finding: &'a Finding, method: &str, metric: &str) -> Vec<&'a Row> {
    finding.tables[0].rows.iter().filter(|row| row.method == method && row.metric == metric).collect()
}

#[test]
fn a_translator_of_zeros_is_the_logit_lens_to_the_bit() {
    for case in ["gpt2", "llama", "opt-behind", "bert"] {
        let loaded = load(case);
        let data = random_pairs(&[5, 4, 5, 4], (case == "bert").then_some(2));
        let plan = planned(&data, &loaded);
        let zero = State::new(loaded.model.dims().d_model).translator(2.0, &loaded.model.setting());
        for site in &lens(&plan).sites {
            let [logit, tuned, last] = read(&bench(&plan, &loaded), lens(&plan), *site, &zero).unwrap();
            assert_eq!(logit, tuned, "{case} {site}");
            assert_eq!(*site == loaded.model.last_stream(), logit == last, "{case} {site}");
        }
        // and the logit lens is the method of that name, at the answer
        let found = findings(&question(&data, "LogitLens(), TunedLens(steps: 1)", ""), &loaded);
        let values = |finding: &Finding, method: &str| -> Vec<(Option<usize>, Option<usize>, u64)> {
            let items = finding.items[0].rows.iter().filter(|row| row.method == method && row.metric == "logit_diff");
            items.map(|row| (row.layer, row.item, row.effect.to_bits())).collect()
        };
        let alone = values(&found[0], "logit_lens");
        let beside = values(&found[1], "logit lens");
        assert!(!beside.is_empty() && beside.iter().all(|value| alone.contains(value)), "{case}: {beside:?} {alone:?}");
    }
}

#[test]
fn slopes_lead_down_and_a_fit_comes_again() {
    let loaded = load_in("llama", Precision::F64);
    let plan = planned(&random_pairs(&[5, 4, 5, 4], None), &loaded);
    let (bench, taped) = (bench(&plan, &loaded), loaded.model.on_tape());
    let streams = Streams::record(&bench, taped.as_ref(), lens(&plan)).unwrap();
    let fit = Fit { steps: 60, rate: 0.02, batch: 7, seed: (3, 1) };
    let fitted = || {
        let mut state = State::new(loaded.model.dims().d_model);
        (0..fit.steps).for_each(|_| streams.step(Site::ResidPost(0), &fit, &mut state).unwrap());
        state
    };
    let (one, again) = (fitted(), fitted());
    assert_eq!(one, again);
    let [first, last] = one.losses.unwrap();
    assert!(last < 0.5 * first, "{first} {last}");
}

const NAMES: &str = r#"Templates(
    templates: ["{name} opened the door because", "{name} read a story when", "{name} wrote a note before"],
    clean: {"name": ["Mary", "Anna", "Emily", "Grace", "Helen", "Lucy"]},
    corrupt: {"name": ["John", "Peter", "George", "Henry", "James", "Oliver"]},
    right: " she", wrong: " he", both_ways: Yes,
)"#;

const BITS: &str = "KL to the last layer: bits";

/// On names and, in another run, on sentences that were not learned from.
#[test]
fn on_items_held_out_the_tuned_lens_is_no_worse_and_the_last_layer_needs_none() {
    let loaded = builtin::load("organism", &[], &device()).unwrap();
    let method = "TunedLens(steps: 100, held_out: (apart: Words)), TunedLens(steps: 100, held_out: (share: 0.3, apart: Label(\"template\")))";
    for finding in findings(&question(NAMES, method, ""), &loaded) {
        let (logit, tuned) = (rows(&finding, "logit lens", BITS), rows(&finding, "tuned lens", BITS));
        assert_eq!((logit.len(), tuned.len()), (4, 4));
        for (logit, tuned) in logit.iter().zip(&tuned) {
            assert!(tuned.effect <= logit.effect, "{logit:?} {tuned:?}");
            assert_eq!(logit.layer == Some(3), logit.effect == 0.0 && tuned.effect == 0.0, "{logit:?} {tuned:?}");
        }
        // behind the first block there is much to gain
        assert!(tuned[0].effect < 0.5 * logit[0].effect, "{:?} {:?}", tuned[0], logit[0]);
        let gained = rows(&finding, "tuned lens", "KL less by the tuned lens: bits");
        assert!((gained[0].effect - (logit[0].effect - tuned[0].effect)).abs() < IN_F64);
        assert!(gained[0].low.unwrap() > 0.0, "{:?}", gained[0]);
        let tensors = &finding.tensors[0].1;
        assert!(tensors["blocks.3.hook_resid_post.weight"].1.iter().all(|value| *value == 0.0));
        assert!(tensors["blocks.0.hook_resid_post.weight"].1.iter().any(|value| *value != 0.0));
    }
}
