//! Students: losses are those of torch, an untrained one is its teacher, and what was learned is learned.

use super::common::{DECODERS, ENCODERS, assert_close, bits, device, golden, logits, question, random_tokens};
use super::{experiment, fresh, organism, pairs, planned, treated};
use patchclamp::model::Model;
use patchclamp::model::family::{self, Config};
use patchclamp::model::load::folder;
use patchclamp::model::weights::Weights;
use patchclamp::plan::Plan;
use patchclamp::spec::Treatment;
use patchclamp::tensor::{Tensor, backward, from_floats, on_tape, to_floats};
use patchclamp::text::Padding;
use patchclamp::train::losses::{cross_entropy, divergence, turned_away};
use patchclamp::treat::{self, Ledger, Recipe, Step, Texts, save::write, shortened::shortened};

/// Of f32 sums in another order.
const TOLERANCE: f64 = 1e-5;

fn expected() -> serde_json::Value {
    serde_json::from_str(&std::fs::read_to_string(golden("distil.json")).unwrap()).unwrap()
}

fn matrix(case: &serde_json::Value, name: &str, width: usize) -> Tensor<2> {
    let values: Vec<f32> = super::common::floats(&case[name]).into_iter().map(|value| value as f32).collect();
    let rows = values.len() / width;
    from_floats(values, [rows, width], &device())
}

#[test]
fn losses_and_their_slopes_are_those_of_torch() {
    for case in expected()["cases"].as_array().unwrap() {
        let [classes, width] = [1, 2].map(|at| case["shape"][at].as_u64().unwrap() as usize);
        let leaf = |name, width| on_tape(matrix(case, name, width)).require_grad();
        let (student, own) = (leaf("student", classes), leaf("own", width));
        let targets = super::common::floats(&case["targets"]).into_iter().map(|target| target as i32).collect();
        let temperature = case["temperature"].as_f64().unwrap();
        let told = [
            ("divergence", divergence(matrix(case, "teacher", classes), student.clone(), temperature), &student),
            ("cross_entropy", cross_entropy(student.clone(), targets), &student),
            ("turned_away", turned_away(matrix(case, "states", width), own.clone()), &own),
        ];
        for (name, loss, leaf) in told {
            let wanted = case["losses"][name].as_f64().unwrap();
            let found = f64::from(to_floats(&loss)[0]);
            assert!((found - wanted).abs() < TOLERANCE, "{name}: {found} {wanted}");
            let slopes = to_floats(&leaf.grad(&backward(&loss)).unwrap());
            for (found, wanted) in slopes.iter().zip(super::common::floats(&case["slopes"][name])) {
                assert!((f64::from(*found) - wanted).abs() < TOLERANCE, "{name}: {found} {wanted}");
            }
        }
    }
}

/// A step on texts that are given.
fn recipe(distil: &str, rows: Vec<Vec<u32>>) -> Recipe {
    let text = question(&pairs(), "LogitLens()", &format!("treat: [Distil({distil})]"));
    let treatment: Treatment = experiment(&text).treat.remove(0);
    let texts = Texts { rows, ..Texts::default() };
    Recipe { steps: vec![Step { treatment, parts: Default::default(), texts }], seed: 0, merged: Vec::new() }
}

fn taught(case: &str, recipe: &Recipe) -> (Box<dyn Model>, Ledger) {
    let mut opened = fresh(case);
    let ledger = treat::apply(opened.model(), recipe, &[], 32.0).unwrap();
    (opened.into_model(), ledger)
}

/// Nine texts that are alike, and this one, which alone can be the tenth that nothing is learned from.
fn one_of_ten(text: Vec<u32>) -> Vec<Vec<u32>> {
    let mut rows = vec![text[1..].to_vec(); 9];
    rows.push(text);
    rows
}

#[test]
fn the_loss_of_a_student_is_that_of_transformers() {
    for student in expected()["students"].as_array().unwrap() {
        let tokens: Vec<u32> =
            super::common::floats(&student["tokens"]).into_iter().map(|token| token as u32).collect();
        let distil = format!("layers: These([{}]), steps: 0, lambda: 0.4, mu: 0.2, temperature: 2", student["layer"]);
        // one text in ten is not trained on, and told of: the one that is like no other
        let (_, ledger) = taught(student["model"].as_str().unwrap(), &recipe(&distil, one_of_ten(tokens)));
        let lesson = &ledger.lessons[0];
        for (name, told) in [("loss", lesson.loss), ("divergence", lesson.divergence)] {
            let ([found, again], wanted) = (told.unwrap(), student[name].as_f64().unwrap());
            assert!((found - wanted).abs() < TOLERANCE && found == again, "{student}: {name} {found}");
        }
    }
}

#[test]
fn a_student_of_all_layers_without_a_step_is_its_teacher() {
    let tokens = random_tokens(&[6, 4], Padding::Right);
    for case in DECODERS.iter().chain(&ENCODERS) {
        let layers = fresh(case).model().dims().layers;
        let distil = format!("Distil(layers: Spread({layers}), steps: 0, lambda: 0)");
        let (student, ledger) = treated(&distil, || fresh(case));
        let teacher = fresh(case).finish(&[]).unwrap();
        let [own, theirs] = [&student, &teacher].map(|loaded| logits(loaded.model.as_ref(), &tokens, &mut ()));
        assert_eq!(bits(&own), bits(&theirs), "{case}");
        assert!(ledger.entries.iter().all(|entry| entry.squared == 0.0) && ledger.before == ledger.after, "{case}");
    }
}

const SAID: &str = "calibration: (from: Sampled, rows: 40, length: 20), rows: 8, rate: 2e-3";

#[test]
fn a_student_learns_what_its_teacher_says_of_texts_that_it_has_not_seen() {
    let distil = |more: &str| format!("Distil(layers: Spread(1), {SAID}, steps: 24{more})");
    let (student, ledger) = treated(&distil(""), organism);
    let lesson = &ledger.lessons[0];
    assert_eq!((lesson.layers.as_slice(), lesson.of, lesson.texts), (&[0][..], 4, [36, 4]));
    for [before, after] in [lesson.loss.unwrap(), lesson.divergence.unwrap()] {
        assert!(after < 0.8 * before, "{before} {after}");
    }
    assert_eq!(student.model.dims().layers, 1);
    // six maps of a block, with the embedding
    assert_eq!(ledger.entries.len(), 7);
    assert!(ledger.entries.iter().all(|entry| entry.squared > 0.0 && entry.bits == 32.0));
    let table = ledger.table();
    let row = |metric: &str| table.rows.iter().find(|row| row.metric == metric).unwrap();
    assert_eq!(row("KL from teacher, trained").effect, lesson.divergence.unwrap()[1]);
    assert!(table.facts["treated"].contains("a student with layers 0 of 4, trained for 24 steps on 36 texts"));
    // the same again has the same bits, and another seed has others
    let tokens = random_tokens(&[6, 4], Padding::Right);
    let said = |student: &patchclamp::model::load::Loaded| bits(&logits(student.model.as_ref(), &tokens, &mut ()));
    assert!(said(&student) == said(&treated(&distil(""), organism).0));
    assert!(said(&student) != said(&treated(&distil(", seed: 1"), organism).0));
}

/// Texts of several lengths side by side are texts one by one.
#[test]
fn what_is_filled_up_does_not_count() {
    let rows: Vec<Vec<u32>> =
        (0..40).map(|row| (0..3 + row % 4).map(|at| 1 + (row * 7 + at * 5) % 40).collect()).collect();
    for case in ["gpt2", "bert", "roberta"] {
        let loss = |batch: usize| {
            let distil = format!("layers: Spread(1), steps: 0, lambda: 0, rows: {batch}");
            taught(case, &recipe(&distil, rows.clone())).1.lessons[0].loss.unwrap()[0]
        };
        assert!((loss(1) - loss(4)).abs() < TOLERANCE, "{case}: {} {}", loss(1), loss(4));
    }
}

#[test]
fn a_student_of_no_training_knows_nothing_of_its_teacher() {
    let rows = one_of_ten(vec![3, 17, 40, 5, 22, 9]);
    let of = |from: &str| {
        let (model, ledger) =
            taught("gpt2", &recipe(&format!("layers: Spread(2), from: {from}, steps: 0"), rows.clone()));
        // without a step every map is what it began as, be it drawn or the teacher's
        assert!(ledger.entries.iter().all(|entry| entry.squared == 0.0), "{from}");
        (model, ledger.lessons[0].divergence.unwrap()[0])
    };
    let ((_, same), (random, other)) = (of("Teacher"), of("Random"));
    assert!(same.abs() < TOLERANCE && other > 0.1, "{same} {other}");
    assert_eq!(random.dims(), fresh("gpt2").model().dims());
}

#[test]
fn training_that_diverges_makes_no_student() {
    let rows: Vec<Vec<u32>> = (0..20).map(|row| vec![3 + row, 17, 40 - row]).collect();
    let mut opened = fresh("gpt2");
    let recipe = recipe("layers: Spread(1), steps: 8, rate: 1e30", rows);
    let told = treat::apply(opened.model(), &recipe, &[], 32.0).unwrap_err().to_string();
    assert!(told.contains("diverged at step") && told.contains("lower `rate`"), "{told}");
}

#[test]
fn what_stands_behind_a_student_is_its_own_weights() {
    let said = |seed: usize| {
        let distil = format!("layers: Spread(1), steps: 2, rows: 8, seed: {seed}");
        let rows = (0..20).map(|row| vec![3 + row, 17, 40 - row]).collect();
        taught("gpt2", &recipe(&distil, rows)).1.said()
    };
    assert!(said(0).contains("sha256 ") && said(0) == said(0) && said(0) != said(1));
}

/// Every family: the checkpoint of a student has fewer layers, and is the student when it is loaded.
#[test]
fn a_student_is_written_with_fewer_layers() {
    let tokens = random_tokens(&[6, 4], Padding::Right);
    for case in DECODERS.iter().chain(&ENCODERS).filter(|case| **case != "gpt2-untied-inverse-layer") {
        // the embedding of opt-behind is a product of two stored matrices, which training would change
        let steps = if *case == "opt-behind" { 0 } else { 1 };
        let stored = Weights::open(&golden(case), &device()).unwrap();
        let config = Config::parse("config.json", &std::fs::read_to_string(golden(case).join("config.json")).unwrap());
        assert_eq!(treat::save::writable(&config.unwrap(), &stored, fresh(case).model()).is_ok(), steps > 0, "{case}");
        let distil = format!("layers: These([1]), steps: {steps}, lambda: 0");
        let (student, _) = taught(case, &planned(&format!("Distil({distil})"), fresh(case)).recipe);
        let text = std::fs::read_to_string(golden(case).join("config.json")).unwrap();
        let weights = Weights::open(&golden(case), &device()).unwrap();
        let (config, bytes) = shortened(&text, &weights, fresh(case).model(), &[1]).unwrap();
        let (parsed, weights) =
            (Config::parse("config.json", &config).unwrap(), Weights::carried(bytes.into(), &device()).unwrap());
        let plain = (family::of(&parsed).unwrap().build)(&parsed, &weights).unwrap().into_model();
        let written = write(&parsed, &weights, [plain.as_ref(), student.as_ref()], &[]).unwrap();
        let place = tempfile::tempdir().unwrap();
        std::fs::write(place.path().join("config.json"), config).unwrap();
        std::fs::write(place.path().join("model.safetensors"), written.bytes).unwrap();
        let again = folder(place.path(), &[], &device()).unwrap().model;
        assert_eq!((again.dims(), again.sight(0)), (student.dims(), student.sight(0)), "{case}");
        let [own, theirs] = [again.as_ref(), student.as_ref()].map(|model| logits(model, &tokens, &mut ()));
        // Gemma's checkpoints hold the weights of norms less one, where a trained number may lose its last bit
        let lost = if case.starts_with("gemma") { TOLERANCE as f32 } else { 0.0 };
        assert_close(&own, &theirs, lost, case);
    }
}

#[test]
fn methods_ask_the_student() {
    let loaded = organism().finish(&[]).unwrap();
    let plan = |method: &str, treat: &str| {
        let text = question(&pairs(), method, &format!("treat: [{treat}]"));
        Plan::new(&experiment(&text), &loaded)
    };
    let student = "Distil(layers: These([1, 3]), steps: 0)";
    let refused =
        plan("LogitLens(sites: [\"blocks.2.hook_resid_post\"])", student).map(|_| ()).unwrap_err().to_string();
    assert!(refused.contains("blocks.2"), "{refused}");
    assert!(plan("LogitLens(sites: [\"blocks.1.hook_resid_post\"])", student).is_ok());
    // steps behind it see the student's layers
    assert!(plan("LogitLens()", &format!("{student}, Round(bits: 4, only: (layers: [1]))")).is_ok());
    let refused = plan("LogitLens()", &format!("{student}, PruneLayers([2])")).map(|_| ()).unwrap_err().to_string();
    assert!(refused.contains("treat[1].PruneLayers: layer 2 does not exist"), "{refused}");
    let (both, _) =
        treated("Distil(layers: These([1, 2, 3]), steps: 0), Distil(layers: These([0, 2]), steps: 0)", organism);
    let (one, _) = treated("Distil(layers: These([1, 3]), steps: 0)", organism);
    let tokens = random_tokens(&[6], Padding::Right);
    let [both, one] = [&both, &one].map(|loaded| bits(&logits(loaded.model.as_ref(), &tokens, &mut ())));
    assert_eq!(both, one);
}
