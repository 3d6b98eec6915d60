//! What is told of the units that were picked: how selective each is on the other half, where they are, whether halves agree.

use super::picks::Picker;
use super::{Found, LOCALISE};
use crate::method::catalogue::Unit;
use crate::method::{Bench, blank, table};
use crate::plan::Task;
use crate::table::{Row, Table};
use ndarray::{Array2, Axis, concatenate};
use patchclamp_probes::unit::{self, Bias, Contrast, information, mixed_selectivity, overlap, selectivity_index};
use patchclamp_probes::{Interval, benjamini_hochberg_known};
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use std::collections::BTreeMap;

/// Pairs of random choices that the overlap of two halves is held against.
const DRAWS: usize = 2000;
/// Bins of a response: with more of them few items of a half are left in each.
const BINS: usize = 4;

/// Agreement of halves, units, layers.
pub fn tables(bench: &Bench, found: &Found) -> Vec<Table> {
    let mut tables = vec![halves(bench, found), units(bench, found)];
    tables.extend(layers(bench, found));
    for table in &mut tables {
        let (sites, plan) = (found.catalogue.sites(), found.plan);
        let sites: Vec<String> = sites.iter().map(ToString::to_string).collect();
        let facts = [
            ("units", format!("{} of {}", found.catalogue.count(), sites.join(", "))),
            ("picked", format!("{:?}, by Welch's t on one half of the pairs", plan.units)),
            ("false discoveries", plan.false_discoveries.to_string()),
        ];
        table.facts.shift_remove("metric sign");
        table.facts.extend(facts.map(|(name, fact)| (name.to_string(), fact)));
    }
    tables
}

fn row(bench: &Bench, task: &Task, metric: &str, effect: f64) -> Row {
    let n = task.items.len();
    Row { site: Some(task.name.clone()), metric: metric.to_string(), effect, n, ..blank(LOCALISE, bench.metric) }
}

/// Whether both halves pick the same units, and whether those hold on the half that did not pick them.
fn halves(bench: &Bench, found: &Found) -> Table {
    let mut told = table("localise.halves", "Localised units: do halves of the pairs agree?", bench);
    for (number, (task, picks)) in found.plan.tasks.iter().zip(&found.picks).enumerate() {
        let all: Vec<&unit::Found> = picks.iter().flat_map(|pick| &pick.found).collect();
        told.rows.push(row(bench, task, "units: picked by a half", all.len() as f64 / 2.0));
        let units = [picks[0].units(), picks[1].units()];
        if let Some(jaccard) = overlap(&units[0], &units[1]) {
            let chance = chance(found, &units, bench.seed.wrapping_add(number as u64));
            let as_much = chance.iter().filter(|other| **other >= jaccard).count();
            let p = (1 + as_much) as f64 / (1 + chance.len()) as f64;
            told.rows.push(Row { p: Some(p), ..row(bench, task, "overlap of halves: jaccard", jaccard) });
            let mean = chance.iter().sum::<f64>() / chance.len() as f64;
            let middle = Interval::percentile(&chance, 0.95);
            let (low, high) = (middle.map(|middle| middle.low), middle.map(|middle| middle.high));
            told.rows.push(Row { low, high, ..row(bench, task, "overlap by chance: jaccard", mean) });
            let towards = |found: &&unit::Found| Some(found.tested.d_prime()? * found.chosen_by.signum());
            let held: Vec<f64> = all.iter().filter_map(towards).collect();
            let kept = all.iter().filter(|found| found.tested.difference() * found.chosen_by > 0.0).count();
            if !held.is_empty() {
                told.rows.push(row(bench, task, "held out: d_prime", held.iter().sum::<f64>() / held.len() as f64));
            }
            told.rows.push(row(bench, task, "held out: sign kept", kept as f64 / all.len() as f64));
        }
    }
    told.facts.insert("p".into(), format!("of {DRAWS} pairs of as many random units, how many overlap as much"));
    told
}

fn chance(found: &Found, units: &[Vec<usize>; 2], seed: u64) -> Vec<f64> {
    let picker = Picker { plan: found.plan, catalogue: found.catalogue };
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    let mut one = || {
        let [a, b] = [0, 1].map(|half| picker.alike(&units[half], &mut random));
        overlap(&a, &b).unwrap_or(0.0)
    };
    (0..DRAWS).map(|_| one()).collect()
}

/// What is told of a unit, one value a half that picks it.
#[derive(Default)]
struct Told {
    halves: f64,
    welch: Vec<(f64, f64)>,
    tested: Vec<(f64, f64)>,
    selectivity: Vec<f64>,
    information: Vec<f64>,
    tasks: Vec<f64>,
    interaction: Vec<f64>,
}

fn units(bench: &Bench, found: &Found) -> Table {
    let mut told = table("localise.units", "Localised units, on the half of the pairs that did not pick them", bench);
    let responds = [0, 1].map(|half| responds(found, half));
    for (number, (task, picks)) in found.plan.tasks.iter().zip(&found.picks).enumerate() {
        let mut of_units: BTreeMap<usize, Told> = BTreeMap::new();
        for (half, pick) in picks.iter().enumerate() {
            let interactions = interactions(found, &pick.units(), half);
            for one in &pick.found {
                let told = of_units.entry(one.unit).or_default();
                tell(told, task, &found.responses[number], one, half);
                told.tasks.push(responds[half].iter().filter(|tasks| tasks[one.unit]).count() as f64);
                told.interaction.extend(interactions.get(&one.unit));
            }
        }
        for (unit, of_unit) in strongest_first(of_units) {
            told.rows.extend(rows(bench, found, task, found.catalogue.unit(unit), &of_unit));
        }
    }
    let facts = [
        (
            "welch_t",
            "on the half that picks, none where it is infinite; p corrected over all units (of a site, where so many of each are asked for) by Benjamini and Hochberg",
        ),
        (
            "d_prime, selectivity, information",
            "on the other half; mean of both where both pick the unit; p of d_prime is Welch's, as it is",
        ),
        ("information", "bits about clean or corrupted, in 4 bins, corrected as Panzeri and Treves do; may be below 0"),
        ("tasks", "how many tasks it responds to on the other half, among all units by Benjamini and Hochberg"),
        ("interaction", "share of its variance that hangs on clean or corrupted in one task otherwise than in another"),
    ];
    told.facts.extend(facts.map(|(name, fact)| (name.to_string(), fact.to_string())));
    told
}

fn tell(told: &mut Told, task: &Task, responses: &Array2<f64>, found: &unit::Found, half: usize) {
    told.halves += 1.0;
    told.welch.push((found.chosen_by, found.p));
    let held: Vec<usize> = (0..responses.nrows()).filter(|question| task.half(*question) != half).collect();
    let side = |has: bool| -> Vec<f64> {
        let own = held.iter().filter(|question| Task::has(**question) == has);
        own.map(|question| responses[[*question, found.unit]]).collect()
    };
    let [a, b] = [side(true), side(false)];
    if let (Some(d_prime), Some((_, p))) = (found.tested.d_prime(), found.tested.welch()) {
        told.tested.push((d_prime, p));
    }
    told.selectivity.extend(selectivity_index(&a, &b));
    let values: Vec<f64> = held.iter().map(|question| responses[[*question, found.unit]]).collect();
    let conditions: Vec<usize> = held.iter().map(|question| usize::from(Task::has(*question))).collect();
    told.information.extend(information(&values, &conditions, BINS, Bias::PanzeriTreves).ok());
}

fn strongest_first(of_units: BTreeMap<usize, Told>) -> Vec<(usize, Told)> {
    let mut units: Vec<(usize, Told)> = of_units.into_iter().collect();
    let strength = |told: &Told| mean(told.welch.iter().map(|(t, _)| t.abs())).unwrap_or(0.0);
    units.sort_by(|a, b| strength(&b.1).total_cmp(&strength(&a.1)));
    units
}

fn mean(values: impl Iterator<Item = f64> + Clone) -> Option<f64> {
    let count = values.clone().count();
    (count > 0).then(|| values.sum::<f64>() / count as f64)
}

fn rows(bench: &Bench, found: &Found, task: &Task, unit: Unit, told: &Told) -> Vec<Row> {
    let one = |metric: &str, effect: Option<f64>, p: Option<f64>| {
        Some(Row {
            site: Some(unit.site.kind().to_string()),
            layer: unit.site.layer(),
            head: unit.head,
            neuron: Some(unit.neuron),
            p,
            ..row(bench, task, &format!("{}: {metric}", task.name), effect?)
        })
    };
    let (first, second) = (|pair: &(f64, f64)| pair.0, |pair: &(f64, f64)| pair.1);
    let several = found.plan.tasks.len() > 1;
    let found = [
        one(
            "welch_t",
            mean(told.welch.iter().map(first)).filter(|t| t.is_finite()),
            mean(told.welch.iter().map(second)),
        ),
        one("d_prime", mean(told.tested.iter().map(first)), mean(told.tested.iter().map(second))),
        one("selectivity", mean(told.selectivity.iter().copied()), None),
        one("information", mean(told.information.iter().copied()), None),
        one("halves", Some(told.halves), None),
        one("tasks", mean(told.tasks.iter().copied()).filter(|_| several), None),
        one("interaction", mean(told.interaction.iter().copied()).filter(|_| several), None),
    ];
    found.into_iter().flatten().collect()
}

/// Which units respond to each task on the half that `half` does not pick by, `[task][unit]`.
fn responds(found: &Found, half: usize) -> Vec<Vec<bool>> {
    let of_task = |(task, responses): (&Task, &Array2<f64>)| {
        let side = |unit: usize, has: bool| -> Vec<f64> {
            let own =
                (0..responses.nrows()).filter(|question| task.half(*question) != half && Task::has(*question) == has);
            own.map(|question| responses[[question, unit]]).collect()
        };
        let p = |unit: usize| Contrast::of(&side(unit, true), &side(unit, false))?.welch().map(|(_, p)| p);
        let corrected = benjamini_hochberg_known(&(0..responses.ncols()).map(p).collect::<Vec<_>>());
        corrected.iter().map(|p| p.is_some_and(|p| p <= found.plan.false_discoveries)).collect()
    };
    found.plan.tasks.iter().zip(&found.responses).map(of_task).collect()
}

/// The share of the variance of some units that the combination of task and side has, beyond both, on the other half.
fn interactions(found: &Found, units: &[usize], half: usize) -> BTreeMap<usize, f64> {
    let tasks = found.plan.tasks.iter().zip(&found.responses).enumerate();
    let (mut parts, mut of_task, mut side) = (Vec::new(), Vec::new(), Vec::new());
    for (number, (task, responses)) in tasks {
        let held: Vec<usize> = (0..responses.nrows()).filter(|question| task.half(*question) != half).collect();
        parts.push(responses.select(Axis(0), &held).select(Axis(1), units));
        of_task.extend(held.iter().map(|_| number));
        side.extend(held.iter().map(|question| usize::from(Task::has(*question))));
    }
    let views: Vec<_> = parts.iter().map(|part| part.view()).collect();
    let pooled = concatenate(Axis(0), &views).expect("parts have the same units");
    let shares = mixed_selectivity(pooled.view(), &of_task, &side).unwrap_or_default();
    units.iter().copied().zip(shares.into_iter().map(|shares| shares.interaction)).collect()
}

/// How many units of each layer a half picks, where units stand in several layers.
fn layers(bench: &Bench, found: &Found) -> Option<Table> {
    let mut told = table("localise.layers", "Localised units by layer", bench);
    let mut all: Vec<usize> = found.catalogue.parts.iter().filter_map(|part| part.site.layer()).collect();
    all.sort_unstable();
    all.dedup();
    for (task, picks) in found.plan.tasks.iter().zip(&found.picks) {
        let units: Vec<Unit> =
            picks.iter().flat_map(|pick| &pick.found).map(|found_unit| found.catalogue.unit(found_unit.unit)).collect();
        for layer in &all {
            let here = units.iter().filter(|unit| unit.site.layer() == Some(*layer)).count();
            let row = row(bench, task, "units: picked by a half", here as f64 / 2.0);
            told.rows.push(Row { layer: Some(*layer), ..row });
        }
    }
    (all.len() > 1).then_some(told)
}
