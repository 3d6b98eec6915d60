//! The cells of a heat map: their colours, numbers and marks.

use super::font;
use super::palette::{Colour, FAINT, WHITE, ink_on};
use super::pen::{Anchor, Frame, Pen, Type};
use super::scale::Shade;
use crate::table::Rounding;
use ndarray::Array2;

/// From this size on (points), cells stand apart and empty ones are crossed out.
const APART: f64 = 8.0;
/// White between cells that stand apart.
const SEAM: f64 = 0.5;
/// Small cells reach this far under their neighbours, or viewers show hairlines between them.
const OVERLAP: f64 = 0.3;
/// Points of the numbers in cells.
const NUMBER: f64 = 6.5;
/// More cells than this are not read one by one.
const MOST_NUMBERS: usize = 150;
/// More cells than this get no notes: the file would be mostly notes.
const MOST_NOTES: usize = 1500;
/// Empty small cells.
const BLANK: Colour = plotters::style::RGBColor(217, 217, 217);

/// `[row, column]`, row 0 at the bottom; NaN is an empty cell.
pub struct Grid<'a> {
    /// What the colours stand for.
    pub values: &'a Array2<f64>,
    /// Cells with a dot.
    pub marks: &'a Array2<bool>,
    /// Number to colour.
    pub shade: Shade,
    /// Names of the columns.
    pub x: &'a [String],
    /// Names of the rows.
    pub y: &'a [String],
    /// Cells of the whole figure.
    pub cells: usize,
}

impl Grid<'_> {
    /// Draws the cells into `frame`.
    pub fn draw(&self, pen: &mut Pen, frame: Frame) {
        let numbers = self.rounding(self.cell(frame, 0, 0));
        if self.cells <= MOST_NOTES {
            self.draw_grounds(pen, frame);
        } else {
            (0..self.values.nrows()).for_each(|row| self.draw_row(pen, frame, row));
        }
        for (at, value) in self.values.indexed_iter() {
            let cell = self.cell(frame, at.0, at.1);
            match value.is_nan() {
                true => cross_out(pen, cell),
                false => self.draw_content(pen, cell, *value, numbers, self.marks.get(at) == Some(&true)),
            }
        }
    }

    fn cell(&self, frame: Frame, row: usize, column: usize) -> Frame {
        let (rows, columns) = self.values.dim();
        let (width, height) = (frame.width / columns as f64, frame.height / rows as f64);
        let left = frame.left + column as f64 * width;
        let top = frame.bottom() - (row + 1) as f64 * height;
        Frame { left, top, width, height }
    }

    fn draw_grounds(&self, pen: &mut Pen, frame: Frame) {
        for (at, value) in self.values.indexed_iter() {
            self.draw_ground(pen, self.cell(frame, at.0, at.1), *value);
            pen.note(self.note(at));
        }
    }

    /// Neighbours of one colour as one rectangle: such figures have many, all alike.
    fn draw_row(&self, pen: &mut Pen, frame: Frame, row: usize) {
        let colour = |column: usize| self.ground(self.cell(frame, row, column), self.values[(row, column)]);
        let columns = self.values.ncols();
        let mut from = 0;
        for column in 1..=columns {
            let alike = column < columns && colour(column) == colour(from);
            if !alike || stands_apart(self.cell(frame, row, from)) {
                let (first, last) = (self.cell(frame, row, from), self.cell(frame, row, column - 1));
                let run = Frame { width: last.right() - first.left, ..first };
                pen.rectangle(inner(run, seam(first)), colour(from));
                from = column;
            }
        }
    }

    fn draw_ground(&self, pen: &mut Pen, cell: Frame, value: f64) {
        pen.rectangle(inner(cell, seam(cell)), self.ground(cell, value));
    }

    fn ground(&self, cell: Frame, value: f64) -> Colour {
        match value.is_nan() {
            true if stands_apart(cell) => WHITE,
            true => BLANK,
            false => self.shade.colour(value),
        }
    }

    fn draw_content(&self, pen: &mut Pen, cell: Frame, value: f64, numbers: Option<Rounding>, marked: bool) {
        let ink = ink_on(self.shade.colour(value));
        if let Some(rounding) = numbers {
            let middle = (cell.left + cell.width / 2.0, cell.top + cell.height / 2.0);
            let kind = Type::new(NUMBER, Anchor::Middle).in_colour(ink);
            pen.text(middle, &rounding.show(value), kind);
        }
        if marked {
            draw_mark(pen, cell, ink, numbers.is_some());
        }
    }

    /// What a browser says of the cell.
    fn note(&self, (row, column): (usize, usize)) -> String {
        let name = |names: &[String], index: usize| names.get(index).cloned().unwrap_or_default();
        let value = self.values[(row, column)];
        let shown = if value.is_nan() { "no value".into() } else { Rounding::of([value]).show(value) };
        format!("{}, {}: {shown}", name(self.y, row), name(self.x, column))
    }

    /// How to write the numbers, if cells are few and large enough.
    fn rounding(&self, cell: Frame) -> Option<Rounding> {
        let finite = || self.values.iter().copied().filter(|value| value.is_finite());
        let rounding = match Rounding::of(finite()) {
            Rounding::Decimals(decimals @ 2..=3) if finite().any(|value| value.abs() >= 0.1) => {
                Rounding::Decimals(decimals.min(2))
            }
            other => other,
        };
        let texts: Vec<_> = finite().map(|value| rounding.show(value)).collect();
        let fits = cell.height >= NUMBER * 1.2 && font::widest(&texts, NUMBER) <= cell.width - 2.0;
        (fits && self.values.len() <= MOST_NUMBERS).then_some(rounding)
    }
}

fn stands_apart(cell: Frame) -> bool {
    cell.width.min(cell.height) >= APART
}

fn seam(cell: Frame) -> f64 {
    if stands_apart(cell) { SEAM } else { -OVERLAP }
}

/// The part of `cell` that is coloured.
fn inner(cell: Frame, seam: f64) -> Frame {
    let (left, top) = (cell.left + seam / 2.0, cell.top + seam / 2.0);
    Frame { left, top, width: cell.width - seam, height: cell.height - seam }
}

fn cross_out(pen: &mut Pen, cell: Frame) {
    if stands_apart(cell) {
        let cell = inner(cell, SEAM);
        let (from, to) = ((cell.left, cell.bottom()), (cell.right(), cell.top));
        pen.line(&[from, to], FAINT, SEAM);
    }
}

/// A dot in the middle of the cell, or in its corner beside a number.
fn draw_mark(pen: &mut Pen, cell: Frame, ink: Colour, beside_number: bool) {
    let least = cell.width.min(cell.height);
    let radius = (least * 0.14).clamp(0.4, 1.3);
    match beside_number {
        true => pen.disc((cell.right() - 2.4, cell.top + 2.4), radius.min(0.9), ink),
        false => pen.disc((cell.left + cell.width / 2.0, cell.top + cell.height / 2.0), radius, ink),
    }
}
