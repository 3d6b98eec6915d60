//! Where the boxes of a diagram stand.

use super::super::font;
use super::super::pen::Frame;
use super::{Diagram, Group, Spot};

/// Size of the names in boxes, in points.
pub const NAME: f64 = 6.5;
/// Height of a box.
const HIGH: f64 = 12.0;
/// Beside and between names.
const PAD: f64 = 3.5;
/// Between columns, where wires go up: for few wires, and for each more, up to a most.
const LANE: (f64, f64, f64) = (14.0, 0.02, 20.0);
/// Between rows, where wires go across: likewise.
const GAP: (f64, f64, f64) = (16.0, 0.008, 19.0);

/// The boxes, placed from the plot's top left corner.
pub struct Layout {
    /// Of each spot.
    pub frames: Vec<Frame>,
    /// Height between rows.
    pub gap: f64,
    /// Width between columns.
    pub lane: f64,
    /// The middles of columns.
    pub columns: Vec<f64>,
    /// The middles of the lanes, one left of each column and one right of the last.
    pub lanes: Vec<f64>,
    /// Width and height of everything.
    pub size: (f64, f64),
    rows: usize,
}

impl Layout {
    /// The layout of a diagram.
    pub fn of(diagram: &Diagram) -> Self {
        let count = diagram.wires.len() as f64;
        let [lane, gap] = [LANE, GAP].map(|(least, each, most)| f64::min(least + each * count, most));
        let names = diagram.spots.iter().filter(|spot| spot.column.is_some()).map(|spot| &spot.text);
        let wide = font::widest(names.chain(&diagram.columns), NAME) + 2.0 * PAD;
        // a group is at least as wide as what stands below it
        let share = |group: &Group| {
            let columns = group.columns.len().max(1) as f64;
            (font::widest([&group.name], NAME) + 2.0 * PAD - (columns - 1.0) * lane) / columns
        };
        let wide = diagram.groups.iter().map(share).fold(wide, f64::max);
        let rows = diagram.spots.iter().map(|spot| spot.row + 1).max().unwrap_or(0);
        let columns = diagram.columns.len().max(1);
        let middle = |column: usize| lane + wide / 2.0 + column as f64 * (wide + lane);
        let size = (lane + columns as f64 * (wide + lane), rows as f64 * (HIGH + gap) - gap);
        let frame = |spot: &Spot| {
            let top = size.1 - HIGH - spot.row as f64 * (HIGH + gap);
            let (left, width) = spot.column.map_or((0.0, size.0), |column| (middle(column) - wide / 2.0, wide));
            Frame { left, top, width, height: HIGH }
        };
        let frames = diagram.spots.iter().map(frame).collect();
        let lanes = (0..=columns).map(|lane_of| lane / 2.0 + lane_of as f64 * (wide + lane)).collect();
        Self { frames, gap, lane, columns: (0..columns).map(middle).collect(), lanes, size, rows }
    }

    /// The height of the lower side of a row, and of its upper one.
    pub fn sides(&self, row: usize) -> (f64, f64) {
        debug_assert!(row < self.rows);
        let lower = self.size.1 - row as f64 * (HIGH + self.gap);
        (lower, lower - HIGH)
    }
}
