//! The sheet around a plot: its size, its titles and its note.

use super::axis::{GAP, HEADLINE, Lines, MARGIN, TICK, TITLE};
use super::pen::{Anchor, Frame, Pen, draw};

/// Narrower sheets leave no room for a title, in points.
const NARROWEST: f64 = 180.0;
/// Axis titles of small plots may be this long before they are broken.
const TITLE_ROOM: f64 = 90.0;
/// Between the horizontal axis' title and a note beside it.
const APART: f64 = 12.0;

/// What is written around a plot; each may be empty.
pub struct Texts<'a> {
    /// Above everything.
    pub title: &'a str,
    /// Under the horizontal axis.
    pub x_title: &'a str,
    /// Beside the vertical axis.
    pub y_title: &'a str,
    /// In the lower left corner.
    pub note: &'a str,
}

/// Points that the parts of a figure take.
pub struct Room {
    /// Width and height of the plot itself.
    pub plot: (f64, f64),
    /// Labels left of it.
    pub left: f64,
    /// Labels under it.
    pub under: f64,
    /// Everything right of it.
    pub right: f64,
    /// Between the title and the plot.
    pub above: f64,
    /// What stands right reaches from the plot's top at least this deep.
    pub depth: f64,
}

/// A figure's outer parts, all placed.
pub struct Sheet {
    /// Where the plot belongs.
    pub plot: Frame,
    /// Width of the whole.
    pub width: f64,
    /// Height of the whole.
    pub height: f64,
    name: String,
    under: f64,
    title: Lines,
    x_title: Lines,
    y_title: Lines,
    note: Lines,
}

impl Sheet {
    /// Places `texts` around what `room` asks for.
    pub fn new(texts: &Texts, room: &Room) -> Self {
        let (plot_width, plot_height) = room.plot;
        let x_title = Lines::new(texts.x_title, TITLE, plot_width.max(TITLE_ROOM));
        let y_title = Lines::new(texts.y_title, TITLE, plot_height + room.under);
        let left = MARGIN + y_title.depth() + if y_title.depth() > 0.0 { GAP } else { 0.0 } + room.left;
        let width = (left + plot_width + room.right + MARGIN).max(NARROWEST);
        let title = Lines::new(texts.title, HEADLINE, width - 2.0 * MARGIN);
        let note = Lines::new(texts.note, TICK, width - 2.0 * MARGIN);
        let top = MARGIN + title.depth() + GAP + room.above;
        let under = room.under + GAP;
        let plot = Frame { left, top, width: plot_width, height: plot_height };
        let mut sheet =
            Self { plot, width, height: 0.0, name: texts.title.into(), under, title, x_title, y_title, note };
        sheet.height = top + (plot_height + under + sheet.rows()).max(room.depth) + MARGIN;
        sheet
    }

    /// Where the horizontal title's middle stands.
    fn x_middle(&self) -> f64 {
        let middle = self.plot.left + self.plot.width / 2.0;
        middle.max(MARGIN + self.x_title.width() / 2.0)
    }

    /// Points of the horizontal title and the note: beside each other if they fit, else below.
    fn rows(&self) -> f64 {
        let (title, note) = (self.x_title.depth(), self.note.depth());
        if self.note_fits_beside() { title.max(note) } else { title + note }
    }

    fn note_fits_beside(&self) -> bool {
        let start = self.x_middle() - self.x_title.width() / 2.0;
        MARGIN + self.note.width() + APART <= start
    }

    /// The document: what `with` draws, then the titles.
    pub fn svg(&self, with: impl FnOnce(&mut Pen)) -> String {
        draw(self.width, self.height, &self.name, |pen| {
            with(pen);
            self.draw_titles(pen);
        })
    }

    fn draw_titles(&self, pen: &mut Pen) {
        let under = self.plot.bottom() + self.under;
        let last = self.height - MARGIN - self.note.depth();
        let reach = self.y_title.width() / 2.0;
        let middle = self.plot.top + self.plot.height / 2.0;
        self.title.draw_level(pen, MARGIN, MARGIN, Anchor::Start);
        self.x_title.draw_level(pen, self.x_middle(), under, Anchor::Middle);
        self.y_title.draw_upwards(pen, MARGIN, middle.min(self.height - MARGIN - reach).max(self.plot.top + reach));
        self.note.draw_level(pen, MARGIN, last, Anchor::Start);
    }
}

/// What is drawn where there is nothing to draw.
pub fn blank(title: &str) -> String {
    let text = format!("{title} (no values)");
    let lines = Lines::new(&text, HEADLINE, NARROWEST);
    let (width, height) = (lines.width() + 2.0 * MARGIN, lines.depth() + 2.0 * MARGIN);
    draw(width, height, &text, |pen| lines.draw_level(pen, MARGIN, MARGIN, Anchor::Start))
}
