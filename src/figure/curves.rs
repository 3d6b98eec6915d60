//! Curves with interval bands over layers, positions or any other number.

use super::axis::{GAP, LEADING, Labels, Numbers, THIN, TICK};
use super::font;
use super::palette::{AXIS, Colour, FAINT, SERIES};
use super::pen::{Anchor, Frame, Pen, Point, Type};
use super::scale::Range;
use super::sheet::{Room, Sheet, Texts, blank};

/// Several series over one axis.
#[derive(Clone, Debug)]
pub struct Curves {
    /// Above the plot; may be empty.
    pub title: String,
    /// Title of the horizontal axis.
    pub x_title: String,
    /// Title of the vertical axis, with its unit.
    pub y_title: String,
    /// Names of x = 0, 1, 2, …; empty: the axis is numeric.
    pub x: Vec<String>,
    /// Each in its own colour, dash and marker.
    pub series: Vec<Series>,
}

/// One curve.
#[derive(Clone, Debug)]
pub struct Series {
    /// Its name in the legend; a single series has no legend.
    pub name: String,
    /// From left to right; a NaN interrupts the curve.
    pub points: Vec<Estimate>,
}

/// A number with its interval at a place.
#[derive(Clone, Copy, Debug)]
pub struct Estimate {
    /// Where: an index into the names of x, or a number.
    pub x: f64,
    /// The number.
    pub y: f64,
    /// Lower end of its interval.
    pub low: Option<f64>,
    /// Upper end of its interval.
    pub high: Option<f64>,
}

/// Height of the plot, in points.
const HEIGHT: f64 = 120.0;
/// Width for each name of x, in points.
const STEP: f64 = 13.0;
/// Narrowest and widest plot: a column, and less than a page.
const WIDTHS: (f64, f64) = (180.0, 400.0);
/// Thickness of curves.
const THICK: f64 = 1.2;
/// Opacity of bands.
const PALE: f64 = 0.18;
/// Dash, gap, … in points; a new one whenever the colours are used up.
const DASHES: [&[f64]; 4] = [&[], &[4.0, 2.0], &[1.2, 1.6], &[5.0, 1.6, 1.2, 1.6]];
/// Length of a line in the legend.
const SAMPLE: f64 = 18.0;

struct Plan<'a> {
    of: &'a Curves,
    across: Range,
    names: Option<Labels>,
    x_numbers: Numbers,
    y: Numbers,
    legend: Vec<(Point, usize)>,
    sheet: Sheet,
}

impl Curves {
    /// The curves as an SVG document.
    pub fn svg(&self) -> String {
        if self.values().all(|value| !value.y.is_finite()) {
            return blank(&self.title);
        }
        let plan = Plan::new(self);
        plan.sheet.svg(|pen| plan.draw(pen))
    }

    fn values(&self) -> impl Iterator<Item = &Estimate> {
        self.series.iter().flat_map(|series| &series.points)
    }

    fn across(&self) -> Range {
        match self.x.len() {
            0 => Range::of(self.values().map(|value| value.x)),
            count => Range { low: -0.5, high: count as f64 - 0.5 },
        }
    }

    /// All ends of the intervals, and zero.
    fn up(&self) -> Range {
        let ends = self.values().flat_map(|value| [Some(value.y), value.low, value.high]);
        Range::of(ends.flatten().chain([0.0])).padded(0.04)
    }
}

impl<'a> Plan<'a> {
    fn new(of: &'a Curves) -> Self {
        let width = (of.x.len() as f64 * STEP).clamp(WIDTHS.0, WIDTHS.1);
        let (across, y) = (of.across(), Numbers::new(of.up(), 6));
        let x_numbers = Numbers::new(across, 8);
        let names = (!of.x.is_empty()).then(|| Labels::across(&of.x, width / of.x.len() as f64));
        let (legend, above) = legend(&of.series, width);
        let under = GAP + names.as_ref().map_or(TICK + 1.0, Labels::height);
        let room = Room { plot: (width, HEIGHT), left: y.width(), under, right: 6.0, above, depth: 0.0 };
        let texts = Texts { title: &of.title, x_title: &of.x_title, y_title: &of.y_title, note: "" };
        Self { of, across, names, x_numbers, y, legend, sheet: Sheet::new(&texts, &room) }
    }

    fn draw(&self, pen: &mut Pen) {
        let plot = self.sheet.plot;
        let zero = self.y.y(plot, 0.0);
        pen.line(&[(plot.left, zero), (plot.right(), zero)], FAINT, THIN);
        self.of.series.iter().enumerate().for_each(|(index, series)| self.draw_bands(pen, index, series));
        self.of.series.iter().enumerate().for_each(|(index, series)| self.draw_curve(pen, index, series));
        pen.line(&[(plot.left, plot.bottom()), (plot.right(), plot.bottom())], AXIS, THIN);
        self.y.draw_left(pen, plot);
        match &self.names {
            Some(names) => names.draw_under(pen, plot),
            None => self.x_numbers.draw_under(pen, plot),
        }
        self.legend.iter().for_each(|(at, index)| self.draw_key(pen, *at, *index));
    }

    fn place(&self, x: f64, y: f64) -> Point {
        let plot = self.sheet.plot;
        (plot.left + self.across.share(x) * plot.width, self.y.y(plot, y))
    }

    fn draw_bands(&self, pen: &mut Pen, index: usize, series: &Series) {
        let whole = |value: &Estimate, (low, high): (f64, f64)| (value.y + low + high).is_finite();
        let bounds = |value: &Estimate| value.low.zip(value.high).filter(|ends| whole(value, *ends));
        for run in runs(&series.points, |value| bounds(value).is_some()) {
            let ends = || run.iter().filter_map(|value| bounds(value).map(|ends| (value.x, ends)));
            let lower: Vec<_> = ends().map(|(x, (low, _))| self.place(x, low)).collect();
            let upper = ends().rev().map(|(x, (_, high))| self.place(x, high));
            let around: Vec<_> = lower.iter().copied().chain(upper).collect();
            match run.len() {
                1 => pen.line(&around, colour(index), THIN),
                _ => pen.area(&around, colour(index), PALE),
            }
        }
    }

    fn draw_curve(&self, pen: &mut Pen, index: usize, series: &Series) {
        for run in runs(&series.points, |value| value.y.is_finite()) {
            let points: Vec<_> = run.iter().map(|value| self.place(value.x, value.y)).collect();
            if points.len() > 1 {
                pen.line(&points, colour(index), THICK);
                pen.dash(dash(index));
            }
            // Beads closer than their own width are a thicker line, no more.
            let room = self.sheet.plot.width / series.points.len() as f64;
            if room >= 5.0 || points.len() == 1 {
                points.iter().for_each(|point| mark(pen, *point, index));
            }
        }
    }

    fn draw_key(&self, pen: &mut Pen, (x, y): Point, index: usize) {
        let plot = self.sheet.plot;
        let at = (plot.left + x, plot.top + y);
        pen.line(&[at, (at.0 + SAMPLE, at.1)], colour(index), THICK);
        pen.dash(dash(index));
        mark(pen, (at.0 + SAMPLE / 2.0, at.1), index);
        let name = &self.of.series[index].name;
        pen.text((at.0 + SAMPLE + GAP, at.1), name, Type::new(TICK, Anchor::Start));
    }
}

fn colour(index: usize) -> Colour {
    SERIES[index % SERIES.len()]
}

fn dash(index: usize) -> &'static [f64] {
    DASHES[index % DASHES.len()]
}

/// Disc, square, diamond or triangle.
fn mark(pen: &mut Pen, (x, y): Point, index: usize) {
    let (size, ink) = (1.9, colour(index));
    match index % 4 {
        0 => pen.disc((x, y), size, ink),
        1 => {
            let side = size * 1.8;
            pen.rectangle(Frame { left: x - side / 2.0, top: y - side / 2.0, width: side, height: side }, ink);
        }
        2 => {
            let reach = size * 1.35;
            pen.area(&[(x - reach, y), (x, y - reach), (x + reach, y), (x, y + reach)], ink, 1.0);
        }
        _ => {
            let reach = size * 1.3;
            let foot = y + reach * 0.8;
            pen.area(&[(x - reach, foot), (x, y - reach), (x + reach, foot)], ink, 1.0);
        }
    }
}

/// The stretches of `values` in which all are `whole`.
fn runs(values: &[Estimate], whole: impl Fn(&Estimate) -> bool) -> Vec<&[Estimate]> {
    let parts = values.split(|value| !whole(value));
    parts.filter(|part| !part.is_empty()).collect()
}

/// Where each series' key stands, from the plot's top left, and how high all are together.
fn legend(series: &[Series], width: f64) -> (Vec<(Point, usize)>, f64) {
    if series.len() < 2 {
        return (Vec::new(), 0.0);
    }
    let line = TICK * LEADING + 1.0;
    let (mut keys, mut x, mut rows) = (Vec::new(), 0.0, 0.0);
    for (index, one) in series.iter().enumerate() {
        let needed = SAMPLE + GAP + font::width(&one.name, TICK);
        if x > 0.0 && x + needed > width {
            (x, rows) = (0.0, rows + line);
        }
        keys.push(((x, rows), index));
        x += needed + 12.0;
    }
    let height = rows + line + GAP;
    (keys.into_iter().map(|((x, y), index)| ((x, y - height + line / 2.0), index)).collect(), height)
}
