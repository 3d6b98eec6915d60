//! Times the scores of all edges alone: `cargo bench --bench edges -- EXPERIMENT.ron [--save SCORES.json]`, for an experiment
//! whose first method is a `Circuit`.
//!
//! Prints one line of JSON: seconds to load, seconds of the scores, and how many edges there are. What is saved is the mean
//! score of each edge, by its name.

use clap::Parser;
use patchclamp::method::Bench;
use patchclamp::method::score::{Order, scores};
use patchclamp::model::load::folder;
use patchclamp::plan::{Plan, Step};
use patchclamp::spec::{Experiment, ModelSpec};
use patchclamp::steps::Steps;
use patchclamp::tensor::Device;
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Instant;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc; // as in the program

#[derive(Parser)]
struct Options {
    /// An experiment on a model folder, whose first method is a `Circuit`.
    experiment: Option<PathBuf>,
    /// Where the scores go.
    #[arg(long)]
    save: Option<PathBuf>,
    /// What `cargo bench` adds.
    #[arg(long, hide = true)]
    bench: bool,
}

fn main() {
    let begun = Instant::now();
    let options = Options::parse();
    let Some(path) = &options.experiment else {
        return println!("edges: name an experiment: cargo bench --bench edges -- EXPERIMENT.ron");
    };
    let experiment = Experiment::read(path).expect("an experiment");
    let ModelSpec::Path(model) = &experiment.model else { panic!("the model is a folder") };
    let loaded = folder(model, &[], &Device::Flex(Default::default())).expect("a model folder");
    let plan = Plan::new(&experiment, &loaded).expect("an experiment on this model");
    let Some(Step::Circuit(circuit)) = plan.steps.first() else { panic!("the first method is `Circuit`") };
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
    let order = Order::new(&circuit.blocks);
    let begun = Instant::now();
    let found = scores(&bench, &order, circuit.score, &mut Steps::unkept(&mut ())).expect("a planned run");
    let seconds = begun.elapsed().as_secs_f64();
    println!("{}", serde_json::json!({ "seconds": seconds, "load_seconds": load_seconds, "edges": order.count() }));
    if let Some(path) = &options.save {
        let mean = |edge: usize| found.iter().map(|item| f64::from(item[edge])).sum::<f64>() / found.len() as f64;
        let named: BTreeMap<String, f64> =
            order.edges().iter().enumerate().map(|(place, edge)| (edge.to_string(), mean(place))).collect();
        std::fs::write(path, serde_json::to_string(&named).expect("numbers")).expect("a place for the scores");
    }
}
