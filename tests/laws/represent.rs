//! Laws of comparing spaces: what does not matter changes nothing, a model is itself, and figures are those of others.

use super::common::*;
use patchclamp::method::Finding;
use patchclamp::method::represent::{between, spaces};
use patchclamp::model::load::{self, Loaded};
use patchclamp::model::process::Processing;
use patchclamp::model::{Model, Visitor};
use patchclamp::plan::{Plan, Step};
use patchclamp::precision::Precision;
use patchclamp::table::Table;
use patchclamp::tensor::{Setting, Tensor, from_doubles};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rand_distr::StandardNormal;
use serde_json::Value;

/// States are kept as f32: of figures of order 1, a few roundings.
const TOLERANCE: f64 = 2e-6;
/// f64 through two small models.
const EXACT: f64 = 1e-9;

fn exact(case: &str, steps: &[Processing]) -> Loaded {
    load::folder(&golden(case), steps, &Setting { device: device(), precision: Precision::F64 }).unwrap()
}

/// Prompts and labels of the golden, as RON pairs.
fn data(golden: &Value) -> String {
    let prompts = golden["prompts"].as_array().unwrap().iter();
    let pair = |(prompt, labels): (&Value, &Value)| {
        format!("(clean: {prompt}, corrupt: {prompt}, right: 5, wrong: 6, labels: {labels})")
    };
    let pairs = prompts.zip(golden["labels"].as_array().unwrap()).map(pair).collect::<Vec<_>>();
    format!("Pairs([{}])", pairs.join(", "))
}

fn golden_file() -> Value {
    serde_json::from_str(&std::fs::read_to_string(golden("represent.json")).unwrap()).unwrap()
}

const QUICK: &str = "statistics: (resamples: 50, permutations: 50)";

fn method(more: &str) -> String {
    format!(
        r#"Represent(sites: ["hook_resid_pre"], at: Last, conditions: "word", subjects: "template", models: ["kind"], {more})"#
    )
}

fn found(more: &str, loaded: &Loaded) -> Finding {
    findings(&question(&data(&golden_file()), &method(more), QUICK), loaded).remove(0)
}

fn table<'a>(finding: &'a Finding, name: &str) -> &'a Table {
    finding.tables.iter().find(|table| table.name.ends_with(name)).unwrap()
}

/// The effects of rows with a metric, in order.
fn effects(table: &Table, metric: &str) -> Vec<f64> {
    table.rows.iter().filter(|row| row.metric == metric).map(|row| row.effect).collect()
}

fn near(found: &[f64], expected: &[f64], tolerance: f64, what: &str) {
    assert_eq!(found.len(), expected.len(), "{what}");
    for (found, expected) in found.iter().zip(expected) {
        assert!((found - expected).abs() < tolerance, "{what}: {found} {expected}");
    }
}

#[test]
fn figures_are_those_of_rsatoolbox_and_of_the_closed_forms() {
    let (golden, loaded) = (golden_file(), exact("gpt2", &[]));
    for (how, layers) in golden["geometry"].as_object().unwrap() {
        let (distance, similarity) = how.split_once(' ').unwrap();
        let finding = found(&format!("distance: {distance}, similarity: {similarity}"), &loaded);
        let geometry = table(&finding, "represent.geometry");
        let of = |part: &dyn Fn(&Value) -> f64| layers.as_array().unwrap().iter().map(part).collect::<Vec<_>>();
        let agreement = of(&|layer| layer["agreement"].as_f64().unwrap());
        near(&effects(geometry, "agreement, kind"), &agreement, TOLERANCE, how);
        for (place, end) in ["below", "above"].into_iter().enumerate() {
            let expected = of(&|layer| layer["ceiling"][place].as_f64().unwrap());
            near(&effects(geometry, &format!("agreement, ceiling from {end}")), &expected, TOLERANCE, how);
        }
    }
    for (scatter, layers) in golden["crossnobis"].as_object().unwrap() {
        for similarity in ["Cosine", "Pearson"] {
            let more =
                format!("distance: Crossnobis(scatter: {scatter}), folds: \"template\", similarity: {similarity}");
            let method = method(&more).replace("subjects: \"template\", ", "");
            let finding = findings(&question(&data(&golden), &method, QUICK), &loaded).remove(0);
            let found = effects(table(&finding, "represent.geometry"), "agreement, kind");
            let expected: Vec<f64> =
                layers.as_array().unwrap().iter().map(|one| one[similarity].as_f64().unwrap()).collect();
            // a word is one state in all templates before the first block, so that nothing scatters
            near(&found[1..], &expected, TOLERANCE, &format!("{scatter} {similarity}"));
            assert!(found[0].is_nan());
        }
    }
    for (how, pairs) in golden["alignment"].as_object().unwrap() {
        let finding = found(&format!("alignment: {how}"), &loaded);
        let expected: Vec<f64> = pairs.as_array().unwrap().iter().flat_map(floats).collect();
        near(&effects(table(&finding, "represent.alignment"), "alignment"), &expected, TOLERANCE, how);
    }
    let finding = found("", &loaded);
    let ratios = effects(table(&finding, "represent.dimension"), "dimension, participation ratio");
    near(&ratios, &floats(&golden["dimension"]), 100.0 * TOLERANCE, "dimension");
}

#[test]
fn a_space_is_itself_and_order_does_not_matter() {
    let loaded = load("gpt2");
    for alignment in ["DebiasedCka", "Cka", "KernelCka(width: 0.8)", "Cca", "Svcca(share: 0.99)", "Pwcca", "Procrustes"]
    {
        let finding = found(&format!("alignment: {alignment}"), &loaded);
        let alike = effects(table(&finding, "represent.alignment"), "alignment");
        near(&[alike[0], alike[3]], &[1.0, 1.0], EXACT, alignment);
        // as many columns as prompts: canonical correlations are perfect whatever the spaces
        assert!(alignment.contains("cca") || alignment == "Cca" || alike[1] < 1.0 - 1e-4, "{alignment} {alike:?}");
        if alignment != "Pwcca" {
            near(&alike[1..2], &alike[2..3], EXACT, alignment);
        }
    }
}

/// A model whose stream has another basis: what writes is turned, what reads is turned back.
struct Turned(Vec<f64>, usize);

impl Turned {
    fn new(width: usize) -> Self {
        let mut random = ChaCha8Rng::seed_from_u64(3);
        let mut rows: Vec<Vec<f64>> = Vec::new();
        while rows.len() < width {
            let mut row: Vec<f64> = (0..width).map(|_| random.sample(StandardNormal)).collect();
            for known in &rows {
                let along: f64 = row.iter().zip(known).map(|(a, b)| a * b).sum();
                row.iter_mut().zip(known).for_each(|(a, b)| *a -= along * b);
            }
            let length = row.iter().map(|value| value * value).sum::<f64>().sqrt();
            rows.push(row.into_iter().map(|value| value / length).collect());
        }
        Turned(rows.concat(), width)
    }

    fn turn(&self) -> Tensor<2> {
        let setting = Setting { device: device(), precision: Precision::F64 };
        from_doubles(self.0.clone(), [self.1, self.1], &setting)
    }
}

impl Visitor for Turned {
    fn matrix(&mut self, name: &str, weight: &mut Tensor<2>) {
        let turn = self.turn();
        *weight = match name {
            "embed" => weight.clone().matmul(turn),
            _ if name.ends_with(".out.weight") => weight.clone().matmul(turn),
            _ => turn.swap_dims(0, 1).matmul(weight.clone()),
        };
    }
    fn vector(&mut self, name: &str, _: &mut Tensor<1>) {
        assert!(!name.ends_with("out.bias") && !name.contains("ln"), "{name} would have to be turned");
    }
}

fn logits_of(model: &dyn Model) -> Vec<f64> {
    patchclamp::tensor::to_doubles(&logits(model, &random_tokens(&[5, 5], Default::default()), &mut ()))
}

#[test]
fn another_basis_of_the_stream_changes_nothing() {
    let own = exact("llama", &[Processing::FoldNorms]);
    let mut turned = exact("llama", &[Processing::FoldNorms]);
    let width = own.model.dims().d_model;
    turned.model.visit(&mut Turned::new(width));
    near(&logits_of(turned.model.as_ref()), &logits_of(own.model.as_ref()), EXACT, "the turned model is another");
    for alignment in ["DebiasedCka", "Cka", "KernelCka(width: 0.8)", "Svcca(share: 0.9)", "Procrustes"] {
        // correlation subtracts a mean over values, which a basis decides; a cosine does not
        let more = format!("alignment: {alignment}, distance: Cosine, random_models: 0");
        let [own, turned] = [&own, &turned].map(|loaded| found(&more, loaded));
        for name in ["represent.geometry", "represent.alignment", "represent.dimension"] {
            for (own, turned) in table(&own, name).rows.iter().zip(&table(&turned, name).rows) {
                // words are one state in all templates before the first block, so that none has a neighbour
                let same = own.effect.is_nan() && turned.effect.is_nan();
                let near = TOLERANCE * own.effect.abs().max(1.0);
                assert!(same || (own.effect - turned.effect).abs() < near, "{alignment} {own:?} {turned:?}");
                assert_eq!((&own.metric, own.layer, own.p), (&turned.metric, turned.layer, turned.p));
            }
        }
    }
}

#[test]
fn a_model_held_against_itself_is_at_one_and_against_its_twin_is_not() {
    let loaded = load("gpt2");
    let text = question(&data(&golden_file()), &method(""), QUICK);
    let plan = Plan::new(&experiment(&text), &loaded).unwrap();
    let Step::Represent(representing) = &plan.steps[0] else { panic!("planned") };
    let own = spaces(&found("", &loaded).tensors[0].1);
    let twin = patchclamp::model::random::twin(loaded.model.as_ref(), 8);
    let twin = spaces(&found("", &Loaded { model: twin, ..load("gpt2") }).tensors[0].1);
    let held = |others| between(("b", "v"), representing, (&own, others), plan.experiment.statistics, 0).unwrap();
    let (itself, other) = (held(&own), held(&twin));
    for row in itself.rows.iter().filter(|row| row.site.as_deref().is_some_and(|site| site == "layer 1 ~ layer 1")) {
        assert!((row.effect - 1.0).abs() < EXACT, "{row:?}");
    }
    assert!(other.rows.iter().all(|row| row.effect < 0.99), "{other:?}");
    // other prompts are not held against these
    let mut fewer = spaces(&found("", &loaded).tensors[0].1);
    fewer.iter_mut().for_each(|space| space.states = space.states.slice(ndarray::s![1.., ..]).to_owned());
    assert!(between(("b", "v"), representing, (&own, &fewer), plan.experiment.statistics, 0).is_none());
}

/// Where all states are one, nothing can be said, and that is what is said.
#[test]
fn states_that_do_not_vary_have_no_geometry() {
    let loaded = load("gpt2");
    let at_first = method("similarity: Pearson").replace("at: Last", "at: 0").replace("subjects: \"template\", ", "");
    let pairs = (0..6).map(|word| {
        format!("(clean: [1, {0}], corrupt: [1, {0}], right: 5, wrong: 6, labels: {{\"word\": \"w{0}\", \"kind\": \"k{1}\"}})", word + 2, word / 2)
    });
    let data = format!("Pairs([{}])", pairs.collect::<Vec<_>>().join(", "));
    let finding = findings(&question(&data, &at_first, QUICK), &loaded).remove(0);
    for table in &finding.tables {
        let told: Vec<_> = table.rows.iter().filter(|row| !row.effect.is_nan()).collect();
        assert!(told.is_empty() && !table.rows.is_empty(), "{} {told:?}", table.name);
    }
}

#[test]
fn what_makes_no_space_is_refused() {
    let loaded = load("gpt2");
    let data = data(&golden_file());
    let refuses = |method: &str, expected: &str| {
        let told =
            Plan::new(&experiment(&question(&data, method, QUICK)), &loaded).map(|_| ()).unwrap_err().to_string();
        assert!(told.contains(expected), "{told}\nshould say: {expected}");
    };
    refuses(r#"Represent(models: ["word", "word"])"#, "methods[0].models: \"word\" stands twice");
    refuses(
        r#"Represent(models: ["zz"])"#,
        "methods[0].models[0]: not every item has a label \"zz\"; there are [\"kind\", \"template\", \"word\"]",
    );
    refuses(
        r#"Represent(conditions: "kind")"#,
        "methods[0].conditions: 3 conditions are too few to lie any way; give 4 or more",
    );
    refuses(
        r#"Represent(conditions: "word", models: ["template"])"#,
        "methods[0].models[0]: \"template\" has several values in one condition",
    );
    refuses(
        r#"Represent(conditions: "word", models: ["word"])"#,
        "methods[0].models[0]: \"word\" has another value in every condition, so it predicts nothing",
    );
    refuses(
        r#"Represent(subjects: "kind", conditions: "word", models: ["kind"])"#,
        "methods[0].subjects: a value of \"kind\" lacks some of the 6 conditions",
    );
    refuses(
        r#"Represent(subjects: "template", conditions: "word")"#,
        "methods[0].subjects: subjects say how well a model can do, and no model is named",
    );
    refuses(
        r#"Represent(sites: ["attn.hook_pattern"])"#,
        "methods[0].sites: `attn.hook_pattern` is as wide as the prompt is long",
    );
    refuses(r#"Represent(distance: Crossnobis())"#, "methods[0].folds: Crossnobis holds differences in one fold");
    refuses(r#"Represent(folds: "template")"#, "methods[0].folds: is read by distance: Crossnobis() alone");
    refuses(
        r#"Represent(conditions: "word", folds: "kind", distance: Crossnobis())"#,
        "methods[0].folds: \"kind\" has 3 values, and each must have all of the 6 conditions",
    );
    refuses(
        r#"Represent(conditions: "word", subjects: "template", folds: "template", distance: Crossnobis(), models: ["kind"])"#,
        "methods[0].folds: subjects have no folds of their own",
    );
    refuses(r#"Represent(over: [Layer, Neuron])"#, "methods[0].over: a single neuron is no space");
    refuses(
        r#"Represent(alignment: Svcca(share: 1.5))"#,
        "methods[0].alignment.share: 1.5 is not above 0 and at most 1",
    );
    refuses(r#"Represent(alignment: KernelCka(width: 0))"#, "methods[0].alignment.width: 0 is not a number above 0");
}
