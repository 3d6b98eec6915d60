//! Behavioural bias: what a model finds probable in data sets that were made to show bias, each figure with its interval.
//!
//! *What it measures.* CrowS-Pairs, StereoSet, WinoBias, Winogender, BBQ, HONEST's templates, BLiMP, GAP, pairs of one's own:
//! texts are scored (`score`), an item gets a few numbers (its columns), and every figure is a statistic of the columns of
//! some items. `LogOdds` is the experiment's own metric by a label, against shares that may have been planted; `Perplexity`
//! says how well the model reads at all. `Weat` alone reads states: which words lie near which attributes. Intervals are percentile bootstraps over clusters of items (a template's, an
//! occupation's); a draw that holds none of a group is left out of that group's interval, and how many were is said. With
//! `against`, both models are drawn with the same items: the difference has its own interval and a paired test.
//!
//! *What it cannot show.* That a model acts on what it finds probable. The sets were criticised for pairs that differ in more
//! than the stereotype (Blodgett et al. 2021): read the items, and measure more than one set.
//!
//! *Reference.* Nangia et al. 2020; Nadeem et al. 2021; Zhao et al. 2018; Rudinger et al. 2018; Parrish et al. 2022; Nozza et
//! al. 2021; Warstadt et al. 2020; Webster et al. 2018; Caliskan et al. 2017; May et al. 2019.
//!
//! *Example.* `Measure(measures: [CrowsPairs(path: "crows_pairs_anonymized.csv"), LogOdds(by: "job")])`

mod against;
mod association;
mod columns;
mod figure;
mod groups;
mod kinds;
mod statistic;
mod units;

pub use against::{Difference, differences, items_of, paired};
pub use columns::{Columns, columns};
pub use figure::{Drawn, Estimate, Figure, Statistic, estimates};
pub use kinds::{figures, neutral};

use super::{Bench, Finding, Side, blank};
use crate::metric::Metric;
use crate::plan::{Kind, Measuring, Set, orientation};
use crate::score::{Case as Texts, batches, score};
use crate::steps::{RunError, Steps};
use crate::table::{Row, Table};

/// What the names of all tables of measures begin with, behind the number of the method.
pub const NAME: &str = "measure.";

/// Figures that a fact names one by one.
const FEW: usize = 8;

/// The place of a figure of all items.
pub const ALL: &str = "all";

/// Every measure, a table each.
pub fn measure(bench: &Bench, plan: &Measuring, steps: &mut Steps) -> Result<Finding, RunError> {
    let mut found = Vec::new();
    for set in &plan.sets {
        found.push(match set.kind {
            Kind::LogOdds { .. } => {
                let signs = orientation(bench.items, bench.metric);
                let values = bench.whole(Side::Clean, steps);
                values.map(|values| values.iter().zip(signs).map(|(value, sign)| vec![vec![value * sign]]).collect())
            }
            Kind::Weat { .. } => association::cosines(bench, set, steps),
            _ => scored(bench, set, steps),
        });
    }
    let mut finding = Finding::default();
    for (set, told) in plan.sets.iter().zip(found) {
        let columns = columns(set, &told?);
        let (main, items) = tables(bench, set, &columns);
        finding.tables.push(main);
        finding.items.push(items);
    }
    Ok(finding)
}

/// Units of work: an item each.
pub fn work(plan: &Measuring) -> usize {
    plan.sets.iter().map(|set| set.cases.len()).sum()
}

/// Log-probabilities of the tokens of every text, `[case][text][token]`; a step for each batch.
fn scored(bench: &Bench, set: &Set, steps: &mut Steps) -> Result<Vec<Vec<Vec<f64>>>, RunError> {
    let cases: Vec<&Texts> = set.cases.iter().map(|case| case.requests.as_slice()).collect();
    let mut told = vec![Vec::new(); cases.len()];
    for batch in batches(bench.model, &cases, bench.rows) {
        let texts: Vec<&Texts> = batch.iter().map(|case| cases[*case]).collect();
        let scores = steps.step(batch.len(), || score(bench.model, &texts, bench.rows))?;
        for (case, scores) in batch.into_iter().zip(scores.into_iter().flatten()) {
            let mut requests = scores.into_iter();
            let text = |parts: &usize| requests.by_ref().take(*parts).flatten().collect();
            told[case] = set.cases[case].parts.iter().map(text).collect();
        }
    }
    steps.complete()?;
    Ok(told)
}

/// The figures of a set, and the columns of every item.
fn tables(bench: &Bench, set: &Set, columns: &Columns) -> (Table, Table) {
    let figures = figures(set, columns);
    let found = estimates(&columns.rows, &clusters(set), &figures, bench.statistics, bench.seed);
    let mut main = table(set, title(&set.kind), &set.name);
    let (mut lost, mut undefined) = (Vec::new(), Vec::new());
    for (figure, told) in figures.iter().zip(&found) {
        match told.value {
            Some(_) => main.rows.push(row(bench, figure, told)),
            None => undefined.push(format!("{} of {}", figure.metric, figure.group)),
        }
        if told.lost > 0 && told.value.is_some() {
            lost.push(format!("{} of {}: {}", figure.metric, figure.group, told.lost));
        }
    }
    if !lost.is_empty() {
        main.facts.insert(format!("draws left out, of {}", bench.statistics.resamples), few(&lost));
    }
    if !undefined.is_empty() {
        main.facts.insert("cannot be said of these items".into(), few(&undefined));
    }
    (main, items(bench, set, columns))
}

/// The first of many.
fn few(all: &[String]) -> String {
    let more = all.len().saturating_sub(FEW);
    let shown = all[..all.len().min(FEW)].join("; ");
    if more > 0 { format!("{shown}; and {more} more") } else { shown }
}

fn row(bench: &Bench, figure: &Figure, told: &Estimate) -> Row {
    Row {
        site: Some(figure.group.clone()),
        metric: figure.metric.clone(),
        effect: told.value.unwrap_or(f64::NAN),
        low: told.interval.map(|interval| interval.low),
        high: told.interval.map(|interval| interval.high),
        p: told.p,
        n: figure.counted,
        ..blank("measure", bench.metric)
    }
}

/// The columns of every item, with the number that it has in its file.
fn items(bench: &Bench, set: &Set, columns: &Columns) -> Table {
    let mut table = table(set, title(&set.kind), &set.name);
    for (case, values) in set.cases.iter().zip(&columns.rows) {
        for (name, value) in columns.names.iter().zip(values) {
            let place = Row {
                site: Some(case.labels.join(", ")),
                item: Some(case.number),
                n: 1,
                ..blank("measure", bench.metric)
            };
            table.rows.push(Row { metric: name.clone(), effect: *value, ..place });
        }
    }
    table
}

fn table(set: &Set, title: &str, name: &str) -> Table {
    let mut facts: indexmap::IndexMap<String, String> =
        set.facts.iter().map(|(name, value)| (name.to_string(), value.clone())).collect();
    facts.insert("items".into(), set.cases.len().to_string());
    Table { name: format!("{NAME}{name}"), title: title.to_string(), facts, positions: Vec::new(), rows: Vec::new() }
}

/// The number of the cluster that each case is in.
pub fn clusters(set: &Set) -> Vec<usize> {
    let names: indexmap::IndexSet<&str> = set.cases.iter().map(|case| case.cluster.as_str()).collect();
    set.cases.iter().map(|case| names.get_index_of(case.cluster.as_str()).unwrap_or(0)).collect()
}

fn title(kind: &Kind) -> &'static str {
    match kind {
        Kind::Crows { .. } => "CrowS-Pairs",
        Kind::StereoSet { .. } => "StereoSet",
        Kind::WinoBias => "WinoBias",
        Kind::Winogender { .. } => "Winogender",
        Kind::Bbq => "BBQ",
        Kind::Honest => "HONEST templates",
        Kind::Pairs { title } => title,
        Kind::Gap => "GAP",
        Kind::LogOdds { metric: Metric::LogitDiff, .. } => "Log-odds by label",
        Kind::LogOdds { .. } => "Metric by label",
        Kind::Perplexity => "Perplexity",
        Kind::Weat { .. } => "Word association",
    }
}
