//! Bars with interval whiskers over names, e.g. heads or tokens.

use super::axis::{GAP, Labels, Numbers, THIN};
use super::heat_map::mark_note;
use super::palette::{AXIS, INK, SERIES};
use super::pen::{Frame, Pen};
use super::scale::Range;
use super::sheet::{Room, Sheet, Texts, blank};

/// One number for each name.
#[derive(Clone, Debug)]
pub struct Bars {
    /// Above the plot; may be empty.
    pub title: String,
    /// Title of the horizontal axis: what the names are.
    pub x_title: String,
    /// Title of the vertical axis, with its unit.
    pub y_title: String,
    /// From left to right.
    pub bars: Vec<Bar>,
    /// What the dots mean, e.g. `p < 0.05`.
    pub mark_title: String,
    /// Where bars begin: mostly zero, or what a number is without what it measures.
    pub base: f64,
}

/// A number with its name and interval.
#[derive(Clone, Debug)]
pub struct Bar {
    /// Under the bar.
    pub label: String,
    /// Its height; NaN draws no bar.
    pub value: f64,
    /// Lower end of its interval.
    pub low: Option<f64>,
    /// Upper end of its interval.
    pub high: Option<f64>,
    /// Whether it gets a dot.
    pub mark: bool,
}

/// Height of the plot, in points.
const HEIGHT: f64 = 120.0;
/// Width for each bar.
const STEPS: (f64, f64) = (4.0, 14.0);
/// Narrowest and widest plot: under a column, and less than a page.
const WIDTHS: (f64, f64) = (100.0, 410.0);
/// Share of its step that a bar fills.
const FILL: f64 = 0.68;
/// Thickness of whiskers.
const WHISKER: f64 = 0.8;

struct Plan<'a> {
    of: &'a Bars,
    x: Labels,
    y: Numbers,
    sheet: Sheet,
}

impl Bars {
    /// The bars as an SVG document.
    pub fn svg(&self) -> String {
        if self.bars.iter().all(|bar| !bar.value.is_finite()) {
            return blank(&self.title);
        }
        let plan = Plan::new(self);
        plan.sheet.svg(|pen| plan.draw(pen))
    }

    /// All ends of the whiskers, where bars begin, and room for the dots.
    fn up(&self) -> Range {
        let ends = self.bars.iter().flat_map(|bar| [Some(bar.value), bar.low, bar.high]);
        Range::of(ends.flatten().chain([self.base])).padded(0.07)
    }
}

impl<'a> Plan<'a> {
    fn new(of: &'a Bars) -> Self {
        let count = of.bars.len() as f64;
        let width = (count * (WIDTHS.1 / count).clamp(STEPS.0, STEPS.1)).clamp(WIDTHS.0, WIDTHS.1);
        let labels: Vec<_> = of.bars.iter().map(|bar| bar.label.clone()).collect();
        let (x, y) = (Labels::across(&labels, width / count), Numbers::new(of.up(), 6));
        let room = Room {
            plot: (width, HEIGHT),
            left: y.width(),
            under: GAP + x.height(),
            right: 6.0,
            above: 0.0,
            depth: 0.0,
        };
        let note = mark_note(of.bars.iter().map(|bar| bar.mark), &of.mark_title);
        let texts = Texts { title: &of.title, x_title: &of.x_title, y_title: &of.y_title, note: &note };
        Self { of, x, y, sheet: Sheet::new(&texts, &room) }
    }

    fn draw(&self, pen: &mut Pen) {
        let plot = self.sheet.plot;
        self.of.bars.iter().enumerate().for_each(|(index, bar)| self.draw_bar(pen, index, bar));
        let zero = self.y.y(plot, self.of.base);
        pen.line(&[(plot.left, zero), (plot.right(), zero)], AXIS, THIN);
        self.y.draw_left(pen, plot);
        self.x.draw_under(pen, plot);
    }

    fn draw_bar(&self, pen: &mut Pen, index: usize, bar: &Bar) {
        if !bar.value.is_finite() {
            return;
        }
        let plot = self.sheet.plot;
        let step = plot.width / self.of.bars.len() as f64;
        let middle = plot.left + (index as f64 + 0.5) * step;
        let width = step.min(2.0 * STEPS.1) * FILL;
        let (value, zero) = (self.y.y(plot, bar.value), self.y.y(plot, self.of.base));
        let (top, height) = (value.min(zero), (value - zero).abs());
        pen.rectangle(Frame { left: middle - width / 2.0, top, width, height }, SERIES[0]);
        pen.note(bar.label.clone() + &format!(": {:.3}", bar.value));
        self.draw_whisker(pen, bar, middle, width);
        if bar.mark {
            self.draw_mark(pen, bar, middle);
        }
    }

    /// Beyond the end of the whisker.
    fn draw_mark(&self, pen: &mut Pen, bar: &Bar, x: f64) {
        let base = self.of.base;
        let side = if bar.value < base { -1.0 } else { 1.0 };
        let ends = [Some(bar.value), bar.low, bar.high].into_iter().flatten();
        let end =
            ends.filter(|end| end.is_finite()).map(|end| end - base).fold(0.0, |end: f64, next| (side * next).max(end));
        pen.disc((x, self.y.y(self.sheet.plot, base + side * end) - side * 4.0), 1.2, INK);
    }

    fn draw_whisker(&self, pen: &mut Pen, bar: &Bar, x: f64, width: f64) {
        let Some((low, high)) = bar.low.zip(bar.high) else { return };
        let (low, high) = (self.y.y(self.sheet.plot, low), self.y.y(self.sheet.plot, high));
        if !(low - high).is_finite() {
            return;
        }
        let cap = (width / 4.0).min(2.0);
        pen.line(&[(x, low), (x, high)], INK, WHISKER);
        pen.line(&[(x - cap, low), (x + cap, low)], INK, WHISKER);
        pen.line(&[(x - cap, high), (x + cap, high)], INK, WHISKER);
    }
}
