//! Localised units, drawn: how selective they are, whether halves agree, and what their lesions do to every task.

use crate::figure::{Bar, Bars, Figure, HeatMap, Scale, figures_of};
use crate::method::localise::LOCALISE;
use crate::table::{Row, Table, largest};
use ndarray::Array2;

/// Bars of units kept of more.
const LARGEST: usize = 30;
/// Rows below get a dot.
const LEVEL: f64 = 0.05;

/// Whether a table tells of localised units.
pub(super) fn is_of(table: &Table) -> bool {
    table.rows.first().is_some_and(|row| row.method == LOCALISE)
}

/// The figures of such a table.
pub(super) fn figures(table: &Table) -> Vec<(String, Figure)> {
    let kind = |word: &str| table.name.contains(word);
    match () {
        () if kind("localise.units") => units(table),
        () if kind("localise.halves") => halves(table),
        () if kind("localise.lesion") => lesions(table),
        () => figures_of(table),
    }
}

/// Held-out d′ of the strongest units of each task.
fn units(table: &Table) -> Vec<(String, Figure)> {
    let ending = ": d_prime";
    let mut tasks: Vec<&str> = table.rows.iter().filter_map(|row| row.metric.strip_suffix(ending)).collect();
    tasks.dedup();
    let figure = |(number, task): (usize, &str)| {
        let rows: Vec<&Row> = table.rows.iter().filter(|row| row.metric.strip_suffix(ending) == Some(task)).collect();
        let (all, rows) = (rows.len(), largest(rows, LARGEST));
        let cut = if all > rows.len() { format!(" ({} largest of {all})", rows.len()) } else { String::new() };
        let bars = Bars {
            title: format!("{}: {task}{cut}", table.title),
            x_title: "Unit".into(),
            y_title: "Held-out d′, clean against corrupted".into(),
            bars: rows.iter().map(|row| bar(row, unit_name(row))).collect(),
            mark_title: format!("p < {LEVEL}"),
            base: 0.0,
        };
        (format!("{}_{}", table.name, number + 1), Figure::Bars(bars))
    };
    tasks.into_iter().enumerate().map(figure).collect()
}

/// `L2H5N7`, without what the site has not.
fn unit_name(row: &Row) -> String {
    let part = |letter: char, index: Option<usize>| index.map(|index| format!("{letter}{index}")).unwrap_or_default();
    part('L', row.layer) + &part('H', row.head) + &part('N', row.neuron)
}

fn bar(row: &Row, label: String) -> Bar {
    let mark = row.p.is_some_and(|p| p < LEVEL);
    Bar { label, value: row.effect, low: row.low, high: row.high, mark }
}

/// The overlap of the halves of each task beside that of chance.
fn halves(table: &Table) -> Vec<(String, Figure)> {
    let name = |row: &Row| {
        let task = row.site.clone().unwrap_or_default();
        if row.metric.contains("chance") { format!("{task}, by chance") } else { task }
    };
    let rows = table.rows.iter().filter(|row| row.metric.ends_with("jaccard"));
    let bars: Vec<Bar> = rows.map(|row| bar(row, name(row))).collect();
    let figure = Bars {
        title: table.title.clone(),
        x_title: "Task".into(),
        y_title: "Jaccard index of both halves' units".into(),
        mark_title: format!("p < {LEVEL}"),
        base: 0.0,
        bars,
    };
    if figure.bars.is_empty() { Vec::new() } else { vec![(table.name.clone(), Figure::Bars(figure))] }
}

/// Lesions by tasks as a map of shares, or of effects where a task has no score of its own; fluency as bars.
fn lesions(table: &Table) -> Vec<(String, Figure)> {
    let is_fluency = |row: &&Row| row.metric.starts_with("own tokens") || row.metric.starts_with("next token");
    let (fluency, tasks): (Vec<&Row>, Vec<&Row>) = table.rows.iter().partition(is_fluency);
    let bars = figures_of(&Table { rows: fluency.into_iter().cloned().collect(), ..table.clone() });
    std::iter::once((format!("{}_map", table.name), Figure::HeatMap(map(table, &tasks)))).chain(bars).collect()
}

fn map(table: &Table, rows: &[&Row]) -> HeatMap {
    let mut sites = distinct(rows, |row| row.site.as_deref().unwrap_or_default());
    // picked units at the top, then shuffled contrasts, then random units
    sites.reverse();
    sites.sort_by_key(|site| (!site.ends_with(", random"), !site.ends_with(", shuffled")));
    let metrics = distinct(rows, |row| &row.metric);
    // a share of what the model does not do is left out, where there is any other
    let shares = rows.iter().any(|row| row.normalised.is_some());
    let shape = (sites.len(), metrics.len());
    let (mut values, mut marks) = (Array2::from_elem(shape, f64::NAN), Array2::from_elem(shape, false));
    for row in rows {
        let up = sites.iter().position(|site| Some(*site) == row.site.as_deref());
        let across = metrics.iter().position(|metric| *metric == row.metric);
        if let (Some(up), Some(across)) = (up, across) {
            values[[up, across]] = if shares { row.normalised.unwrap_or(f64::NAN) } else { row.effect };
            marks[[up, across]] = row.p.is_some_and(|p| p < LEVEL);
        }
    }
    let task = |metric: &&str| metric.rsplit_once(": ").map_or(*metric, |(task, _)| task).to_string();
    HeatMap {
        title: table.title.clone(),
        x_title: "Task".into(),
        y_title: "Lesioned units".into(),
        value_title: if shares { "Change, as a share of the score" } else { "Change of the score" }.into(),
        x: metrics.iter().map(task).collect(),
        y: sites.iter().map(ToString::to_string).collect(),
        values,
        marks,
        mark_title: format!("p < {LEVEL} against random units"),
        scale: Scale::Diverging,
    }
}

/// The different values of some rows, in their order.
fn distinct<'a>(rows: &[&'a Row], of: impl Fn(&'a Row) -> &'a str) -> Vec<&'a str> {
    let mut found: Vec<&str> = Vec::new();
    for row in rows {
        if !found.contains(&of(row)) {
            found.push(of(row));
        }
    }
    found
}
