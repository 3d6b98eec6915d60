//! Tidy tables: one effect a row, with its interval; CSV, JSON and LaTeX.

mod column;
mod label;
mod latex;
mod number;

pub use column::{Column, Layout};
pub use label::visible;
pub use number::{Rounding, p_value};

use indexmap::IndexMap;
use serde::{Deserialize, Deserializer, Serialize};

/// The columns of every table, in the order of the CSV.
pub const HEADER: [&str; 14] = [
    "method",
    "site",
    "layer",
    "head",
    "position",
    "neuron",
    "item",
    "metric",
    "effect",
    "normalised",
    "low",
    "high",
    "p",
    "n",
];

/// One effect: where, of what, how large, how sure. What does not apply is `None`.
#[derive(Serialize, Deserialize, Clone, Debug, Default, PartialEq)]
pub struct Row {
    /// The method's name, e.g. `patch`.
    pub method: String,
    /// The site's name as TransformerLens spells it.
    pub site: Option<String>,
    /// From 0, at the input.
    pub layer: Option<usize>,
    /// From 0.
    pub head: Option<usize>,
    /// From 0, at the first token.
    pub position: Option<usize>,
    /// From 0; of an MLP, or a feature of a dictionary.
    pub neuron: Option<usize>,
    /// The one item of the data that the row speaks of; `None`: the row speaks of all.
    pub item: Option<usize>,
    /// What was measured, e.g. `logit_diff`.
    pub metric: String,
    /// In the metric's own unit. NaN where it could not be computed.
    #[serde(deserialize_with = "null_is_nan")]
    pub effect: f64,
    /// The effect as a share of the whole difference between clean and corrupted.
    pub normalised: Option<f64>,
    /// Lower end of the interval of `effect`, in its unit.
    pub low: Option<f64>,
    /// Upper end of the interval of `effect`.
    pub high: Option<f64>,
    /// Against no effect, corrected for the number of tests where the facts say so.
    pub p: Option<f64>,
    /// Items that the effect is the mean of.
    pub n: usize,
}

/// The rows of one step of an experiment, and what holds for all of them.
#[derive(Serialize, Deserialize, Clone, Debug)]
pub struct Table {
    /// File stem, e.g. `02_patch`.
    pub name: String,
    /// What a reader sees above the table and its figures.
    pub title: String,
    /// Variant, metric and its sign, seed, …: what one must know to read the numbers.
    pub facts: IndexMap<String, String>,
    /// The token at each position; empty if the items have no positions in common.
    pub positions: Vec<String>,
    /// In the order in which the method found them.
    pub rows: Vec<Row>,
}

/// What a metric is of, and which part of that: `accuracy, majority` is drawn and told beside `accuracy`.
pub fn quantity(metric: &str) -> (&str, &str) {
    metric.split_once(", ").unwrap_or((metric, ""))
}

/// Why a table could not be read back.
#[derive(Debug, thiserror::Error)]
pub enum TableError {
    /// Not CSV, or not numbers where numbers belong.
    #[error("{0}; give the CSV file as patchclamp wrote it")]
    Csv(#[from] csv::Error),
    /// Not JSON, or not a table.
    #[error("{0}; give the JSON file as patchclamp wrote it")]
    Json(#[from] serde_json::Error),
    /// CSV with other columns.
    #[error("columns are `{found}`; expected `{}`", HEADER.join(","))]
    Header {
        /// The first line as it stands.
        found: String,
    },
}

impl Table {
    /// The rows as CSV; every number reads back as the very same `f64`.
    pub fn to_csv(&self) -> String {
        let mut writer = csv::WriterBuilder::new().has_headers(false).from_writer(Vec::new());
        let header = writer.write_record(HEADER);
        let rows = self.rows.iter().try_for_each(|row| writer.serialize(row));
        header.and(rows).expect("a row is a flat record and memory takes it");
        let bytes = writer.into_inner().expect("memory takes every byte");
        String::from_utf8(bytes).expect("strings and numbers are UTF-8")
    }

    /// The rows of a CSV file.
    ///
    /// # Errors
    /// When the header is not [`HEADER`], or a field is not what its column says.
    pub fn rows_from_csv(text: &str) -> Result<Vec<Row>, TableError> {
        let mut reader = csv::Reader::from_reader(text.as_bytes());
        let found: Vec<_> = reader.headers()?.iter().map(str::to_owned).collect();
        if found != HEADER {
            return Err(TableError::Header { found: found.join(",") });
        }
        Ok(reader.deserialize().collect::<Result<_, _>>()?)
    }

    /// The whole table as JSON. JSON has no NaN and no infinity: both become `null`.
    pub fn to_json(&self) -> String {
        serde_json::to_string_pretty(self).expect("a table has string keys only")
    }

    /// The table of a JSON file; an effect of `null` is NaN.
    ///
    /// # Errors
    /// When the text is not a table's JSON.
    pub fn from_json(text: &str) -> Result<Self, TableError> {
        Ok(serde_json::from_str(text)?)
    }

    /// The token at `position` made visible, or its number where the table has no tokens.
    pub fn position_label(&self, position: usize) -> String {
        self.positions.get(position).map_or(position.to_string(), |token| visible(token))
    }

    /// The rows of all items together; if there are none, every row.
    pub fn summary_rows(&self) -> Vec<&Row> {
        let summary: Vec<_> = self.rows.iter().filter(|row| row.item.is_none()).collect();
        if summary.is_empty() { self.rows.iter().collect() } else { summary }
    }
}

/// The `most` rows of largest |effect|, largest first, if there are more; else all, in order. Rows that were tested come
/// before those that only describe.
pub fn largest(rows: Vec<&Row>, most: usize) -> Vec<&Row> {
    if rows.len() <= most {
        return rows;
    }
    let size = |row: &Row| if row.effect.is_nan() { -1.0 } else { row.effect.abs() };
    let mut rows = rows;
    rows.sort_by(|a, b| b.p.is_some().cmp(&a.p.is_some()).then(size(b).total_cmp(&size(a))));
    rows.truncate(most);
    rows
}

fn null_is_nan<'de, D: Deserializer<'de>>(field: D) -> Result<f64, D::Error> {
    Ok(Option::deserialize(field)?.unwrap_or(f64::NAN))
}

#[cfg(test)]
mod tests;
