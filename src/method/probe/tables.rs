//! What probes tell, as tables: place by place, and word by word.

use super::told::Told;
use crate::method::concept::{Spread, correct, described, majority};
use crate::method::patch::{axes, names, place};
use crate::method::summary::mean;
use crate::method::{Bench, Finding, blank};
use crate::plan::{Probing, Samples};
use crate::spec::Apart;
use crate::table::{Row, Table};
use patchclamp_probes::Resamples;
use patchclamp_probes::decode;
use std::collections::BTreeMap;

/// Metrics that every sample has a value of.
const ACCURACY: &str = "accuracy";
const INFORMATION: &str = "information";
/// More words than this are no figure.
const WORDS: usize = 60;

/// The tables of all cells.
pub fn finding(bench: &Bench, plan: &Probing, told: &[Told]) -> Finding {
    let probed = &plan.probed;
    let title = format!("Probes: {}, {}", names(&probed.sweep.cells), axes(&probed.sweep));
    let mut main = described(bench, probed, "probe", &title);
    main.facts.insert("control task".into(), control(&probed.samples));
    let spread = Spread::new(bench, &probed.samples);
    for (index, (cell, told)) in probed.sweep.cells.iter().zip(told).enumerate() {
        let row = |metric: &str| Row { metric: metric.into(), ..place(blank("probe", bench.metric), cell) };
        match &told.fault {
            None => main.rows.extend(rows(plan, told, &spread, row)),
            Some(why) => {
                main.facts.insert(format!("left out, place {index}"), why.clone());
            }
        }
    }
    correct(&mut main, "share of shuffled labels that do as well");
    let singles = Table { rows: singles(bench, plan, told), ..main.clone() };
    let words = words(bench, plan, told);
    Finding { tables: std::iter::once(main).chain(words).collect(), items: vec![singles], ..Finding::default() }
}

/// What the control task is, in words.
fn control(samples: &Samples) -> String {
    let kinds = samples.words.len();
    match samples.controls.len() {
        0 => format!("none: {kinds} words are too few for labels of their own"),
        count if kinds == samples.items.len() => {
            format!("mean of {count} draws; every prompt has a word of its own, so that nothing can be learnt by heart")
        }
        count => format!("mean of {count} draws, a label for each of {kinds} words; splits by prompt"),
    }
}

fn rows(plan: &Probing, told: &Told, spread: &Spread, row: impl Fn(&str) -> Row) -> Vec<Row> {
    let samples = &plan.probed.samples;
    let p = (!told.chance.is_empty()).then(|| {
        let accuracy = mean(&told.right);
        let as_well = told.chance.iter().filter(|draw| **draw >= accuracy).count();
        (as_well + 1) as f64 / (told.chance.len() + 1) as f64
    });
    let mut rows = vec![Row { p, ..spread.row(row(ACCURACY), &told.right) }];
    rows.push(spread.alone(row("accuracy, majority"), majority(samples)));
    rows.extend(spread.of_draws(row("accuracy, shuffled labels"), &told.chance));
    let others = [("control task", &told.control), ("hidden layer", &told.hidden), ("random weights", &told.random)];
    for (name, values) in others.into_iter().filter(|(_, values)| !values.is_empty()) {
        rows.push(spread.row(row(&format!("accuracy, {name}")), values));
    }
    for (count, values) in plan.sparse.iter().zip(&told.sparse) {
        rows.push(spread.row(row(&format!("accuracy, best {count}")), values));
    }
    if !told.control.is_empty() {
        let selectivity = told.mixed.iter().zip(&told.control).map(|(task, control)| task - control);
        rows.push(spread.row(row("selectivity"), &selectivity.collect::<Vec<_>>()));
    }
    let blind = blind(samples);
    let saved: Vec<f64> = blind.iter().zip(&told.bits).map(|(without, with)| without - with).collect();
    rows.push(spread.row(row(INFORMATION), &saved));
    rows.extend(told.compression.map(|compression| spread.alone(row("compression"), compression)));
    rows.push(spread.alone(row("calibration_error"), told.calibration));
    rows
}

/// The class whose log-odds are told: the first of two; of several each prompt's own.
fn asked(samples: &Samples, sample: usize) -> usize {
    if samples.classes.len() == 2 { 0 } else { samples.labels.of()[sample] }
}

fn log_odds_name(samples: &Samples) -> String {
    if samples.classes.len() == 2 { format!("log_odds: {}", samples.classes[0]) } else { "log_odds: own class".into() }
}

/// Bits spent on each sample without a look at any state.
fn blind(samples: &Samples) -> Vec<f64> {
    decode::majority(&samples.labels, &samples.splits).expect("seen in every split").item_bits()
}

/// Log-odds, whether it was told, and bits saved of every prompt at every place; `item` counts samples.
fn singles(bench: &Bench, plan: &Probing, told: &[Told]) -> Vec<Row> {
    let samples = &plan.probed.samples;
    let blind = blind(samples);
    let mut rows = Vec::new();
    for (cell, told) in plan.probed.sweep.cells.iter().zip(told).filter(|(_, told)| told.fault.is_none()) {
        let row = Row { metric: log_odds_name(samples), n: 1, ..place(blank("probe", bench.metric), cell) };
        for (sample, blind) in blind.iter().enumerate() {
            let log_odds = told.log_odds[asked(samples, sample)][sample];
            let own =
                |metric: &str, effect: f64| Row { metric: metric.into(), item: Some(sample), effect, ..row.clone() };
            rows.extend([
                own(&row.metric, log_odds),
                own(ACCURACY, told.right[sample]),
                own(INFORMATION, blind - told.bits[sample]),
            ]);
        }
    }
    rows
}

/// The log-odds of each word, at the place where least was spent: what the model says of words that the probe never saw.
fn words(bench: &Bench, plan: &Probing, told: &[Told]) -> Option<Table> {
    let samples = &plan.probed.samples;
    let whole = told.iter().enumerate().filter(|(_, told)| told.fault.is_none());
    let (best, told) = whole.min_by(|(_, a), (_, b)| mean(&a.bits).total_cmp(&mean(&b.bits)))?;
    if plan.probed.apart != Apart::Words || samples.words.len() > WORDS || samples.words.len() == samples.items.len() {
        return None;
    }
    let cell = &plan.probed.sweep.cells[best];
    let mut table =
        described(bench, &plan.probed, "probe.words", "What a probe says of each word that it has not seen");
    table.facts.insert("place".into(), format!("{}, where the fewest bits are spent", cell.sites[0]));
    let mut values: BTreeMap<usize, Vec<f64>> = BTreeMap::new();
    for sample in 0..samples.items.len() {
        values.entry(samples.word[sample]).or_default().push(told.log_odds[asked(samples, sample)][sample]);
    }
    for (word, values) in values {
        let draws = Resamples::new(values.len(), bench.statistics.resamples, bench.seed);
        let interval = draws.interval(&values, bench.statistics.level);
        table.rows.push(Row {
            site: Some(samples.words[word].clone()),
            metric: log_odds_name(samples),
            effect: mean(&values),
            low: interval.map(|interval| interval.low),
            high: interval.map(|interval| interval.high),
            n: values.len(),
            ..blank("probe.words", bench.metric)
        });
    }
    table.rows.sort_by(|a, b| b.effect.total_cmp(&a.effect));
    Some(table)
}
