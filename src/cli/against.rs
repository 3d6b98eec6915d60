//! Runs that a run is held against: the same experiment with another model, other prompts or another metric.

use super::open::{planned, prepared};
use super::runs::Ready;
use super::screen::{Bar, Voice};
use crate::model::load::Loaded;
use crate::plan::{Plan, Step};
use crate::report::{self, Beside, Folder, is_finished};
use crate::run::Outcome;
use crate::spec::{Experiment, Method, Variant};
use crate::steps::{Shard, Steps};
use anyhow::{anyhow, ensure};
use std::path::Path;

/// Plans every variant, so that all mistakes are told before anything runs.
pub fn check(plan: &Plan, file: &Path, voice: Voice) -> anyhow::Result<()> {
    if !is_held(&plan.experiment) {
        return Ok(());
    }
    let own: Vec<_> = plan.steps.iter().map(|step| step.blocks()).collect();
    for (index, variant) in plan.experiment.against.iter().enumerate() {
        let (other, _) =
            planned(plan.experiment.varied(variant), file, voice).map_err(|error| named(index, variant, &error))?;
        let paired = |method: &Method| {
            let of_items = method.tells_of_items() && !variant.asks_otherwise();
            of_items || matches!(method, Method::Represent(_) | Method::Measure(_) | Method::Classify(_))
        };
        let paired = plan.experiment.methods.iter().any(paired);
        ensure!(
            !paired || (plan.left_out, other.left_out) == (0, 0),
            "{}: pairs of uneven prompts are left out, so rows of the two would be of different prompts; take them out of the data",
            place(index, variant)
        );
        let measured = plan.steps.iter().zip(&other.steps).find_map(|steps| match steps {
            (Step::Measure(own), Step::Measure(other)) => own.apart(other),
            (Step::Classify(own), Step::Classify(other)) => own.unlike(other),
            _ => None,
        });
        if let Some(why) = measured {
            return Err(anyhow!("{}: {why}", place(index, variant)));
        }
        let others: Vec<_> = other.steps.iter().map(|step| step.blocks()).collect();
        let apart = own.iter().zip(&others).find(|(own, other)| own != other);
        if let Some((Some(own), Some(other))) = apart {
            return Err(anyhow!(
                "{}: its model has {other}, the experiment's {own}; only circuits of the same edges can be held against each other",
                place(index, variant)
            ));
        }
    }
    Ok(())
}

/// An error of a variant, with its name.
pub fn named(index: usize, variant: &Variant, error: &anyhow::Error) -> anyhow::Error {
    anyhow!("{}: {error}", place(index, variant))
}

fn place(index: usize, variant: &Variant) -> String {
    format!("against[{index}] ({})", variant.name)
}

/// Whether variants are run at all: where models only stand beside the experiment's, they are not.
fn is_held(experiment: &Experiment) -> bool {
    experiment.methods.iter().any(Method::can_be_held)
}

/// Nothing is held against a part of a run, nor chosen by a part of its items.
pub fn refuse_shards(experiment: &Experiment) -> anyhow::Result<()> {
    ensure!(
        !experiment.methods.iter().any(Method::chooses_nodes),
        "neurons: Top chooses by all items, of which a shard has a part; run the experiment in one process, or name the neurons"
    );
    ensure!(
        experiment.against.is_empty(),
        "against: shards cannot be held against anything; run the experiment in one process"
    );
    Ok(())
}

/// Runs every variant that is not there yet, each in a folder of its own below `path`.
pub fn run(
    (own, loaded): (&Plan, &Loaded),
    file: &Path,
    path: &Path,
    bar: &mut Bar,
    voice: Voice,
) -> anyhow::Result<Vec<Beside>> {
    let (mut folders, own_layers) = (Vec::new(), loaded.model.dims().layers);
    if !is_held(&own.experiment) {
        return Ok(folders);
    }
    for (index, variant) in own.experiment.against.iter().enumerate() {
        let folder = path.join("against").join(&variant.name);
        let experiment = own.experiment.clone();
        let (plan, loaded) =
            prepared(experiment.varied(variant), file, voice).map_err(|error| named(index, variant, &error))?;
        let layers = [own_layers, loaded.model.dims().layers];
        let same_tokens = tokens(&plan).eq(tokens(own));
        let ready = Ready::of(plan, loaded);
        if !is_finished(&folder, &ready.fingerprint) {
            let work = ready.begin(&folder, Shard::WHOLE, bar)?;
            ready.complete(work, bar, voice, |_, _| Ok(()))?;
        }
        twins(&experiment, variant, (file, &folder), bar, voice).map_err(|error| named(index, variant, &error))?;
        folders.push(Beside { folder, same_tokens, layers });
    }
    Ok(folders)
}

/// The prompts of a plan, as its model reads them.
fn tokens(plan: &Plan) -> impl Iterator<Item = [&Vec<u32>; 2]> {
    plan.items.iter().map(|item| [&item.clean, &item.corrupt])
}

/// Measures every twin of a variant's treatment that is not there yet, in the variant's folder.
fn twins(
    experiment: &Experiment,
    variant: &Variant,
    (file, folder): (&Path, &Path),
    bar: &mut Bar,
    voice: Voice,
) -> anyhow::Result<()> {
    let there = if variant.twins == 0 { return Ok(()) } else { Folder::existing(folder)? };
    for number in (1..=variant.twins).filter(|number| !there.has(&report::twin_file(*number))) {
        let (plan, loaded) = prepared(experiment.twin(variant, number), file, voice)?;
        bar.mark(&format!("twin {number} of {}", variant.twins));
        let mut outcome = crate::run::run(&plan, &loaded, &mut Steps::unkept(&mut ()))?;
        report::keep_twin(&mut outcome, number, &there)?;
    }
    Ok(())
}

/// Adds to an outcome what it found beside what the variants did.
pub fn hold(outcome: &mut Outcome, plan: &Plan, variants: &[Beside]) -> anyhow::Result<()> {
    for (variant, beside) in plan.experiment.against.iter().zip(variants) {
        let folder = &beside.folder;
        report::hold(outcome, plan, variant, folder)?;
        report::hold_spaces(outcome, plan, variant, folder)?;
        report::hold_measures(outcome, plan, variant, folder)?;
        report::hold_classified(outcome, plan, variant, beside)?;
        report::hold_twins(outcome, plan, variant, folder)?;
        report::hold_effects(outcome, plan, variant, beside)?;
    }
    Ok(())
}
