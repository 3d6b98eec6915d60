//! What both lenses read, as a table, and the translators as tensors.

use super::Found;
use crate::method::summary::{Told, mean, on_items, tabulate_some};
use crate::method::{Bench, Finding, Tensors, blank, table};
use crate::plan::TunedLens;
use crate::table::{Row, Table};

/// KL(last ‖ lens).
const DIVERGENCE: &str = "KL to the last layer: bits";
/// How often both name the same token first.
const AGREEMENT: &str = "agreement";
/// How much less the tuned lens diverges.
const GAINED: &str = "KL less by the tuned lens: bits";
/// As they stand in a found stream.
const LENSES: [&str; 2] = ["logit lens", "tuned lens"];

/// Table, single items and translators.
pub fn finding(bench: &Bench, plan: &TunedLens, found: &[Found]) -> Finding {
    let mut told = Told::default();
    for (site, found) in plan.sites.iter().zip(found) {
        let row = |method: &str, metric: &str| Row {
            site: Some(site.kind().into()),
            layer: site.layer(),
            metric: metric.into(),
            ..blank(method, bench.metric)
        };
        let [logit, tuned, _] = &found.lenses;
        let gained: Vec<f64> = logit[1].iter().zip(&tuned[1]).map(|(logit, tuned)| logit - tuned).collect();
        told.tested.push((row(LENSES[1], GAINED), on_items(bench, &plan.parts.test, &gained)));
        let metrics = [bench.metric.to_string(), DIVERGENCE.into(), AGREEMENT.into()];
        for (metric, which) in metrics.iter().zip(0..) {
            for (name, lens) in LENSES.iter().zip([logit, tuned]) {
                told.described.push((row(name, metric), on_items(bench, &plan.parts.test, &lens[which])));
            }
        }
    }
    let whole = found.first().map(|found| found.lenses[2][0].clone()).unwrap_or_default();
    let mut main = table("tuned_lens", "Tuned lens: the answer read through learned translators", bench);
    facts(plan, found, &whole, &mut main);
    let mut finding = tabulate_some(bench, main, told, &on_items(bench, &plan.parts.test, &whole));
    for table in &mut finding.tables {
        let metric = bench.metric.to_string();
        // bits and agreement are no shares of the metric
        table.rows.iter_mut().filter(|row| row.metric != metric).for_each(|row| row.normalised = None);
        let order = [metric.as_str(), DIVERGENCE, AGREEMENT, GAINED];
        table.rows.sort_by_key(|row| order.iter().position(|name| *name == row.metric));
    }
    finding.tensors = vec![("tuned_lens".to_string(), tensors(plan, found))];
    finding
}

fn facts(plan: &TunedLens, found: &[Found], whole: &[f64], main: &mut Table) {
    let (fit, test) = (plan.parts.fit.len(), plan.parts.test.len());
    let losses: Vec<[f64; 2]> = found.iter().filter_map(|found| found.losses).collect();
    let of = |which: usize| losses.iter().map(|loss| loss[which]).sum::<f64>() / losses.len() as f64;
    let loss = match losses.is_empty() {
        true => "nothing was fitted: the last layer's own stream needs no translator".to_string(),
        false => format!("{:.4} nats in the first step, {:.4} in the last, the mean over streams", of(0), of(1)),
    };
    let facts = [
        ("normalised", "effect / metric of the whole model".to_string()),
        ("metric, clean", format!("{:.4}", if whole.is_empty() { f64::NAN } else { mean(whole) })),
        ("KL", "KL(last layer ‖ lens) in bits, the mean over all positions of a prompt".into()),
        ("agreement", "share of positions at which both name the same token first".into()),
        ("items", format!("{test} held out, {fit} learned from; apart: {}", plan.parts.apart)),
        ("fit", format!("{} steps of at most {} positions, rate {} falling to 0", plan.steps, plan.batch, plan.rate)),
        ("loss", loss),
    ];
    main.facts.extend(facts.map(|(name, words)| (name.to_string(), words)));
}

/// A `[out, in]` and b of every stream: h is read as h + A h + b.
fn tensors(plan: &TunedLens, found: &[Found]) -> Tensors {
    let mut tensors = Tensors::new();
    for (site, found) in plan.sites.iter().zip(found) {
        // width · width numbers of A and width of b
        let width = ((found.translator.len() as f64 + 0.25).sqrt() - 0.5).round() as usize;
        let (weight, bias) = found.translator.split_at(width * width);
        tensors.insert(format!("{site}.weight"), (vec![width, width], weight.to_vec()));
        tensors.insert(format!("{site}.bias"), (vec![width], bias.to_vec()));
    }
    tensors
}
