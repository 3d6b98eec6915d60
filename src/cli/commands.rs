//! What each command does.

use super::screen::{Bar, Voice, say};
use super::{FileArgs, against};
use crate::compile::compile;
use crate::model::load::{LoadError, Loaded, folder};
use crate::model::process::Processing;
use crate::model::{Model, shape};
use crate::plan::{Guest, Load, Named, Plan};
use crate::report;
use crate::spec::{self, Experiment, HubModel, Method, ModelSpec};
use crate::tensor::Setting;
use crate::{builtin, device, hub};
use anyhow::anyhow;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::rc::Rc;

/// A file with `--set`, `--model`, `--device`, `--precision` and `--memory` written into it.
pub fn experiment(args: &FileArgs) -> anyhow::Result<Experiment> {
    let model = args.model.as_deref().map(model_spec).transpose()?;
    let model = model.iter().map(|model| ("model".to_string(), report::ron_value(model)));
    let device = args.device.iter().map(|device| ("device".to_string(), report::ron_value(device)));
    let precision = args.precision.iter().map(|precision| ("precision".to_string(), report::ron_value(precision)));
    let memory = args.memory.iter().map(|memory| ("memory".to_string(), report::ron_value(memory)));
    let named = model.chain(device).chain(precision).chain(memory);
    let changes: Vec<(String, String)> = changes(&args.set)?.into_iter().chain(named).collect();
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

/// A model as the command line names it: a built-in one, a folder, `hub:NAME`, or a name that only the hub can have.
pub fn model_spec(name: &str) -> anyhow::Result<ModelSpec> {
    let of_hub = |id: &str| id.parse::<HubModel>().map(ModelSpec::Hub);
    if builtin::names().iter().any(|(known, _)| *known == name) {
        return Ok(ModelSpec::Builtin(name.to_string()));
    }
    match name.strip_prefix("hub:") {
        Some(id) => of_hub(id).map_err(|why| anyhow!("model {name}: {why}")),
        None if name.contains('/') && !Path::new(name).exists() => {
            Ok(of_hub(name).unwrap_or_else(|_| ModelSpec::Path(PathBuf::from(name))))
        }
        None => Ok(ModelSpec::Path(PathBuf::from(name))),
    }
}

/// A model in a setting; one of the hub keeps the commit that it is.
pub fn load(model: &mut ModelSpec, process: &[Processing], setting: &Setting, voice: Voice) -> anyhow::Result<Loaded> {
    match model {
        ModelSpec::Builtin(name) => Ok(builtin::load(name, process, setting)?),
        ModelSpec::Path(path) => folder(path, process, setting).map_err(|error| with_path(path, &error)),
        ModelSpec::Compiled(task) => {
            let compiled = compile(task).map_err(|error| anyhow!("model {task} cannot be compiled:\n{error}"))?;
            Ok(compiled.load(process, setting)?)
        }
        ModelSpec::Hub(name) => {
            let mut bar = Bar::of_files(voice);
            let fetched = hub::fetch(name, &mut bar);
            bar.finish();
            let hub::Snapshot { folder: path, commit } =
                fetched.map_err(|error| anyhow!("model {error}{}", no_folder(name)))?;
            name.commit = Some(commit);
            folder(&path, process, setting).map_err(|error| with_path(&path, &error))
        }
    }
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

pub fn prepare(args: &FileArgs, voice: Voice) -> anyhow::Result<(Plan, Loaded)> {
    planned(experiment(args)?, &args.file, voice)
}

/// An experiment with its model, and what is to be done with it; `file` is what errors call it.
pub fn planned(mut experiment: Experiment, file: &Path, voice: Voice) -> anyhow::Result<(Plan, Loaded)> {
    let setting = device::setting(experiment.device, experiment.precision)?;
    let loaded = load(&mut experiment.model, &experiment.process, &setting, voice)?;
    let guests = guests(&mut experiment, &setting, voice)?;
    let plan = Plan::among(&experiment, &loaded, &guests)
        .map_err(|problems| anyhow!("{} cannot be run:\n{problems}", file.display()))?;
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
        let Experiment { mut model, process, .. } = experiment.varied(variant);
        let loaded =
            load(&mut model, &process, setting, voice).map_err(|error| against::named(index, variant, &error))?;
        guests.push(Guest { named: Named::Variant(variant.name.clone()), loaded: Rc::new(loaded) });
    }
    Ok(guests)
}

/// `patchclamp check`
pub fn check(args: &FileArgs) -> anyhow::Result<()> {
    let (plan, loaded) = prepare(args, Voice::Terminal)?;
    let (facts, _) = report::facts(&plan, &loaded);
    say(&format!("{}\n", plan.experiment.question))?;
    for (name, value) in &facts {
        say(&format!("{name:>16}  {value}"))?;
    }
    say("")?;
    for (index, step) in plan.steps.iter().enumerate() {
        let size = match step {
            crate::plan::Step::Patch(sweep, _)
            | crate::plan::Step::Ablate(sweep, _)
            | crate::plan::Step::Das(crate::plan::Das { sweep, .. }) => {
                format!(", {} places", sweep.cells.len())
            }
            crate::plan::Step::PathPatch(paths) => format!(", {} paths", paths.branches.len()),
            crate::plan::Step::Knockout(cuts) => {
                format!(", {} cuts", cuts.groups.first().map_or(0, |(_, cells)| cells.len()))
            }
            crate::plan::Step::Circuit(plan) => match &plan.top {
                None => format!(", {} edges", plan.blocks.edges().len()),
                Some(top) => {
                    format!(", about {} edges, {} neurons to be chosen", plan.expected().edges().len(), top.count)
                }
            },
            crate::plan::Step::Acdc(plan) => {
                format!(", {} edges, thresholds: {}", plan.blocks.edges().len(), plan.thresholds.len())
            }
            crate::plan::Step::Patchscope(scope) => format!(", {} states", scope.states.len()),
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
    let loaded = load(&mut model_spec(name)?, &[], &(&device::open(device::Choice::Cpu)?).into(), Voice::Terminal)?;
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
