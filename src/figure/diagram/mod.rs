//! Boxes in rows and columns with weighted wires between them, bottom to top: SVG through the pen, and TikZ.

mod ink;
mod label;
mod legend;
mod look;
mod place;
mod route;
mod scene;
mod tikz;

use super::pen::Point;
use std::ops::Range;

/// A diagram. A wire goes from a lower row to a higher one.
#[derive(Clone, Debug, Default)]
pub struct Diagram {
    /// Above everything; may be empty.
    pub title: String,
    /// What the weights are, for the legend.
    pub unit: String,
    /// What weights below zero mean, and those above, for the legend.
    pub signs: [String; 2],
    /// What the columns are; one for each, left to right.
    pub columns: Vec<String>,
    /// Columns that belong together, left to right, with what stands below them.
    pub groups: Vec<Group>,
    /// What the rows are, some together, bottom to top.
    pub bands: Vec<Band>,
    /// The boxes.
    pub spots: Vec<Spot>,
    /// The wires.
    pub wires: Vec<Wire>,
    /// Wires that are weaker than all that are here.
    pub left_out: usize,
    /// Further lines of the legend.
    pub legend: Vec<String>,
}

/// Rows that belong together, on a ground of their own.
#[derive(Clone, Debug)]
pub struct Band {
    /// What stands left of it.
    pub name: String,
    /// From the bottom.
    pub rows: Range<usize>,
}

/// Columns that belong together, with lines between them and others.
#[derive(Clone, Debug)]
pub struct Group {
    /// What stands below it.
    pub name: String,
    /// From the left.
    pub columns: Range<usize>,
}

/// A box.
#[derive(Clone, Debug)]
pub struct Spot {
    /// What it is called; no other box has the name.
    pub name: String,
    /// What stands in it.
    pub text: String,
    /// From the bottom.
    pub row: usize,
    /// From the left; `None` reaches over all columns.
    pub column: Option<usize>,
}

/// What a wire stands for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Kind {
    /// An edge with its weight.
    #[default]
    Edge,
    /// What goes on inside of a node that has several boxes; thin, grey and without a weight.
    Inside,
}

/// A wire between boxes.
#[derive(Clone, Debug)]
pub struct Wire {
    /// What it is called.
    pub name: String,
    /// What it stands for.
    pub kind: Kind,
    /// The box it leaves by its upper side.
    pub from: usize,
    /// The box it enters by its lower side.
    pub to: usize,
    /// Where it enters: −1 at the left, 0 in the middle, 1 at the right.
    pub port: f64,
    /// Its width by size, its colour by sign.
    pub weight: f64,
    /// What stands on it if it is one of the strongest; its weight where there is nothing else to say.
    pub label: Option<String>,
    /// What a reader sees who points at it.
    pub note: String,
}

impl Diagram {
    /// The wires that have weights.
    fn edges(&self) -> impl Iterator<Item = &Wire> + Clone {
        self.wires.iter().filter(|wire| wire.kind == Kind::Edge)
    }
}

/// A piece of a curve: two ends with their controls between.
type Piece = [Point; 4];

#[cfg(test)]
mod tests;
