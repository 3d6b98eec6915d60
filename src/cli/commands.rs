//! What each command does.

use super::FileArgs;
use super::screen::{Bar, Voice, ending, say};
use crate::model::load::{Loaded, folder};
use crate::model::{Model, shape};
use crate::plan::Plan;
use crate::report::{self, Folder};
use crate::run::Watcher;
use crate::spec::{Experiment, ModelSpec, set};
use crate::{builtin, device};
use anyhow::{Context, anyhow};
use std::path::{Path, PathBuf};

/// The text of a file with `--set`, `--model` and `--device` written into it.
fn text(args: &FileArgs) -> anyhow::Result<String> {
    let text = std::fs::read_to_string(&args.file).with_context(|| format!("{}", args.file.display())).map_err(flat)?;
    let mut text = changed(text, &args.set)?;
    if let Some(model) = &args.model {
        text = set(&text, "model", &crate::report::ron_value(&model_spec(model)))?;
    }
    if let Some(device) = args.device {
        text = set(&text, "device", &crate::report::ron_value(&device))?;
    }
    Ok(text)
}

/// A text with `path=value` changes written into it.
pub fn changed(text: String, changes: &[String]) -> anyhow::Result<String> {
    changes.iter().try_fold(text, |text, change| {
        let (path, value) = change.split_once('=').ok_or_else(|| anyhow!("--set {change}: write path=value"))?;
        Ok(set(&text, path.trim(), value.trim())?)
    })
}

/// An error and its cause in one line.
fn flat(error: anyhow::Error) -> anyhow::Error {
    anyhow!("{error:#}")
}

/// A model as the command line names it: a built-in one, else a folder.
fn model_spec(name: &str) -> ModelSpec {
    match builtin::names().iter().any(|(known, _)| *known == name) {
        true => ModelSpec::Builtin(name.to_string()),
        false => ModelSpec::Path(PathBuf::from(name)),
    }
}

fn load(experiment: &Experiment) -> anyhow::Result<Loaded> {
    let device = device::open(experiment.device)?;
    Ok(match &experiment.model {
        ModelSpec::Builtin(name) => builtin::load(name, &experiment.process, &device)?,
        ModelSpec::Path(path) => folder(path, &experiment.process, &device)
            .with_context(|| format!("model {}", path.display()))
            .map_err(flat)?,
    })
}

fn prepare(args: &FileArgs) -> anyhow::Result<(Plan, Loaded)> {
    let experiment = Experiment::parse(&args.file, &text(args)?)?;
    let loaded = load(&experiment)?;
    let plan = Plan::new(&experiment, &loaded)
        .map_err(|problems| anyhow!("{} cannot be run:\n{problems}", args.file.display()))?;
    Ok((plan, loaded))
}

/// `patchclamp run`
pub fn run(args: &FileArgs, out: Option<PathBuf>, voice: Voice) -> anyhow::Result<()> {
    let (plan, loaded) = prepare(args)?;
    let path = out.unwrap_or_else(|| Path::new("runs").join(args.file.file_stem().unwrap_or(args.file.as_os_str())));
    let (folder, kept) = Folder::fresh(&path)?;
    if let (Some(kept), Voice::Terminal) = (kept, voice) {
        say(&format!("The earlier run is kept as {}.", kept.display()))?;
    }
    let mut bar = Bar::new(voice);
    let outcome = crate::run::run(&plan, &loaded, &mut bar)?;
    bar.begin("report", 1);
    let (facts, tokens) = report::facts(&plan, &loaded);
    let results = report::write(&plan, outcome, facts, tokens, &folder)?;
    bar.finish();
    ending(&results, &path, voice)
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
        say(&format!("{:>3}. {}{size}, {} items", index + 1, crate::run::name(step), plan.items.len()))?;
    }
    Ok(())
}

/// `patchclamp sites`
pub fn sites(name: &str) -> anyhow::Result<()> {
    let device = device::open(device::Choice::Cpu)?;
    let loaded = match model_spec(name) {
        ModelSpec::Builtin(name) => builtin::load(&name, &[], &device)?,
        ModelSpec::Path(path) => folder(&path, &[], &device)?,
    };
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
