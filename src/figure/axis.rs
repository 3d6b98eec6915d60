//! Axes: names along an ordinal one, numbers along a numeric one, and their titles.

use super::font;
use super::palette::AXIS;
use super::pen::{Anchor, Frame, Pen, Type};
use super::scale::{Range, tick_labels};

/// Points of tick labels.
pub const TICK: f64 = 8.0;
/// Points of axis titles.
pub const TITLE: f64 = 9.0;
/// Points of a figure's title.
pub const HEADLINE: f64 = 10.0;
/// Points from one line of text to the next, per point of its size.
pub const LEADING: f64 = 1.25;
/// Thickness of axes and ticks, in points.
pub const THIN: f64 = 0.5;
/// Between an axis and its labels.
pub const GAP: f64 = 3.0;
/// White around everything.
pub const MARGIN: f64 = 4.0;
/// Smaller letters are not legible in print: then labels are left out instead.
const LEAST_TICK: f64 = 6.0;
/// A longer label is cut.
const LONGEST_LABEL: f64 = 190.0;

/// Labels at equal steps along an axis.
pub struct Labels {
    texts: Vec<String>,
    size: f64,
    /// Every how many-th is shown.
    every: usize,
    upwards: bool,
}

impl Labels {
    /// Labels `step` points apart from left to right: level if they fit, else upwards.
    pub fn across(texts: &[String], step: f64) -> Self {
        let widest = font::widest(texts, TICK);
        let fits = 1.15 * widest <= step;
        if fits || are_numbers(texts) {
            let every = if fits { 1 } else { round_count(1.7 * widest / step) };
            return Self { texts: texts.to_vec(), size: TICK, every, upwards: false };
        }
        Self { upwards: true, ..Self::down(texts, step) }
    }

    /// Labels `step` points apart from top to bottom.
    pub fn down(texts: &[String], step: f64) -> Self {
        let size = (step / LEADING).clamp(LEAST_TICK, TICK);
        let every = round_count(size / step);
        let texts = texts.iter().map(|text| font::shorten(text, size, LONGEST_LABEL)).collect();
        Self { texts, size, every, upwards: false }
    }

    /// Points that the labels take at right angles to a horizontal axis.
    pub fn height(&self) -> f64 {
        if self.upwards { self.width() } else { self.size }
    }

    /// Points that the labels take at right angles to a vertical axis.
    pub fn width(&self) -> f64 {
        font::widest(&self.texts, self.size)
    }

    fn shown(&self) -> impl Iterator<Item = (usize, &String)> {
        self.texts.iter().enumerate().step_by(self.every)
    }

    /// Draws them under `frame`, each below the middle of its step.
    pub fn draw_under(&self, pen: &mut Pen, frame: Frame) {
        let step = frame.width / self.texts.len().max(1) as f64;
        for (index, text) in self.shown() {
            let x = frame.left + (index as f64 + 0.5) * step;
            let top = frame.bottom() + GAP;
            match self.upwards {
                true => pen.text((x, top), text, Type::new(self.size, Anchor::End).upwards()),
                false => pen.text((x, top + self.size / 2.0), text, Type::new(self.size, Anchor::Middle)),
            }
        }
    }

    /// Draws them left of `frame`, the first at its bottom.
    pub fn draw_left(&self, pen: &mut Pen, frame: Frame) {
        let step = frame.height / self.texts.len().max(1) as f64;
        for (index, text) in self.shown() {
            let y = frame.bottom() - (index as f64 + 0.5) * step;
            pen.text((frame.left - GAP, y), text, Type::new(self.size, Anchor::End));
        }
    }
}

fn are_numbers(texts: &[String]) -> bool {
    texts.iter().all(|text| text.parse::<f64>().is_ok())
}

/// The least of 1, 2, 5, 10, 20, … that is not below `least`.
fn round_count(least: f64) -> usize {
    let counts = (0..9).flat_map(|power| [1, 2, 5].map(|count| count * 10usize.pow(power)));
    counts.into_iter().find(|count| *count as f64 >= least).unwrap_or(usize::MAX)
}

/// A vertical numeric axis with its ticks.
pub struct Numbers {
    range: Range,
    ticks: Vec<f64>,
    labels: Vec<String>,
}

impl Numbers {
    /// At most `most` ticks over `range`.
    pub fn new(range: Range, most: usize) -> Self {
        let ticks = range.ticks(most);
        let labels = tick_labels(&ticks);
        Self { range, ticks, labels }
    }

    /// Points that the labels and ticks take.
    pub fn width(&self) -> f64 {
        font::widest(&self.labels, TICK) + GAP + 2.0
    }

    /// The height of `value` in `frame`; what is out of range is at its edge.
    pub fn y(&self, frame: Frame, value: f64) -> f64 {
        frame.bottom() - self.range.share(value).clamp(0.0, 1.0) * frame.height
    }

    /// The axis on the left of `frame`.
    pub fn draw_left(&self, pen: &mut Pen, frame: Frame) {
        pen.line(&[(frame.left, frame.top), (frame.left, frame.bottom())], AXIS, THIN);
        self.draw(pen, frame, frame.left, -1.0);
    }

    /// Ticks and labels on the right of `frame`.
    pub fn draw_right(&self, pen: &mut Pen, frame: Frame) {
        self.draw(pen, frame, frame.right(), 1.0);
    }

    fn draw(&self, pen: &mut Pen, frame: Frame, x: f64, side: f64) {
        let anchor = if side < 0.0 { Anchor::End } else { Anchor::Start };
        for (tick, label) in self.ticks.iter().zip(&self.labels) {
            let y = self.y(frame, *tick);
            pen.line(&[(x, y), (x + side * 2.5, y)], AXIS, THIN);
            pen.text((x + side * (GAP + 2.0), y), label, Type::new(TICK, anchor));
        }
    }

    /// The horizontal counterpart under `frame`, over the same range from left to right.
    pub fn draw_under(&self, pen: &mut Pen, frame: Frame) {
        for (tick, label) in self.ticks.iter().zip(&self.labels) {
            let x = frame.left + self.range.share(*tick) * frame.width;
            pen.line(&[(x, frame.bottom()), (x, frame.bottom() + 2.5)], AXIS, THIN);
            let y = frame.bottom() + GAP + TICK / 2.0 + 1.0;
            pen.text((x, y), label, Type::new(TICK, Anchor::Middle));
        }
    }
}

/// Lines of text with their size, and how deep they are together.
pub struct Lines {
    lines: Vec<String>,
    size: f64,
}

impl Lines {
    /// `text` broken into lines of at most `room` points.
    pub fn new(text: &str, size: f64, room: f64) -> Self {
        Self { lines: font::wrap(text, size, room), size }
    }

    /// Points from the first line's top to the last one's bottom; 0 without text.
    pub fn depth(&self) -> f64 {
        self.lines.len() as f64 * self.size * LEADING
    }

    /// Points of the widest line.
    pub fn width(&self) -> f64 {
        font::widest(&self.lines, self.size)
    }

    /// Draws level lines downwards from `top`.
    pub fn draw_level(&self, pen: &mut Pen, x: f64, top: f64, anchor: Anchor) {
        for (index, line) in self.lines.iter().enumerate() {
            let y = top + (index as f64 + 0.5) * self.size * LEADING;
            pen.text((x, y), line, Type::new(self.size, anchor));
        }
    }

    /// Draws upward lines from `left` to the right, with their middles at `y`.
    pub fn draw_upwards(&self, pen: &mut Pen, left: f64, y: f64) {
        for (index, line) in self.lines.iter().enumerate() {
            let x = left + (index as f64 + 0.5) * self.size * LEADING;
            pen.text((x, y), line, Type::new(self.size, Anchor::Middle).upwards());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(texts: &[&str]) -> Vec<String> {
        texts.iter().map(|text| (*text).to_owned()).collect()
    }

    #[test]
    fn numbers_are_thinned_and_words_are_turned() {
        let numbers: Vec<_> = (0..64).map(|number| number.to_string()).collect();
        let labels = Labels::across(&numbers, 6.0);
        assert!(!labels.upwards && labels.every == 5);
        assert!(Labels::across(&texts(&["When", "Mary", "and"]), 12.0).upwards);
        assert!(!Labels::across(&texts(&["IO", "S"]), 24.0).upwards);
    }

    #[test]
    fn labels_too_dense_to_read_are_left_out() {
        let many: Vec<_> = (0..400).map(|number| format!("token{number}")).collect();
        assert!(Labels::across(&many, 1.0).every >= 5);
        assert!(Labels::down(&many, 1.0).size >= LEAST_TICK);
    }
}
