//! One heat map with its axes and colour bar.

use super::axis::{GAP, Labels, THIN};
use super::colour_bar::ColourBar;
use super::grid::Grid;
use super::palette::{AXIS, Scale};
use super::pen::Pen;
use super::scale::Shade;
use super::sheet::{Room, Sheet, Texts, blank};
use ndarray::Array2;

/// Values over two axes, e.g. layers by positions.
#[derive(Clone, Debug)]
pub struct HeatMap {
    /// Above the map; may be empty.
    pub title: String,
    /// Title of the horizontal axis.
    pub x_title: String,
    /// Title of the vertical axis.
    pub y_title: String,
    /// What the colours stand for, with its unit.
    pub value_title: String,
    /// Names of the columns.
    pub x: Vec<String>,
    /// Names of the rows, from the bottom.
    pub y: Vec<String>,
    /// `[row, column]`, row 0 at the bottom; NaN is an empty cell.
    pub values: Array2<f64>,
    /// Cells that get a dot, of the shape of `values`.
    pub marks: Array2<bool>,
    /// What the dots mean, e.g. `p < 0.05`.
    pub mark_title: String,
    /// How colours stand for values.
    pub scale: Scale,
}

/// Widest map, in points, so that the figure stays under seven inches.
const WIDEST: f64 = 400.0;
/// Highest map.
const HIGHEST: f64 = 420.0;
/// Narrower maps leave no room for axis titles.
const NARROWEST: f64 = 60.0;
/// Lower maps are hard to see.
const LOWEST: f64 = 25.0;

struct Plan<'a> {
    of: &'a HeatMap,
    shade: Shade,
    x: Labels,
    y: Labels,
    bar: ColourBar,
    sheet: Sheet,
}

impl HeatMap {
    /// The map as an SVG document.
    pub fn svg(&self) -> String {
        if self.values.is_empty() {
            return blank(&self.title);
        }
        let plan = Plan::new(self);
        plan.sheet.svg(|pen| plan.draw(pen))
    }
}

/// Points of a cell: wide enough for a number where numbers are read, smaller in larger maps.
fn cell_size(rows: usize, columns: usize) -> (f64, f64) {
    let readable = columns <= 16 && rows * columns <= 150;
    let (columns, rows) = (columns as f64, rows as f64);
    let width = if readable { 24.0 } else { (WIDEST / columns).min(14.0) };
    let height = if readable { 14.0 } else { (HIGHEST / rows).min(12.0) };
    (width.max(NARROWEST / columns), height.max(LOWEST / rows))
}

/// `• p < 0.05` where there is a mark, nothing where there is none.
pub fn mark_note(marks: impl IntoIterator<Item = bool>, title: &str) -> String {
    if marks.into_iter().any(|mark| mark) { format!("• {title}") } else { String::new() }
}

impl<'a> Plan<'a> {
    fn new(of: &'a HeatMap) -> Self {
        let (rows, columns) = of.values.dim();
        let cell = cell_size(rows, columns);
        let plot = (cell.0 * columns as f64, cell.1 * rows as f64);
        let (x, y) = (Labels::across(&of.x, cell.0), Labels::down(&of.y, cell.1));
        let shade = Shade::of(of.values.iter().copied(), of.scale);
        let under = GAP + x.height();
        let bar = ColourBar::new(shade, &of.value_title, plot.1, under);
        let (left, right, depth) = (y.width() + GAP, bar.width(), bar.depth());
        let room = Room { plot, left, under, right, above: 0.0, depth };
        let note = mark_note(of.marks.iter().copied(), &of.mark_title);
        let texts = Texts { title: &of.title, x_title: &of.x_title, y_title: &of.y_title, note: &note };
        Self { of, shade, x, y, bar, sheet: Sheet::new(&texts, &room) }
    }

    fn draw(&self, pen: &mut Pen) {
        let (of, plot) = (self.of, self.sheet.plot);
        let (values, marks, cells) = (&of.values, &of.marks, of.values.len());
        Grid { values, marks, shade: self.shade, x: &of.x, y: &of.y, cells }.draw(pen, plot);
        pen.outline(plot, AXIS, THIN);
        self.x.draw_under(pen, plot);
        self.y.draw_left(pen, plot);
        self.bar.draw(pen, plot, self.sheet.height);
    }
}
