//! Patching between models: what one model's activation does in the other, on the same prompt.
//!
//! *What it measures.* Two models of one shape, for instance before and after a change of the weights, read the same clean
//! prompts; an activation of the one is put into the other. `Noise` changes the experiment's model and says where the change
//! of behaviour arrives; `Denoise` changes the other, and says where it can be undone. `effect` is the change of the metric,
//! `normalised` that change over the whole difference between the two models.
//!
//! *What it cannot show.* Which weights did it: an activation carries what all weights below have changed; patch weights for
//! that. Models that were trained apart have other directions for the same thing, and their activations mean nothing to each
//! other.
//!
//! *Reference.* Prakash et al. 2024, "Fine-tuning enhances existing mechanisms" (cross-model activation patching).
//!
//! *Example.* `PatchModels(with: "int4", sites: ["hook_resid_post"], over: [Layer, Position])`

use super::patch::{axes, effects, names};
use super::summary::mean;
use super::sweep::{Stand, Swept, sweep};
use super::{Bench, Finding, Side};
use crate::hook::Record;
use crate::model::{HookError, Pass, run};
use crate::plan::{ModelPatching, changed};
use crate::spec::Direction;
use crate::steps::{RunError, Steps};

/// Patches every cell of a sweep between two models.
pub fn patch_models(bench: &Bench, plan: &ModelPatching, steps: &mut Steps) -> Result<Finding, RunError> {
    let other = plan.other.model.as_ref();
    let (base, source, name) = match plan.direction {
        Direction::Noise => (bench.model, other, "noise"),
        Direction::Denoise => (other, bench.model, "denoise"),
    };
    let sites = changed(&plan.sweep.cells);
    let stands = |items: &[usize]| -> Result<Stand, HookError> {
        let mut record = Record::of(sites.clone());
        let tokens = bench.tokens(items, Side::Clean);
        let logits = run(source, &Pass::whole(&tokens).reading(bench.read(items)), &mut record)?;
        Ok(Stand { states: record.into_kept(), metric: Some(bench.values(&logits, items)) })
    };
    let changing = Bench { model: base, ..*bench };
    let Swept { values, from, to } = sweep(&changing, &plan.sweep.cells, Side::Clean, stands, steps)?;
    let title =
        format!("Patching between models ({name}, {}): {}, {}", plan.with, names(&plan.sweep.cells), axes(&plan.sweep));
    let totals: Vec<f64> = to.iter().zip(&from).map(|(to, from)| to - from).collect();
    let method = format!("patch_models.{name}");
    let mut finding = effects(bench, &plan.sweep, &method, &title, &values, &from, &totals);
    let (into, of) = match plan.direction {
        Direction::Noise => ("this model", plan.with.as_str()),
        Direction::Denoise => (plan.with.as_str(), "this model"),
    };
    for table in &mut finding.tables {
        let facts = [
            ("direction", format!("{name}: activations of {of} put into {into}, both on the clean prompts")),
            (
                "normalised",
                "effect / (metric of the model they come from − metric of the model they are put into)".into(),
            ),
            (
                if plan.direction == Direction::Noise { "metric, this model" } else { "metric, the other" },
                format!("{:.4}", mean(&from)),
            ),
            (
                if plan.direction == Direction::Noise { "metric, the other" } else { "metric, this model" },
                format!("{:.4}", mean(&to)),
            ),
        ];
        table.facts.extend(facts.map(|(fact, value)| (fact.to_string(), value)));
    }
    Ok(finding)
}
