//! Labour statistics: what share of a group a label has, from a table.

use crate::data::DataError;
use crate::data::sheet::{Line, Sheet};
use crate::data::text_file::text;
use crate::spec::Shares;
use indexmap::IndexMap;
use std::path::Path;

/// A number for each label.
pub type Table = IndexMap<String, f64>;

/// The number of every label in its table, the last where one stands twice; labels are read in lower case.
pub fn shares(file: &Shares) -> Result<Table, DataError> {
    column(&file.path, &file.label, &file.value)
}

/// The columns of Winogender's `occupations-stats.tsv` that hold shares of women, each by its name.
pub fn winogender_shares(path: &Path) -> Result<Vec<(String, Table)>, DataError> {
    let sheet = sheet(path)?;
    let columns: Vec<&String> = sheet.header().iter().filter(|name| name.ends_with("_pct_female")).collect();
    if columns.is_empty() {
        let why = "has no column that ends with _pct_female, as bls_pct_female and bergsma_pct_female do";
        return Err(DataError::row(path, 1, why));
    }
    let of = |name: &String| {
        let source = name.trim_end_matches("_pct_female").to_string();
        Ok((source, column(path, "occupation", name)?))
    };
    columns.into_iter().map(of).collect()
}

fn column(path: &Path, label: &str, value: &str) -> Result<Table, DataError> {
    let sheet = sheet(path)?;
    let (label, value) = (sheet.column(label)?, sheet.column(value)?);
    let row = |line: Line| Ok((line.filled(label)?.to_lowercase(), line.number(value)?));
    sheet.lines().map(row).collect()
}

/// A table that may begin with comments, which count as lines.
fn sheet(path: &Path) -> Result<Sheet, DataError> {
    let text = text(path)?;
    let comments = text.lines().take_while(|line| line.starts_with('#')).count();
    let kept: String = text.lines().skip(comments).flat_map(|line| [line, "\n"]).collect();
    Sheet::behind(path, &kept, comments)
}
