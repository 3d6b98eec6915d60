//! What probes tell, as tables: place by place, and word by word.

use super::told::Told;
use crate::method::patch::{axes, names, place};
use crate::method::summary::mean;
use crate::method::{Bench, Finding, blank, table};
use crate::plan::{Probing, Samples};
use crate::spec::{Apart, Concept, Spot};
use crate::table::{Row, Table};
use patchclamp_probes::decode::majority;
use patchclamp_probes::{Interval, Resamples, benjamini_hochberg_known};
use std::collections::BTreeMap;

/// More words than this are no figure.
const WORDS: usize = 60;

/// The tables of all cells.
pub fn finding(bench: &Bench, plan: &Probing, told: &[Told]) -> Finding {
    let mut main = table("probe", &format!("Probes: {}, {}", names(&plan.sweep.cells), axes(&plan.sweep)), bench);
    main.facts.shift_remove("metric sign"); // nothing here is the experiment's metric
    main.facts.extend(facts(plan));
    let spread = Spread::new(bench, plan);
    for (index, (cell, told)) in plan.sweep.cells.iter().zip(told).enumerate() {
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

/// Draws of the groups that the samples fall into.
pub struct Spread {
    resamples: Resamples,
    level: f64,
    groups: usize,
}

impl Spread {
    /// Of the words, or whatever is kept apart.
    pub fn new(bench: &Bench, plan: &Probing) -> Self {
        let (groups, statistics) = (&plan.samples.groups, bench.statistics);
        let count = groups.iter().collect::<std::collections::BTreeSet<_>>().len();
        Spread {
            resamples: Resamples::clustered(groups, statistics.resamples, bench.seed),
            level: statistics.level,
            groups: count,
        }
    }

    /// The means of draws.
    pub fn means(&self, values: &[f64]) -> Option<Vec<f64>> {
        self.resamples.means(values)
    }

    /// A row with the mean of values by sample, and its interval.
    fn row(&self, row: Row, values: &[f64]) -> Row {
        let interval = self.resamples.interval(values, self.level);
        let (low, high) = (interval.map(|interval| interval.low), interval.map(|interval| interval.high));
        Row { effect: mean(values), low, high, n: self.groups, ..row }
    }
}

/// The accuracy of the likeliest class, by sample.
pub fn floor(samples: &Samples) -> Vec<f64> {
    majority(&samples.labels, &samples.splits).expect("the plan has seen every class in every split").right()
}

fn rows(plan: &Probing, told: &Told, spread: &Spread, row: impl Fn(&str) -> Row) -> Vec<Row> {
    let samples = &plan.samples;
    let p = (!told.chance.is_empty()).then(|| {
        let accuracy = mean(&told.right);
        let as_well = told.chance.iter().filter(|draw| **draw >= accuracy).count();
        (as_well + 1) as f64 / (told.chance.len() + 1) as f64
    });
    let mut rows = vec![Row { p, ..spread.row(row("accuracy"), &told.right) }];
    let majority_row = row("accuracy, majority");
    rows.push(Row { effect: mean(&floor(samples)), n: spread.groups, ..majority_row });
    if !told.chance.is_empty() {
        let interval = Interval::percentile(&told.chance, spread.level);
        let (low, high) = (interval.map(|interval| interval.low), interval.map(|interval| interval.high));
        let row = row("accuracy, shuffled labels");
        rows.push(Row { effect: mean(&told.chance), low, high, n: told.chance.len(), ..row });
    }
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
    let blind = majority(&samples.labels, &samples.splits).expect("seen in every split").item_bits();
    let saved: Vec<f64> = blind.iter().zip(&told.bits).map(|(without, with)| without - with).collect();
    rows.push(spread.row(row("information"), &saved));
    let alone = |name: &str, value: f64| Row { effect: value, n: spread.groups, ..row(name) };
    rows.extend(told.compression.map(|compression| alone("compression", compression)));
    rows.push(alone("calibration_error", told.calibration));
    rows
}

/// Corrects the p-values of a table for their number by Benjamini and Hochberg: with few draws of a null Holm's correction
/// could say nothing of many places.
pub fn correct(table: &mut Table, what: &str) {
    let corrected = benjamini_hochberg_known(&table.rows.iter().map(|row| row.p).collect::<Vec<_>>());
    let tested = corrected.iter().flatten().count();
    table.rows.iter_mut().zip(corrected).for_each(|(row, p)| row.p = p);
    if tested > 0 {
        table.facts.insert("p".into(), format!("{what}, Benjamini-Hochberg over {tested} rows"));
    }
}

fn facts(plan: &Probing) -> Vec<(String, String)> {
    let samples = &plan.samples;
    let every: Vec<usize> = (0..samples.labels.count()).collect();
    let counts = samples.labels.counts(&every);
    let classes: Vec<String> =
        samples.classes.iter().zip(counts).map(|(name, count)| format!("{name} {count}")).collect();
    let of = match &plan.of {
        Concept::Answer => "the answer that a prompt calls for".into(),
        Concept::Label(name) => format!("the label {name:?}"),
        Concept::Feature(name) => format!("the feature {name:?}"),
    };
    let apart = match &plan.apart {
        Apart::Words => "words".into(),
        Apart::Items => "prompts".into(),
        Apart::Label(name) => format!("values of {name:?}"),
    };
    let groups = samples.groups.iter().collect::<std::collections::BTreeSet<_>>().len();
    let mut facts = vec![
        ("told".into(), of),
        ("classes".into(), classes.join(", ")),
        ("splits".into(), format!("{}, which keep {groups} {apart} apart", samples.splits.len())),
        ("intervals".into(), format!("bootstrap over the {groups} {apart}")),
    ];
    if !plan.sweep.over.contains(&crate::spec::Axis::Position) {
        facts.push(("position".into(), spot(plan.at)));
    }
    let kinds = samples.words.len();
    let control = match samples.controls.len() {
        0 => format!("none: {kinds} words are too few for labels of their own"),
        count if kinds == samples.items.len() => {
            format!("mean of {count} draws; every prompt has a word of its own, so that nothing can be learnt by heart")
        }
        count => format!("mean of {count} draws, a label for each of {kinds} words; splits by prompt"),
    };
    facts.push(("control task".into(), control));
    facts
}

fn spot(spot: Spot) -> String {
    match spot {
        Spot::Position(position) => position.to_string(),
        Spot::Role(role) => format!("{role:?}").to_lowercase(),
    }
}

/// The class whose log-odds are told: the first of two; of several each prompt's own.
fn asked(samples: &Samples, sample: usize) -> usize {
    if samples.classes.len() == 2 { 0 } else { samples.labels.of()[sample] }
}

fn log_odds_name(samples: &Samples) -> String {
    if samples.classes.len() == 2 { format!("log_odds: {}", samples.classes[0]) } else { "log_odds: own class".into() }
}

/// Log-odds of every prompt at every place; `item` counts samples.
fn singles(bench: &Bench, plan: &Probing, told: &[Told]) -> Vec<Row> {
    let samples = &plan.samples;
    let mut rows = Vec::new();
    for (cell, told) in plan.sweep.cells.iter().zip(told).filter(|(_, told)| told.fault.is_none()) {
        let row = Row { metric: log_odds_name(samples), n: 1, ..place(blank("probe", bench.metric), cell) };
        for sample in 0..samples.items.len() {
            let effect = told.log_odds[asked(samples, sample)][sample];
            rows.push(Row { item: Some(sample), effect, ..row.clone() });
        }
    }
    rows
}

/// The log-odds of each word, at the place where least was spent: what the model says of words that the probe never saw.
fn words(bench: &Bench, plan: &Probing, told: &[Told]) -> Option<Table> {
    let samples = &plan.samples;
    let whole = told.iter().enumerate().filter(|(_, told)| told.fault.is_none());
    let (best, told) = whole.min_by(|(_, a), (_, b)| mean(&a.bits).total_cmp(&mean(&b.bits)))?;
    if plan.apart != Apart::Words || samples.words.len() > WORDS || samples.words.len() == samples.items.len() {
        return None;
    }
    let cell = &plan.sweep.cells[best];
    let mut table = table("probe.words", "What a probe says of each word that it has not seen", bench);
    table.facts.shift_remove("metric sign");
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
