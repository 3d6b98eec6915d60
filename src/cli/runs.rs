//! Runs: begun, gone on with, cut into shards, put together.

use super::FileArgs;
use super::commands::{load, prepare};
use super::screen::{Bar, Voice, ending, say};
use crate::device;
use crate::model::load::Loaded;
use crate::plan::Plan;
use crate::report::{self, Folder};
use crate::run::{Outcome, PRECISION_ERROR, precision_error};
use crate::spec::Experiment;
use crate::steps::{Fingerprint, Kept, RunError, Shard, Steps, Watcher, journals, kept_in};
use anyhow::anyhow;
use std::path::{Path, PathBuf};

/// Where results go when nobody says: `runs/` and the name of the file, or of the folder whose `run.ron` it is.
fn default_folder(file: &Path) -> PathBuf {
    let own = file.file_stem().unwrap_or(file.as_os_str());
    let parent = std::fs::canonicalize(file).ok().and_then(|file| Some(file.parent()?.file_name()?.to_owned()));
    let name = match parent {
        Some(parent) if file.file_name().is_some_and(|name| name == "run.ron") => parent,
        _ => own.to_owned(),
    };
    Path::new("runs").join(name)
}

/// A run that can begin: what it means, what it works with, and what identifies it.
struct Ready {
    plan: Plan,
    loaded: Loaded,
    described: Experiment,
    fingerprint: Fingerprint,
}

fn ready(args: &FileArgs, voice: Voice) -> anyhow::Result<Ready> {
    let (plan, loaded) = prepare(args, voice)?;
    let described = report::described(&plan, &loaded);
    let fingerprint = report::fingerprint(&described);
    Ok(Ready { plan, loaded, described, fingerprint })
}

/// `patchclamp run`
pub fn run(args: &FileArgs, out: Option<PathBuf>, voice: Voice) -> anyhow::Result<()> {
    let mut bar = Bar::new(voice);
    bar.mark("load");
    let ready = ready(args, voice)?;
    let path = out.unwrap_or_else(|| default_folder(&args.file));
    let (folder, kept) = Folder::begin(&path, &ready.fingerprint)?;
    report::write_run(&ready.described, &folder)?;
    let (journal, steps) = folder.journal(Shard::WHOLE, &ready.fingerprint)?;
    if !steps.is_empty() {
        bar.note(&format!("Going on with the run in {}: {} steps are done.", path.display(), steps.len()));
    }
    let outcome =
        crate::run::run(&ready.plan, &ready.loaded, &mut Steps::new(steps, Some(journal), Shard::WHOLE, &mut bar))?;
    finish(ready, outcome, &folder, &path, &mut bar, voice)?;
    match (kept, voice) {
        (Some(kept), Voice::Terminal) => say(&format!("The earlier run is kept as {}.", kept.display())),
        _ => Ok(()),
    }
}

/// Writes tables, figures and page, and only then forgets the steps.
fn finish(
    mut ready: Ready,
    mut outcome: Outcome,
    folder: &Folder,
    path: &Path,
    bar: &mut Bar,
    voice: Voice,
) -> anyhow::Result<()> {
    bar.begin("report", 1);
    if let Some(lost) = lost(&ready, voice)? {
        outcome.tables().for_each(|table| drop(table.facts.insert(PRECISION_ERROR.into(), lost.clone())));
        ready.described.facts.get_or_insert_default().insert(PRECISION_ERROR.into(), lost);
        report::write_run(&ready.described, folder)?;
    }
    let results = report::write(ready.described, outcome, folder)?;
    folder.finish()?;
    bar.finish();
    // said last: a reader that has gone must not keep the run from happening
    ending(&results, path, voice, bar)
}

/// What half precision costs against f32 on the same device, in words; nothing elsewhere. It is no part of what identifies
/// a run: shards on several machines may round differently.
fn lost(Ready { plan, loaded, .. }: &Ready, voice: Voice) -> anyhow::Result<Option<String>> {
    let experiment = &plan.experiment;
    if !experiment.precision.is_half() {
        return Ok(None);
    }
    let setting = (&device::open(experiment.device)?).into();
    let full = load(&mut experiment.model.clone(), &experiment.process, &setting, voice)?;
    Ok(Some(precision_error(plan, loaded, &full)?))
}

/// `patchclamp run --shard`: the steps of one shard, kept for `patchclamp merge`.
pub fn shard(args: &FileArgs, out: Option<PathBuf>, shard: Shard, voice: Voice) -> anyhow::Result<()> {
    let ready = ready(args, voice)?;
    let path = out.unwrap_or_else(|| default_folder(&args.file));
    let folder = Folder::share(&path, &ready.fingerprint)?;
    report::write_run(&ready.described, &folder)?;
    let (journal, steps) = folder.journal(shard, &ready.fingerprint)?;
    let mut bar = Bar::new(voice);
    let found = crate::run::run(&ready.plan, &ready.loaded, &mut Steps::new(steps, Some(journal), shard, &mut bar));
    bar.finish();
    match found {
        Ok(_) | Err(RunError::Elsewhere) => {}
        Err(error) => return Err(error.into()),
    }
    match voice {
        Voice::Quiet => Ok(()),
        Voice::Json => say(&serde_json::json!({ "folder": path, "shard": shard.to_string() }).to_string()),
        Voice::Terminal => say(&format!("Shard {shard} is done. When all are: patchclamp merge {}", path.display())),
    }
}

/// `patchclamp merge`: the tables of a run whose shards have written their steps to these folders.
pub fn merge(folders: &[PathBuf], voice: Voice) -> anyhow::Result<()> {
    let path = folders.first().ok_or_else(|| anyhow!("name a folder that shards wrote to"))?;
    let folder = Folder::existing(path)?;
    let args = FileArgs { file: path.join("run.ron"), set: Vec::new(), model: None, device: None, precision: None };
    let ready = ready(&args, voice)?;
    let mut kept = Kept::new();
    for path in folders {
        kept.extend(kept_in(&path.join("steps"), &ready.fingerprint)?);
    }
    let mut bar = Bar::new(voice);
    let mut steps = Steps::new(kept, None, Shard::NONE, &mut bar);
    let outcome = match crate::run::run(&ready.plan, &ready.loaded, &mut steps) {
        Err(RunError::Elsewhere) => return Err(unfinished(folders, steps.missing())?),
        found => found?,
    };
    finish(ready, outcome, &folder, path, &mut bar, voice)
}

/// Which shards have steps left to do.
fn unfinished(folders: &[PathBuf], missing: &[usize]) -> anyhow::Result<anyhow::Error> {
    let mut names = Vec::new();
    for folder in folders {
        names.extend(journals(&folder.join("steps"))?);
    }
    let of = names.iter().filter_map(|path| path.file_stem()?.to_str()?.split_once("-of-")?.1.parse().ok()).max();
    let mut shards: Vec<String> = missing.iter().map(|step| Shard::of(*step, of.unwrap_or(1)).to_string()).collect();
    shards.sort();
    shards.dedup();
    Ok(anyhow!(
        "{} steps are missing; they belong to shard {}: run it again with the same --out, it goes on where it stopped",
        missing.len(),
        shards.join(", ")
    ))
}
