//! Texts to calibrate treatments of the weights on: a whole file, or the pairs of CrowS-Pairs.

use super::DataError;
use std::path::Path;

/// The columns of CrowS-Pairs (Nangia et al. 2020): the sentence that is more of a stereotype, and the one that is less.
const COLUMNS: [&str; 2] = ["sent_more", "sent_less"];

/// A text file.
pub fn text(path: &Path) -> Result<String, DataError> {
    std::fs::read_to_string(path).map_err(|error| DataError::unreadable(path, error))
}

/// Stereotypes and anti-stereotypes of a CSV file, each with its line.
pub fn crows_pairs(path: &Path) -> Result<Vec<(usize, [String; 2])>, DataError> {
    let bytes = std::fs::read(path).map_err(|error| DataError::unreadable(path, error))?;
    let mut reader = csv::Reader::from_reader(bytes.as_slice());
    let header = reader.headers().map_err(|error| DataError::unreadable(path, error))?.clone();
    let absent = |name: &str| {
        let known: Vec<&str> = header.iter().collect();
        DataError::row(path, 1, format!("there is no column `{name}`; the header has {}", known.join(", ")))
    };
    let find = |name: &str| header.iter().position(|known| known == name).ok_or_else(|| absent(name));
    let columns = [find(COLUMNS[0])?, find(COLUMNS[1])?];
    let mut pairs = Vec::new();
    for record in reader.records() {
        let record = record.map_err(|error| DataError::unreadable(path, error))?;
        let line = record.position().map_or(0, |at| at.line() as usize);
        pairs.push((line, columns.map(|column| record[column].to_string())));
    }
    Ok(pairs)
}
