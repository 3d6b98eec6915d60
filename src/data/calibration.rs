//! Texts to calibrate treatments of the weights on: the pairs of CrowS-Pairs.

use super::DataError;
use super::sheet::Sheet;
use std::path::Path;

/// Stereotypes and anti-stereotypes of a CSV file with the columns of CrowS-Pairs (Nangia et al. 2020), each with its line.
pub fn crows_pairs(path: &Path) -> Result<Vec<(usize, [String; 2])>, DataError> {
    let sheet = Sheet::read(path)?;
    let columns = [sheet.column("sent_more")?, sheet.column("sent_less")?];
    let pair = |line: super::sheet::Line| {
        let [more, less] = columns.map(|column| line.filled(column));
        Ok((line.number, [more?.to_string(), less?.to_string()]))
    };
    sheet.lines().map(pair).collect()
}
