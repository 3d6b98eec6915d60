//! What each command does.

use super::FileArgs;
use super::screen::say;
use crate::model::load::{LoadError, Loaded, folder};
use crate::model::process::Processing;
use crate::model::{Model, shape};
use crate::plan::{Load, Plan};
use crate::report;
use crate::spec::{self, Experiment, ModelSpec};
use crate::tensor::Device;
use crate::{builtin, device};
use anyhow::anyhow;
use std::path::{Path, PathBuf};

/// A file with `--set`, `--model`, `--device` and `--memory` written into it.
fn experiment(args: &FileArgs) -> anyhow::Result<Experiment> {
    let model = args.model.iter().map(|model| ("model".to_string(), report::ron_value(&model_spec(model))));
    let device = args.device.iter().map(|device| ("device".to_string(), report::ron_value(device)));
    let memory = args.memory.iter().map(|memory| ("memory".to_string(), report::ron_value(memory)));
    let changes: Vec<(String, String)> =
        changes(&args.set)?.into_iter().chain(model).chain(device).chain(memory).collect();
    Ok(parsed::<Experiment>(&args.file, &changes)?.located(&args.file))
}

/// Any RON file with changes written into it.
pub fn parsed<T: serde::de::DeserializeOwned>(file: &Path, changes: &[(String, String)]) -> anyhow::Result<T> {
    let text = changes.iter().try_fold(spec::text(file)?, |text, (path, value)| spec::set(&text, path, value))?;
    let written = || changes.iter().map(|(path, value)| format!("{path}={value}")).collect::<Vec<_>>().join(", ");
    spec::parse(file, &text).map_err(|error| match changes {
        [] => anyhow!(error),
        _ => anyhow!("{error}\nThese lines are the file's after {} was written into it.", written()),
    })
}

/// `--set` values as path and value.
pub fn changes(sets: &[String]) -> anyhow::Result<Vec<(String, String)>> {
    let split = |set: &String| {
        let (path, value) = set.split_once('=').ok_or_else(|| anyhow!("--set {set}: write path=value"))?;
        Ok((path.trim().to_string(), value.trim().to_string()))
    };
    sets.iter().map(split).collect()
}

/// A model as the command line names it: a built-in one, else a folder.
fn model_spec(name: &str) -> ModelSpec {
    match builtin::names().iter().any(|(known, _)| *known == name) {
        true => ModelSpec::Builtin(name.to_string()),
        false => ModelSpec::Path(PathBuf::from(name)),
    }
}

fn load(model: &ModelSpec, process: &[Processing], device: &Device) -> anyhow::Result<Loaded> {
    match model {
        ModelSpec::Builtin(name) => Ok(builtin::load(name, process, device)?),
        ModelSpec::Path(path) => folder(path, process, device).map_err(|error| with_path(path, &error)),
    }
}

/// An error of a model's folder with its path, where it does not begin with it.
fn with_path(path: &Path, error: &LoadError) -> anyhow::Error {
    let names = || builtin::names().iter().map(|(name, _)| *name).collect::<Vec<_>>().join(" and ");
    let hint =
        if matches!(error, LoadError::NoFolder(_)) { format!("; built in are {}", names()) } else { String::new() };
    let (path, error) = (path.display().to_string(), error.to_string() + &hint);
    match error.starts_with(&path) {
        true => anyhow!("model {error}"),
        false => anyhow!("model {path}: {error}"),
    }
}

pub fn prepare(args: &FileArgs) -> anyhow::Result<(Plan, Loaded)> {
    let experiment = experiment(args)?;
    let device = device::open(experiment.device)?;
    let loaded = load(&experiment.model, &experiment.process, &device)?;
    let plan = Plan::new(&experiment, &loaded)
        .map_err(|problems| anyhow!("{} cannot be run:\n{problems}", args.file.display()))?;
    Ok((plan, loaded))
}

/// `patchclamp check`
pub fn check(args: &FileArgs) -> anyhow::Result<()> {
    let (plan, loaded) = prepare(args)?;
    let (facts, _) = report::facts(&plan, &loaded);
    say(&format!("{}\n", plan.experiment.question))?;
    for (name, value) in &facts {
        say(&format!("{name:>16}  {value}"))?;
    }
    say("")?;
    for (index, step) in plan.steps.iter().enumerate() {
        let size = match step {
            crate::plan::Step::Patch(sweep, _) | crate::plan::Step::Ablate(sweep, _) => {
                format!(", {} places", sweep.cells.len())
            }
            _ => String::new(),
        };
        let Load { rows, memory } = plan.loads[index];
        let load = match plan.experiment.memory {
            Some(_) => format!(", {rows} rows at once, about {}", memory.rounded()),
            None => String::new(),
        };
        say(&format!("{:>3}. {}{size}, {} items{load}", index + 1, crate::run::name(step), plan.items.len()))?;
    }
    Ok(())
}

/// `patchclamp sites`
pub fn sites(name: &str) -> anyhow::Result<()> {
    let loaded = load(&model_spec(name), &[], &device::open(device::Choice::Cpu)?)?;
    let model: &dyn Model = loaded.model.as_ref();
    for site in model.sites() {
        say(&format!("{:<36} {}", site.to_string(), named_shape(model, site)))?;
    }
    Ok(())
}

/// The shape of a site with the names of its axes.
fn named_shape(model: &dyn Model, site: crate::site::Site) -> String {
    use crate::site::Layout;
    let sizes = shape(model.dims(), site, 1, 1);
    let last = sizes.last().copied().unwrap_or(1);
    match site.layout() {
        Layout::Stream => format!("[batch, pos, {last}]"),
        Layout::Heads => format!("[batch, pos, {}, {last}]", sizes[2]),
        Layout::Pattern => format!("[batch, {}, query, key]", sizes[1]),
    }
}

/// `patchclamp devices`
pub fn devices() -> anyhow::Result<()> {
    for found in device::list() {
        match found.devices {
            Ok(devices) => say(&format!("{:<8} {}", found.name, devices.join(", ")))?,
            Err(error) => say(&format!("{:<8} not available: {error}", found.name))?,
        }
    }
    Ok(())
}

/// `patchclamp report`
pub fn report(path: &Path) -> anyhow::Result<()> {
    let page = report::redraw(path)?;
    say(&format!("{}", page.display()))
}
