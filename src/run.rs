//! A plan carried out: every method in turn, its tables named and numbered.

use crate::method::generate::Length;
use crate::method::{self, Bench, Finding, Side};
use crate::model::load::Loaded;
use crate::plan::{Plan, Step, Sweep};
use crate::steps::{RunError, Steps};
use crate::table::Table;

/// What a whole run found, method by method.
pub struct Outcome {
    /// One finding a method, tables named `01_patch.denoise` and so on.
    pub findings: Vec<Finding>,
}

impl Outcome {
    /// Every main table.
    pub fn tables(&mut self) -> impl Iterator<Item = &mut Table> {
        self.findings.iter_mut().flat_map(|finding| &mut finding.tables)
    }
}

/// Runs the steps of a plan that are this process's and puts together what all of them gave.
///
/// # Errors
/// A step that cannot be kept, a fault of the program, or [`RunError::Elsewhere`] where steps of other shards are not there.
pub fn run(plan: &Plan, loaded: &Loaded, steps: &mut Steps) -> Result<Outcome, RunError> {
    let mut findings = Vec::new();
    for (index, (step, load)) in plan.steps.iter().zip(&plan.loads).enumerate() {
        let bench = bench(plan, loaded, load.rows);
        steps.begin(name(step), work(step, &bench));
        match carry_out(step, plan, &bench, steps) {
            Ok(mut finding) => {
                number(&mut finding, index + 1);
                findings.push(finding);
            }
            Err(RunError::Elsewhere) => {}
            Err(error) => return Err(error),
        }
    }
    if !steps.missing().is_empty() {
        return Err(RunError::Elsewhere);
    }
    if let Some(truth) = &plan.truth
        && let Some(mut told) = method::recovery::recovery(&bench(plan, loaded, 1), &findings, truth)
    {
        number(&mut told, findings.len() + 1);
        findings.push(told);
    }
    if let Some(ledger) = &plan.ledger {
        let mut told = Finding { tables: vec![ledger.table()], ..Finding::default() };
        number(&mut told, findings.len() + 1);
        findings.push(told);
    }
    Ok(Outcome { findings })
}

fn bench<'a>(plan: &'a Plan, loaded: &'a Loaded, rows: usize) -> Bench<'a> {
    Bench {
        model: loaded.model.as_ref(),
        text: loaded.text.as_ref(),
        items: &plan.items,
        features: &plan.features,
        metric: plan.metric(),
        statistics: plan.experiment.statistics,
        seed: plan.experiment.seed,
        rows,
    }
}

/// The fact that tells what half precision costs.
pub const PRECISION_ERROR: &str = "precision, error";

/// How far the metric of the clean and of the corrupted runs is from that of `full`, the same model in f32, in words; of
/// items without answers, how far the logits behind their last token are.
pub fn precision_error(plan: &Plan, loaded: &Loaded, full: &Loaded) -> Result<String, RunError> {
    let rows = plan.loads.iter().map(|load| load.rows).min().unwrap_or(1);
    let [own, exact] = [bench(plan, loaded, rows), bench(plan, full, rows)];
    if plan.items.iter().any(|item| item.answers.is_none()) {
        return Ok(format!("logits behind the last token: {}, against f32", distance(&own.last()?, &exact.last()?)));
    }
    let whole = |bench: &Bench, side| bench.whole(side, &mut Steps::unkept(&mut ()));
    let side = |side: Side| Ok::<_, RunError>(distance(&whole(&own, side)?, &whole(&exact, side)?));
    let (clean, corrupted) = (side(Side::Clean)?, side(Side::Corrupt)?);
    Ok(format!("{} of the clean runs: {clean}; of the corrupted: {corrupted}; against f32", own.metric))
}

fn distance(own: &[f64], exact: &[f64]) -> String {
    let differences = || own.iter().zip(exact).map(|(own, exact)| (own - exact).abs());
    // a maximum would pass over what is not a number
    let most = differences().fold(0.0, |most: f64, next| if next > most || next.is_nan() { next } else { most });
    let mean = differences().sum::<f64>() / own.len() as f64;
    format!("differs by at most {most:.2e}, on average {mean:.2e}")
}

fn carry_out(step: &Step, plan: &Plan, bench: &Bench, steps: &mut Steps) -> Result<Finding, RunError> {
    match step {
        Step::Record { sites, gradients, filed } => {
            method::record::record(bench, (sites, gradients), filed.as_ref(), plan.experiment.padding, steps)
        }
        Step::LogitLens(sites) => method::lens::lens(bench, sites, steps),
        Step::DirectLogitAttribution => method::attribute::attribute(bench, steps),
        Step::Attention(weighting) => method::attention::attention(bench, *weighting, steps),
        Step::Patch(sweep, direction) => method::patch::patch(bench, sweep, *direction, steps),
        Step::AttributionPatch(plan) => method::attribution_patch::attribution_patch(bench, plan, steps),
        Step::Ablate(sweep, with) => method::ablate::ablate(bench, sweep, *with, steps),
        Step::Generate { tokens, edits, temperature } => {
            method::generate::generate(bench, Length { tokens: *tokens, temperature: *temperature }, edits, steps)
        }
        Step::Mediate(mediators, sweep) => method::mediate::mediate(bench, mediators, sweep, steps),
        Step::Trace(tracing) => {
            method::trace::trace(bench, tracing, &method::trace::standard_normal(bench.seed), steps)
        }
        Step::PathPatch(paths) => method::path::path(bench, paths, steps),
        Step::Circuit(circuits) => method::circuit::circuit(bench, circuits, steps),
        Step::EdgePruning(plan) => method::edge_pruning::edge_pruning(bench, plan, steps),
        Step::Acdc(plan) => method::acdc::acdc(bench, plan, steps),
        Step::EvaluateCircuit(given) => method::evaluate_circuit::evaluate_circuit(bench, given, steps),
        Step::Probe(plan) => method::probe::probe(bench, plan, steps),
        Step::Erase(plan) => method::erase::erase(bench, plan, steps),
        Step::Represent(plan) => method::represent::represent(bench, plan, steps),
        Step::Knockout(cuts) => method::knockout::knockout(bench, cuts, steps),
        Step::Patchscope(scope) => method::patchscope::patchscope(bench, scope, steps),
        Step::Localise(plan) => method::localise::localise(bench, plan, steps),
        Step::Steer(plan) => method::steer::steer(bench, plan, steps),
        Step::Measure(plan) => method::measure::measure(bench, plan, steps),
        Step::Das(plan) => method::das::das(bench, plan, steps),
        Step::TunedLens(plan) => method::tuned_lens::tuned_lens(bench, plan, steps),
        Step::PatchWeights(plan) => method::patch_weights::patch_weights(bench, plan, steps),
        Step::PatchModels(plan) => method::patch_models::patch_models(bench, plan, steps),
        Step::Stitch(plan) => method::stitch::stitch(bench, plan, steps),
        Step::Classify(plan) => method::classify::classify(bench, plan, steps),
        Step::Cut(plan) => method::cut::cut(bench, plan, steps),
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
        Step::AttributionPatch(_) => "attribution patch",
        Step::Ablate(..) => "ablate",
        Step::Generate { .. } => "generate",
        Step::Mediate(..) => "causal mediation",
        Step::Trace(..) => "causal tracing",
        Step::PathPatch(_) => "path patch",
        Step::Circuit(_) => "circuit",
        Step::EdgePruning(_) => "edge pruning",
        Step::Acdc(_) => "ACDC",
        Step::EvaluateCircuit(_) => "circuit from a file",
        Step::Probe(_) => "probe",
        Step::Erase(_) => "erase",
        Step::Represent(_) => "represent",
        Step::Knockout(_) => "knockout",
        Step::Patchscope(_) => "patchscope",
        Step::Localise(_) => "localise",
        Step::Steer(_) => "steer",
        Step::Measure(_) => "measure",
        Step::Das(_) => "alignment search",
        Step::TunedLens(_) => "tuned lens",
        Step::PatchWeights(_) => "patch weights",
        Step::PatchModels(_) => "patch between models",
        Step::Stitch(_) => "stitch",
        Step::Classify(_) => "classify",
        Step::Cut(_) => "cut",
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
        Step::Mediate(_, sweep) => method::mediate::work(bench, sweep),
        Step::Trace(tracing) => method::trace::work(bench, tracing),
        Step::PathPatch(paths) => items * paths.branches.len(),
        Step::Circuit(circuits) => method::circuit::work(bench, circuits),
        Step::EdgePruning(plan) => method::edge_pruning::work(bench, plan),
        Step::Acdc(plan) => method::acdc::work(bench, plan),
        Step::EvaluateCircuit(given) => method::evaluate_circuit::work(bench, given),
        Step::Probe(plan) => method::probe::work(bench, plan),
        Step::Erase(plan) => method::erase::work(bench, plan),
        Step::Represent(plan) => method::represent::work(bench, plan),
        Step::Knockout(cuts) => cuts.groups.iter().map(|(items, cells)| items.len() * cells.len()).sum(),
        Step::Patchscope(scope) => items * scope.states.len(),
        Step::Localise(plan) => method::localise::work(plan),
        Step::Steer(plan) => method::steer::work(plan),
        Step::Measure(plan) => method::measure::work(plan),
        Step::Das(plan) => method::das::work(bench, plan),
        Step::TunedLens(plan) => method::tuned_lens::work(bench, plan),
        Step::PatchWeights(plan) => method::patch_weights::work(bench, plan),
        Step::PatchModels(plan) => items * plan.sweep.cells.len(),
        Step::Stitch(plan) => method::stitch::work(plan),
        Step::Classify(plan) => method::classify::work(bench, plan),
        Step::Cut(plan) => method::cut::work(plan),
        _ => items,
    }
}

/// Puts the number of the method before every name, so that two of a kind do not meet.
fn number(finding: &mut Finding, number: usize) {
    let numbered = |name: &str| format!("{number:02}_{name}");
    finding.tables.iter_mut().chain(&mut finding.items).for_each(|table| table.name = numbered(&table.name));
    finding.texts.iter_mut().for_each(|text| text.table = numbered(&text.table));
    finding.tensors.iter_mut().for_each(|(name, _)| *name = numbered(name));
    finding.states.iter_mut().for_each(|(name, _)| *name = numbered(name));
    finding.circuits.iter_mut().for_each(|(name, _)| *name = numbered(name));
    finding.portraits.iter_mut().for_each(|(name, _)| *name = numbered(name));
}
