//! Rows to matrices: the axes of a table, and heat maps and panels over them.

use super::choose::Group;
use super::unit::Unit;
use super::{Figure, HeatMap, Panel, Panels, Scale};
use crate::table::{Row, Table};
use ndarray::Array2;
use std::collections::{BTreeMap, BTreeSet};

/// Rows below get a dot.
const LEVEL: f64 = 0.05;
/// What the dots mean.
pub const MARK: &str = "p < 0.05";

/// An axis along which rows may differ.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Axis {
    /// Layers.
    Layer,
    /// Heads.
    Head,
    /// Positions.
    Position,
    /// Neurons.
    Neuron,
}

impl Axis {
    /// From the one that is up in a map to the one that is across.
    pub const ALL: [Self; 4] = [Self::Layer, Self::Head, Self::Position, Self::Neuron];

    /// The row's place on the axis.
    pub fn of(self, row: &Row) -> Option<usize> {
        match self {
            Self::Layer => row.layer,
            Self::Head => row.head,
            Self::Position => row.position,
            Self::Neuron => row.neuron,
        }
    }

    /// All places of `rows`, in order.
    pub fn places(self, rows: &[&Row]) -> Vec<usize> {
        let places: BTreeSet<_> = rows.iter().filter_map(|row| self.of(row)).collect();
        places.into_iter().collect()
    }

    /// Its title.
    pub fn title(self) -> &'static str {
        match self {
            Self::Layer => "Layer",
            Self::Head => "Head",
            Self::Position => "Position",
            Self::Neuron => "Neuron",
        }
    }

    fn label(self, table: &Table, place: usize) -> String {
        match self {
            Self::Position => table.position_label(place),
            _ => place.to_string(),
        }
    }

    fn labels(self, table: &Table, rows: &[&Row]) -> Vec<String> {
        self.places(rows).into_iter().map(|place| self.label(table, place)).collect()
    }
}

/// Whether the row's effect is significant.
pub fn is_marked(row: &Row) -> bool {
    row.p.is_some_and(|p| p < LEVEL)
}

/// The row's name among rows that differ along `axes`: `L2H5`, a token, `L0N700`.
pub fn name(table: &Table, axes: &[Axis], row: &Row) -> String {
    if let [Axis::Position] = axes {
        return row.position.map_or_else(String::new, |position| table.position_label(position));
    }
    let part = |letter: char, index: Option<usize>| index.map(|index| format!("{letter}{index}"));
    let indices = [part('L', row.layer), part('H', row.head), part('N', row.neuron)];
    let name: String = indices.into_iter().flatten().collect();
    match row.position.filter(|_| axes.contains(&Axis::Position)) {
        Some(position) => format!("{name} {}", table.position_label(position)),
        None => name,
    }
}

/// Values and marks over two axes; of several rows at one place the one of largest size counts.
struct Matrix {
    values: Array2<f64>,
    marks: Array2<bool>,
}

impl Matrix {
    fn new(rows: &[&Row], unit: Unit, up: (Axis, &[usize]), across: (Axis, &[usize])) -> Self {
        let shape = (up.1.len(), across.1.len());
        let mut matrix = Self { values: Array2::from_elem(shape, f64::NAN), marks: Array2::default(shape) };
        let index = |(axis, places): (Axis, &[usize])| -> BTreeMap<usize, usize> {
            debug_assert!(places.is_sorted(), "{axis:?} places in order");
            places.iter().enumerate().map(|(index, place)| (*place, index)).collect()
        };
        let (ups, acrosses) = (index(up), index(across));
        for row in rows {
            let at = up.0.of(row).zip(across.0.of(row));
            let at = at.and_then(|(y, x)| ups.get(&y).copied().zip(acrosses.get(&x).copied()));
            if let Some(at) = at {
                matrix.put(at, unit.value(row), is_marked(row));
            }
        }
        matrix
    }

    fn put(&mut self, at: (usize, usize), value: f64, mark: bool) {
        let there = self.values[at];
        if there.is_nan() || value.abs() > there.abs() {
            self.values[at] = value;
            self.marks[at] = mark;
        }
    }
}

/// Normalised effects are of either sign in principle; a raw metric may be of one sign only.
fn scale_of(rows: &[&Row], unit: Unit) -> Scale {
    let negative = rows.iter().any(|row| unit.value(row) < 0.0);
    if negative || unit != Unit::Effect { Scale::Diverging } else { Scale::Sequential }
}

/// A map over two axes; where rows differ along others, the largest of them, and the title says so.
pub fn heat_map(group: &Group, up: Axis, across: Axis) -> Figure {
    let (rows, table) = (&group.rows, group.table);
    let unit = Unit::of(rows);
    let (ups, acrosses) = (up.places(rows), across.places(rows));
    let matrix = Matrix::new(rows, unit, (up, &ups), (across, &acrosses));
    let others: Vec<_> = group.axes.iter().filter(|axis| ![up, across].contains(axis)).collect();
    let over: Vec<_> = others.iter().map(|axis| axis.title().to_lowercase() + "s").collect();
    let reduced =
        if over.is_empty() { String::new() } else { format!(" (largest |effect| over {})", over.join(" and ")) };
    Figure::HeatMap(HeatMap {
        title: group.title() + &reduced,
        x_title: across.title().into(),
        y_title: up.title().into(),
        value_title: unit.title(rows),
        x: across.labels(table, rows),
        y: up.labels(table, rows),
        values: matrix.values,
        marks: matrix.marks,
        mark_title: MARK.into(),
        scale: scale_of(rows, unit),
    })
}

/// A map over two axes for each place on a third.
pub fn panels(group: &Group, each: Axis, [up, across]: [Axis; 2]) -> Figure {
    let (rows, table) = (&group.rows, group.table);
    let unit = Unit::of(rows);
    let (ups, acrosses) = (up.places(rows), across.places(rows));
    let panel = |place: usize| {
        let inside: Vec<_> = rows.iter().copied().filter(|row| each.of(row) == Some(place)).collect();
        let Matrix { values, marks } = Matrix::new(&inside, unit, (up, &ups), (across, &acrosses));
        Panel { title: format!("{} {}", each.title(), each.label(table, place)), values, marks }
    };
    Figure::Panels(Panels {
        title: group.title(),
        x_title: across.title().into(),
        y_title: up.title().into(),
        value_title: unit.title(rows),
        x: across.labels(table, rows),
        y: up.labels(table, rows),
        panels: each.places(rows).into_iter().map(panel).collect(),
        columns: None,
        mark_title: MARK.into(),
        scale: scale_of(rows, unit),
    })
}

/// A map over two axes for each of several groups with these axes, by name.
pub fn beside(title: &str, groups: &[(String, &Group)], [up, across]: [Axis; 2]) -> Figure {
    let rows: Vec<&Row> = groups.iter().flat_map(|(_, group)| group.rows.iter().copied()).collect();
    let table = groups[0].1.table;
    let unit = Unit::of(&rows);
    let (ups, acrosses) = (up.places(&rows), across.places(&rows));
    let panel = |(name, group): &(String, &Group)| {
        let Matrix { values, marks } = Matrix::new(&group.rows, unit, (up, &ups), (across, &acrosses));
        Panel { title: name.clone(), values, marks }
    };
    Figure::Panels(Panels {
        title: title.to_string(),
        x_title: across.title().into(),
        y_title: up.title().into(),
        value_title: unit.title(&rows),
        x: across.labels(table, &rows),
        y: up.labels(table, &rows),
        panels: groups.iter().map(panel).collect(),
        columns: None,
        mark_title: MARK.into(),
        scale: scale_of(&rows, unit),
    })
}
