//! Which figures show a table: by what varies in it.

use super::pivot::{self, Axis};
use super::unit::Unit;
use super::{Bars, Curves, Estimate, Figure, Series};
use crate::table::{Row, Table, largest, quantity};
use indexmap::IndexMap;
use std::collections::BTreeSet;

/// More panels than this are not compared but searched.
pub const MOST_PANELS: usize = 24;
/// More names than this on one axis are not read one by one.
const MOST_NAMES: usize = 64;
/// Bars kept of more.
const LARGEST: usize = 30;
/// Maps with fewer of their cells filled are lists, if they are short.
const SPARSE: f64 = 0.3;

/// What one figure shows: rows of one method, site and metric.
pub(super) struct Group<'a> {
    /// The table they are from.
    pub table: &'a Table,
    /// Method, site and metric, those that are not the same in the whole table.
    pub names: Vec<String>,
    /// The site, empty if there is none.
    pub site: String,
    /// The metric.
    pub metric: String,
    /// The axes along which they differ.
    pub axes: Vec<Axis>,
    /// Rows that have a place on each of the axes.
    pub rows: Vec<&'a Row>,
}

/// The figures of a table, each with its file stem; rows of single items are left out.
///
/// Two axes make a heat map, three make panels, layers alone make curves, anything else bars. Several methods at the same
/// places stand beside each other. A table of one number has no figure.
pub fn figures_of(table: &Table) -> Vec<(String, Figure)> {
    let groups = groups_of(table);
    let (flat, mapped): (Vec<_>, Vec<_>) = groups.into_iter().partition(|group| group.axes.is_empty());
    let (curved, mapped): (Vec<_>, Vec<_>) = mapped.into_iter().partition(|group| group.axes == [Axis::Layer]);
    let mapped = together(&mapped).into_iter().flat_map(maps_of);
    let curves = together(&curved).into_iter().map(|groups| (shared_stem(&groups), curves_of(&groups)));
    let flat = together(&flat).into_iter().filter(|groups| groups.len() > 1);
    let bars = flat.map(|groups| (shared_stem(&groups), bars_of_all(&groups)));
    distinct(mapped.chain(curves).chain(bars).collect())
}

fn groups_of(table: &Table) -> Vec<Group<'_>> {
    let mut parts: IndexMap<[String; 3], Vec<&Row>> = IndexMap::new();
    for row in table.rows.iter().filter(|row| row.item.is_none()) {
        parts.entry([row.method.clone(), site_of(row), row.metric.clone()]).or_default().push(row);
    }
    // a row without a site, as a total, sets none apart
    let named = |part: usize| parts.keys().map(move |key| &key[part]).filter(|name| !name.is_empty());
    let varies = |part: usize| named(part).collect::<BTreeSet<_>>().len() > 1;
    let varying: Vec<_> = (0..3).filter(|part| varies(*part)).collect();
    let name = |key: &[String; 3]| varying.iter().map(|part| key[*part].clone()).collect();
    parts.iter().map(|(key, rows)| Group::new(table, name(key), [&key[1], &key[2]], rows)).collect()
}

/// The site without its layer: `blocks.3.hook_resid_pre` is `hook_resid_pre` if the row is of layer 3.
fn site_of(row: &Row) -> String {
    let site = row.site.clone().unwrap_or_default();
    let block = row.layer.map(|layer| format!("blocks.{layer}."));
    block.and_then(|block| site.strip_prefix(&block).map(str::to_owned)).unwrap_or(site)
}

impl<'a> Group<'a> {
    fn new(table: &'a Table, names: Vec<String>, [site, metric]: [&String; 2], rows: &[&'a Row]) -> Self {
        let axes: Vec<_> = Axis::ALL.into_iter().filter(|axis| axis.places(rows).len() > 1).collect();
        let placed = |row: &&Row| axes.iter().all(|axis| axis.of(row).is_some());
        let rows = rows.iter().copied().filter(placed).collect();
        Self { table, names, site: site.clone(), metric: metric.clone(), axes, rows }
    }

    fn method(&self) -> &'a str {
        self.rows.first().map_or("", |row| row.method.as_str())
    }

    fn stem(&self) -> String {
        stem(&self.table.name, &self.names)
    }

    /// The table's title and what sets this figure apart from its other figures.
    pub fn title(&self) -> String {
        title(&self.table.title, &self.names)
    }
}

fn title(title: &str, names: &[String]) -> String {
    let names: Vec<_> = names.iter().filter(|name| !name.is_empty()).map(|name| words(name)).collect();
    if names.is_empty() { title.to_owned() } else { format!("{title}: {}", names.join(", ")) }
}

/// A name as people write it: without `hook_`, with spaces, nothing cut short.
pub fn words(name: &str) -> String {
    name.replace("hook_", "").replace("logit_diff", "logit difference").replace('_', " ")
}

fn stem(name: &str, names: &[String]) -> String {
    let slug = |name: &String| name.replace(|c: char| !c.is_ascii_alphanumeric(), "_");
    let parts = names.iter().filter(|name| !name.is_empty()).map(slug);
    std::iter::once(name.to_owned()).chain(parts).collect::<Vec<_>>().join("_")
}

fn figure_of(group: &Group) -> Figure {
    let places: Vec<_> = group.axes.iter().map(|axis| axis.places(&group.rows).len()).collect();
    let neurons = group.axes.iter().zip(&places).any(|(axis, count)| *axis == Axis::Neuron && *count > MOST_NAMES);
    let filled = group.rows.len() as f64 / places.iter().product::<usize>() as f64;
    match (&group.axes[..], &places[..]) {
        _ if neurons => bars_of(group, LARGEST),
        ([Axis::Position], [count]) if *count > MOST_NAMES => curves_of(&[group]),
        ([_], _) => bars_of(group, MOST_NAMES),
        ([_, _], _) if filled < SPARSE && group.rows.len() <= LARGEST => bars_of(group, LARGEST),
        ([up, across], _) => pivot::heat_map(group, *up, *across),
        ([each, up, across], [count, ..]) if *count <= MOST_PANELS => pivot::panels(group, *each, [*up, *across]),
        ([up, across, ..], _) => pivot::heat_map(group, *up, *across),
        ([], _) => bars_of(group, LARGEST),
    }
}

/// Groups that differ in their method, or else in their site, or in what of one quantity they show, side by side.
fn together<'g, 'a>(groups: &'g [Group<'a>]) -> Vec<Vec<&'g Group<'a>>> {
    let methods =
        |group: &Group| groups.iter().any(|other| other.site == group.site && other.method() != group.method());
    let beside = groups.iter().any(|group| !group.site.is_empty() && methods(group));
    let mut alike: IndexMap<(&str, &str), Vec<&Group>> = IndexMap::new();
    for group in groups {
        if let Some(row) = group.rows.first() {
            let own = if beside { group.site.as_str() } else { row.method.as_str() };
            alike.entry((own, quantity(&row.metric).0)).or_default().push(group);
        }
    }
    alike.into_values().collect()
}

/// Several methods' maps of the same axes are panels; what else maps show is a figure each.
fn maps_of(groups: Vec<&Group>) -> Vec<(String, Figure)> {
    let [first, second, ..] = &groups[..] else {
        return groups.iter().map(|group| (group.stem(), figure_of(group))).collect();
    };
    match first.axes[..] {
        [up, across] if first.method() != second.method() && groups.iter().all(|group| group.axes == first.axes) => {
            let named: Vec<_> = groups.iter().map(|group| (own_name(group, &groups), *group)).collect();
            vec![(shared_stem(&groups), pivot::beside(&shared_title(&groups), &named, [up, across]))]
        }
        _ => groups.iter().map(|group| (group.stem(), figure_of(group))).collect(),
    }
}

/// What the groups have in common of their names, the quantity rather than the metric.
fn shared_names(groups: &[&Group]) -> Vec<String> {
    let name = |group: &Group, place: usize| match &group.names[place] {
        metric if *metric == group.metric => quantity(metric).0.to_owned(),
        other => other.clone(),
    };
    let Some(first) = groups.first() else { return Vec::new() };
    let same = |place: &usize| groups.iter().all(|group| name(group, *place) == name(first, *place));
    (0..first.names.len()).filter(same).map(|place| name(first, place)).collect()
}

/// What sets one of several groups apart.
fn own_name(group: &Group, groups: &[&Group]) -> String {
    let method = groups.iter().any(|other| other.method() != group.method()).then(|| words(group.method()));
    let site = groups.iter().any(|other| other.site != group.site).then(|| words(&group.site));
    let (quantity, part) = quantity(&group.metric);
    let differs = groups.iter().any(|other| other.metric != group.metric);
    let metric = differs.then(|| words(if part.is_empty() { quantity } else { part }));
    match [method, site, metric].into_iter().flatten().collect::<Vec<_>>() {
        none if none.is_empty() => words(&group.site),
        some => some.join(", "),
    }
}

fn shared_stem(sites: &[&Group]) -> String {
    let name = sites.first().map_or("", |group| &group.table.name);
    stem(name, &shared_names(sites))
}

fn shared_title(sites: &[&Group]) -> String {
    let name = sites.first().map_or("", |group| &group.table.title);
    title(name, &shared_names(sites))
}

fn curves_of(sites: &[&Group]) -> Figure {
    let rows: Vec<_> = sites.iter().flat_map(|group| group.rows.iter().copied()).collect();
    let axis = sites.first().and_then(|group| group.axes.first()).copied().unwrap_or(Axis::Layer);
    let unit = Unit::with_intervals(&rows);
    let places = axis.places(&rows);
    // Names at every layer between the first and the last, whether or not it was asked for.
    let first = places.first().copied().unwrap_or(0);
    let all = first..=places.last().copied().unwrap_or(0);
    let named = axis == Axis::Layer;
    let from = if named { first } else { 0 };
    let series = sites.iter().map(|group| series_of(group, own_name(group, sites), axis, unit, from)).collect();
    Figure::Curves(Curves {
        title: shared_title(sites),
        x_title: axis.title().into(),
        y_title: unit.title(&rows),
        x: if named { all.map(|layer| layer.to_string()).collect() } else { Vec::new() },
        series,
    })
}

fn series_of(group: &Group, name: String, axis: Axis, unit: Unit, from: usize) -> Series {
    let point = |row: &&Row| {
        let (low, high) = unit.interval(row);
        Estimate { x: (axis.of(row).unwrap_or(from) - from) as f64, y: unit.value(row), low, high }
    };
    let mut points: Vec<_> = group.rows.iter().map(point).collect();
    points.sort_by(|a, b| a.x.total_cmp(&b.x));
    Series { name, points }
}

fn bars_of(group: &Group, most: usize) -> Figure {
    let unit = Unit::with_intervals(&group.rows);
    let total = group.rows.len();
    let rows = largest(group.rows.clone(), most);
    let cut = if total > most { format!(" ({most} largest of {total})") } else { String::new() };
    let names: Vec<_> = group.axes.iter().map(|axis| axis.title()).collect();
    Figure::Bars(Bars {
        title: group.title() + &cut,
        x_title: names.last().copied().unwrap_or_default().into(),
        y_title: unit.title(&rows),
        bars: rows.iter().map(|row| unit.bar(row, pivot::name(group.table, &group.axes, row))).collect(),
        mark_title: pivot::MARK.into(),
        base: 0.0,
    })
}

fn bars_of_all(sites: &[&Group]) -> Figure {
    let rows: Vec<_> = sites.iter().flat_map(|group| group.rows.iter().copied()).collect();
    let unit = Unit::with_intervals(&rows);
    let bar = |group: &&Group| {
        let name = own_name(group, sites);
        group.rows.iter().map(|row| unit.bar(row, name.clone())).collect::<Vec<_>>()
    };
    let bars = sites.iter().flat_map(bar);
    Figure::Bars(Bars {
        title: shared_title(sites),
        x_title: x_title(sites).into(),
        y_title: unit.title(&rows),
        bars: bars.collect(),
        mark_title: pivot::MARK.into(),
        base: 0.0,
    })
}

/// What sites are: words where they have log-odds; a path has an arrow for each of its edges.
fn x_title(sites: &[&Group]) -> &'static str {
    if sites.iter().any(|group| group.method() != sites[0].method()) {
        return "Method";
    }
    let arrows = |group: &&Group| group.site.matches("->").count();
    if sites.iter().all(|group| group.metric.starts_with("log_odds")) {
        return "Word";
    }
    match sites.iter().map(arrows).min().zip(sites.iter().map(arrows).max()) {
        Some((1, 1)) => "Edge",
        Some((1.., _)) => "Path",
        _ => "Site",
    }
}

/// The same figures with a number after a stem that has been used.
fn distinct(figures: Vec<(String, Figure)>) -> Vec<(String, Figure)> {
    let mut used: IndexMap<String, usize> = IndexMap::new();
    let number = |(stem, figure): (String, Figure)| {
        let count = used.entry(stem.clone()).and_modify(|count| *count += 1).or_insert(1);
        (if *count == 1 { stem } else { format!("{stem}_{count}") }, figure)
    };
    figures.into_iter().map(number).collect()
}

#[cfg(test)]
mod tests;
