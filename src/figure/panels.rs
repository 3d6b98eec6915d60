//! Small multiples: many heat maps with the same axes and one colour bar.

use super::axis::{GAP, LEADING, Labels, THIN, TICK};
use super::colour_bar::ColourBar;
use super::font;
use super::grid::Grid;
use super::heat_map::mark_note;
use super::palette::{AXIS, Scale};
use super::pen::{Anchor, Frame, Pen, Type};
use super::scale::Shade;
use super::sheet::{Room, Sheet, Texts, blank};
use ndarray::Array2;

/// Heat maps of one shape side by side, e.g. attention patterns of all heads.
#[derive(Clone, Debug)]
pub struct Panels {
    /// Above all panels; may be empty.
    pub title: String,
    /// Title of the horizontal axes.
    pub x_title: String,
    /// Title of the vertical axes.
    pub y_title: String,
    /// What the colours stand for, with its unit.
    pub value_title: String,
    /// Names of every panel's columns.
    pub x: Vec<String>,
    /// Names of every panel's rows, from the bottom.
    pub y: Vec<String>,
    /// In reading order: from left to right, then down.
    pub panels: Vec<Panel>,
    /// Panels side by side, e.g. the number of heads; `None` chooses.
    pub columns: Option<usize>,
    /// What the dots mean, e.g. `p < 0.05`.
    pub mark_title: String,
    /// How colours stand for values, the same in all panels.
    pub scale: Scale,
}

/// One of several heat maps.
#[derive(Clone, Debug)]
pub struct Panel {
    /// Above the panel, e.g. `L2H5`.
    pub title: String,
    /// `[row, column]`, row 0 at the bottom; NaN is an empty cell.
    pub values: Array2<f64>,
    /// Cells that get a dot, of the shape of `values`.
    pub marks: Array2<bool>,
}

/// Widest sum of panels, in points, so that the figure stays under seven inches.
const WIDEST: f64 = 410.0;
/// Highest sum of panels: a page.
const HIGHEST: f64 = 560.0;
/// Cells need not be larger.
const WIDEST_CELL: f64 = 11.0;
/// Panels need not be larger.
const WIDEST_PANEL: f64 = 130.0;
/// Between panels side by side.
const APART: f64 = 6.0;

struct Plan<'a> {
    of: &'a Panels,
    columns: usize,
    panel: (f64, f64),
    title_size: f64,
    shade: Shade,
    x: Labels,
    y: Labels,
    bar: ColourBar,
    sheet: Sheet,
}

impl Panels {
    /// The panels as an SVG document.
    pub fn svg(&self) -> String {
        if self.panels.is_empty() || self.x.is_empty() || self.y.is_empty() {
            return blank(&self.title);
        }
        let plan = Plan::new(self);
        plan.sheet.svg(|pen| plan.draw(pen))
    }

    /// As asked, else so that the whole is about as wide as a page column allows.
    fn columns(&self) -> usize {
        let count = self.panels.len();
        let natural = (self.x.len() as f64 * WIDEST_CELL).clamp(60.0, WIDEST_PANEL);
        let fitting = (((WIDEST + APART) / (natural + APART)) as usize).clamp(1, count);
        // As few rows as fit, filled evenly.
        let even = count.div_ceil(count.div_ceil(fitting));
        self.columns.unwrap_or(even).clamp(1, count)
    }
}

/// Width and height of one panel.
fn panel_size(of: &Panels, columns: usize) -> (f64, f64) {
    let (across, down) = (of.x.len() as f64, of.y.len() as f64);
    let lines = of.panels.len().div_ceil(columns) as f64;
    let width = ((WIDEST + APART) / columns as f64 - APART).min(WIDEST_PANEL);
    let width = width.min((across * WIDEST_CELL).max(36.0)).max(4.0);
    let square = width / across * down;
    let highest = (HIGHEST / lines - APART - TICK * LEADING).clamp(8.0, 160.0);
    // Square cells, unless one axis is much longer than the other.
    (width, square.clamp(width * 0.4, width * 1.5).min(highest))
}

impl<'a> Plan<'a> {
    fn new(of: &'a Panels) -> Self {
        let columns = of.columns();
        let panel = panel_size(of, columns);
        let (x, y) =
            (Labels::across(&of.x, panel.0 / of.x.len() as f64), Labels::down(&of.y, panel.1 / of.y.len() as f64));
        let values = of.panels.iter().flat_map(|panel| panel.values.iter().copied());
        let shade = Shade::of(values, of.scale);
        let title_size = title_size(of, panel.0);
        let lines = of.panels.len().div_ceil(columns);
        let head = title_size * LEADING;
        let plot = (sum(columns, panel.0, APART), sum(lines, panel.1, APART + head));
        let under = GAP + x.height();
        let bar = ColourBar::new(shade, &of.value_title, plot.1, under);
        let (left, right, depth) = (y.width() + GAP, bar.width(), bar.depth());
        let room = Room { plot, left, under, right, above: head, depth };
        let marks = of.panels.iter().flat_map(|panel| panel.marks.iter().copied());
        let note = mark_note(marks, &of.mark_title);
        let texts = Texts { title: &of.title, x_title: &of.x_title, y_title: &of.y_title, note: &note };
        Self { of, columns, panel, title_size, shade, x, y, bar, sheet: Sheet::new(&texts, &room) }
    }

    fn frame(&self, index: usize) -> Frame {
        let (line, column) = (index / self.columns, index % self.columns);
        let plot = self.sheet.plot;
        let (width, height) = self.panel;
        let left = plot.left + column as f64 * (width + APART);
        let top = plot.top + line as f64 * (height + APART + self.title_size * LEADING);
        Frame { left, top, width, height }
    }

    fn draw(&self, pen: &mut Pen) {
        for (index, panel) in self.of.panels.iter().enumerate() {
            self.draw_panel(pen, panel, self.frame(index));
            if index % self.columns == 0 {
                self.y.draw_left(pen, self.frame(index));
            }
            if index + self.columns >= self.of.panels.len() {
                self.x.draw_under(pen, self.frame(index));
            }
        }
        self.bar.draw(pen, self.sheet.plot, self.sheet.height);
    }

    fn draw_panel(&self, pen: &mut Pen, panel: &Panel, frame: Frame) {
        let (x, y) = (&self.of.x, &self.of.y);
        let (values, marks, cells) = (&panel.values, &panel.marks, panel.values.len() * self.of.panels.len());
        Grid { values, marks, shade: self.shade, x, y, cells }.draw(pen, frame);
        pen.outline(frame, AXIS, THIN);
        let middle = frame.left + frame.width / 2.0;
        let at = (middle, frame.top - self.title_size * LEADING / 2.0 - 0.5);
        let title = font::shorten(&panel.title, self.title_size, frame.width + APART);
        pen.text(at, &title, Type::new(self.title_size, Anchor::Middle));
    }
}

/// Points of the panels' titles: smaller where panels are narrow.
fn title_size(of: &Panels, width: f64) -> f64 {
    let widest = font::widest(of.panels.iter().map(|panel| &panel.title), TICK);
    (TICK * width / widest.max(1.0)).clamp(6.0, TICK)
}

fn sum(count: usize, size: f64, apart: f64) -> f64 {
    count as f64 * (size + apart) - apart
}
