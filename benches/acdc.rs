//! Times a search by trial alone: `cargo bench --bench acdc -- EXPERIMENT.ron [--save TRIALS.json]`, for an experiment whose
//! first method is an `Acdc` with one threshold.
//!
//! Prints one line of JSON: seconds to load, seconds of the search, edges, those tried and those kept. What is saved is every
//! edge in the order of its trial: its name, whether it stays, and what judging changed by, or null where no run was needed.

use clap::Parser;
use patchclamp::method::Bench;
use patchclamp::method::acdc::{Decision, search};
use patchclamp::method::rewire::Wiring;
use patchclamp::model::load::folder;
use patchclamp::node::Edge;
use patchclamp::plan::{Plan, Step};
use patchclamp::spec::{Experiment, ModelSpec};
use patchclamp::steps::Steps;
use patchclamp::tensor::Device;
use serde_json::{Value, json};
use std::path::PathBuf;
use std::time::Instant;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc; // as in the program

#[derive(Parser)]
struct Options {
    /// An experiment on a model folder, whose first method is an `Acdc`.
    experiment: Option<PathBuf>,
    /// Where the trials go.
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
        return println!("acdc: name an experiment: cargo bench --bench acdc -- EXPERIMENT.ron");
    };
    let experiment = Experiment::read(path).expect("an experiment");
    let ModelSpec::Path(model) = &experiment.model else { panic!("the model is a folder") };
    let loaded = folder(model, &[], &Device::Flex(Default::default())).expect("a model folder");
    let plan = Plan::new(&experiment, &loaded).expect("an experiment on this model");
    let Some(Step::Acdc(acdc)) = plan.steps.first() else { panic!("the first method is `Acdc`") };
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
    let begun = Instant::now();
    let found = search(&bench, acdc, acdc.thresholds[0], &mut Steps::unkept(&mut ())).expect("a planned run");
    let seconds = begun.elapsed().as_secs_f64();
    let found = found.expect("all steps are done here");
    let tried = found.edges.values().filter(|decision| !decision.change.is_empty()).count();
    let (edges, kept) = (found.edges.len(), found.kept().len());
    println!(
        "{}",
        json!({ "seconds": seconds, "load_seconds": load_seconds, "edges": edges, "tried": tried, "kept": kept })
    );
    if let Some(path) = &options.save {
        let change = |decision: &Decision| {
            let sum: f64 = decision.change.iter().map(|change| f64::from(*change)).sum();
            if decision.change.is_empty() { Value::Null } else { json!(sum / decision.change.len() as f64) }
        };
        let of_port = |port| {
            Wiring::whole(acdc.blocks.clone()).parents(port).into_iter().map(move |from| Edge { from, to: port })
        };
        let trial = |edge: Edge| json!([edge.to_string(), found.edges[&edge].kept, change(&found.edges[&edge])]);
        let trials: Vec<Value> = Wiring::ports(&acdc.blocks).into_iter().flat_map(of_port).map(trial).collect();
        std::fs::write(path, serde_json::to_string(&trials).expect("numbers")).expect("a place for the trials");
    }
}
