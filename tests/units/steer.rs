//! States are moved along directions as it is said, and what follows is told.

use super::*;
use patchclamp::builtin;
use patchclamp::hook::{Along, Push};
use patchclamp::site::Site;
use patchclamp::tensor::{Tensor, to_floats};
use std::collections::BTreeMap;

/// What the goldens do.
const GOLDEN: &str = r#"Steer(sites: ["blocks.0.hook_resid_post"], over: [], at: [Last], operations: [Add, Ablate],
    coefficients: [-1, 0.5, 2], apart: Label("part"), random: 1)"#;

#[test]
fn doses_are_those_of_plain_hooks() {
    let goldens = goldens();
    let (pairs, _) = golden_parts(&goldens);
    let found = &findings(&question(&pairs, GOLDEN, ""), &load("gpt2"))[0];
    let rows = &table(found, "steer.doses").rows;
    let expected = |of: &dyn Fn(&Value) -> Value, field: &str| mean_of_parts(&goldens, |part| floats(&of(part)[field]));
    let fields = [("own tokens: log_prob", "own"), ("next token: divergence", "kl")];
    for (number, coefficient) in floats(&goldens["coefficients"]).into_iter().enumerate() {
        let site = format!("data: add mean difference × {coefficient}");
        for (metric, field) in [("logit_diff", "towards")].into_iter().chain(fields) {
            let expected = expected(&|part| part["steered"][number].clone(), field);
            close(row(rows, &site, metric).effect, expected, ROUNDING, &format!("{field} at {coefficient}"));
        }
    }
    for (metric, field) in [("logit_diff", "score")].into_iter().chain(fields) {
        let expected = expected(&|part| part["ablated"].clone(), field);
        close(
            row(rows, "data: ablate mean difference", metric).effect,
            expected,
            ROUNDING,
            &format!("{field}, ablated"),
        );
    }
}

#[test]
fn adding_the_difference_of_one_pair_is_patching() {
    // one pair, often enough that both halves have it
    let pair = "(clean: [4, 9, 20, 14, 6], corrupt: [4, 30, 20, 14, 6], right: 30, wrong: 36)";
    let pairs = format!("Pairs([{}])", [pair; 4].join(", "));
    let method = |site: &str| {
        format!(
            "Steer(sites: [\"{site}\"], at: [Contrast], to: At([Contrast]),
            by: [MeanDifference, PrincipalComponent], coefficients: [1], random: 1)"
        )
    };
    let methods = ["hook_resid_pre", "hook_resid_post"].map(method).join(", ");
    let patch = r#"Patch(sites: ["hook_resid_pre", "hook_resid_post"], over: [Layer], only: (positions: [1]))"#;
    let found = findings(&question(&pairs, &format!("{methods}, {patch}"), ""), &load("gpt2"));
    let corrupted = |layer: usize, method: usize, by: &str| {
        let wanted = format!("data: add {by} × 1");
        let here = |row: &&Row| {
            row.site.as_deref() == Some(&wanted) && row.layer == Some(layer) && row.metric == "logit_diff, corrupted"
        };
        found[method].items[0].rows.iter().find(here).unwrap().effect
    };
    for (layer, (method, site)) in (0..2)
        .flat_map(|layer| ["hook_resid_pre", "hook_resid_post"].into_iter().enumerate().map(move |one| (layer, one)))
    {
        let here = |row: &&Row| row.layer == Some(layer) && row.site.as_deref() == Some(site);
        let patched = found[2].tables[0].rows.iter().find(here).unwrap().effect;
        for by in ["mean difference", "principal component"] {
            close(corrupted(layer, method, by), patched, ROUNDING, &format!("{site} of layer {layer}, {by}"));
        }
    }
}

/// A direction of every row at the stream behind the first block.
fn push(added: Tensor<4>, removed: Option<Tensor<4>>) -> Push {
    let at = Tensor::ones([2, 1, 6, 1], &device());
    Push { sites: BTreeMap::from([(Site::ResidPost(0), Along { removed, added, at })]) }
}

#[test]
fn steps_of_nothing_change_no_bit_and_steps_back_undo_steps() {
    let loaded = load("gpt2");
    let (model, tokens) = (loaded.model.as_ref(), random_tokens(&[6, 6], patchclamp::text::Padding::Right));
    let plain = logits(model, &tokens, &mut ());
    let step = random_tensor([2, 1, 1, 24], 3);
    let mut nothing = push(step.clone() * 0.0, Some(step.clone() * 0.0));
    assert_eq!(bits(&logits(model, &tokens, &mut nothing)), bits(&plain));
    let mut there_and_back = (push(step.clone(), None), push(-step.clone(), None));
    assert_close(&logits(model, &tokens, &mut there_and_back), &plain, 1e-5, "there and back");
    let far = largest_difference(&logits(model, &tokens, &mut push(step, None)), &plain);
    assert!(far > 1e-2, "a step does something: {far}");
}

#[test]
fn taking_out_twice_is_taking_out_once() {
    let loaded = load("gpt2");
    let (model, tokens) = (loaded.model.as_ref(), random_tokens(&[6, 6], patchclamp::text::Padding::Right));
    let drawn = random_tensor([2, 1, 1, 24], 4);
    let length: Vec<f32> =
        to_floats(&drawn).chunks(24).map(|row| row.iter().map(|x| x * x).sum::<f32>().sqrt()).collect();
    let unit = drawn / patchclamp::tensor::from_floats(length, [2, 1, 1, 1], &device());
    let out = || push(unit.clone() * 0.0, Some(unit.clone()));
    let once = logits(model, &tokens, &mut out());
    assert_close(&logits(model, &tokens, &mut (out(), out())), &once, 1e-5, "twice");
    assert!(largest_difference(&once, &logits(model, &tokens, &mut ())) > 1e-3, "it is another run");
}

/// Names in English, and in French.
const NAMES: &str = r#"Templates(
    templates: ["{name} opened the door because", "{name} closed the book, so", "{name} visited the market when", "One day {name} left the house because"],
    clean: {"name": ["Mary", "Emily", "Grace", "Helen"]},
    corrupt: {"name": ["John", "Peter", "George", "Henry"]},
    right: " she", wrong: " he",
)"#;
const FRENCH: &str = r#"features: [(name: "French", data: Templates(
    templates: ["{name} a ouvert la porte quand", "{name} a lu le livre, alors", "{name} a pris le train, mais", "Hier, {name} a vu la ville quand"],
    clean: {"name": ["Marie", "Jeanne", "Louise", "Claire"]},
    corrupt: {"name": ["Pierre", "Antoine", "Michel", "Paul"]},
    right: " elle", wrong: " il",
))]"#;

#[test]
fn pronouns_follow_the_direction_of_names_and_no_random_one() {
    let method = r#"Steer(at: [Answer], by: [MeanDifference, Logistic], coefficients: [-1, -0.5, 0.5, 1], random: 19)"#;
    let found = &findings(&question(NAMES, method, FRENCH), &builtin::load("organism", &[], &device()).unwrap())[0];
    let doses = &table(found, "steer.doses").rows;
    let slopes = &table(found, "steer.slopes").rows;
    let at = |rows: &[Row], layer: usize, site: &str, metric: &str| -> Row {
        let own: Vec<Row> = rows.iter().filter(|row| row.layer == Some(layer)).cloned().collect();
        row(&own, site, metric).clone()
    };
    for task in ["data", "French"] {
        // behind the last block what is read is what is moved: one whole difference is about the whole effect
        let dose = at(doses, 3, &format!("{task}: add mean difference × 1"), "logit_diff");
        assert!((0.5..1.5).contains(&dose.normalised.unwrap()) && dose.p.unwrap() <= 0.05, "{task}: {dose:?}");
        let back = at(doses, 3, &format!("{task}: add mean difference × -1"), "logit_diff");
        assert!(back.high.unwrap() < 0.0, "{task}: {back:?}");
        let ablated = at(doses, 3, &format!("{task}: ablate mean difference"), "logit_diff");
        assert!(
            (-1.1..-0.9).contains(&ablated.normalised.unwrap()) && ablated.p.unwrap() <= 0.05,
            "{task}: {ablated:?}"
        );
        for by in ["mean difference", "logistic"] {
            let slope = at(slopes, 3, &format!("{task}: {by}"), "slope: logit_diff");
            let chance = at(slopes, 3, &format!("{task}: {by}"), "slope: logit_diff, random");
            assert!(
                slope.low.unwrap() > chance.high.unwrap() && slope.p.unwrap() <= 0.05,
                "{task}: {slope:?} {chance:?}"
            );
            close(at(slopes, 3, &format!("{task}: {by}"), "monotone: spearman").effect, 1.0, 1e-12, "monotone");
        }
    }
    let transfer = &table(found, "steer.transfer").rows;
    for to in ["data", "French"] {
        let own = at(transfer, 3, &format!("{to} → {to}"), "share: mean difference");
        assert_eq!(own.effect, 1.0);
    }
}

#[test]
fn a_shuffled_direction_does_nothing() {
    // clean and corrupted exchanged in half of the pairs: on average there is no difference
    let turned =
        NAMES.replace("\"Mary\", \"Emily\", \"Grace\", \"Helen\"", "\"Mary\", \"Peter\", \"Grace\", \"Henry\"");
    let turned =
        turned.replace("\"John\", \"Peter\", \"George\", \"Henry\"", "\"John\", \"Emily\", \"George\", \"Helen\"");
    let method = "Steer(at: [Answer], only: (layers: [3]), coefficients: [-1, 1], random: 19)";
    let organism = builtin::load("organism", &[], &device()).unwrap();
    let slope = |data: &str| {
        let found = &findings(&question(data, method, ""), &organism)[0];
        let row = row(&table(found, "steer.slopes").rows, "data: mean difference", "slope: logit_diff").clone();
        row.effect.abs()
    };
    let (shuffled, own) = (slope(&turned), slope(NAMES));
    assert!(shuffled < 0.1 * own, "{shuffled} beside {own}");
}

#[test]
fn parts_of_the_data_have_directions_of_their_own() {
    let method = r#"Steer(at: [Answer], only: (layers: [3]), parts: "template", coefficients: [-0.5, 0.5], random: 1)"#;
    let found = &findings(&question(NAMES, method, ""), &builtin::load("organism", &[], &device()).unwrap())[0];
    let transfer = &table(found, "steer.transfer").rows;
    assert_eq!(transfer.len(), 16, "from four templates to four");
    assert!(transfer.iter().all(|row| row.effect > 0.5), "one direction serves all sentences: {transfer:?}");
}

#[test]
fn what_cannot_be_steered_is_said_at_once() {
    let (pairs, _) = golden_parts(&goldens());
    let wrong = r#"Steer(sites: ["hook_resid_post", "hook_resid_pre"], over: [Head], by: [], operations: [], coefficients: [0], fluency: 0,
        random: 0, to: At([99]), parts: "no")"#;
    let told = refused(&question(&pairs, wrong, ""), "gpt2");
    for part in [
        "over: a direction lies",
        "by: is empty",
        "operations: is empty",
        "coefficients: none",
        "fluency",
        "random",
        "parts",
    ] {
        assert!(told.contains(part), "{part} in:\n{told}");
    }
    let told = refused(&question(&pairs, "Steer(to: Onward(99))", ""), "gpt2");
    assert!(told.contains("methods[0].to: position 99"), "{told}");
}
