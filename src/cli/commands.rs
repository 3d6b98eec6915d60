//! What each command does.

use super::FileArgs;
use super::open::{load, planned};
use super::screen::{Voice, say};
use crate::model::load::Loaded;
use crate::model::{Model, shape};
use crate::plan::{Load, Plan};
use crate::report;
use crate::spec::{self, Experiment, HubModel, ModelSpec};
use crate::{builtin, device};
use anyhow::anyhow;
use std::path::{Path, PathBuf};

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

/// The experiment of a file, planned.
fn prepare(args: &FileArgs, voice: Voice) -> anyhow::Result<(Plan, Loaded)> {
    planned(experiment(args)?, &args.file, voice)
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
