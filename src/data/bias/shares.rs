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
    let row = |line: Line| {
        let share: f64 = line.number(value)?;
        if !(0.0..=100.0).contains(&share) {
            return Err(line.wrong(format!("{share} is no share in per cent, between 0 and 100")));
        }
        Ok((line.filled(label)?.to_lowercase(), share))
    };
    let table: Table = sheet.lines().map(row).collect::<Result<_, _>>()?;
    // numbers between 0 and 1 would be read as less than one in a hundred
    if !table.is_empty() && table.values().all(|share| *share <= 1.0) {
        let why =
            format!("no share in `{}` is above 1; write them in per cent, so 50 for one half", sheet.header()[value]);
        return Err(DataError::unreadable(path, why));
    }
    Ok(table)
}

/// A table that may begin with comments, which count as lines.
fn sheet(path: &Path) -> Result<Sheet, DataError> {
    let text = text(path)?;
    let comments = text.lines().take_while(|line| line.starts_with('#')).count();
    let kept: String = text.lines().skip(comments).flat_map(|line| [line, "\n"]).collect();
    Sheet::behind(path, &kept, comments)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(values: [&str; 2]) -> Result<Table, String> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("s.tsv");
        std::fs::write(&path, format!("# of women\njob\twomen\nClerk\t{}\nguard\t{}\n", values[0], values[1])).unwrap();
        column(&path, "job", "women").map_err(|error| error.to_string())
    }

    #[test]
    fn shares_are_in_per_cent() {
        assert_eq!(told(["0.5", "100"]).unwrap(), Table::from([("clerk".into(), 0.5), ("guard".into(), 100.0)]));
        for (values, expected) in [
            (["50", "100.5"], "s.tsv:4: 100.5 is no share in per cent"),
            (["-1", "50"], "s.tsv:3: -1 is no share in per cent"),
            (["NaN", "50"], "s.tsv:3: "),
            (["0.5", "1"], "s.tsv: no share in `women` is above 1; write them in per cent"),
        ] {
            let told = told(values).unwrap_err();
            assert!(told.contains(expected), "{told}");
        }
    }
}
