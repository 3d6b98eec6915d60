//! Times a search for a circuit alone: `cargo bench --bench circuits -- EXPERIMENT.ron [--save FILE.json]`, for an experiment
//! whose first method is a `Circuit`, of which scores are timed, or an `Acdc` with one threshold, of which the whole search is.
//!
//! Prints one line of JSON: seconds to load, seconds of the search, how many edges there are, and of a search by trial those
//! tried and kept. What is saved of scores is the mean of each edge, by its name; of trials every edge in the order of its
//! trial: its name, whether it stays, and what judging changed by, or null where no run was needed.

use clap::Parser;
use patchclamp::method::Bench;
use patchclamp::method::acdc::{Decision, search};
use patchclamp::method::rewire::Wiring;
use patchclamp::method::score::{Order, scores};
use patchclamp::model::load::folder;
use patchclamp::node::Edge;
use patchclamp::plan::{Acdc, Circuits, Plan, Step};
use patchclamp::spec::{Experiment, ModelSpec};
use patchclamp::steps::Steps;
use patchclamp::tensor::Device;
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Instant;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc; // as in the program

#[derive(Parser)]
struct Options {
    /// An experiment on a model folder, whose first method is a `Circuit` or an `Acdc`.
    experiment: Option<PathBuf>,
    /// Where scores or trials go.
    #[arg(long)]
    save: Option<PathBuf>,
    /// What `cargo bench` adds.
    #[arg(long, hide = true)]
    bench: bool,
}

/// What was timed: what is printed of it, and what is saved.
struct Timed {
    seconds: f64,
    told: Map<String, Value>,
    saved: Value,
}

fn main() {
    let begun = Instant::now();
    let options = Options::parse();
    let Some(path) = &options.experiment else {
        return println!("circuits: name an experiment: cargo bench --bench circuits -- EXPERIMENT.ron");
    };
    let experiment = Experiment::read(path).expect("an experiment");
    let ModelSpec::Path(model) = &experiment.model else { panic!("the model is a folder") };
    let loaded = folder(model, &[], &Device::Flex(Default::default())).expect("a model folder");
    let plan = Plan::new(&experiment, &loaded).expect("an experiment on this model");
    let load_seconds = begun.elapsed().as_secs_f64();
    let model = loaded.model.ungrouped();
    let bench = Bench {
        model: model.as_ref(),
        text: None,
        items: &plan.items,
        features: &[],
        metric: plan.metric(),
        statistics: plan.experiment.statistics,
        seed: 0,
        rows: plan.loads[0].rows,
    };
    let Timed { seconds, mut told, saved } = match plan.steps.first() {
        Some(Step::Circuit(circuit)) => scored(&bench, circuit),
        Some(Step::Acdc(acdc)) => tried(&bench, acdc),
        _ => panic!("the first method is `Circuit` or `Acdc`"),
    };
    told.extend([("seconds".to_string(), json!(seconds)), ("load_seconds".to_string(), json!(load_seconds))]);
    println!("{}", Value::Object(told));
    if let Some(path) = &options.save {
        std::fs::write(path, saved.to_string()).expect("a place for what is saved");
    }
}

fn scored(bench: &Bench, circuit: &Circuits) -> Timed {
    let order = Order::new(&circuit.blocks);
    let begun = Instant::now();
    let found = scores(bench, &order, (circuit.score, circuit.stand), &mut Steps::unkept(&mut ()));
    let (found, seconds) = (found.expect("a planned run"), begun.elapsed().as_secs_f64());
    let mean = |edge: usize| found.iter().map(|item| f64::from(item[edge])).sum::<f64>() / found.len() as f64;
    let named: BTreeMap<String, f64> =
        order.edges().iter().enumerate().map(|(place, edge)| (edge.to_string(), mean(place))).collect();
    Timed { seconds, told: numbers(&[("edges", order.count())]), saved: json!(named) }
}

fn tried(bench: &Bench, acdc: &Acdc) -> Timed {
    let begun = Instant::now();
    let found = search(bench, acdc, acdc.thresholds[0], &mut Steps::unkept(&mut ())).expect("a planned run");
    let (found, seconds) = (found.expect("all steps are done here"), begun.elapsed().as_secs_f64());
    let change = |decision: &Decision| {
        let sum: f64 = decision.change.iter().map(|change| f64::from(*change)).sum();
        if decision.change.is_empty() { Value::Null } else { json!(sum / decision.change.len() as f64) }
    };
    let of_port = |port| {
        Wiring::whole(acdc.blocks.clone()).parents(port).into_iter().map(move |from| Edge {
            from,
            to: port,
            position: None,
        })
    };
    let trial = |edge: Edge| json!([edge.to_string(), found.edges[&edge].kept, change(&found.edges[&edge])]);
    let trials: Vec<Value> = Wiring::ports(&acdc.blocks).into_iter().flat_map(of_port).map(trial).collect();
    let tried = found.edges.values().filter(|decision| !decision.change.is_empty()).count();
    let told = [("edges", found.edges.len()), ("tried", tried), ("kept", found.kept().len())];
    Timed { seconds, told: numbers(&told), saved: json!(trials) }
}

fn numbers(named: &[(&str, usize)]) -> Map<String, Value> {
    named.iter().map(|(name, number)| (name.to_string(), json!(number))).collect()
}
