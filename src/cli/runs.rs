//! Runs: begun, gone on with, cut into shards, put together.

use super::commands::experiment;
use super::open::{load, prepared, treated_by};
use super::screen::{Bar, Voice, ending, say};
use super::{FileArgs, against};
use crate::device;
use crate::model::load::Loaded;
use crate::plan::Plan;
use crate::report::{self, Folder, Results, Work};
use crate::run::{Outcome, PRECISION_ERROR, precision_error};
use crate::spec::Experiment;
use crate::states::Store;
use crate::steps::{Fingerprint, Journal, RunError, Shard, Steps, Watcher, journals};
use anyhow::anyhow;
use std::collections::BTreeSet;
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
pub(super) struct Ready {
    plan: Plan,
    loaded: Loaded,
    described: Experiment,
    pub(super) fingerprint: Fingerprint,
}

fn ready(args: &FileArgs, voice: Voice) -> anyhow::Result<Ready> {
    let (plan, loaded) = prepared(experiment(args)?, &args.file, voice)?;
    Ok(Ready::of(plan, loaded))
}

impl Ready {
    /// A plan with its model.
    pub(super) fn of(plan: Plan, loaded: Loaded) -> Self {
        let described = report::described(&plan, &loaded);
        let fingerprint = report::fingerprint(&described);
        Ready { plan, loaded, described, fingerprint }
    }

    /// Begins the steps of a shard in a folder, or goes on with them.
    pub(super) fn begin(&self, path: &Path, shard: Shard, bar: &Bar) -> anyhow::Result<Work> {
        let work = Work::begin(path, &self.fingerprint, shard)?;
        if let Some(aside) = &work.aside {
            bar.note(&format!("The earlier run is kept as {}.", aside.display()));
        }
        if !work.kept.is_empty() {
            let (path, count) = (path.display(), work.kept.len());
            bar.note(&format!("Going on with the run in {path}: {count} steps are done."));
        }
        report::write_run(&self.described, &work.folder)?;
        Ok(work)
    }

    /// Carries a run out in a folder and writes its report; `add` may add to what was found.
    pub(super) fn complete(
        self,
        Work { folder, journal, kept, .. }: Work,
        bar: &mut Bar,
        voice: Voice,
        add: impl FnOnce(&mut Outcome, &Plan) -> anyhow::Result<()>,
    ) -> anyhow::Result<Results> {
        let store = self.store(folder.path());
        let mut steps = Steps::new(kept, Some(journal), Shard::WHOLE, bar).storing(store);
        let mut outcome = crate::run::run(&self.plan, &self.loaded, &mut steps)?;
        let journal = steps.into_journal();
        add(&mut outcome, &self.plan)?;
        self.finish(outcome, (folder, journal), bar, voice)
    }

    /// Where recorded states go in a run folder.
    fn store(&self, folder: &Path) -> Store {
        Store::new(folder, &self.fingerprint, self.loaded.hash.text())
    }

    /// Refuses what was computed while somebody wrote to the weights: it belongs to no one model.
    fn same_weights(&self) -> anyhow::Result<()> {
        let Some(path) = self.loaded.hash.changed() else { return Ok(()) };
        Err(anyhow!("{} was changed while the run went on, so nothing of it can be kept; run it again", path.display()))
    }

    /// Writes tables, figures and page, and only then forgets the steps.
    fn finish(
        mut self,
        mut outcome: Outcome,
        (folder, journal): (Folder, Option<Journal>),
        bar: &mut Bar,
        voice: Voice,
    ) -> anyhow::Result<Results> {
        bar.begin("report", 1);
        self.same_weights()?;
        if let Some(lost) = lost(&self, voice)? {
            outcome.tables().for_each(|table| drop(table.facts.insert(PRECISION_ERROR.into(), lost.clone())));
            self.described.facts.get_or_insert_default().insert(PRECISION_ERROR.into(), lost);
            report::write_run(&self.described, &folder)?;
        }
        let results = report::write(self.described, outcome, &folder)?;
        folder.finish(journal)?;
        bar.finish();
        Ok(results)
    }
}

/// `patchclamp run`
pub fn run(args: &FileArgs, out: Option<PathBuf>, voice: Voice) -> anyhow::Result<()> {
    let mut bar = Bar::new(voice);
    bar.mark("load");
    let ready = ready(args, voice)?;
    against::check(&ready.plan, &args.file, voice)?;
    let path = out.unwrap_or_else(|| default_folder(&args.file));
    // begun before its variants are run, so that a folder which was left in between is unfinished
    let work = ready.begin(&path, Shard::WHOLE, &bar)?;
    let folders = against::run((&ready.plan, &ready.loaded), &args.file, &path, &mut bar, voice)?;
    let results = ready.complete(work, &mut bar, voice, |outcome, plan| against::hold(outcome, plan, &folders))?;
    // said last: a reader that has gone must not keep the run from happening
    ending(&results, &path, voice, &bar)
}

/// What half precision costs against f32 on the same device, in words; nothing elsewhere. It is no part of what identifies
/// a run: shards on several machines may round differently.
fn lost(Ready { plan, loaded, .. }: &Ready, voice: Voice) -> anyhow::Result<Option<String>> {
    let experiment = &plan.experiment;
    if !experiment.precision.is_half() || plan.items.is_empty() {
        return Ok(None);
    }
    let setting = (&device::open(experiment.device)?).into();
    let full = match plan.recipe.is_empty() {
        true => load(&mut experiment.model.clone(), &experiment.process, &setting, voice)?,
        false => treated_by(&mut experiment.clone(), &mut plan.recipe.clone(), &setting, voice)?.0,
    };
    Ok(Some(precision_error(plan, loaded, &full)?))
}

/// `patchclamp run --shard`: the steps of one shard, kept for `patchclamp merge`.
pub fn shard(args: &FileArgs, out: Option<PathBuf>, shard: Shard, voice: Voice) -> anyhow::Result<()> {
    let ready = ready(args, voice)?;
    against::refuse_shards(&ready.plan.experiment)?;
    let path = out.unwrap_or_else(|| default_folder(&args.file));
    let mut bar = Bar::new(voice);
    let Work { journal, kept, .. } = ready.begin(&path, shard, &bar)?;
    let mut steps = Steps::new(kept, Some(journal), shard, &mut bar).storing(ready.store(&path));
    match crate::run::run(&ready.plan, &ready.loaded, &mut steps) {
        Ok(_) | Err(RunError::Elsewhere) => {}
        Err(error) => return Err(error.into()),
    }
    ready.same_weights()?;
    bar.finish();
    match voice {
        Voice::Quiet => Ok(()),
        Voice::Json => say(&serde_json::json!({ "folder": path, "shard": shard.to_string() }).to_string()),
        Voice::Terminal => say(&format!("Shard {shard} is done. When all are: patchclamp merge {}", path.display())),
    }
}

/// `patchclamp merge`: the tables of a run whose shards have written their steps to these folders.
pub fn merge(folders: &[PathBuf], voice: Voice) -> anyhow::Result<()> {
    let path = folders.first().ok_or_else(|| anyhow!("name a folder that shards wrote to"))?;
    let others: Vec<Folder> = folders.iter().map(|path| Folder::existing(path)).collect::<Result<_, _>>()?;
    let args = FileArgs {
        file: path.join("run.ron"),
        set: Vec::new(),
        model: None,
        device: None,
        precision: None,
        memory: None,
    };
    let ready = ready(&args, voice)?;
    let Work { folder, journal, mut kept, .. } = Work::merge(path, &ready.fingerprint)?;
    for other in &others[1..] {
        kept.extend(other.shares(&ready.fingerprint)?);
        folder.gather(other)?;
    }
    let mut bar = Bar::new(voice);
    let store = ready.store(path);
    let mut steps = Steps::new(kept, Some(journal), Shard::NONE, &mut bar).storing(store);
    let outcome = match crate::run::run(&ready.plan, &ready.loaded, &mut steps) {
        Err(RunError::Elsewhere) => return Err(unfinished(folders, steps.missing())?),
        found => found?,
    };
    let journal = steps.into_journal();
    let results = ready.finish(outcome, (folder, journal), &mut bar, voice)?;
    ending(&results, path, voice, &bar)
}

/// Which shards have steps left to do.
fn unfinished(folders: &[PathBuf], missing: &[usize]) -> anyhow::Result<anyhow::Error> {
    let mut names = Vec::new();
    for folder in folders {
        names.extend(journals(&folder.join("steps"))?);
    }
    let of = names.iter().filter_map(|path| path.file_stem()?.to_str()?.split_once("-of-")?.1.parse().ok()).max();
    let owners: BTreeSet<usize> = missing.iter().map(|turn| Shard::of(*turn, of.unwrap_or(1)).number).collect();
    let shards: Vec<String> = owners.iter().map(|number| format!("{number}/{}", of.unwrap_or(1))).collect();
    Ok(anyhow!(
        "{} steps are missing; they belong to shard {}: run it again with the same --out, it goes on where it stopped",
        missing.len(),
        shards.join(", ")
    ))
}
