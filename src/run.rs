//! A plan carried out: every method in turn, its tables named and numbered.

use crate::method::generate::Length;
use crate::method::{self, Bench, Finding};
use crate::model::HookError;
use crate::model::load::Loaded;
use crate::plan::{Plan, Step, Sweep};

/// What a whole run found, method by method.
pub struct Outcome {
    /// One finding a method, tables named `01_patch.denoise` and so on.
    pub findings: Vec<Finding>,
}

/// Hears how a run goes on.
pub trait Watcher {
    /// A method begins, of `work` units.
    fn begin(&mut self, name: &str, work: usize);
    /// So many units more are done.
    fn advance(&mut self, done: usize);
}

/// Hears nothing.
impl Watcher for () {
    fn begin(&mut self, _: &str, _: usize) {}
    fn advance(&mut self, _: usize) {}
}

/// Runs a plan. Fails only where a hook was not called as it asked, which is a fault of the program.
pub fn run(plan: &Plan, loaded: &Loaded, watcher: &mut dyn Watcher) -> Result<Outcome, HookError> {
    let bench = Bench {
        model: loaded.model.as_ref(),
        text: loaded.text.as_ref(),
        items: &plan.items,
        metric: plan.metric(),
        statistics: plan.experiment.statistics,
        seed: plan.experiment.seed,
    };
    let mut findings = Vec::new();
    for (index, step) in plan.steps.iter().enumerate() {
        watcher.begin(name(step), work(step, &bench));
        let mut finding = carry_out(step, plan, &bench, &mut |done| watcher.advance(done))?;
        number(&mut finding, index + 1);
        findings.push(finding);
    }
    Ok(Outcome { findings })
}

fn carry_out(step: &Step, plan: &Plan, bench: &Bench, progress: &mut method::Progress) -> Result<Finding, HookError> {
    match step {
        Step::Record { sites, gradients } => {
            method::record::record(bench, sites, gradients, plan.experiment.padding, progress)
        }
        Step::LogitLens(sites) => method::lens::lens(bench, sites, progress),
        Step::DirectLogitAttribution => method::attribute::attribute(bench, progress),
        Step::Attention(weighting) => method::attention::attention(bench, *weighting, progress),
        Step::Patch(sweep, direction) => method::patch::patch(bench, sweep, *direction, progress),
        Step::Ablate(sweep, with) => method::ablate::ablate(bench, sweep, *with, progress),
        Step::Generate { tokens, edits, temperature } => {
            method::generate::generate(bench, Length { tokens: *tokens, temperature: *temperature }, edits, progress)
        }
    }
}

/// What a method is called while it runs.
pub fn name(step: &Step) -> &'static str {
    match step {
        Step::Record { .. } => "record",
        Step::LogitLens(_) => "logit lens",
        Step::DirectLogitAttribution => "direct logit attribution",
        Step::Attention(_) => "attention",
        Step::Patch(..) => "patch",
        Step::Ablate(..) => "ablate",
        Step::Generate { .. } => "generate",
    }
}

/// Units of work of a method, as it reports them.
pub fn work(step: &Step, bench: &Bench) -> usize {
    let items = bench.items.len();
    let paired = bench.items.iter().any(|item| item.answers.is_some());
    match step {
        Step::Record { .. } => items * if paired { 2 } else { 1 },
        Step::LogitLens(sites) => items * sites.len() * bench.position_labels().len().max(1),
        Step::Patch(Sweep { cells, .. }, _) | Step::Ablate(Sweep { cells, .. }, _) => items * cells.len(),
        _ => items,
    }
}

/// Puts the number of the method before every name, so that two of a kind do not meet.
fn number(finding: &mut Finding, number: usize) {
    let numbered = |name: &str| format!("{number:02}_{name}");
    finding.tables.iter_mut().chain(&mut finding.items).for_each(|table| table.name = numbered(&table.name));
    finding.texts.iter_mut().for_each(|text| text.table = numbered(&text.table));
    finding.tensors.iter_mut().for_each(|(name, _)| *name = numbered(name));
}
