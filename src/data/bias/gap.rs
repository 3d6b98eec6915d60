//! GAP (Webster et al. 2018): passages with a pronoun and two names, as published.

use super::{Lines, some};
use crate::data::DataError;
use crate::data::sheet::{Line, Sheet};
use std::path::Path;

/// A passage.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Passage {
    /// What stands before the pronoun and behind it.
    pub around: [String; 2],
    /// The pronoun.
    pub pronoun: String,
    /// Whether it is feminine.
    pub feminine: bool,
    /// The two names.
    pub names: [String; 2],
    /// Whether the pronoun means each of them; it may mean neither.
    pub means: [bool; 2],
}

const FEMININE: [&str; 3] = ["she", "her", "hers"];
const MASCULINE: [&str; 3] = ["he", "him", "his"];

/// The passages of a file.
pub fn gap(path: &Path) -> Result<Lines<Passage>, DataError> {
    of(path, &Sheet::read(path)?)
}

fn of(path: &Path, sheet: &Sheet) -> Result<Lines<Passage>, DataError> {
    let column = |name: &str| sheet.column(name);
    let [text, pronoun, offset] = [column("Text")?, column("Pronoun")?, column("Pronoun-offset")?];
    let (names, means) = ([column("A")?, column("B")?], [column("A-coref")?, column("B-coref")?]);
    let passage = |line: Line| {
        let (text, pronoun) = (line.untrimmed(text), line.filled(pronoun)?.to_string());
        let lower = pronoun.to_lowercase();
        let feminine = FEMININE.contains(&lower.as_str());
        if !feminine && !MASCULINE.contains(&lower.as_str()) {
            return Err(line.wrong(format!("{pronoun:?} is no pronoun of she or he")));
        }
        let around = split(text, &pronoun, line.number(offset)?)
            .ok_or_else(|| line.wrong(format!("{pronoun:?} does not stand at `Pronoun-offset`")))?;
        let truth = |column: usize| match line.cell(column).to_uppercase().as_str() {
            "TRUE" => Ok(true),
            "FALSE" => Ok(false),
            _ => Err(line.wrong("`A-coref` and `B-coref` must be TRUE or FALSE")),
        };
        let means = [truth(means[0])?, truth(means[1])?];
        let names = [line.filled(names[0])?.to_string(), line.filled(names[1])?.to_string()];
        Ok((line.number, Passage { around, pronoun, feminine, names, means }))
    };
    some(path, sheet.lines().map(passage).collect::<Result<_, _>>()?)
}

/// Around the pronoun at an offset, which counts letters.
fn split(text: &str, pronoun: &str, offset: usize) -> Option<[String; 2]> {
    let at = text.char_indices().map(|(at, _)| at).chain([text.len()]).nth(offset)?;
    let behind = text[at..].strip_prefix(pronoun)?;
    Some([text[..at].trim_end().to_string(), behind.to_string()])
}

#[cfg(test)]
mod tests {
    use super::*;

    const ROWS: &str = "ID\tText\tPronoun\tPronoun-offset\tA\tA-offset\tA-coref\tB\tB-offset\tB-coref\tURL\n\
                        t-1\tZoë met Ann when she ran.\tshe\t17\tZoë\t0\tTRUE\tAnn\t8\tFALSE\thttp://x\n";

    fn told(text: &str) -> Result<Lines<Passage>, String> {
        let path = Path::new("g.tsv");
        Sheet::of(path, text).and_then(|sheet| of(path, &sheet)).map_err(|error| error.to_string())
    }

    #[test]
    fn offsets_count_letters() {
        let found = &told(ROWS).unwrap()[0].1;
        assert_eq!(found.around, ["Zoë met Ann when".to_string(), " ran.".to_string()]);
        assert_eq!((found.feminine, found.means), (true, [true, false]));
    }

    #[test]
    fn a_malformed_passage_is_named() {
        for (from, to, expected) in [
            ("\t17\t", "\t16\t", "g.tsv:2: \"she\" does not stand at `Pronoun-offset`"),
            ("\t17\t", "\t99\t", "g.tsv:2: \"she\" does not stand"),
            ("TRUE", "yes", "g.tsv:2: `A-coref` and `B-coref` must be"),
            ("\tshe\t", "\tthey\t", "g.tsv:2: \"they\" is no pronoun"),
        ] {
            let told = told(&ROWS.replace(from, to)).unwrap_err();
            assert!(told.starts_with(expected), "{told}");
        }
    }
}
