//! How a diagram looks: wires by width, colour and strength, boxes above them, the legend beside.

use super::super::axis::{GAP, TICK};
use super::super::font;
use super::super::palette::{AXIS, Colour, FAINT, INK, SERIES, WHITE};
use super::super::pen::{Anchor, Frame, Pen, Type};
use super::super::sheet::{Room, Sheet, Texts, blank};
use super::place::{Layout, NAME};
use super::route::{points, routes};
use super::{Diagram, Piece, Wire};
use crate::table::Rounding;

/// Width of the strongest wire and of none, in points.
const WIDTH: (f64, f64) = (2.6, 0.35);
/// This many of the strongest wires are drawn in full; the rest are faint.
pub const FULL: usize = 80;
/// Opacity of a wire in full, and of a faint one.
const OPACITY: (f64, f64) = (0.85, 0.3);
/// Length of a wire in the legend, and the height of its lines.
const SAMPLE: (f64, f64) = (22.0, 11.0);

/// How one wire is drawn.
pub struct Look {
    /// Blue below zero, orange above.
    pub colour: Colour,
    /// In points.
    pub width: f64,
    /// 0 to 1.
    pub opacity: f64,
}

impl Diagram {
    /// The diagram as an SVG document in points.
    pub fn svg(&self) -> String {
        if self.spots.is_empty() {
            return blank(&self.title);
        }
        let layout = Layout::of(self);
        let legend = self.legend_lines();
        let right = SAMPLE.0 + 2.0 * GAP + font::widest(legend.iter().map(|(_, text)| text), TICK) + GAP;
        let depth = (legend.len() + 1) as f64 * SAMPLE.1;
        let texts = Texts { title: &self.title, x_title: "", y_title: "", note: "" };
        let under = if self.columns.is_empty() { 0.0 } else { NAME + GAP };
        let room = Room { plot: layout.size, left: 0.0, under, right, above: 0.0, depth };
        let sheet = Sheet::new(&texts, &room);
        sheet.svg(|pen| {
            self.draw(pen, &layout, sheet.plot);
            self.draw_legend(pen, &legend, (sheet.plot.right() + 2.0 * GAP, sheet.plot.top));
        })
    }

    /// The wires with their curves and looks, the weakest first, so that the strongest lie above.
    pub(super) fn drawn(&self, layout: &Layout) -> Vec<(&Wire, Vec<Piece>, Look)> {
        let mut drawn: Vec<_> = self.wires.iter().zip(routes(self, layout)).collect();
        drawn.sort_by(|a, b| a.0.weight.abs().total_cmp(&b.0.weight.abs()));
        drawn.into_iter().map(|(wire, route)| (wire, route, self.look(wire.weight))).collect()
    }

    fn draw(&self, pen: &mut Pen, layout: &Layout, plot: Frame) {
        let shift = |(x, y): (f64, f64)| (x + plot.left, y + plot.top);
        for (wire, route, look) in self.drawn(layout) {
            let points: Vec<_> = points(&route).into_iter().map(shift).collect();
            pen.stroke(&points, look.colour, look.width, look.opacity);
            pen.note(wire.note.clone());
        }
        for (spot, frame) in self.spots.iter().zip(&layout.frames) {
            let frame = Frame { left: frame.left + plot.left, top: frame.top + plot.top, ..*frame };
            pen.rectangle(frame, WHITE);
            pen.outline(frame, AXIS, 0.5);
            let middle = (frame.left + frame.width / 2.0, frame.top + frame.height / 2.0);
            pen.text(middle, &spot.name, Type::new(NAME, Anchor::Middle));
        }
        for (x, name) in layout.columns.iter().zip(&self.columns) {
            let at = (plot.left + x, plot.bottom() + GAP + NAME / 2.0);
            pen.text(at, name, Type::new(NAME, Anchor::Middle).in_colour(AXIS));
        }
    }

    fn draw_legend(&self, pen: &mut Pen, legend: &[(Option<f64>, String)], (left, top): (f64, f64)) {
        for (line, (weight, text)) in legend.iter().enumerate() {
            let y = top + (line as f64 + 0.5) * SAMPLE.1;
            let start = weight.map_or(left, |weight| {
                let look = self.look(weight);
                pen.stroke(&[(left, y), (left + SAMPLE.0, y)], look.colour, look.width, look.opacity);
                left + SAMPLE.0 + GAP
            });
            pen.text((start, y), text, Type::new(TICK, Anchor::Start).in_colour(INK));
        }
    }

    /// Lines of the legend, with the weight of the wire before them.
    fn legend_lines(&self) -> Vec<(Option<f64>, String)> {
        let strongest = self.strongest();
        let rounding = Rounding::of([strongest]);
        let mut lines = vec![(None, self.unit.clone())];
        for weight in [strongest, strongest / 2.0, -strongest / 2.0, -strongest] {
            lines.push((Some(weight), rounding.show(weight)));
        }
        if let Some(threshold) = self.threshold() {
            let faint = self.wires.iter().filter(|wire| wire.weight.abs() < threshold).count();
            let text = format!("faint: sizes under {}", Rounding::of([threshold]).show(threshold));
            lines.extend([(None, text), (None, format!("({faint} of {} edges)", self.wires.len()))]);
        }
        lines.extend(self.legend.iter().map(|text| (None, text.clone())));
        lines
    }

    fn strongest(&self) -> f64 {
        self.wires.iter().map(|wire| wire.weight.abs()).fold(f64::MIN_POSITIVE, f64::max)
    }

    /// The size below which wires are faint, where there are too many to draw all in full.
    pub(super) fn threshold(&self) -> Option<f64> {
        let mut sizes: Vec<f64> = self.wires.iter().map(|wire| wire.weight.abs()).collect();
        sizes.sort_by(|a, b| b.total_cmp(a));
        (sizes.len() > FULL + FULL / 2).then(|| sizes[FULL - 1])
    }

    fn look(&self, weight: f64) -> Look {
        let share = weight.abs() / self.strongest();
        let faint = self.threshold().is_some_and(|threshold| weight.abs() < threshold);
        Look {
            colour: if weight < 0.0 {
                SERIES[0]
            } else if weight > 0.0 {
                SERIES[1]
            } else {
                FAINT
            },
            width: WIDTH.1 + (WIDTH.0 - WIDTH.1) * share,
            opacity: if faint { OPACITY.1 } else { OPACITY.0 },
        }
    }
}
