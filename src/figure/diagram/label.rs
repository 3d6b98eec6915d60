//! What stands on the strongest wires, where it covers no box, no other label and as few wires as can be.

use super::super::font;
use super::super::pen::{Frame, Point};
use super::look::Look;
use super::place::{Layout, NAME};
use super::route::points;
use super::{Diagram, Kind, Piece, Wire};
use crate::table::Rounding;

/// Wires that have a label.
const LABELS: usize = 12;
/// Letters of labels, in points.
pub const SIZE: f64 = 5.5;
/// Around a label.
const PAD: f64 = 1.0;
/// Around boxes, where no label stands.
const CLEAR: f64 = 1.5;
/// Shares of a wire's way at which its label may stand, the best first.
const SHARES: [f64; 11] = [0.5, 0.42, 0.58, 0.34, 0.66, 0.26, 0.74, 0.18, 0.82, 0.12, 0.88];
/// A label that covers more wires than this could be of any of them.
const COVERED: usize = 2;

/// A label on its wire.
pub struct Label {
    /// Its middle.
    pub at: Point,
    /// Its ground.
    pub frame: Frame,
    /// What it says.
    pub text: String,
}

impl Diagram {
    /// The labels, and of which of `drawn` each is.
    pub(super) fn labels(&self, layout: &Layout, drawn: &[(&Wire, Vec<Piece>, Look)]) -> Vec<(usize, Label)> {
        let ways: Vec<Vec<Point>> = drawn.iter().map(|(_, route, _)| points(route)).collect();
        let rounding = Rounding::of([self.strongest()]);
        let mut labels: Vec<(usize, Label)> = Vec::new();
        let edges = drawn.iter().enumerate().rev().filter(|(_, (wire, ..))| wire.kind == Kind::Edge);
        for (place, (wire, _, _)) in edges.take(LABELS) {
            let text = wire.label.clone().unwrap_or_else(|| rounding.show(wire.weight));
            let (width, height) = (font::width(&text, SIZE) + 2.0 * PAD, SIZE + PAD);
            let frame = |(x, y): Point| Frame { left: x - width / 2.0, top: y - height / 2.0, width, height };
            let free = |frame: &Frame| {
                let mut taken = layout.frames.iter().chain(labels.iter().map(|(_, label)| &label.frame));
                let within = frame.left > 0.0 && frame.right() < layout.size.0;
                within && !taken.any(|other| meet(*frame, *other, CLEAR))
            };
            let covered = |frame: &Frame| {
                let others = ways.iter().enumerate().filter(|(other, _)| *other != place);
                others.filter(|(_, way)| way.windows(2).any(|pair| crosses(pair[0], pair[1], *frame))).count()
            };
            let places = SHARES.iter().map(|share| along(&ways[place], *share));
            let best = places.map(|at| (at, frame(at))).filter(|(_, frame)| free(frame));
            let best = best.map(|(at, frame)| (covered(&frame), at, frame)).min_by_key(|(covered, ..)| *covered);
            if let Some((_, at, frame)) = best.filter(|(covered, ..)| *covered <= COVERED) {
                labels.push((place, Label { at, frame, text }));
            }
        }
        labels
    }
}

/// The point a share of the way along a curve.
fn along(way: &[Point], share: f64) -> Point {
    let lengths: Vec<f64> = way.windows(2).map(|pair| distance(pair[0], pair[1])).collect();
    let mut left = share * lengths.iter().sum::<f64>();
    for (pair, length) in way.windows(2).zip(lengths) {
        if left <= length && length > 0.0 {
            let share = left / length;
            return (pair[0].0 + (pair[1].0 - pair[0].0) * share, pair[0].1 + (pair[1].1 - pair[0].1) * share);
        }
        left -= length;
    }
    way.last().copied().unwrap_or_default()
}

fn distance(a: Point, b: Point) -> f64 {
    (a.0 - b.0).hypot(a.1 - b.1)
}

/// Whether two frames overlap, or come nearer than `clear`.
fn meet(a: Frame, b: Frame, clear: f64) -> bool {
    let across = a.left < b.right() + clear && b.left < a.right() + clear;
    across && a.top < b.bottom() + clear && b.top < a.bottom() + clear
}

/// Whether a straight line goes through a frame, as far as steps of a quarter of a name show.
fn crosses(from: Point, to: Point, frame: Frame) -> bool {
    let steps = (distance(from, to) / (NAME / 4.0)).ceil().max(1.0) as usize;
    (0..=steps).any(|step| {
        let share = step as f64 / steps as f64;
        let (x, y) = (from.0 + (to.0 - from.0) * share, from.1 + (to.1 - from.1) * share);
        x > frame.left && x < frame.right() && y > frame.top && y < frame.bottom()
    })
}
