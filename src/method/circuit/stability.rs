//! How a circuit comes out with other items, in a table: draws, halves, and what items of one label say against the others.

use crate::circuit::{Circuit, Items, Part, Resampling, Stability};
use crate::data::PAIR;
use crate::method::summary::mean;
use crate::method::{Bench, blank, table};
use crate::table::{Row, Table};
use indexmap::IndexMap;
use patchclamp_probes::{Interval, holm};

/// More values than this are names of items, not kinds.
const MOST_VALUES: usize = 20;

/// What the rows are.
const INDEX: &str = "jaccard";

/// How rarely random parts may agree as little with the others, for a part to be said to have a circuit of its own.
const RARELY: f64 = 0.05;

/// Items of one label, held against the others.
struct Labelled {
    /// The label and its value.
    name: String,
    part: Part,
    /// Corrected for all labels.
    p: f64,
}

/// What is told.
pub struct Told {
    /// In figures.
    pub table: Table,
    /// In a sentence or two.
    pub verdict: String,
}

/// Whether a circuit comes out again; `all` has every edge, `found` is what came out again.
pub fn stability(bench: &Bench, all: &Circuit, items: &Items, how: &Resampling, found: &Stability) -> Told {
    let parts = labelled(bench, all, items, how);
    let verdict = [found.verdict(), own_circuits(&parts)].join(" ");
    Told { table: tabulated(bench, found, parts), verdict: verdict.trim_end().to_string() }
}

/// A sentence on the labels whose circuit is another one, if there are any.
fn own_circuits(parts: &[Labelled]) -> String {
    let told = parts.iter().filter(|labelled| labelled.p <= RARELY).map(|Labelled { name, part, .. }| {
        format!("{name} ({:.2} with the others, by chance {:.2})", part.agreement, mean(&part.chance))
    });
    match told.collect::<Vec<_>>().join(", ") {
        none if none.is_empty() => none,
        some => format!("Items of one label give another circuit than the others, more than chance would: {some}."),
    }
}

fn tabulated(bench: &Bench, found: &Stability, parts: Vec<Labelled>) -> Table {
    let mut main = table("circuit.stability", "Whether the circuit comes out again with other items", bench);
    let facts = [
        ("jaccard", "edges in both circuits over edges in either: 1 is the same circuit, 0 none in common"),
        ("draws", "bootstrap draws of the observations; with replacement, so that two of them share items"),
        ("halves", "random halves of the observations, which share no item; each has half of them"),
        (
            "labels",
            "the circuit of the items with one label held against that of all others, and by chance the same of random parts of as many observations; p: how rarely these agree as little, (1 + those that do) / (1 + all), corrected by Holm over the labels",
        ),
        ("intervals", "where most draws, halves or random parts lie"),
    ];
    main.facts.extend(facts.map(|(name, value)| (name.to_string(), value.to_string())));
    let named = |site: &str| Row { site: Some(site.into()), metric: INDEX.into(), ..blank(&main.name, bench.metric) };
    let spread = |site: &str, values: &[f64]| spread(named(site), values, bench.statistics.level);
    let mut rows = vec![
        spread("draws with all items", &found.with_all),
        spread("draws with each other", &found.between_draws),
        spread("halves of the items", &found.between_halves),
    ];
    for Labelled { name, part, p } in parts {
        let own = named(&format!("{name} with the others"));
        rows.push(Row { effect: part.agreement, p: Some(p), n: part.groups, ..own });
        rows.push(spread(&format!("{name}, by chance"), &part.chance));
    }
    rows.retain(|row| row.n > 0);
    main.rows = rows;
    main
}

/// The mean of some indices, and where most lie.
fn spread(row: Row, values: &[f64], level: f64) -> Row {
    let middle = Interval::percentile(values, level);
    let (low, high) = (middle.map(|middle| middle.low), middle.map(|middle| middle.high));
    Row { effect: mean(values), low, high, n: values.len(), ..row }
}

/// Every value of every label that some observations have and others have not.
fn labelled(bench: &Bench, all: &Circuit, items: &Items, how: &Resampling) -> Vec<Labelled> {
    let groups: Vec<usize> = items.groups.map_or_else(|| (0..bench.items.len()).collect(), <[usize]>::to_vec);
    let (names, parts): (Vec<_>, Vec<_>) = parts(bench, &groups).into_iter().unzip();
    // so many that a p can be below what is rare when it is corrected for all parts
    let how = Resampling { halves: how.halves.max((2.0 / RARELY) as usize * parts.len()), ..*how };
    let found = all.parts(items, &parts, &how).unwrap_or_default();
    let corrected = holm(&found.iter().map(Part::p).collect::<Vec<_>>());
    let labelled = names.into_iter().zip(found).zip(corrected);
    labelled.map(|((name, part), p)| Labelled { name, part, p }).collect()
}

/// The observations of each value of each label, where there are a few values.
fn parts(bench: &Bench, groups: &[usize]) -> Vec<(String, Vec<usize>)> {
    let mut labels: IndexMap<&str, IndexMap<&str, Vec<usize>>> = IndexMap::new();
    for (item, group) in bench.items.iter().zip(groups) {
        for (label, value) in item.labels.iter().filter(|(label, _)| *label != PAIR) {
            let held = labels.entry(label).or_default().entry(value).or_default();
            if !held.contains(group) {
                held.push(*group);
            }
        }
    }
    let count = groups.iter().max().map_or(0, |last| last + 1);
    let told = labels.into_iter().filter(|(_, values)| (2..=MOST_VALUES).contains(&values.len()));
    let named = told.flat_map(|(label, values)| {
        // of two, either is all the others
        let told = if values.len() == 2 { 1 } else { values.len() };
        values.into_iter().take(told).map(move |(value, groups)| (format!("{label} {value}"), groups))
    });
    named.filter(|(_, groups)| groups.len() < count).collect()
}
