//! Steering, drawn: curves of metric and fluency by coefficient, slopes by layer, and what carries over between tasks.

use crate::figure::{Curves, Estimate, Figure, HeatMap, Scale, Series, capitalised, figures_of, words};
use crate::method::steer::{STEER, TO};
use crate::table::{Row, Table};
use indexmap::IndexMap;
use ndarray::Array2;

/// More curves than this are not told apart.
const MOST_CURVES: usize = 7;

/// Whether a table tells of steering.
pub(super) fn is_of(table: &Table) -> bool {
    table.rows.first().is_some_and(|row| row.method == STEER)
}

/// The figures of such a table.
pub(super) fn figures(table: &Table) -> Vec<(String, Figure)> {
    match () {
        () if table.name.contains("steer.doses") => doses(table),
        () if table.name.contains("steer.transfer") => transfer(table),
        () => slopes(table),
    }
}

/// Slopes of all tasks for each way of finding directions, and random ones of the first task.
fn slopes(table: &Table) -> Vec<(String, Figure)> {
    let mut ways: IndexMap<&str, Vec<Row>> = IndexMap::new();
    let mut first = None;
    for row in table.rows.iter().filter(|row| row.metric.starts_with("slope")) {
        let Some((task, way)) = row.site.as_deref().and_then(|site| site.rsplit_once(": ")) else { continue };
        let first: &str = first.get_or_insert(task);
        let site = match row.metric.strip_suffix(", random") {
            None => task.to_string(),
            Some(_) if task == first => format!("random, {task}"),
            Some(_) => continue,
        };
        let metric = row.metric.trim_end_matches(", random").to_string();
        ways.entry(way).or_default().push(Row { site: Some(site), metric, ..row.clone() });
    }
    let figures = |(number, (way, rows)): (usize, (&str, Vec<Row>))| {
        let (name, title) = (format!("{}_{}", table.name, number + 1), format!("{}, {way}", table.title));
        figures_of(&Table { name, title, rows, ..table.clone() })
    };
    ways.into_iter().enumerate().flat_map(figures).collect()
}

/// One row of a curve.
struct Point<'a> {
    task: &'a str,
    what: &'a str,
    direction: &'a str,
    dose: f64,
    row: &'a Row,
}

/// `gender: add mean difference × 0.5`; nothing of what has no coefficient.
fn point(row: &Row) -> Option<Point<'_>> {
    let (name, dose) = row.site.as_deref()?.rsplit_once(" × ")?;
    let (task, what) = name.rsplit_once(": ")?;
    let (what, direction) = what.split_once(' ')?;
    Some(Point { task, what, direction, dose: dose.parse().ok()?, row })
}

/// What is drawn together: task, operation, direction and metric.
type Key<'a> = [&'a str; 4];

/// What random directions are called.
const RANDOM: &str = "random";

/// A figure for each task, direction and metric; a curve for each place, and that of random directions.
fn doses(table: &Table) -> Vec<(String, Figure)> {
    let mut groups: IndexMap<Key, Vec<Point>> = IndexMap::new();
    for point in table.rows.iter().filter_map(point) {
        let key = [point.task, point.what, point.direction, point.row.metric.as_str()];
        groups.entry(key).or_default().push(point);
    }
    // what it costs is shown of the first way of finding a direction, in tokens; the table has the rest
    let first = groups.keys().next().map_or("", |key| key[2]);
    let is_shown = |key: &Key| match key[3].split_once(": ") {
        Some((tokens, _)) => tokens == "own tokens" && key[2] == first,
        None => key[2] != RANDOM,
    };
    let own = groups.iter().filter(|(key, _)| is_shown(key)).enumerate();
    own.map(|(number, (key, points))| {
        // random directions are as they are for all ways of finding one
        let random = groups.get(&[key[0], key[1], RANDOM, key[3]]).map(|points| curves(points)).unwrap_or_default();
        (format!("{}_{}", table.name, number + 1), Figure::Curves(drawn(table, *key, curves(points), random)))
    })
    .collect()
}

fn drawn(table: &Table, [task, what, direction, metric]: Key, mut series: Vec<Series>, random: Vec<Series>) -> Curves {
    series.sort_by(|a, b| steepest(b).total_cmp(&steepest(a)));
    series.truncate(MOST_CURVES);
    // chance is shown where the direction does most
    let most = series.first().map(|one| one.name.clone());
    series.sort_by_key(|one| natural(&one.name));
    let chance = random.into_iter().find(|one| Some(&one.name) == most.as_ref());
    series.extend(chance.map(|one| Series { name: format!("random, {}", one.name), ..one }));
    let quantity = if metric.contains(": ") { words(metric) } else { format!("effect on {}", words(metric)) };
    Curves {
        title: format!("{}: {task}, {what} {direction}", table.title),
        x_title: "Coefficient".into(),
        y_title: capitalised(&quantity),
        x: Vec::new(),
        series,
    }
}

/// A curve for each place, through zero where nothing is changed.
fn curves(points: &[Point]) -> Vec<Series> {
    let mut places: IndexMap<String, Vec<Estimate>> = IndexMap::new();
    for point in points {
        let estimate = Estimate { x: point.dose, y: point.row.effect, low: point.row.low, high: point.row.high };
        places.entry(place(point.row)).or_default().push(estimate);
    }
    let through_zero = |(name, mut points): (String, Vec<Estimate>)| {
        points.push(Estimate { x: 0.0, y: 0.0, low: Some(0.0), high: Some(0.0) });
        points.sort_by(|a, b| a.x.total_cmp(&b.x));
        Series { name, points }
    };
    places.into_iter().map(through_zero).collect()
}

fn place(row: &Row) -> String {
    let part = |what: &str, index: Option<usize>| index.map(|index| format!("{what} {index}"));
    let parts = [part("layer", row.layer), part("position", row.position)];
    let name = parts.into_iter().flatten().collect::<Vec<_>>().join(", ");
    if name.is_empty() { "all layers".into() } else { name }
}

fn steepest(series: &Series) -> f64 {
    series.points.iter().map(|point| point.y.abs()).fold(0.0, f64::max)
}

/// The numbers in a name, so that layer 10 stands behind layer 9.
fn natural(name: &str) -> Vec<usize> {
    name.split(|letter: char| !letter.is_ascii_digit()).filter_map(|number| number.parse().ok()).collect()
}

/// A map from tasks to tasks for each way of finding directions, at the place that tells of most tasks and then keeps most.
fn transfer(table: &Table) -> Vec<(String, Figure)> {
    let mut ways: IndexMap<&str, IndexMap<String, Vec<&Row>>> = IndexMap::new();
    for row in &table.rows {
        ways.entry(&row.metric).or_default().entry(place(row)).or_default().push(row);
    }
    let worth = |rows: &[&Row]| rows.iter().map(|row| row.effect.min(1.0)).sum::<f64>();
    let better = |a: &&Vec<&Row>, b: &&Vec<&Row>| a.len().cmp(&b.len()).then(worth(a).total_cmp(&worth(b)));
    let figure = |(number, (metric, places)): (usize, (&&str, &IndexMap<String, Vec<&Row>>))| {
        let (place, rows) = places.iter().max_by(|a, b| better(&a.1, &b.1))?;
        Some((format!("{}_{}", table.name, number + 1), Figure::HeatMap(map(table, metric, place, rows))))
    };
    ways.iter().enumerate().filter_map(figure).collect()
}

fn map(table: &Table, metric: &str, place: &str, rows: &[&Row]) -> HeatMap {
    let ends = |row: &Row| {
        row.site.as_deref().and_then(|site| site.split_once(TO)).map(|(a, b)| (a.to_string(), b.to_string()))
    };
    let mut from: Vec<String> = Vec::new();
    let mut to: Vec<String> = Vec::new();
    for (one, other) in rows.iter().filter_map(|row| ends(row)) {
        [(&mut from, one), (&mut to, other)].into_iter().for_each(|(all, name)| {
            if !all.contains(&name) {
                all.push(name);
            }
        });
    }
    from.reverse();
    let shape = (from.len(), to.len());
    let mut values = Array2::from_elem(shape, f64::NAN);
    for row in rows {
        if let Some((one, other)) = ends(row) {
            let up = from.iter().position(|name| *name == one);
            let across = to.iter().position(|name| *name == other);
            if let Some(at) = up.zip(across) {
                values[at] = row.effect;
            }
        }
    }
    HeatMap {
        title: format!("{}, {place}", table.title),
        x_title: "Tried on".into(),
        y_title: "Direction from".into(),
        value_title: format!("Kept of the own slope ({})", metric.trim_start_matches("share: ")),
        x: to,
        y: from,
        values,
        marks: Array2::from_elem(shape, false),
        mark_title: String::new(),
        scale: Scale::Diverging,
    }
}
