//! Cuts, drawn: what is left of the bias and of what is kept as more is cut, one against the other, and what was cut.

use crate::figure::{Curves, Estimate, Figure, Series, capitalised, figures_of};
use crate::method::cut::{COUNT, CUT, WHOLE};
use crate::method::summary::CAUTION;
use crate::table::{Row, Table};

/// Edges or nodes of a curve; more names are not read one by one.
const MOST_NAMES: usize = 30;

/// What is left, by the name of its rows and of its curve.
const LEFT: [(&str, &str); 2] = [("bias: share left", "Bias"), ("kept: share left", "What is kept")];

/// What the names of rows of random cuts end with.
const RANDOM: &str = ", random";

/// Whether a table tells of cuts.
pub(super) fn is_of(table: &Table) -> bool {
    table.rows.first().is_some_and(|row| row.method == CUT)
}

/// The figures of such a table.
pub(super) fn figures(table: &Table) -> Vec<(String, Figure)> {
    if table.name.contains(".ranked") {
        return vec![(table.name.clone(), Figure::Curves(ranked(table)))];
    }
    if table.facts.contains_key(CAUTION) {
        let shown = |row: &&Row| ["bias", "kept"].contains(&row.metric.as_str());
        let rows = table.rows.iter().filter(shown).map(|row| Row { normalised: None, ..row.clone() }).collect();
        return figures_of(&Table { rows, ..table.clone() });
    }
    let ways = ways(table);
    let by_count =
        ways.iter().enumerate().filter(|(_, (_, points))| points.len() > 1).map(|(number, (name, points))| {
            (format!("{}_curve_{}", table.name, number + 1), Figure::Curves(curve(table, name, points)))
        });
    let bars = ["selectivity", "loss: change"].into_iter().flat_map(|metric| {
        let rows = table.rows.iter().filter(|row| row.metric == metric).cloned().collect();
        let name = format!("{}_{}", table.name, metric.split(':').next().unwrap_or(metric));
        figures_of(&Table { rows, name, ..table.clone() })
    });
    let both = (format!("{}_tradeoff", table.name), Figure::Curves(tradeoff(table, &ways)));
    std::iter::once(both).chain(by_count).chain(bars).collect()
}

/// A way, and the cuts it makes: how many are cut, where it says so, and the name of its rows.
type Points<'a> = (&'a str, Vec<(Option<usize>, &'a str)>);

/// The ways in their order.
fn ways(table: &Table) -> Vec<Points<'_>> {
    let mut found: Vec<Points> = Vec::new();
    for site in table.rows.iter().filter(|row| row.metric == LEFT[0].0).filter_map(|row| row.site.as_deref()) {
        let parted = site.rsplit_once(COUNT).and_then(|(way, count)| Some((way, count.parse().ok()?)));
        let (way, count) = parted.map_or((site, None), |(way, count)| (way, Some(count)));
        match found.iter_mut().find(|(name, _)| *name == way && site != WHOLE) {
            Some((_, points)) => points.push((count, site)),
            None => found.push((way, vec![(count, site)])),
        }
    }
    found
}

fn row<'a>(table: &'a Table, site: &str, metric: &str) -> Option<&'a Row> {
    table.rows.iter().find(|row| row.site.as_deref() == Some(site) && row.metric == metric)
}

/// What is left as more is cut, beside random cuts; counts mostly grow by a factor, so that steps of one width are a
/// logarithmic axis.
fn curve(table: &Table, way: &str, points: &[(Option<usize>, &str)]) -> Curves {
    let named =
        |ending: &str, words: &str| LEFT.map(|(metric, name)| (format!("{metric}{ending}"), format!("{name}{words}")));
    let series = |(metric, name): (String, String)| {
        let point = |(place, (_, site)): (usize, &(Option<usize>, &str))| {
            let row = row(table, site, &metric)?;
            Some(Estimate { x: (place + 1) as f64, y: row.effect, low: row.low, high: row.high })
        };
        // nothing cut is the whole model
        let whole = Estimate { x: 0.0, y: 1.0, low: None, high: None };
        let found: Vec<Estimate> = points.iter().enumerate().filter_map(point).collect();
        (!found.is_empty()).then(|| Series { name, points: std::iter::once(whole).chain(found).collect() })
    };
    let all = named("", "").into_iter().chain(named(RANDOM, ", random cuts"));
    Curves {
        title: format!("{}: {way}", table.title),
        x_title: format!("How many are cut ({way})"),
        y_title: "Share left".into(),
        x: std::iter::once("0".into())
            .chain(points.iter().map(|(count, _)| count.map_or(String::new(), |count| count.to_string())))
            .collect(),
        series: all.filter_map(series).collect(),
    }
}

/// What is kept against what is left of the bias, a curve a way from the whole model on: the best cuts stand at the top left.
fn tradeoff(table: &Table, ways: &[Points]) -> Curves {
    let series = |(name, points): &Points| {
        let point = |(_, site): &(Option<usize>, &str)| {
            let [bias, kept] = LEFT.map(|(metric, _)| row(table, site, metric));
            bias.zip(kept).map(|(bias, kept)| Estimate {
                x: bias.effect,
                y: kept.effect,
                low: kept.low,
                high: kept.high,
            })
        };
        // a curve goes from few to many, wherever that leads
        let whole = Estimate { x: 1.0, y: 1.0, low: None, high: None };
        let own = points.iter().filter_map(point);
        Series { name: capitalised(name), points: std::iter::once(whole).chain(own).collect() }
    };
    let [nothing, all] = [0.0, 1.0].map(|share| Estimate { x: share, y: share, low: None, high: None });
    let alike = Series { name: "Both alike".into(), points: vec![nothing, all] };
    Curves {
        title: format!("{}: what is kept, and what is left of the bias", table.title),
        x_title: "Share of the bias that is left".into(),
        y_title: "Share of what is kept".into(),
        x: Vec::new(),
        series: ways.iter().map(series).chain([alike]).collect(),
    }
}

/// What was cut first, by the shares of both tasks that hang on it.
fn ranked(table: &Table) -> Curves {
    let mut names: Vec<&str> = Vec::new();
    for site in table.rows.iter().filter_map(|row| row.site.as_deref()) {
        if !names.contains(&site) {
            names.push(site);
        }
    }
    let cut =
        if names.len() > MOST_NAMES { format!(" (first {MOST_NAMES} of {})", names.len()) } else { String::new() };
    names.truncate(MOST_NAMES);
    let series = |(metric, name): (&str, &str)| {
        let point = |(place, site): (usize, &&str)| {
            let row = row(table, site, metric)?;
            Some(Estimate { x: place as f64, y: row.normalised.unwrap_or(row.effect), low: None, high: None })
        };
        Series { name: name.into(), points: names.iter().enumerate().filter_map(point).collect() }
    };
    Curves {
        title: format!("{}{cut}", table.title),
        x_title: "In the order in which they are cut".into(),
        y_title: "Change without it, share of the contrast".into(),
        series: [("score: bias", LEFT[0].1), ("score: kept", LEFT[1].1)].map(series).to_vec(),
        x: names.into_iter().map(str::to_owned).collect(),
    }
}
