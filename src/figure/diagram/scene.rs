//! All that a diagram shows, as shapes in one order: what the pen draws is what TikZ draws.

use super::super::axis::{GAP, TICK};
use super::super::font;
use super::super::palette::{AXIS, Colour, WHITE};
use super::super::pen::{Anchor, Frame, Point, Type};
use super::label::SIZE;
use super::legend::Line;
use super::look::{Look, Side};
use super::place::{Layout, NAME};
use super::route::routes;
use super::{Diagram, Group, Piece, Spot, Wire};
use plotters::style::RGBColor;

/// The ground of every second band.
const GROUND: Colour = RGBColor(0xf1, 0xf3, 0xf6);
/// Length of a wire in the legend, and the height of its lines.
const SAMPLE: (f64, f64) = (22.0, 11.0);

/// Between groups of columns.
const BORDER: Look = Look { colour: AXIS, width: 0.4, opacity: 0.5, dash: None };

/// Something drawn, in points from the top left corner of the plot.
pub enum Shape<'a> {
    /// A filled rectangle without an outline; under a label that of a wire.
    Ground(Frame, Colour, Option<&'a Wire>),
    /// A curve: a wire, or a sample of one.
    Curve(Vec<Piece>, Look, Option<&'a Wire>),
    /// A box with its name.
    Box(Frame, &'a Spot),
    /// Words; the point is the middle of their height. A label is that of a wire.
    Text(Point, String, Type, Option<&'a Wire>),
}

/// The shapes, and the room they take beside the plot.
pub struct Scene<'a> {
    /// Later ones above earlier ones.
    pub shapes: Vec<Shape<'a>>,
    /// The plot itself.
    pub size: (f64, f64),
    /// Left of it.
    pub left: f64,
    /// Under it.
    pub under: f64,
    /// Right of it.
    pub right: f64,
    /// What stands right reaches down so far.
    pub depth: f64,
}

impl Diagram {
    /// Bands, wires with the strongest above, boxes, labels, names and the legend.
    pub(super) fn scene(&self) -> Scene<'_> {
        let layout = Layout::of(self);
        let drawn = self.drawn(&layout);
        let labels = self.labels(&layout, &drawn);
        let legend = self.legend_lines(TICK);
        let named = |names: Vec<&String>| if names.is_empty() { 0.0 } else { font::widest(names, NAME) + GAP };
        let mut shapes = self.bands(&layout);
        shapes.extend(self.borders(&layout));
        let labelled: Vec<(&Wire, Colour)> = drawn.iter().map(|(wire, _, look)| (*wire, look.colour)).collect();
        shapes.extend(drawn.into_iter().map(|(wire, route, look)| Shape::Curve(route, look, Some(wire))));
        shapes.extend(self.spots.iter().zip(&layout.frames).map(|(spot, frame)| Shape::Box(*frame, spot)));
        for (place, label) in labels {
            let (wire, colour) = labelled[place];
            let kind = Type::new(SIZE, Anchor::Middle).in_colour(colour);
            shapes.push(Shape::Ground(label.frame, WHITE, Some(wire)));
            shapes.push(Shape::Text(label.at, label.text, kind, Some(wire)));
        }
        let under = layout.size.1 + GAP + NAME / 2.0;
        let kind = Type::new(NAME, Anchor::Middle).in_colour(AXIS);
        let name = |(x, name): (&f64, &String)| Shape::Text((*x, under), name.clone(), kind, None);
        shapes.extend(layout.columns.iter().zip(&self.columns).map(name));
        let middle = |group: &Group| f64::midpoint(layout.lanes[group.columns.start], layout.lanes[group.columns.end]);
        let kind = Type::new(NAME, Anchor::Middle);
        shapes.extend(
            self.groups.iter().map(|group| Shape::Text((middle(group), under), group.name.clone(), kind, None)),
        );
        shapes.extend(self.legend(&legend, layout.size.0 + 2.0 * GAP));
        Scene {
            shapes,
            size: layout.size,
            left: named(self.bands.iter().map(|band| &band.name).collect()),
            under: if self.columns.is_empty() && self.groups.is_empty() { 0.0 } else { NAME + GAP },
            right: SAMPLE.0 + 2.0 * GAP + font::widest(legend.iter().map(Line::text), TICK) + GAP,
            depth: (legend.len() + 1) as f64 * SAMPLE.1,
        }
    }

    /// The wires with their curves and looks, the weakest first, so that the strongest lie above.
    pub(super) fn drawn(&self, layout: &Layout) -> Vec<(&Wire, Vec<Piece>, Look)> {
        let mut drawn: Vec<_> = self.wires.iter().zip(routes(self, layout)).collect();
        drawn.sort_by(|a, b| a.0.weight.abs().total_cmp(&b.0.weight.abs()));
        drawn.into_iter().map(|(wire, route)| (wire, route, self.look_of(wire))).collect()
    }

    /// Lines between groups of columns.
    fn borders(&self, layout: &Layout) -> Vec<Shape<'_>> {
        let border = |group: &Group| {
            let x = layout.lanes[group.columns.start];
            let (top, bottom) = ((x, 0.0), (x, layout.size.1));
            Shape::Curve(vec![[top, top, bottom, bottom]], BORDER, None)
        };
        self.groups.iter().skip(1).map(border).collect()
    }

    fn bands(&self, layout: &Layout) -> Vec<Shape<'_>> {
        let band = |(place, band): (usize, &super::Band)| {
            let (bottom, top) = (layout.sides(band.rows.start).0, layout.sides(band.rows.end - 1).1);
            let frame = Frame {
                left: 0.0,
                top: top - layout.gap / 2.0,
                width: layout.size.0,
                height: bottom - top + layout.gap,
            };
            let ground = (place % 2 == 0).then_some(Shape::Ground(frame, GROUND, None));
            let middle = (-GAP, f64::midpoint(top, bottom));
            let kind = Type::new(NAME, Anchor::End).in_colour(AXIS);
            ground.into_iter().chain([Shape::Text(middle, band.name.clone(), kind, None)])
        };
        self.bands.iter().enumerate().flat_map(band).collect()
    }

    fn legend<'a>(&self, lines: &[Line], left: f64) -> Vec<Shape<'a>> {
        let line = |(number, line): (usize, &Line)| {
            let y = (number as f64 + 0.5) * SAMPLE.1;
            let text = |x: f64| Shape::Text((x, y), line.text().clone(), Type::new(TICK, Anchor::Start), None);
            let (from, to) = ((left, y), (left + SAMPLE.0, y));
            let sample = |look: Look| vec![Shape::Curve(vec![[from, from, to, to]], look, None), text(to.0 + GAP)];
            match line {
                Line::Text(_) => vec![text(left)],
                Line::Sample(weight, _) => sample(self.look_as(*weight, None)),
                // as wide as half of the strongest, and no dashes: the colour alone counts
                Line::Kind(kind, _) => {
                    sample(Look { dash: None, ..self.look_as(Side::Below.weight(self.strongest() / 2.0), Some(*kind)) })
                }
            }
        };
        lines.iter().enumerate().flat_map(line).collect()
    }
}
