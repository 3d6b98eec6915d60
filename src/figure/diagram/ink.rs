//! A diagram's shapes through the pen.

use super::super::palette::{AXIS, WHITE};
use super::super::pen::{Anchor, Frame, Pen, Point, Type};
use super::super::sheet::{Room, Sheet, Texts, blank};
use super::place::NAME;
use super::route::points;
use super::scene::{Scene, Shape};
use super::{Diagram, Kind};

impl Diagram {
    /// The diagram as an SVG document in points. Wires carry their names as `data-edge`, boxes theirs as `data-node`.
    pub fn svg(&self) -> String {
        if self.spots.is_empty() {
            return blank(&self.title);
        }
        let Scene { shapes, size, left, under, right, depth } = self.scene();
        let texts = Texts { title: &self.title, x_title: "", y_title: "", note: "" };
        let sheet = Sheet::new(&texts, &Room { plot: size, left, under, right, above: 0.0, depth });
        sheet.svg(|pen| shapes.iter().for_each(|shape| ink(pen, shape, (sheet.plot.left, sheet.plot.top))))
    }
}

fn ink(pen: &mut Pen, shape: &Shape, (left, top): Point) {
    let shift = |(x, y): Point| (x + left, y + top);
    let moved = |frame: &Frame| Frame { left: frame.left + left, top: frame.top + top, ..*frame };
    match shape {
        Shape::Ground(frame, colour, wire) => {
            pen.rectangle(moved(frame), *colour);
            if let Some(wire) = wire {
                pen.tag("label", &wire.name);
            }
        }
        Shape::Curve(route, look, wire) => {
            let way: Vec<Point> = points(route).into_iter().map(shift).collect();
            pen.stroke(&way, look.colour, look.width, look.opacity);
            pen.dash(look.dash.as_ref().map_or(&[], |dash| dash.as_slice()));
            if let Some(wire) = wire {
                pen.note(wire.note.clone());
                pen.tag(if wire.kind == Kind::Edge { "edge" } else { "inside" }, &wire.name);
            }
        }
        Shape::Box(frame, spot) => {
            let frame = moved(frame);
            pen.rectangle(frame, WHITE);
            pen.tag("node", &spot.name);
            pen.outline(frame, AXIS, 0.5);
            pen.tag("outline", &spot.name);
            let middle = (frame.left + frame.width / 2.0, frame.top + frame.height / 2.0);
            pen.text(middle, &spot.text, Type::new(NAME, Anchor::Middle));
            pen.tag("name", &spot.name);
        }
        Shape::Text(at, text, kind, wire) => {
            pen.text(shift(*at), text, *kind);
            if let Some(wire) = wire {
                pen.tag("label", &wire.name);
            }
        }
    }
}
