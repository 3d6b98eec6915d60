//! Stitching: what torch and NumPy make of another model's states, a model that is stitched to itself, and its controls.

mod common;

use common::*;
use patchclamp::builtin;
use patchclamp::method::stitch::{Streams, joints};
use patchclamp::method::{Bench, Finding};
use patchclamp::model::load::Loaded;
use patchclamp::plan::{Guest, Named, Parts, Plan, Step, Stitching, Twofold};
use patchclamp::precision::Precision;
use patchclamp::run::run;
use patchclamp::spec::ModelSpec;
use patchclamp::steps::Steps;
use patchclamp::table::Row;
use std::rc::Rc;

/// The reference turns keys in f32, as `transformers` does whatever its weights are.
const IN_F32: f64 = 1e-5;

const GUEST: &str = "guest";

fn guest(loaded: Loaded) -> Guest {
    Guest { named: Named::Model(ModelSpec::Path(GUEST.into())), loaded: Rc::new(loaded) }
}

fn planned(data: &str, more: &str, loaded: &Loaded, other: Loaded) -> Result<Plan, String> {
    let method = format!("Stitch(from: Path({GUEST:?}), {more})");
    Plan::among(&experiment(&question(data, &method, "")), loaded, &[guest(other)]).map_err(|error| error.to_string())
}

fn stitching(plan: &mut Plan) -> &mut Stitching {
    let Step::Stitch(stitching) = &mut plan.steps[0] else { panic!("another method") };
    stitching
}

fn found(data: &str, more: &str, loaded: &Loaded, other: Loaded) -> Finding {
    let plan = planned(data, more, loaded, other).unwrap_or_else(|error| panic!("{error}"));
    run(&plan, loaded, &mut Steps::unkept(&mut ())).unwrap().findings.remove(0)
}

fn rows<'a>(finding: &'a Finding, method: &str, metric: &str) -> Vec<&'a Row> {
    finding.tables[0].rows.iter().filter(|row| row.method == method && row.metric == metric).collect()
}

#[test]
fn a_model_goes_on_from_mapped_states_as_it_does_in_torch() {
    let golden: serde_json::Value =
        serde_json::from_str(&std::fs::read_to_string(golden("stitch.json")).unwrap()).unwrap();
    let own = load_in("gpt2", Precision::F64);
    for (case, at) in [("all", vec![0, 1, 2, 3, 4]), ("last", vec![4])] {
        let other = load_in("pythia-parallel", Precision::F64);
        let more = r#"sites: ["hook_resid_pre"], held_out: (share: 0.3), penalties: [1]"#;
        let mut plan = planned(&golden_pairs(&golden), more, &own, other).unwrap();
        let twofold = |tokens: &serde_json::Value| {
            let tokens: Vec<u32> = serde_json::from_value(tokens.clone()).unwrap();
            let at = at.iter().map(|at| [*at; 2]).collect();
            Twofold { own: tokens.clone(), theirs: tokens, at, group: 0 }
        };
        let prompts = |name: &str| golden[name].as_array().unwrap().iter().map(twofold).collect::<Vec<_>>();
        let (fit, test) = (prompts("fit"), prompts("clean"));
        let stitching = stitching(&mut plan);
        (stitching.fit, stitching.test) = (fit, test);
        stitching.penalties = vec![golden["penalty"].as_f64().unwrap()];
        stitching.parts = Parts { fit: vec![], test: vec![0, 1, 2], apart: String::new() };
        let (model, statistics, metric) = (own.model.as_ref(), plan.experiment.statistics, plan.metric());
        let bench =
            Bench { model, text: None, items: &plan.items, features: &[], metric, statistics, seed: 0, rows: 2 };
        let Step::Stitch(stitching) = &plan.steps[0] else { panic!("another method") };
        let streams = Streams::record(&bench, stitching).unwrap();
        let joint = &joints(&bench, stitching, &streams, 1).unwrap()[1];
        let said = [&joint.mapped.metric, &joint.mapped.agreement, &joint.mapped.bits];
        for (name, said) in ["metric", "agreement", "bits"].iter().zip(said) {
            for (found, expected) in said.iter().zip(floats(&golden[case][name])) {
                assert!((found - expected).abs() < IN_F32, "{case} {name}: {found} {expected}");
            }
        }
    }
}

const NAMES: &str = r#"Templates(
    templates: ["{name} opened the door because", "{name} read a story when", "{name} wrote a note before"],
    clean: {"name": ["Mary", "Anna", "Emily", "Grace", "Helen", "Lucy", "Emma", "Alice"]},
    corrupt: {"name": ["John", "Peter", "George", "Henry", "James", "Oliver", "Thomas", "Arthur"]},
    right: " she", wrong: " he", both_ways: Yes,
)"#;

const BITS: &str = "KL to its own: bits";

#[test]
fn a_model_is_itself_without_a_map_and_nearly_so_through_one() {
    let organism = || builtin::load("organism", &[], &device()).unwrap();
    for more in ["layers: Same, held_out: (apart: Words)", "layers: Same, at: [Answer], held_out: (apart: Words)"] {
        let finding = found(NAMES, more, &organism(), organism());
        let [mapped, raw] = ["mapped", "unmapped"].map(|method| rows(&finding, method, "logit_diff"));
        assert_eq!((mapped.len(), raw.len()), (4, 4));
        for (mapped, raw) in mapped.iter().zip(&raw) {
            // its own states are put where they were
            assert!((raw.normalised.unwrap() - 1.0).abs() < 1e-6, "{raw:?}");
            assert!((mapped.normalised.unwrap() - 1.0).abs() < 0.05, "{mapped:?}");
        }
        for row in rows(&finding, "unmapped", BITS) {
            assert!(row.effect.abs() < 1e-6, "{row:?}");
        }
        for row in rows(&finding, "mapped", "agreement") {
            assert!(row.effect > 0.9, "{row:?}");
        }
    }
}

/// Every layer of the twin that has learned the grammar serves every layer here; its own random twin does not, nor do maps
/// learned from other prompts' states.
#[test]
fn a_trained_twin_serves_and_controls_do_not() {
    let [own, flat] = ["organism", "organism-flat"].map(|name| builtin::load(name, &[], &device()).unwrap());
    let finding = found(NAMES, "random_models: 2, held_out: (apart: Words)", &own, flat);
    let [mapped, shuffled, random] =
        ["mapped", "shuffled pairs", "random weights"].map(|method| rows(&finding, method, "logit_diff"));
    assert_eq!((mapped.len(), shuffled.len(), random.len()), (16, 16, 16));
    for ((mapped, shuffled), random) in mapped.iter().zip(&shuffled).zip(&random) {
        assert_eq!((&mapped.site, &mapped.site), (&shuffled.site, &random.site));
        assert!(mapped.normalised.unwrap() > 0.9, "{mapped:?}");
        assert!(shuffled.high.unwrap() < 0.7 * mapped.effect, "{shuffled:?}");
        assert!(random.high.unwrap() < 0.8 * mapped.effect, "{random:?}");
    }
    // what is tested is what the map does beyond one that has learned nothing
    let tested = rows(&finding, "mapped less shuffled pairs", "logit_diff");
    let ways = ["mapped", "shuffled pairs"].map(|method| rows(&finding, method, "logit_diff"));
    assert_eq!(tested.len(), ways[0].len());
    for ((row, mapped), shuffled) in tested.iter().zip(&ways[0]).zip(&ways[1]) {
        assert!((row.effect - (mapped.effect - shuffled.effect)).abs() < 1e-9, "{row:?}");
        assert!(row.p.unwrap() < 0.05 && row.low.unwrap() > 0.0, "{row:?}");
    }
    let [mapped, shuffled, random] =
        ["mapped", "shuffled pairs", "random weights"].map(|method| rows(&finding, method, BITS));
    for ((mapped, shuffled), random) in mapped.iter().zip(&shuffled).zip(&random) {
        assert!(mapped.effect < 0.1 * shuffled.effect.min(random.effect), "{mapped:?} {shuffled:?} {random:?}");
    }
}

/// The penalty is chosen within what is learned from: where states hold only noise about the others the largest is.
#[test]
fn penalties_are_chosen_by_what_the_states_tell() {
    let organism = || builtin::load("organism", &[], &device()).unwrap();
    let finding =
        found(NAMES, "layers: Same, penalties: [0.0001, 1000000], held_out: (apart: Words)", &organism(), organism());
    let told = &finding.tables[0].facts["penalties of joints"];
    assert_eq!(told, "0.0001 in 4");
    // under the other one nothing of the states is left, and the model says the same of every name
    let finding = found(NAMES, "layers: Same, penalties: [1e15], held_out: (apart: Words)", &organism(), organism());
    for row in rows(&finding, "mapped", "logit_diff") {
        assert!((row.normalised.unwrap() - 0.5).abs() < 0.2, "{row:?}");
    }
}

#[test]
fn what_cannot_be_stitched_is_refused() {
    let own = || load("gpt2");
    let data = random_pairs(&[5, 4, 5, 4, 6, 6], None);
    let refuses = |data: &str, more: &str, loaded: Loaded, other: Loaded, expected: &str| {
        let told = planned(data, more, &loaded, other).map(|_| ()).unwrap_err();
        assert!(told.contains(expected), "{told}\nshould say: {expected}");
    };
    refuses(&data, "penalties: [0]", own(), load("llama"), "methods[0].penalties: [0.0] are not numbers above 0");
    refuses(&data, "at: [9]", own(), load("llama"), "methods[0].at: position 9 does not exist");
    refuses(&data, r#"sites: ["mlp.hook_post"]"#, own(), load("llama"), "is not a stream of width");
    let organism = || builtin::load("organism", &[], &device()).unwrap();
    refuses(
        &data,
        "layers: Same",
        own(),
        organism(),
        "methods[0].layers: Same joins stream with stream, but there are 2 here and 4",
    );
    let expected = "methods[0].from: the two models have different tokens (token ";
    let Some(gpt2) = real_weights("gpt2") else { return };
    let gpt2 = || patchclamp::model::load::folder(&gpt2, &[], &device()).unwrap();
    refuses(NAMES, "", organism(), gpt2(), expected);
    refuses(NAMES, "at: [1]", organism(), gpt2(), expected);
    // last positions stand for each other whatever the tokens are
    let mut plan = planned(NAMES, "at: [Last]", &organism(), gpt2()).unwrap();
    let prompt = &stitching(&mut plan).test[0];
    assert_eq!(prompt.at, [[prompt.own.len() - 1, prompt.theirs.len() - 1]]);
    assert_ne!(prompt.own, prompt.theirs);
}

/// No prompt that is tested on is learned from, and inner folds keep together what the halves keep together.
#[test]
fn nothing_that_is_tested_on_is_learned_from() {
    let organism = || builtin::load("organism", &[], &device()).unwrap();
    let mut plan = planned(NAMES, "held_out: (apart: Words)", &organism(), organism()).unwrap();
    let stitching = stitching(&mut plan);
    let names =
        |prompts: &[Twofold]| prompts.iter().map(|prompt| prompt.own[1]).collect::<std::collections::BTreeSet<_>>();
    let (fit, test) = (names(&stitching.fit), names(&stitching.test));
    assert!(!fit.is_empty() && fit.is_disjoint(&test), "{fit:?} {test:?}");
    for one in &stitching.fit {
        for other in stitching.fit.iter().filter(|other| other.own[1] == one.own[1]) {
            assert_eq!(one.group, other.group);
        }
    }
    assert!(stitching.fit.iter().map(|prompt| prompt.group).collect::<std::collections::BTreeSet<_>>().len() > 2);
}
