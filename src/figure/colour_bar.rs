//! The key of a heat map: its colours with the numbers they stand for.

use super::axis::{GAP, LEADING, Lines, MARGIN, Numbers, THIN, TICK, TITLE};
use super::palette::AXIS;
use super::pen::{Frame, Pen};
use super::scale::Shade;

/// Between the map and its bar, in points.
const AWAY: f64 = 9.0;
/// Width of the bar, in points.
const WIDTH: f64 = 7.0;
/// Lower bars have no room for two ticks.
const LOWEST: f64 = 50.0;
/// Higher bars only take room.
const HIGHEST: f64 = 130.0;
/// Steps that the eye does not see.
const STEPS: usize = 100;
/// Points of height for each tick.
const TICK_SPACE: f64 = 18.0;

/// A bar with its title beside it.
pub struct ColourBar {
    shade: Shade,
    numbers: Numbers,
    title: Lines,
    height: f64,
}

impl ColourBar {
    /// A bar for `shade` beside a map of `map` points of height, which has labels and title of at
    /// least `under` points below it.
    pub fn new(shade: Shade, title: &str, map: f64, under: f64) -> Self {
        let height = map.clamp(LOWEST, HIGHEST);
        let most = ((height / TICK_SPACE) as usize).clamp(2, 6);
        let numbers = Numbers::new(shade.range, most);
        let title = Lines::new(title, TITLE, map.max(height) + under);
        Self { shade, numbers, title, height }
    }

    /// Points from the map's top to the end of the bar if the map is lower.
    pub fn depth(&self) -> f64 {
        self.height + TICK / 2.0
    }

    /// Points from the map's edge to the end of the title.
    pub fn width(&self) -> f64 {
        AWAY + WIDTH + self.numbers.width() + GAP + self.title.depth() - TITLE * (LEADING - 1.0)
    }

    /// Draws the bar right of `map`, their middles level where the map is the higher; the title
    /// keeps inside a sheet of `sheet` points of height.
    pub fn draw(&self, pen: &mut Pen, map: Frame, sheet: f64) {
        let top = map.top + ((map.height - self.height) / 2.0).max(0.0);
        let bar = Frame { left: map.right() + AWAY, top, width: WIDTH, height: self.height };
        let step = bar.height / STEPS as f64;
        for index in 0..STEPS {
            let value = (index as f64 + 0.5) / STEPS as f64;
            let top = bar.bottom() - (index + 1) as f64 * step;
            // Each reaches under the next, or viewers show hairlines.
            let height = if index == 0 { step } else { step * 1.5 };
            pen.rectangle(Frame { top, height, ..bar }, self.shade.scale.colour(value));
        }
        pen.outline(bar, AXIS, THIN);
        self.numbers.draw_right(pen, bar);
        let left = bar.right() + self.numbers.width() + GAP;
        let reach = MARGIN + self.title.width() / 2.0;
        let middle = (bar.top + bar.height / 2.0).min(sheet - reach).max(map.top - MARGIN + reach);
        self.title.draw_upwards(pen, left, middle);
    }
}
