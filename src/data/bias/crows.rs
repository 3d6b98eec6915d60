//! CrowS-Pairs (Nangia et al. 2020), and its French edition (Névéol et al. 2022) with tabs and other columns.

use super::{Lines, SentencePair, some};
use crate::data::DataError;
use crate::data::sheet::Sheet;
use crate::spec::CrowsPairs;

/// The pairs; the first sentence of each is `sent_more`. Kinds of bias are read without regard to capitals.
pub fn crows(file: &CrowsPairs) -> Result<Lines<SentencePair>, DataError> {
    of(file, &Sheet::read(&file.path)?)
}

fn of(file: &CrowsPairs, sheet: &Sheet) -> Result<Lines<SentencePair>, DataError> {
    let [more, less] = [sheet.column(&file.more)?, sheet.column(&file.less)?];
    let [direction, kind] = [sheet.column("stereo_antistereo")?, sheet.column(&file.bias_type)?];
    let mut pairs = Vec::new();
    for line in sheet.lines() {
        // the French edition has rows of which a sentence is missing
        if let Some(empty) = [more, less, kind].into_iter().find(|column| line.cell(*column).is_empty()) {
            if file.skip_empty {
                continue;
            }
            return Err(
                line.wrong(format!("`{}` is empty; `skip_empty: true` leaves such rows out", sheet.header()[empty]))
            );
        }
        let direction = line.cell(direction).to_lowercase();
        if !["stereo", "antistereo"].contains(&direction.as_str()) {
            let why = format!("`stereo_antistereo` is {direction:?}; expected stereo or antistereo");
            return Err(line.wrong(why));
        }
        let pair = SentencePair {
            first: line.cell(more).into(),
            second: line.cell(less).into(),
            group: line.cell(kind).to_lowercase(),
            also: Some(direction),
            cluster: None,
        };
        pairs.push((line.number, pair));
    }
    some(&file.path, pairs)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::Path;

    fn told(text: &str) -> Result<Lines<SentencePair>, String> {
        let file = CrowsPairs::new("c.csv");
        let sheet = Sheet::of(Path::new("c.csv"), text).map_err(|error| error.to_string())?;
        of(&file, &sheet).map_err(|error| error.to_string())
    }

    const ROWS: &str = ",sent_more,sent_less,stereo_antistereo,bias_type\n0,\"A, b\",\"A, c\",stereo,Race-color\n";

    #[test]
    fn commas_and_tabs_are_one_format() {
        let pairs = told(ROWS).unwrap();
        assert_eq!(pairs[0].0, 2);
        assert_eq!((pairs[0].1.first.as_str(), pairs[0].1.group.as_str()), ("A, b", "race-color"));
        let tabs = "\tsent_more\tsent_less\tstereo_antistereo\tbias_type\r\n0\tA, b\tA, c\tstereo\trace-color\r\n";
        assert_eq!(told(tabs).unwrap(), pairs);
    }

    #[test]
    fn a_malformed_row_is_named() {
        assert!(
            told(&ROWS.replace("stereo,R", "sterio,R")).unwrap_err().starts_with("c.csv:2: `stereo_antistereo` is")
        );
        assert!(told(&ROWS.replace("\"A, b\"", "")).unwrap_err().starts_with("c.csv:2: `sent_more` is empty"));
        assert!(
            told(&ROWS.replace("sent_less,", "less,"))
                .unwrap_err()
                .starts_with("c.csv:1: there is no column `sent_less`")
        );
        assert_eq!(told(&ROWS[..ROWS.find('0').unwrap()]).unwrap_err(), "c.csv: has no row");
    }
}
