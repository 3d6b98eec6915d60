//! Ways for the wires of a diagram that cross no box.
//!
//! Few wires go straight in one curve where that is free. Others go across only between rows and up only between columns,
//! or where a column is free, so that no box can be in their way. In a lane the wires of one box run together, beside
//! those of others.

use super::super::pen::{Frame, Point};
use super::place::Layout;
use super::{Diagram, Piece, Wire};
use std::collections::{BTreeMap, BTreeSet};

/// Diagrams of more wires than this bundle all of them.
const FREE: usize = 80;
/// Between a curve and a box that it passes.
const CLEAR: f64 = 2.0;
/// Curves are drawn by straight lines that their controls are no further from, in points.
const FLAT: f64 = 0.2;
/// A piece is halved so often at the most.
const HALVINGS: usize = 6;
/// The share of a lane that wires may take.
const FILLED: f64 = 0.8;
/// The share of a box's half width at which ports stand.
const PORT: f64 = 0.55;
/// How much further a way may be to keep to its own column rather than to a lane, in points.
const STRAIGHT: f64 = 6.0;

/// The curve of each wire, bottom to top.
pub fn routes(diagram: &Diagram, layout: &Layout) -> Vec<Vec<Piece>> {
    let direct = |wire: &Wire| (diagram.wires.len() <= FREE).then(|| straight(diagram, layout, wire)).flatten();
    let straight: Vec<_> = diagram.wires.iter().map(direct).collect();
    let trunks: Vec<_> = diagram.wires.iter().map(|wire| trunk(diagram, layout, wire)).collect();
    let offsets = offsets(diagram, layout, &trunks);
    let ways = diagram.wires.iter().zip(straight).zip(trunks.iter().zip(offsets));
    ways.map(|((wire, straight), (trunk, offset))| {
        straight.map_or_else(|| around(diagram, layout, wire, trunk + offset), |piece| vec![piece])
    })
    .collect()
}

/// Points on a curve, as many as make it look round.
pub fn points(pieces: &[Piece]) -> Vec<Point> {
    let mut points: Vec<Point> = pieces.first().map(|piece| piece[0]).into_iter().collect();
    pieces.iter().for_each(|piece| flatten(piece, HALVINGS, &mut points));
    points.dedup();
    points
}

/// Adds the points of a piece behind its first.
fn flatten(piece: &Piece, halvings: usize, points: &mut Vec<Point>) {
    let [from, a, b, to] = *piece;
    let length = (to.0 - from.0).hypot(to.1 - from.1).max(f64::MIN_POSITIVE);
    let off =
        |point: Point| ((point.0 - from.0) * (to.1 - from.1) - (point.1 - from.1) * (to.0 - from.0)).abs() / length;
    if halvings == 0 || off(a).max(off(b)) < FLAT {
        points.push(to);
        return;
    }
    let middle = |a: Point, b: Point| (f64::midpoint(a.0, b.0), f64::midpoint(a.1, b.1));
    let (left, inner, right) = (middle(from, a), middle(a, b), middle(b, to));
    let (before, behind) = (middle(left, inner), middle(inner, right));
    let centre = middle(before, behind);
    flatten(&[from, left, before, centre], halvings - 1, points);
    flatten(&[centre, behind, right, to], halvings - 1, points);
}

/// Where a wire leaves and enters; over a whole row it may do so anywhere, and does at `near`.
fn ends(diagram: &Diagram, layout: &Layout, wire: &Wire, near: f64) -> [Point; 2] {
    let side = |spot: usize, port: f64, y: f64| match diagram.spots[spot].column {
        Some(column) => (layout.columns[column] + port * PORT * layout.frames[spot].width / 2.0, y),
        None => (near, y),
    };
    let (from, to) = (layout.frames[wire.from], layout.frames[wire.to]);
    [side(wire.from, 0.0, from.top), side(wire.to, wire.port, to.bottom())]
}

/// Where a wire stands that may leave or enter anywhere: above or below its other end.
fn near(diagram: &Diagram, layout: &Layout, wire: &Wire) -> f64 {
    let middle = layout.size.0 / 2.0;
    let [from, to] = ends(diagram, layout, wire, middle);
    if diagram.spots[wire.from].column.is_none() { to.0 } else { from.0 }
}

/// One curve from end to end, if it passes no box.
fn straight(diagram: &Diagram, layout: &Layout, wire: &Wire) -> Option<Piece> {
    let [from, to] = ends(diagram, layout, wire, near(diagram, layout, wire));
    let bent = |share: f64| {
        let reach = (from.1 - to.1) * share;
        [from, (from.0, from.1 - reach), (to.0, to.1 + reach), to]
    };
    let clear = |piece: &Piece| {
        let points = points(&[*piece]);
        let others = layout.frames.iter().enumerate().filter(|(spot, _)| *spot != wire.from && *spot != wire.to);
        let long: Vec<_> = points.windows(2).flat_map(|pair| between(pair[0], pair[1])).collect();
        others.into_iter().all(|(_, frame)| !long.iter().any(|point| inside(*frame, *point, CLEAR)))
    };
    [0.5, 0.35, 0.65, 0.8].into_iter().map(bent).find(clear)
}

/// Points between two, so near that no box fits between them.
fn between(from: Point, to: Point) -> impl Iterator<Item = Point> {
    let steps = ((from.0 - to.0).hypot(from.1 - to.1) / CLEAR).ceil().max(1.0) as usize;
    (0..=steps).map(move |step| {
        let share = step as f64 / steps as f64;
        (from.0 + (to.0 - from.0) * share, from.1 + (to.1 - from.1) * share)
    })
}

/// Whether a point is in a box, or nearer to it than `clear`.
pub fn inside(frame: Frame, (x, y): Point, clear: f64) -> bool {
    let across = x > frame.left - clear && x < frame.right() + clear;
    across && y > frame.top - clear && y < frame.bottom() + clear
}

/// Where a wire goes up between the rows of its ends: in its own column where that is free, else in the lane that makes
/// the way shortest.
fn trunk(diagram: &Diagram, layout: &Layout, wire: &Wire) -> f64 {
    let [from, to] = ends(diagram, layout, wire, near(diagram, layout, wire));
    let passed = diagram.spots[wire.from].row + 1..diagram.spots[wire.to].row;
    let is_free = |x: f64| {
        let in_way = diagram.spots.iter().zip(&layout.frames).filter(|(spot, _)| passed.contains(&spot.row));
        in_way.into_iter().all(|(_, frame)| x < frame.left - CLEAR || x > frame.right() + CLEAR)
    };
    let own = [to.0, from.0].into_iter().filter(|x| is_free(*x)).map(|x| (x, 0.0));
    let lanes = layout.lanes.iter().map(|x| (*x, STRAIGHT));
    let way = |(x, cost): &(f64, f64)| (x - from.0).abs() + (x - to.0).abs() + cost;
    own.chain(lanes).min_by(|a, b| way(a).total_cmp(&way(b))).map_or(to.0, |(x, _)| x)
}

/// How far from its middle each wire goes up a lane: the boxes that wires come from side by side, left to right.
fn offsets(diagram: &Diagram, layout: &Layout, trunks: &[f64]) -> Vec<f64> {
    let lane_of = |x: f64| layout.lanes.iter().position(|lane| *lane == x);
    let mut users: BTreeMap<usize, BTreeSet<usize>> = BTreeMap::new();
    for (wire, trunk) in diagram.wires.iter().zip(trunks) {
        if let Some(lane) = lane_of(*trunk) {
            users.entry(lane).or_default().insert(wire.from);
        }
    }
    let offset = |(wire, trunk): (&Wire, &f64)| {
        let Some(users) = lane_of(*trunk).and_then(|lane| users.get(&lane)) else { return 0.0 };
        let place = users.iter().position(|from| *from == wire.from).unwrap_or(0);
        let share = (place as f64 + 0.5) / users.len() as f64 - 0.5;
        share * layout.lane * FILLED
    };
    diagram.wires.iter().zip(trunks).map(offset).collect()
}

/// Across above the first row, up at `x`, across below the last.
fn around(diagram: &Diagram, layout: &Layout, wire: &Wire, x: f64) -> Vec<Piece> {
    let [from, to] = ends(diagram, layout, wire, x);
    let (first, last) = (diagram.spots[wire.from].row + 1, diagram.spots[wire.to].row - 1);
    if first > last {
        return vec![bend(from, to)];
    }
    let (low, high) = ((x, layout.sides(first).0), (x, layout.sides(last).1));
    vec![bend(from, low), bend(low, high), bend(high, to)]
}

/// A curve that leaves and enters upright.
fn bend(from: Point, to: Point) -> Piece {
    let half = f64::midpoint(from.1, to.1);
    [from, (from.0, half), (to.0, half), to]
}
