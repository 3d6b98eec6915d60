//! Which columns of a table are worth a reader's eyes.

use super::{Rounding, Row, Table, p_value};

/// A column as people read it: the interval's two ends are one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Column {
    /// The method's name.
    Method,
    /// The site's name.
    Site,
    /// Layer number.
    Layer,
    /// Head number.
    Head,
    /// Position number with its token.
    Position,
    /// Neuron number.
    Neuron,
    /// Item number.
    Item,
    /// The metric's name.
    Metric,
    /// The effect.
    Effect,
    /// The normalised effect.
    Normalised,
    /// `[low, high]`.
    Interval,
    /// The p-value.
    P,
    /// Number of items.
    N,
}

/// In reading order.
const ALL: [Column; 13] = [
    Column::Method,
    Column::Site,
    Column::Layer,
    Column::Head,
    Column::Position,
    Column::Neuron,
    Column::Item,
    Column::Metric,
    Column::Effect,
    Column::Normalised,
    Column::Interval,
    Column::P,
    Column::N,
];

impl Column {
    /// The column's heading.
    pub fn heading(self) -> &'static str {
        match self {
            Self::Method => "method",
            Self::Site => "site",
            Self::Layer => "layer",
            Self::Head => "head",
            Self::Position => "position",
            Self::Neuron => "neuron",
            Self::Item => "item",
            Self::Metric => "metric",
            Self::Effect => "effect",
            Self::Normalised => "normalised",
            Self::Interval => "interval",
            Self::P => "p",
            Self::N => "n",
        }
    }

    /// Whether the column holds words rather than numbers.
    pub fn is_text(self) -> bool {
        matches!(self, Self::Method | Self::Site | Self::Metric)
    }

    /// The number to sort by; `None` for words and for what is missing.
    pub fn key(self, row: &Row) -> Option<f64> {
        let count = |index: Option<usize>| index.map(|index| index as f64);
        match self {
            Self::Method | Self::Site | Self::Metric => None,
            Self::Layer => count(row.layer),
            Self::Head => count(row.head),
            Self::Position => count(row.position),
            Self::Neuron => count(row.neuron),
            Self::Item => count(row.item),
            Self::Effect => Some(row.effect),
            Self::Normalised => row.normalised,
            Self::Interval => row.low,
            Self::P => row.p,
            Self::N => count(Some(row.n)),
        }
    }

    /// The cell unrounded.
    fn raw(self, row: &Row) -> Option<String> {
        match self {
            Self::Method => Some(row.method.clone()),
            Self::Site => row.site.clone(),
            Self::Metric => Some(row.metric.clone()),
            _ => self.key(row).map(|key| key.to_string()),
        }
    }

    fn is_measured(self) -> bool {
        matches!(self, Self::Effect | Self::Normalised | Self::Interval | Self::P)
    }
}

/// How to show some rows: the columns that tell them apart, and what is the same in all.
#[derive(Clone, Debug)]
pub struct Layout {
    /// Columns to show.
    pub columns: Vec<Column>,
    /// Heading and content of the columns that are the same in every row.
    pub constants: Vec<(&'static str, String)>,
    effect: Rounding,
    normalised: Rounding,
    interval: Rounding,
}

impl Layout {
    /// The layout for `rows`.
    pub fn of(table: &Table, rows: &[&Row]) -> Self {
        let spans = rows.iter().flat_map(|row| [row.low, row.high]).flatten();
        let mut layout = Self {
            columns: Vec::new(),
            constants: Vec::new(),
            effect: Rounding::of(rows.iter().map(|row| row.effect)),
            normalised: Rounding::of(rows.iter().filter_map(|row| row.normalised)),
            interval: Rounding::of(spans),
        };
        for column in ALL {
            layout.place(column, table, rows);
        }
        layout
    }

    /// Measured columns are shown if any row has them; the others if two rows differ.
    fn place(&mut self, column: Column, table: &Table, rows: &[&Row]) {
        let Some(first) = rows.first() else { return };
        let value = column.raw(first);
        let varies = rows.iter().any(|row| column.raw(row) != value);
        if varies || column.is_measured() && value.is_some() {
            self.columns.push(column);
        } else if value.is_some() {
            self.constants.push((column.heading(), self.cell(column, table, first)));
        }
    }

    /// The text of one cell; empty where the row has nothing.
    pub fn cell(&self, column: Column, table: &Table, row: &Row) -> String {
        match column {
            Column::Effect => self.effect.show(row.effect),
            Column::Normalised => row.normalised.map_or_else(String::new, |x| self.normalised.show(x)),
            Column::Interval => self.interval(row),
            Column::P => row.p.map_or_else(String::new, p_value),
            Column::Position => row.position.map_or_else(String::new, |at| place_of(table, at)),
            other => other.raw(row).unwrap_or_default(),
        }
    }

    fn interval(&self, row: &Row) -> String {
        match (row.low, row.high) {
            (None, None) => String::new(),
            (low, high) => {
                let end = |end: Option<f64>| end.map_or("?".into(), |end| self.interval.show(end));
                format!("[{}, {}]", end(low), end(high))
            }
        }
    }
}

/// `4 ␣John`, or `4` where the table has no tokens.
fn place_of(table: &Table, position: usize) -> String {
    match table.positions.get(position) {
        Some(_) => format!("{position} {}", table.position_label(position)),
        None => position.to_string(),
    }
}
