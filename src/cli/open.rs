//! Models opened as the command line or a file names them, their weights treated where an experiment says so.

use super::against;
use super::screen::{Bar, Voice};
use super::treat::Source;
use crate::compile::compile;
use crate::model::Model;
use crate::model::load::{Fresh, LoadError, Loaded, fresh};
use crate::model::process::Processing;
use crate::model::weights::Weights;
use crate::plan::{Guest, Named, Plan};
use crate::spec::{Experiment, HubModel, Method, ModelSpec, Treatment};
use crate::steps::Watcher;
use crate::tensor::{Setting, cpu};
use crate::treat::{self, Ledger, Recipe, structure::other_shape};
use crate::{builtin, device, hub};
use anyhow::{anyhow, ensure};
use std::collections::BTreeSet;
use std::path::Path;
use std::rc::Rc;

/// The files of a model, and the model as it was built of them; one of the hub by its commit.
pub fn source(model: &ModelSpec, setting: &Setting, voice: Voice) -> anyhow::Result<(Source, Box<dyn Model>)> {
    let mut model = model.clone();
    let built = open(&mut model, setting, voice)?.into_model();
    let carried = |[config, tokenizer]: [&str; 2], weights: bytes::Bytes| -> anyhow::Result<Source> {
        let beside = vec![("tokenizer.json".to_string(), tokenizer.as_bytes().to_vec())];
        Ok(Source { config: config.into(), beside, weights: Weights::carried(weights, &cpu())? })
    };
    let source = match &model {
        ModelSpec::Builtin(name) => {
            let (files, weights) =
                builtin::files(name).ok_or_else(|| anyhow!("there is no built-in model {name:?}"))?;
            carried(files, weights.into())?
        }
        ModelSpec::Compiled(task) => {
            let compiled = compile(task).map_err(|error| anyhow!("model {task} cannot be compiled:\n{error}"))?;
            carried([&compiled.config, &compiled.tokenizer], compiled.weights.clone().into())?
        }
        ModelSpec::Path(path) => of_folder(path)?,
        ModelSpec::Hub(name) => {
            let mut bar = Bar::of_files(voice);
            let snapshot = hub::fetch(name, &mut bar).map_err(|error| anyhow!("model {error}"))?;
            bar.finish();
            of_folder(&snapshot.folder)?
        }
    };
    Ok((source, built))
}

/// Files beside the weights that go with a copy of a model: its tokenizer and settings, never other weights.
fn of_folder(path: &Path) -> anyhow::Result<Source> {
    let mut beside = Vec::new();
    for entry in std::fs::read_dir(path)? {
        let path = entry?.path();
        let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        let kept = [".json", ".txt", ".model", ".jinja"].iter().any(|ending| name.ends_with(ending));
        if kept && name != "config.json" && !name.ends_with(".index.json") && path.is_file() {
            beside.push((name, std::fs::read(&path)?));
        }
    }
    beside.sort();
    let config = std::fs::read_to_string(path.join("config.json"))?;
    Ok(Source { config, beside, weights: Weights::open(path, &cpu())? })
}

/// A model as it was built; one of the hub keeps the commit that it is.
fn open(model: &mut ModelSpec, setting: &Setting, voice: Voice) -> anyhow::Result<Fresh> {
    match model {
        ModelSpec::Builtin(name) => Ok(builtin::fresh(name, setting)?),
        ModelSpec::Path(path) => fresh(path, setting).map_err(|error| with_path(path, &error)),
        ModelSpec::Compiled(task) => {
            let compiled = compile(task).map_err(|error| anyhow!("model {task} cannot be compiled:\n{error}"))?;
            Ok(compiled.fresh(setting)?)
        }
        ModelSpec::Hub(name) => {
            let mut bar = Bar::of_files(voice);
            let fetched = hub::fetch(name, &mut bar);
            bar.finish();
            let hub::Snapshot { folder: path, commit } =
                fetched.map_err(|error| anyhow!("model {error}{}", no_folder(name)))?;
            name.commit = Some(commit);
            fresh(&path, setting).map_err(|error| with_path(&path, &error))
        }
    }
}

/// A model in a setting; one of the hub keeps the commit that it is.
pub fn load(model: &mut ModelSpec, process: &[Processing], setting: &Setting, voice: Voice) -> anyhow::Result<Loaded> {
    let opened = open(model, setting, voice)?;
    finish(opened, model, process)
}

fn finish(opened: Fresh, model: &ModelSpec, process: &[Processing]) -> anyhow::Result<Loaded> {
    opened.finish(process).map_err(|error| match model {
        ModelSpec::Path(path) => with_path(path, &error),
        _ => anyhow!(error),
    })
}

/// An experiment with its model as it is before its weights are treated, and what is to be done with it; `file` is what errors
/// call it.
pub fn planned(mut experiment: Experiment, file: &Path, voice: Voice) -> anyhow::Result<(Plan, Loaded)> {
    let setting = device::setting(experiment.device, experiment.precision)?;
    let loaded = load(&mut experiment.model, &experiment.process, &setting, voice)?;
    let others = others(&mut experiment.treat, &setting, voice)?;
    if !others.is_empty() {
        // weights are merged before they are processed
        fitting(open(&mut experiment.model, &setting, voice)?.model(), others)?;
    }
    let cannot = |problems| anyhow!("{} cannot be run:\n{problems}", file.display());
    // what is wrong with the experiment itself is said before what is wrong with the models beside its own
    let guests = guests(&mut experiment, &setting, voice)
        .map_err(|error| Plan::new(&experiment, &loaded).err().map_or(error, cannot))?;
    let plan = Plan::among(&experiment, &loaded, &guests).map_err(cannot)?;
    Ok((plan, loaded))
}

/// The other models that methods name, each loaded once; names that no variant has are the plan's to tell.
fn guests(experiment: &mut Experiment, setting: &Setting, voice: Voice) -> anyhow::Result<Vec<Guest>> {
    let process = experiment.process.clone();
    let mut guests: Vec<Guest> = Vec::new();
    for spec in experiment.methods.iter_mut().filter_map(Method::guest_mut) {
        let loaded = load(spec, &process, setting, voice)?; // which fixes the commit of one of the hub
        let named = Named::Model(spec.clone());
        if !guests.iter().any(|guest| guest.named == named) {
            guests.push(Guest { named, loaded: Rc::new(loaded) });
        }
    }
    let names: BTreeSet<&str> = experiment.methods.iter().filter_map(Method::beside).collect();
    for (index, variant) in experiment.against.iter().enumerate().filter(|(_, one)| names.contains(one.name.as_str())) {
        let loaded = of_variant(experiment.varied(variant), setting, voice)
            .map_err(|error| against::named(index, variant, &error))?;
        guests.push(Guest { named: Named::Variant(variant.name.clone()), loaded: Rc::new(loaded) });
    }
    Ok(guests)
}

/// The model of a variant, with its weights treated.
fn of_variant(mut varied: Experiment, setting: &Setting, voice: Voice) -> anyhow::Result<Loaded> {
    let loaded = load(&mut varied.model, &varied.process, setting, voice)?;
    let others = others(&mut varied.treat, setting, voice)?;
    let recipe = Plan::recipe(&varied, &loaded)?;
    if recipe.is_empty() {
        return Ok(loaded);
    }
    let mut opened = open(&mut varied.model, setting, voice)?;
    let others = fitting(opened.model(), others)?;
    apply(&mut opened, &recipe, &others, voice)?;
    finish(opened, &varied.model, &varied.process)
}

/// The same, with the weights treated.
pub fn prepared(experiment: Experiment, file: &Path, voice: Voice) -> anyhow::Result<(Plan, Loaded)> {
    let (mut plan, loaded) = planned(experiment, file, voice)?;
    if plan.recipe.is_empty() {
        return Ok((plan, loaded));
    }
    drop(loaded); // its weights are processed; those that are treated are not yet
    let setting = device::setting(plan.experiment.device, plan.experiment.precision)?;
    let loaded = treated(&mut plan, &setting, voice)?;
    Ok((plan, loaded))
}

/// The model of a plan with its weights treated, as the plan keeps account of.
fn treated(plan: &mut Plan, setting: &Setting, voice: Voice) -> anyhow::Result<Loaded> {
    let (loaded, ledger) = treated_by(&mut plan.experiment, &mut plan.recipe, setting, voice)?;
    plan.ledger = Some(ledger);
    Ok(loaded)
}

/// The model of an experiment after a recipe, and what that did; models of the hub keep the commits that they are.
pub fn treated_by(
    experiment: &mut Experiment,
    recipe: &mut Recipe,
    setting: &Setting,
    voice: Voice,
) -> anyhow::Result<(Loaded, Ledger)> {
    let mut model = experiment.model.clone();
    let mut opened = open(&mut model, setting, voice)?;
    let others = others(&mut experiment.treat, setting, voice)?;
    recipe.merged = others.iter().map(|(index, other)| (*index, other.hash.text().to_string())).collect();
    let others = fitting(opened.model(), others)?;
    let ledger = apply(&mut opened, recipe, &others, voice)?;
    Ok((finish(opened, &model, &experiment.process)?, ledger))
}

/// Takes every step of a recipe, with a bar where something is trained.
fn apply(opened: &mut Fresh, recipe: &Recipe, others: &[Box<dyn Model>], voice: Voice) -> anyhow::Result<Ledger> {
    let (mut bar, width) = (Bar::new(voice), opened.width);
    let ledger = treat::apply_heard(opened.model(), recipe, others, width, &mut |done, of| {
        if done == 1 {
            bar.begin("training the student", of);
        }
        bar.advance(1);
    });
    bar.finish();
    Ok(ledger?)
}

/// The models that weights are drawn towards, each with the step that names it.
fn others(steps: &mut [Treatment], setting: &Setting, voice: Voice) -> anyhow::Result<Vec<(usize, Fresh)>> {
    let mut found = Vec::new();
    for (index, step) in steps.iter_mut().enumerate() {
        if let Treatment::Merge(merge) = step {
            found.push((index, open(&mut merge.with, setting, voice)?));
        }
    }
    Ok(found)
}

/// Refuses others that are not of the shape of a model as it was built.
fn fitting(model: &dyn Model, others: Vec<(usize, Fresh)>) -> anyhow::Result<Vec<Box<dyn Model>>> {
    let mut models = Vec::new();
    for (index, other) in others {
        let other = other.into_model();
        let differs = other_shape(model, other.as_ref());
        ensure!(differs.is_none(), "treat[{index}].with: {}", differs.unwrap_or_default());
        models.push(other);
    }
    Ok(models)
}

/// What is added where a name of the hub could have been meant as a folder.
fn no_folder(model: &HubModel) -> String {
    match model.id.contains('/') && !Path::new(&model.id).exists() {
        true => format!("; a folder {} is not here either", model.id),
        false => String::new(),
    }
}

/// An error of a model's folder with its path, where it does not begin with it.
fn with_path(path: &Path, error: &LoadError) -> anyhow::Error {
    let names = || builtin::names().iter().map(|(name, _)| *name).collect::<Vec<_>>().join(" and ");
    let hint = match error {
        LoadError::NoFolder(_) => {
            format!("; built in are {}, and a model of the hub is called hub:NAME or OWNER/NAME", names())
        }
        _ => String::new(),
    };
    let (path, error) = (path.display().to_string(), error.to_string() + &hint);
    match error.starts_with(&path) {
        true => anyhow!("model {error}"),
        false => anyhow!("model {path}: {error}"),
    }
}
