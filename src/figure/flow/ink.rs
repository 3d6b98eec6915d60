//! How a flow diagram looks.

use super::super::axis::{GAP, Labels, TICK};
use super::super::colour_bar::ColourBar;
use super::super::font;
use super::super::palette::{AXIS, Colour, FAINT, Scale};
use super::super::pen::{Anchor, Frame, Pen, Point, Type};
use super::super::scale::Shade;
use super::super::sheet::{Room, Sheet, Texts, blank};
use super::arrow::rows;
use super::{Arrow, Dot, Flow, Kind, Side};

/// Points from one token to the next, at least and at most, and from one layer to the next.
const STEP: (f64, f64, f64) = (22.0, 46.0, 38.0);
/// All tokens take so many points where there is room between the least and the most.
const WIDE: f64 = 400.0;
/// Half the height of the largest mark, and of one without an effect.
const RADIUS: (f64, f64) = (8.0, 1.1);
/// How far attention and MLP stand beside the stream, as a share of a step.
const ASIDE: f64 = 0.3;
/// The strongest line of the stream, and the one that only says where it runs.
const LINE: (f64, f64) = (4.0, 0.6);
/// An arrow of a whole query, and what is added for each to be seen.
const ARROW: (f64, f64) = (1.6, 0.5);
/// Length and half width of an arrow's head.
const HEAD: (f64, f64) = (4.5, 2.0);
/// Height of the row that says what marks are.
const KEY: f64 = 16.0;

struct Plan<'a> {
    of: &'a Flow,
    shade: Shade,
    most: f64,
    step: (f64, f64),
    plot: Frame,
}

impl Flow {
    /// The diagram as an SVG document.
    pub fn svg(&self) -> String {
        if self.dots.is_empty() {
            return blank(&self.title);
        }
        let across = (WIDE / self.x.len() as f64).clamp(STEP.0, STEP.1);
        let plot = (across * self.x.len() as f64, STEP.2 * (self.y.len() as f64 + 0.3));
        let shade = Shade::of(self.dots.iter().map(|dot| dot.value), Scale::Diverging);
        let (x, left) = (Labels::across(&self.x, across), font::widest(&self.y, TICK) + GAP);
        let under = GAP + x.height();
        let bar = ColourBar::new(shade, &self.value_title, plot.1, under);
        let room = Room { plot, left, under, right: bar.width(), above: KEY, depth: bar.depth() };
        let note = self.note();
        let texts = Texts { title: &self.title, x_title: "Position", y_title: "Layer", note: &note };
        let sheet = Sheet::new(&texts, &room);
        let most = self.dots.iter().map(|dot| dot.value.abs()).fold(f64::MIN_POSITIVE, f64::max);
        let plan = Plan { of: self, shade, most, step: (across, STEP.2), plot: sheet.plot };
        sheet.svg(|pen| {
            plan.draw(pen);
            x.draw_under(pen, sheet.plot);
            bar.draw(pen, sheet.plot, sheet.height);
        })
    }

    /// What lines and arrows mean, where there are some.
    fn note(&self) -> String {
        let lines = self.kinds().contains(&Kind::Stream).then_some("lines: the smaller of the effects that they join");
        let arrows =
            (!self.arrows.is_empty()).then_some("arrows: a head looks there with a quarter of its query or more");
        lines.into_iter().chain(arrows).collect::<Vec<_>>().join("; ")
    }

    fn kinds(&self) -> Vec<Kind> {
        let all = [Kind::Stream, Kind::Attention, Kind::Mlp];
        all.into_iter().filter(|kind| self.dots.iter().any(|dot| dot.kind == *kind)).collect()
    }
}

impl Plan<'_> {
    fn draw(&self, pen: &mut Pen) {
        self.draw_key(pen);
        for (row, name) in self.of.y.iter().enumerate() {
            let y = self.stream((row, 0)).1;
            pen.text((self.plot.left - GAP, y), name, Type::new(TICK, Anchor::End));
        }
        (0..self.of.x.len()).for_each(|column| self.draw_stream(pen, column));
        self.of.arrows.iter().for_each(|arrow| self.draw_arrow(pen, arrow));
        let mut dots: Vec<&Dot> = self.of.dots.iter().collect();
        // the smallest above, where marks meet
        dots.sort_by(|a, b| b.value.abs().total_cmp(&a.value.abs()));
        for dot in dots {
            self.draw_mark(pen, dot.kind, self.place(dot), self.radius(dot.value), self.shade.colour(dot.value));
            pen.note(dot.note.clone());
        }
    }

    /// Where the stream of a row and column stands.
    fn stream(&self, (row, column): (usize, usize)) -> Point {
        let lowest = if self.of.stream == Side::Before { 0.4 } else { 0.8 };
        let x = self.plot.left + (column as f64 + 0.5) * self.step.0;
        (x, self.plot.bottom() - (row as f64 + lowest) * self.step.1)
    }

    fn place(&self, dot: &Dot) -> Point {
        let (x, y) = self.stream((dot.row, dot.column));
        let half = self.step.1 / 2.0 * if self.of.stream == Side::Before { -1.0 } else { 1.0 };
        let aside = ASIDE * self.step.0;
        match dot.kind {
            Kind::Stream => (x, y),
            Kind::Attention => (x - aside, y + half),
            Kind::Mlp => (x + aside, y + half),
        }
    }

    /// Areas are as effects.
    fn radius(&self, value: f64) -> f64 {
        RADIUS.1 + (RADIUS.0 - RADIUS.1) * (value.abs() / self.most).sqrt()
    }

    fn draw_mark(&self, pen: &mut Pen, kind: Kind, (x, y): Point, radius: f64, colour: Colour) {
        // squares and triangles of the area of the disc
        let (half, high) = (radius * 0.886, radius * 1.347);
        let corners = match kind {
            Kind::Stream => {
                pen.disc((x, y), radius + 0.35, AXIS);
                return pen.disc((x, y), radius, colour);
            }
            Kind::Attention => {
                vec![(x - half, y - half), (x + half, y - half), (x + half, y + half), (x - half, y + half)]
            }
            Kind::Mlp => vec![(x, y - high), (x + high, y + high * 0.75), (x - high, y + high * 0.75)],
        };
        let around: Vec<Point> = corners.iter().copied().chain(corners.first().copied()).collect();
        pen.line(&around, AXIS, 0.7);
        pen.area(&corners, colour, 1.0);
    }

    fn draw_stream(&self, pen: &mut Pen, column: usize) {
        let value = |row: usize| {
            let here = |dot: &&Dot| (dot.kind, dot.row, dot.column) == (Kind::Stream, row, column);
            self.of.dots.iter().find(here).map(|dot| dot.value)
        };
        let (top, bottom) = (self.stream((self.of.y.len() - 1, column)), self.stream((0, column)));
        pen.line(&[bottom, top], FAINT, LINE.1);
        for row in 1..self.of.y.len() {
            let joined = value(row - 1).zip(value(row)).filter(|(a, b)| a * b > 0.0);
            if let Some((a, b)) = joined {
                let least = if a.abs() < b.abs() { a } else { b };
                let width = LINE.0 * least.abs() / self.most;
                if width > LINE.1 {
                    let ends = [self.stream((row - 1, column)), self.stream((row, column))];
                    pen.line(&ends, self.shade.colour(least), width);
                }
            }
        }
    }

    fn draw_arrow(&self, pen: &mut Pen, arrow: &Arrow) {
        let Some((below, above)) = rows(arrow.row, self.of.stream, self.of.y.len()) else { return };
        let written = |dot: &&Dot| (dot.kind, dot.row, dot.column) == (Kind::Attention, arrow.row, arrow.query);
        let from = self.stream((below, arrow.key));
        let end = self.of.dots.iter().find(written);
        let to = end.map_or_else(|| self.stream((above, arrow.query)), |dot| self.place(dot));
        let away = end.map_or(RADIUS.0, |dot| self.radius(dot.value)) + 1.0;
        let length = (to.0 - from.0).hypot(to.1 - from.1);
        let (right, down) = ((to.0 - from.0) / length, (to.1 - from.1) / length);
        let at = |back: f64, side: f64| (to.0 - right * back - down * side, to.1 - down * back + right * side);
        let width = ARROW.1 + ARROW.0 * arrow.share;
        pen.stroke(&[from, at(away + HEAD.0 * 0.8, 0.0)], AXIS, width, 0.75);
        pen.note(arrow.note.clone());
        pen.area(&[at(away, 0.0), at(away + HEAD.0, HEAD.1), at(away + HEAD.0, -HEAD.1)], AXIS, 0.9);
    }

    /// What the marks are, above the plot.
    fn draw_key(&self, pen: &mut Pen) {
        let kinds = self.of.kinds();
        if kinds.len() < 2 {
            return;
        }
        let (mut x, y) = (self.plot.left + 4.0, self.plot.top - KEY / 2.0);
        for kind in kinds {
            let name = match kind {
                Kind::Stream => "stream",
                Kind::Attention => "attention",
                Kind::Mlp => "MLP",
            };
            self.draw_mark(pen, kind, (x, y), 3.0, FAINT);
            pen.text((x + 6.0, y), name, Type::new(TICK, Anchor::Start));
            x += 18.0 + font::width(name, TICK);
        }
    }
}
