//! Drawing in points on an SVG of plotters, with the few shapes that figures need.

use super::font;
use super::markup::{Extras, tidy};
use super::palette::{Colour, INK, WHITE};
use plotters::backend::{DrawingBackend, SVGBackend};
use plotters::style::text_anchor::{HPos, Pos, VPos};
use plotters::style::{Color, FontTransform, IntoFont};
use std::mem::take;

/// Units of the SVG in a point: plotters draws at whole units only.
const UNITS: f64 = 20.0;
/// plotters writes a text's size divided by this (plotters-svg 0.3.7, `draw_text`).
const SIZE_FACTOR: f64 = 1.24;
/// plotters' `VPos::Top` puts the baseline this many ems below the given point.
const TOP_TO_BASELINE: f64 = 0.76;
/// From the middle of Noto Sans' digits and capitals to their baseline, in ems (cap height 0.714).
const MIDDLE_TO_BASELINE: f64 = 0.357;

/// A place in points, from the top left.
pub type Point = (f64, f64);

/// A rectangle in points.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Frame {
    /// Left edge.
    pub left: f64,
    /// Top edge.
    pub top: f64,
    /// Extent to the right.
    pub width: f64,
    /// Extent downwards.
    pub height: f64,
}

impl Frame {
    /// Right edge.
    pub fn right(&self) -> f64 {
        self.left + self.width
    }

    /// Lower edge.
    pub fn bottom(&self) -> f64 {
        self.top + self.height
    }
}

/// Which part of a text stands at its point.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Anchor {
    /// Its beginning.
    Start,
    /// Its middle.
    Middle,
    /// Its end.
    End,
}

/// How a text is set; its point is the middle of its height.
#[derive(Clone, Copy, Debug)]
pub struct Type {
    /// In points.
    pub size: f64,
    /// What stands at the point.
    pub anchor: Anchor,
    /// Read from bottom to top.
    pub upwards: bool,
    /// Its colour.
    pub colour: Colour,
}

impl Type {
    /// Level text in the colour of ink.
    pub fn new(size: f64, anchor: Anchor) -> Self {
        Self { size, anchor, upwards: false, colour: INK }
    }

    /// The same, read from bottom to top.
    pub fn upwards(self) -> Self {
        Self { upwards: true, ..self }
    }

    /// The same in `colour`.
    pub fn in_colour(self, colour: Colour) -> Self {
        Self { colour, ..self }
    }
}

/// Draws shapes in the order of its calls, later above earlier.
pub struct Pen<'a> {
    backend: SVGBackend<'a>,
    drawn: usize,
    extras: Extras,
}

/// A white sheet of `width` by `height` points, drawn on by `with`; `label` is for screen readers.
pub fn draw(width: f64, height: f64, label: &str, with: impl FnOnce(&mut Pen)) -> String {
    font::register();
    let mut svg = String::new();
    let size = (units(width) as u32, units(height) as u32);
    let extras = {
        let backend = SVGBackend::with_string(&mut svg, size);
        let mut pen = Pen { backend, drawn: 0, extras: Extras::default() };
        pen.rectangle(Frame { left: 0.0, top: 0.0, width, height }, WHITE);
        with(&mut pen);
        take(&mut pen.extras)
    };
    tidy(&svg, (width, height), UNITS, label, &extras)
}

fn units(points: f64) -> i32 {
    (points * UNITS).round() as i32
}

fn place((x, y): Point) -> (i32, i32) {
    (units(x), units(y))
}

impl Pen<'_> {
    /// Each call to plotters writes one element; drawing to memory does not fail.
    fn wrote<E>(&mut self, result: Result<(), E>) {
        debug_assert!(result.is_ok(), "drawing to a string cannot fail");
        self.drawn += 1;
    }

    /// A filled rectangle.
    pub fn rectangle(&mut self, frame: Frame, colour: Colour) {
        let (from, to) = (place((frame.left, frame.top)), place((frame.right(), frame.bottom())));
        let result = self.backend.draw_rect(from, to, &colour.filled(), true);
        self.wrote(result);
    }

    /// Lets a reader who points at what was drawn last see `text`, in a browser.
    pub fn note(&mut self, text: String) {
        self.extras.notes.insert(self.drawn - 1, text);
    }

    /// Gives what was drawn last an attribute `data-NAME`, by which a page finds it.
    pub fn tag(&mut self, name: &'static str, value: &str) {
        self.extras.tags.insert(self.drawn - 1, (name, value.to_string()));
    }

    /// A line through `points`, `width` points thick.
    pub fn line(&mut self, points: &[Point], colour: Colour, width: f64) {
        self.stroke(points, colour, width, 1.0);
    }

    /// A line through `points`, `opacity` 0 to 1.
    pub fn stroke(&mut self, points: &[Point], colour: Colour, width: f64, opacity: f64) {
        let path = points.iter().copied().map(place);
        let style = colour.mix(opacity).stroke_width(units(width).max(1) as u32);
        let result = self.backend.draw_path(path, &style);
        self.wrote(result);
    }

    /// Makes the line drawn last a dashed one: lengths in points of dash, gap, dash, …; none: solid.
    pub fn dash(&mut self, lengths: &[f64]) {
        if !lengths.is_empty() {
            let lengths: Vec<_> = lengths.iter().map(|length| units(*length).to_string()).collect();
            self.extras.dashes.insert(self.drawn - 1, lengths.join(" "));
        }
    }

    /// The outline of `frame`.
    pub fn outline(&mut self, frame: Frame, colour: Colour, width: f64) {
        let (left, top, right, bottom) = (frame.left, frame.top, frame.right(), frame.bottom());
        let corners = [(left, top), (right, top), (right, bottom), (left, bottom), (left, top)];
        self.line(&corners, colour, width);
    }

    /// A filled polygon, `opacity` 0 to 1.
    pub fn area(&mut self, points: &[Point], colour: Colour, opacity: f64) {
        let path: Vec<_> = points.iter().copied().map(place).collect();
        let result = self.backend.fill_polygon(path, &colour.mix(opacity));
        self.wrote(result);
    }

    /// A filled disc.
    pub fn disc(&mut self, centre: Point, radius: f64, colour: Colour) {
        let radius = units(radius).max(1) as u32;
        let result = self.backend.draw_circle(place(centre), radius, &colour.filled(), true);
        self.wrote(result);
    }

    /// `text` at `at`, which is the middle of its height.
    pub fn text(&mut self, at: Point, text: &str, kind: Type) {
        if text.is_empty() {
            return;
        }
        let down = (MIDDLE_TO_BASELINE - TOP_TO_BASELINE) * kind.size;
        let (at, turn) = match kind.upwards {
            true => ((at.0 + down, at.1), FontTransform::Rotate270),
            false => ((at.0, at.1 + down), FontTransform::None),
        };
        let anchor = match kind.anchor {
            Anchor::Start => HPos::Left,
            Anchor::Middle => HPos::Center,
            Anchor::End => HPos::Right,
        };
        let font = (font::FAMILY, kind.size * UNITS * SIZE_FACTOR).into_font().transform(turn);
        let style = font.color(&kind.colour).pos(Pos::new(anchor, VPos::Top));
        let result = self.backend.draw_text(&font::drawable(text), &style, place(at));
        self.wrote(result);
    }
}
