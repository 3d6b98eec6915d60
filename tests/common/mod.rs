//! What the tests share: tiny models with random weights, batches, experiments as text, tensors as numbers.
#![allow(dead_code)] // each test binary takes what it needs

pub mod edges;

use patchclamp::hook::{Activation, Hook, Record};
use patchclamp::method::Finding;
use patchclamp::model::load::{self, Loaded};
use patchclamp::model::{Model, Pass, Visitor, run};
use patchclamp::plan::Plan;
use patchclamp::precision::Precision;
use patchclamp::run::Outcome;
use patchclamp::site::{Place, Site};
use patchclamp::spec::Experiment;
use patchclamp::steps::Steps;
use patchclamp::table::{Row, Table};
use patchclamp::tensor::{Device, Setting, Tensor, from_doubles, from_floats, from_ints, to_doubles, to_floats};
use patchclamp::text::{Padding, Tokens};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use std::io::Write;
use std::path::{Path, PathBuf};

/// The causal models among the goldens: every family, and every choice of wiring, norm and positions.
pub const DECODERS: [&str; 22] = [
    "gemma",
    "gemma2",
    "gemma2-uncapped",
    "gpt-neo",
    "gpt2",
    "gpt2-untied-inverse-layer",
    "half",
    "llama",
    "llama-old-config",
    "llama3-scaling",
    "mistral",
    "opt",
    "opt-bare",
    "opt-behind",
    "phi3",
    "phi3-long",
    "phi3-short",
    "pythia-parallel",
    "pythia-sequential",
    "qwen2",
    "qwen3",
    "sharded",
];

/// The masked models among the goldens.
pub const ENCODERS: [&str; 5] = ["bert", "bert-untied", "camembert", "distilbert", "roberta"];

/// Where tests run.
pub fn device() -> Device {
    Device::Flex(Default::default())
}

/// A file or folder of the goldens.
pub fn golden(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden").join(name)
}

/// A golden model.
pub fn load(case: &str) -> Loaded {
    load::folder(&golden(case), &[], &device()).unwrap()
}

/// A golden model that computes in some precision.
pub fn load_in(case: &str, precision: Precision) -> Loaded {
    load::folder(&golden(case), &[], &Setting { device: device(), precision }).unwrap()
}

/// A folder of real weights beside the checkout, or under `PATCHCLAMP_SHARED`; says loudly where there is none.
pub fn real_weights(name: &str) -> Option<PathBuf> {
    shared(&Path::new("models").join(name))
}

/// A folder of `shared`, beside the checkout or as `PATCHCLAMP_SHARED` says; says loudly where there is none.
#[allow(clippy::explicit_write)] // the test runner would keep what a print macro says
pub fn shared(name: &Path) -> Option<PathBuf> {
    let beside = || Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared");
    let folder = std::env::var_os("PATCHCLAMP_SHARED").map_or_else(beside, PathBuf::from).join(name);
    if !folder.is_dir() {
        let advice = "put it into ../shared, or name that `shared` in PATCHCLAMP_SHARED";
        writeln!(std::io::stderr(), "SKIPPED: there is no {}; {advice}", name.display()).unwrap();
        return None;
    }
    Some(folder)
}

/// Rows of random tokens, one of each length.
pub fn random_rows(lengths: &[usize], seed: u64) -> Vec<Vec<u32>> {
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    let vocabulary = 48; // of every golden model
    lengths.iter().map(|length| (0..*length).map(|_| random.random_range(1..vocabulary)).collect()).collect()
}

/// The same as a batch.
pub fn random_tokens(lengths: &[usize], side: Padding) -> Tokens {
    Tokens::padded(random_rows(lengths, 7), side, 0)
}

/// Numbers between −1 and 1.
pub fn random_tensor<const D: usize>(shape: [usize; D], seed: u64) -> Tensor<D> {
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    let count = shape.iter().product();
    from_floats((0..count).map(|_| random.random_range(-1.0..1.0)).collect(), shape, &device())
}

/// Logits of a whole pass.
pub fn logits(model: &dyn Model, tokens: &Tokens, hook: &mut dyn Hook) -> Tensor<3> {
    run(model, &Pass::whole(tokens), hook).unwrap()
}

/// Everything that flows at `sites`.
pub fn recorded(model: &dyn Model, tokens: &Tokens, sites: impl IntoIterator<Item = Site>) -> Record {
    let mut record = Record::of(sites);
    logits(model, tokens, &mut record);
    record
}

/// The part of an activation that a place picks, in the place's own order.
pub fn picked(act: &Activation, place: &Place) -> Activation {
    let axes = place.axes();
    (0..4).fold(act.clone(), |act, axis| match axes[axis] {
        Some(indices) => {
            let index = indices.iter().map(|index| *index as i32).collect();
            act.select(axis, from_ints(index, [indices.len()], &device()))
        }
        None => act,
    })
}

/// The bits of every number.
pub fn bits<const D: usize>(tensor: &Tensor<D>) -> Vec<u32> {
    to_floats(tensor).into_iter().map(f32::to_bits).collect()
}

/// The largest difference of two tensors; NaN if there is one in either.
pub fn largest_difference<const D: usize>(a: &Tensor<D>, b: &Tensor<D>) -> f32 {
    assert_eq!(a.dims(), b.dims());
    let differences = to_floats(a).into_iter().zip(to_floats(b)).map(|(a, b)| (a - b).abs());
    differences.fold(0.0, |most, difference| if difference.is_nan() { f32::NAN } else { difference.max(most) })
}

/// Asserts that two tensors agree to `tolerance`; NaN agrees with nothing.
pub fn assert_close<const D: usize>(a: &Tensor<D>, b: &Tensor<D>, tolerance: f32, what: &str) {
    let difference = largest_difference(a, b);
    assert!(difference <= tolerance, "{what}: they differ by {difference}, more than {tolerance}");
}

/// An experiment from its text; the model it names is not loaded.
pub fn experiment(text: &str) -> Experiment {
    Experiment::parse(Path::new("test.ron"), text).unwrap_or_else(|error| panic!("{error}"))
}

/// An experiment planned and carried out.
pub fn carry_out(text: &str, loaded: &Loaded) -> (Plan, Outcome) {
    let plan = Plan::new(&experiment(text), loaded).unwrap_or_else(|error| panic!("{error}"));
    let outcome = patchclamp::run::run(&plan, loaded, &mut Steps::unkept(&mut ())).unwrap();
    (plan, outcome)
}

/// What each method of an experiment finds.
pub fn findings(text: &str, loaded: &Loaded) -> Vec<Finding> {
    carry_out(text, loaded).1.findings
}

/// Pairs of random prompts with random answers, as RON.
pub fn random_pairs(lengths: &[usize], at: Option<usize>) -> String {
    let (clean, corrupt) = (random_rows(lengths, 1), random_rows(lengths, 2));
    let answers = random_rows(&vec![2; lengths.len()], 3);
    let at = at.map_or(String::new(), |at| format!(", at: {at}"));
    let pair = |row: usize| {
        let [right, wrong] = [answers[row][0], answers[row][1]];
        format!("(clean: {:?}, corrupt: {:?}, right: {right}, wrong: {wrong}{at})", clean[row], corrupt[row])
    };
    format!("Pairs([{}])", (0..lengths.len()).map(pair).collect::<Vec<_>>().join(", "))
}

/// Numbers of a JSON list.
pub fn floats(value: &serde_json::Value) -> Vec<f64> {
    value.as_array().unwrap().iter().map(|number| number.as_f64().unwrap()).collect()
}

/// The pairs of a model's goldens, as RON.
pub fn golden_pairs(golden: &serde_json::Value) -> String {
    let pair = |item: usize| {
        let answers = &golden["answers"][item];
        let (clean, corrupt) = (&golden["clean"][item], &golden["corrupt"][item]);
        format!("(clean: {clean}, corrupt: {corrupt}, right: {}, wrong: {})", answers[0], answers[1])
    };
    let count = golden["clean"].as_array().unwrap().len();
    format!("Pairs([{}])", (0..count).map(pair).collect::<Vec<_>>().join(", "))
}

/// An experiment on some data with some methods; what a test does not care about is fixed.
pub fn question(data: &str, methods: &str, more: &str) -> String {
    format!(r#"(question: "?", model: Path("."), data: {data}, methods: [{methods}], {more})"#)
}

/// The metric that a table gives as a fact.
pub fn fact(table: &Table, name: &str) -> f64 {
    table.facts[name].parse().unwrap()
}

/// The row at some layer, head and position.
pub fn row_at(rows: &[Row], layer: Option<usize>, head: Option<usize>, position: Option<usize>) -> &Row {
    let here = |row: &&Row| (row.layer, row.head, row.position) == (layer, head, position);
    rows.iter().find(here).unwrap_or_else(|| panic!("no row at {layer:?} {head:?} {position:?}"))
}

/// Moves the embedding of every odd token nearly onto that of the even one before it.
pub struct Beside(pub f64);

impl Visitor for Beside {
    fn matrix(&mut self, name: &str, weight: &mut Tensor<2>) {
        if name != "embed" {
            return;
        }
        let ([tokens, width], setting) = (weight.dims(), Setting::of(weight));
        let mut values = to_doubles(weight);
        for odd in (1..tokens).step_by(2) {
            for column in 0..width {
                let even = values[(odd - 1) * width + column];
                values[odd * width + column] = even + self.0 * (values[odd * width + column] - even);
            }
        }
        *weight = from_doubles(values, [tokens, width], &setting);
    }
    fn vector(&mut self, _: &str, _: &mut Tensor<1>) {}
}

/// Prompts whose tokens are even, with twins whose second and fourth tokens are the odd ones behind them.
pub const NEIGHBOURS: &str = "Pairs([(clean: [2, 8, 20, 14, 6], corrupt: [2, 9, 20, 15, 6], right: 30, wrong: 36), \
     (clean: [12, 4, 8, 40, 26], corrupt: [12, 5, 8, 41, 26], right: 10, wrong: 22)])";
