//! Which of the looks of heads are drawn: those from a place with an effect to a place with one.

use super::{Arrow, Dot, Kind, Side};
use std::collections::BTreeMap;

/// A head that lays less of a query on a key hardly looks there.
const LEAST_SHARE: f64 = 0.25;
/// Effects smaller than this share of the largest are no ends of an arrow.
pub const LEAST_EFFECT: f64 = 0.1;

/// How much of a query of a head lies on a key.
#[derive(Clone, Debug, PartialEq)]
pub struct Glance {
    /// The head's layer.
    pub layer: usize,
    /// The head.
    pub head: usize,
    /// The position that looks.
    pub query: usize,
    /// The position that is looked at.
    pub key: usize,
    /// 0 to 1.
    pub share: f64,
}

/// For each layer, key and query the head that looks most, where effects stand at both ends.
pub fn arrows(dots: &[Dot], stream: Side, glances: &[Glance], layers: &[usize], columns: &[usize]) -> Vec<Arrow> {
    let most = dots.iter().map(|dot| dot.value.abs()).fold(0.0, f64::max);
    let holds = |kind: Kind, row: usize, column: usize| {
        dots.iter()
            .any(|dot| (dot.kind, dot.row, dot.column) == (kind, row, column) && dot.value.abs() >= LEAST_EFFECT * most)
    };
    let writes = dots.iter().any(|dot| dot.kind == Kind::Attention);
    let mut best: BTreeMap<(usize, usize, usize), &Glance> = BTreeMap::new();
    let other = |glance: &&Glance| glance.query != glance.key && glance.share >= LEAST_SHARE;
    for glance in glances.iter().filter(other) {
        let place = |places: &[usize], wanted: usize| places.iter().position(|place| *place == wanted);
        let at = (place(layers, glance.layer), place(columns, glance.key), place(columns, glance.query));
        let (Some(row), Some(key), Some(query)) = at else { continue };
        let Some((from, to)) = rows(row, stream, layers.len()) else { continue };
        let arrives = if writes { holds(Kind::Attention, row, query) } else { holds(Kind::Stream, to, query) };
        if holds(Kind::Stream, from, key) && arrives {
            let kept = best.entry((row, key, query)).or_insert(glance);
            if glance.share > kept.share {
                *kept = glance;
            }
        }
    }
    best.into_iter().map(|((row, key, query), glance)| arrow(row, key, query, glance)).collect()
}

/// The rows of the stream that a layer's attention reads and writes to, where both are there.
pub fn rows(row: usize, stream: Side, count: usize) -> Option<(usize, usize)> {
    match stream {
        Side::Before => (row + 1 < count).then_some((row, row + 1)),
        Side::Behind => row.checked_sub(1).map(|below| (below, row)),
    }
}

fn arrow(row: usize, key: usize, query: usize, glance: &Glance) -> Arrow {
    let Glance { layer, head, share, .. } = glance;
    Arrow { row, key, query, share: *share, note: format!("a{layer}.h{head} looks here with {share:.2} of the query") }
}
