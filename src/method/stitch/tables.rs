//! What stitched runs say, as a table.

use super::Joint;
use super::put::Said;
use crate::method::represent::BETWEEN;
use crate::method::summary::{Told, mean, on_items, tabulate_some};
use crate::method::{Bench, Finding, table};
use crate::plan::Stitching;
use crate::site::Site;
use crate::spec::Joined;
use crate::table::{Row, Table};
use std::collections::BTreeMap;

/// How often both name the same token first.
const AGREEMENT: &str = "agreement";
/// KL(left alone ‖ stitched).
const DIVERGENCE: &str = "KL to its own: bits";
/// Ways in which states are put in, as rows name them.
const WAYS: [&str; 4] = ["mapped", "unmapped", "shuffled pairs", "random weights"];
/// What is tested: a map that carries nothing says the same after every prompt, and that is already half of the way from the
/// corrupted run to the clean one.
const TESTED: &str = "mapped less shuffled pairs";

/// Table and single items.
pub(super) fn finding(bench: &Bench, plan: &Stitching, alone: &[Vec<f64>; 2], all: &[Vec<Joint>]) -> Finding {
    let [clean, corrupt] = alone;
    let metric = bench.metric.to_string();
    let title = format!("Stitched: streams of this model (up) from those of {} (across)", plan.name);
    let (mut told, mut main) = (Told::default(), table("stitch", &title, bench));
    facts(plan, [clean, corrupt], all, &mut main);
    for (from, joints) in all.iter().enumerate() {
        for (into, joint) in plan.joined(from).into_iter().zip(joints) {
            let place = place(plan, plan.into[into], plan.from[from]);
            if let Some(why) = &joint.fault {
                main.facts.insert(format!("left out, {}", place.site.as_deref().unwrap_or_default()), why.clone());
                continue;
            }
            let more =
                joint.mapped.metric.iter().zip(&joint.shuffled.metric).map(|(mapped, shuffled)| mapped - shuffled);
            let row = Row { method: TESTED.into(), metric: metric.clone(), ..place.clone() };
            told.tested.push((row, on_items(bench, &plan.parts.test, &more.collect::<Vec<f64>>())));
            for (name, said) in ways(joint) {
                let row = |metric: &str| Row { method: name.into(), metric: metric.into(), ..place.clone() };
                let restored: Vec<f64> = said.metric.iter().zip(corrupt).map(|(now, corrupt)| now - corrupt).collect();
                let values = on_items(bench, &plan.parts.test, &restored);
                told.described.push((row(&metric), values));
                told.described.push((row(AGREEMENT), on_items(bench, &plan.parts.test, &said.agreement)));
                told.described.push((row(DIVERGENCE), on_items(bench, &plan.parts.test, &said.bits)));
            }
        }
    }
    let total: Vec<f64> = clean.iter().zip(corrupt).map(|(clean, corrupt)| clean - corrupt).collect();
    let mut finding = tabulate_some(bench, main, told, &on_items(bench, &plan.parts.test, &total));
    for table in &mut finding.tables {
        // bits and agreement are no shares of the metric
        table.rows.iter_mut().filter(|row| row.metric != metric).for_each(|row| row.normalised = None);
        let order = [metric.as_str(), AGREEMENT, DIVERGENCE];
        let way = |row: &Row| WAYS.iter().position(|name| *name == row.method).unwrap_or(WAYS.len());
        table.rows.sort_by_key(|row| (order.iter().position(|name| *name == row.metric), way(row)));
    }
    finding
}

fn ways(joint: &Joint) -> impl Iterator<Item = (&'static str, &Said)> {
    let said = [Some(&joint.mapped), joint.unmapped.as_ref(), Some(&joint.shuffled), joint.random.as_ref()];
    WAYS.into_iter().zip(said).filter_map(|(name, said)| Some((name, said?)))
}

/// Where a joint is: a layer, or two streams by their names.
fn place(plan: &Stitching, into: Site, from: Site) -> Row {
    match plan.layers {
        Joined::Same => Row { site: Some(into.kind().into()), layer: into.layer(), ..Row::default() },
        Joined::Each => {
            let name = |site: Site, all: &[Site]| match site.layer() {
                Some(layer) if all.iter().all(|other| other.kind() == site.kind()) => format!("layer {layer}"),
                _ => site.to_string(),
            };
            let both = [name(into, &plan.into), name(from, &plan.from)];
            Row { site: Some(both.join(BETWEEN)), ..Row::default() }
        }
    }
}

fn facts(plan: &Stitching, [clean, corrupt]: [&Vec<f64>; 2], all: &[Vec<Joint>], main: &mut Table) {
    let (fit, test) = (plan.parts.fit.len(), plan.parts.test.len());
    let rows: usize = plan.fit.iter().map(|prompt| prompt.at.len()).sum();
    let mut chosen: BTreeMap<String, usize> = BTreeMap::new();
    let joints = all.iter().flatten().filter(|joint| joint.fault.is_none());
    joints.for_each(|joint| *chosen.entry(joint.penalty.to_string()).or_default() += 1);
    let chosen: Vec<String> = chosen.iter().map(|(penalty, count)| format!("{penalty} in {count}")).collect();
    let facts = [
        ("effect", "metric with the other model's states, less that after the corrupted prompt".to_string()),
        ("p", "of the map against maps from shuffled pairs, item by item".into()),
        ("normalised", "effect / (metric of the clean run − that of the corrupted run): 1 is the model's own".into()),
        ("metric, clean", format!("{:.4}", mean(clean))),
        ("metric, corrupted", format!("{:.4}", mean(corrupt))),
        ("agreement", "share of items whose first token at the answer is the one named left alone".into()),
        ("KL", "KL(left alone ‖ stitched) at the answer, bits".into()),
        (
            "positions",
            if plan.everywhere { "all".into() } else { "some; at the others the model's own states stay".to_string() },
        ),
        ("items", format!("{test} held out, {fit} learned from; apart: {}", plan.parts.apart)),
        ("maps", format!("ridge regression of {rows} states of {} prompts, features scaled", plan.fit.len())),
        ("penalties of joints", chosen.join(", ")),
        ("random weights", format!("mean of {} twins of the other model, mapped", plan.random_models)),
        (
            "shuffled pairs",
            "maps learned from states that stand with those of other prompts, position by position".into(),
        ),
    ];
    main.facts.extend(facts.map(|(name, words)| (name.to_string(), words)));
}
