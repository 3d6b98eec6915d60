//! What two models tell of the same texts: differences of every figure, text by text.

use super::rates::{Rate, overall};
use crate::method::measure::{Difference, Drawn, Figure, paired};
use crate::method::represent::BETWEEN;
use crate::plan::Classifying;
use crate::site::Site;
use crate::spec::Statistics;
use crate::table::{Row, Table};
use patchclamp_probes::fairness::Judged;
use std::collections::BTreeMap;

/// The metric of rows that say of which class a text was told to be.
pub const CLASS: &str = "class told";

/// Columns of a text: its class, the one that was told, its group.
const COLUMNS: [usize; 3] = [0, 1, 2];

/// The name of a table behind the number of its method, where it is one of classification.
pub fn is_of(table: &Table) -> bool {
    table.name.split_once('_').is_some_and(|(_, name)| name == "classify" || name.starts_with("classify."))
}

/// The stream that a row is of, spelt out.
pub fn place(row: &Row) -> String {
    let kind = row.site.clone().unwrap_or_default();
    row.layer.map_or(kind.clone(), |layer| format!("blocks.{layer}.{kind}"))
}

/// The class that each text was told to be, by stream.
type Told = BTreeMap<String, BTreeMap<usize, usize>>;

fn told(rows: &[Row]) -> Told {
    let mut told = Told::new();
    for row in rows.iter().filter(|row| row.metric == CLASS) {
        if let Some(item) = row.item {
            told.entry(place(row)).or_default().insert(item, row.effect as usize);
        }
    }
    told
}

/// Every figure for the experiment's model and a variant's, by what either run has kept of its texts: at every stream that both
/// have, and at the last of each where these are called otherwise; at these alone unless both are `even`, with as many layers, as
/// else the same number is another place.
pub fn differences(
    plan: &Classifying,
    [own, others]: [&[Row]; 2],
    even: bool,
    statistics: Statistics,
    seed: u64,
) -> Vec<Difference> {
    let (own, others) = (told(own), told(others));
    let mut found = Vec::new();
    for (name, here, there) in streams(plan, even, [&own, &others]) {
        found.extend(of_stream(plan, &name, [here, there], statistics, seed));
    }
    found
}

/// What either model tells at a stream.
type Stream<'a> = (String, &'a BTreeMap<usize, usize>, &'a BTreeMap<usize, usize>);

fn streams<'a>(plan: &Classifying, even: bool, [own, others]: [&'a Told; 2]) -> Vec<Stream<'a>> {
    let names = plan.sites.iter().map(Site::to_string);
    let both = |name: String| Some((name.clone(), own.get(&name)?, others.get(&name)?));
    let mut found: Vec<Stream> = names.filter(|_| even).filter_map(both).collect();
    let last =
        |told: &'a Told| told.iter().max_by_key(|(name, _)| (name.parse::<Site>().ok().and_then(Site::layer), *name));
    if let (Some((here, own)), Some((there, others))) = (last(own), last(others))
        && (here != there || !even)
    {
        found.push((format!("{here}{BETWEEN}{there}"), own, others));
    }
    found
}

fn of_stream(
    plan: &Classifying,
    name: &str,
    told: [&BTreeMap<usize, usize>; 2],
    statistics: Statistics,
    seed: u64,
) -> Vec<Difference> {
    let both = |item: &&usize| told.iter().all(|told| told.contains_key(item));
    let items: Vec<usize> = plan.parts.test.iter().filter(both).copied().collect();
    let row = |told: &BTreeMap<usize, usize>, item: &usize| {
        [plan.labels.of()[*item], told[item], plan.group[*item]].map(|value| value as f64).to_vec()
    };
    let rows = told.map(|told| items.iter().map(|item| row(told, item)).collect::<Vec<_>>());
    let clusters: Vec<usize> = items.iter().map(|item| plan.apart[*item]).collect();
    let sizes = [plan.classes.len(), plan.groups.len()];
    let group = |item: usize| plan.group[items[item]];
    let class = |item: usize| plan.labels.of()[items[item]];
    let mut figures: Vec<Figure> = Vec::new();
    for rate in overall(plan) {
        let members = (0..items.len()).filter(|item| rate.group.is_none_or(|of| of == group(*item))).collect();
        figures.push(figure(name.to_string(), rate, members, sizes));
    }
    for (number, label) in plan.classes.iter().enumerate() {
        let members = (0..items.len()).filter(|item| class(*item) == number).collect();
        figures.push(figure(format!("{name}, {label}"), Rate::gap(number), members, sizes));
    }
    figures.retain(|figure| !figure.members.is_empty());
    paired(rows, clusters, &figures, statistics, seed)
}

fn figure(group: String, rate: Rate, members: Vec<usize>, [classes, groups]: [usize; 2]) -> Figure {
    let of = rate.of;
    let statistic = move |rows: &[&[f64]]| {
        let [truth, told, group] = COLUMNS.map(|column| rows.iter().map(|row| row[column] as usize).collect());
        of(&Judged::new(truth, told, group).ok()?.of_sizes(classes, groups).counts())
    };
    let right = |row: &[f64]| f64::from(u8::from(row[COLUMNS[0]] == row[COLUMNS[1]]));
    Figure {
        group,
        metric: rate.name,
        counted: members.len(),
        members,
        statistic: Box::new(statistic),
        drawn: Drawn::Clusters,
        mean_of: if rate.is_accuracy { Some(right) } else { None },
        test: None,
    }
}
