//! Attention knockout: the clean run with attention from some positions to others cut.
//!
//! *What it measures.* What the metric loses on the clean prompts when queries no longer see some keys, in some heads and
//! a window of layers: their scores are masked before the softmax, so that the rest of the pattern adds up to one again.
//! So it asks through which layers and heads what stands at a position reaches another. `normalised` is the change over the
//! clean metric: −1 is all of it lost.
//!
//! *What it cannot show.* Ways round the cut: what was brought elsewhere before, or is brought behind it, arrives all the
//! same. The rest of the pattern grows by what is cut, so that other positions say more than before.
//!
//! *Reference.* Geva et al. 2023, "Dissecting recall of factual associations in auto-regressive language models".
//!
//! *Example.* `Knockout(from: [Contrast], to: [Answer], window: 3, over: [Layer])`

use super::patch::{axes, effects};
use super::summary::mean;
use super::sweep::{Stand, States, Swept, sweep};
use super::{Bench, Finding, Side};
use crate::model::parts::position::masked;
use crate::plan::{Cell, Cuts, Item, Sweep, changed};
use crate::spec::Axis;
use crate::steps::{RunError, Steps};
use crate::tensor::from_doubles;

/// Cuts every cell of the plan.
pub fn knockout(bench: &Bench, plan: &Cuts, steps: &mut Steps) -> Result<Finding, RunError> {
    let (count, cells) = (bench.items.len(), plan.groups.first().map_or(Vec::new(), |(_, cells)| cells.clone()));
    let (mut values, mut clean) = (vec![vec![0.0; count]; cells.len()], vec![0.0; count]);
    for (items, cells) in &plan.groups {
        let Some(swept) = cut(bench, items, cells, steps)? else { continue };
        let spread =
            |all: &mut [f64], found: &[f64]| items.iter().zip(found).for_each(|(item, value)| all[*item] = *value);
        spread(&mut clean, &swept.from);
        values.iter_mut().zip(&swept.values).for_each(|(all, found)| spread(all, found));
    }
    steps.complete()?;
    let sweep = Sweep { over: plan.over.clone(), cells };
    let window = if plan.window > 1 { format!(", {} layers at once", plan.window) } else { String::new() };
    let title = format!("Attention knockout ({}{window}): {}", plan.name, axes(&sweep));
    let mut finding = effects(bench, &sweep, "knockout", &title, &values, &clean, &clean);
    for table in &mut finding.tables {
        if plan.over.contains(&Axis::Layer) {
            table.facts.insert("window".into(), format!("{} layers around the one that the row names", plan.window));
        }
        table.facts.insert("normalised".into(), "effect / metric of the clean run".into());
        table.facts.insert("metric, clean".into(), format!("{:.4}", mean(&clean)));
    }
    Ok(finding)
}

/// The cells on the items whose positions are theirs; nothing where some of it is another shard's.
fn cut(bench: &Bench, items: &[usize], cells: &[Cell], steps: &mut Steps) -> Result<Option<Swept>, RunError> {
    let some: Vec<Item> = items.iter().map(|item| bench.items[*item].clone()).collect();
    let bench = Bench { items: &some, ..*bench };
    let setting = bench.model.setting();
    let cut = || from_doubles(vec![f64::from(masked(setting.precision))], [1, 1, 1, 1], &setting);
    let states: States = changed(cells).into_iter().map(|site| (site, cut())).collect();
    let stands = |_: &[usize]| Ok(Stand { states: states.clone(), metric: None });
    match sweep(&bench, cells, Side::Clean, stands, steps) {
        Ok(swept) => Ok(Some(swept)),
        // the steps of the groups behind must be counted all the same
        Err(RunError::Elsewhere) => Ok(None),
        Err(error) => Err(error),
    }
}
