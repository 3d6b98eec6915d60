//! What circuits do, drawn: a curve over shares of the edges, and bars for the circuit beside all edges and none.

use crate::circuit::named_share;
use crate::figure::{Curves, Estimate, Figure, Series, capitalised, figures_of, words};
use crate::method::summary::CAUTION;
use crate::table::{Row, Table};

/// What is drawn where its whole is something.
const FAITHFULNESS: &str = "faithfulness";

/// Whether a table says what circuits of shares of the edges do.
pub(super) fn is_of(table: &Table) -> bool {
    table.rows.iter().any(|row| share(row).is_some())
}

/// The curve, then the bars.
pub(super) fn figures(table: &Table) -> Vec<(String, Figure)> {
    // where all edges do no more than none, a share of that means little
    let cautious = table.facts.contains_key(CAUTION);
    let shown = |row: &&Row| (row.metric == FAITHFULNESS) != cautious;
    let (points, others): (Vec<&Row>, Vec<&Row>) =
        table.rows.iter().filter(shown).partition(|row| share(row).is_some());
    let bars = figures_of(&Table { rows: others.into_iter().cloned().collect(), ..table.clone() });
    std::iter::once((format!("{}_curve", table.name), Figure::Curves(curve(table, &points)))).chain(bars).collect()
}

/// A series for each way of choosing edges. Shares go up by 2 or 2.5, so that steps of one width are a logarithmic axis.
fn curve(table: &Table, rows: &[&Row]) -> Curves {
    let mut curves = Curves {
        title: table.title.clone(),
        x_title: "Share of all edges".into(),
        y_title: rows.first().map_or(String::new(), |row| capitalised(&words(&row.metric))),
        x: Vec::new(),
        series: Vec::new(),
    };
    for row in rows {
        let Some((share, by)) = share(row) else { continue };
        let name = format!("Chosen by {by}");
        let x = place(&mut curves.x, |known| known == share, || share.to_string());
        let series =
            place(&mut curves.series, |one| one.name == name, || Series { name: name.clone(), points: vec![] });
        curves.series[series].points.push(Estimate { x: x as f64, y: row.effect, low: row.low, high: row.high });
    }
    curves
}

/// Where the one that is wanted stands, at the end if it was not there.
fn place<T>(all: &mut Vec<T>, is_it: impl Fn(&T) -> bool, make: impl Fn() -> T) -> usize {
    all.iter().position(is_it).unwrap_or_else(|| {
        all.push(make());
        all.len() - 1
    })
}

fn share(row: &Row) -> Option<(&str, &str)> {
    named_share(row.site.as_deref()?)
}
