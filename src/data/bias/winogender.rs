//! Winogender schemas (Rudinger et al. 2018): `all_sentences.tsv`, a sentence with each of three pronouns.

use super::{Lines, some};
use crate::data::DataError;
use crate::data::sheet::Sheet;
use indexmap::IndexMap;
use std::path::Path;

/// A sentence with a feminine, a masculine and a neutral pronoun.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pronouns {
    /// The occupation.
    pub occupation: String,
    /// Whether the pronoun means the occupation, or the other person.
    pub of_occupation: bool,
    /// Female, male, and neutral where there is one.
    pub sentences: Vec<String>,
}

/// In the order of [`Pronouns::sentences`].
const GENDERS: [&str; 3] = ["female", "male", "neutral"];

/// The sentences of a file, those of one schema together, at the line of the first.
pub fn winogender(path: &Path) -> Result<Lines<Pronouns>, DataError> {
    of(path, &Sheet::read(path)?)
}

fn of(path: &Path, sheet: &Sheet) -> Result<Lines<Pronouns>, DataError> {
    let (name, sentence) = (sheet.column("sentid")?, sheet.column("sentence")?);
    let mut schemas: IndexMap<[&str; 3], (usize, [Option<String>; 3])> = IndexMap::new();
    for line in sheet.lines() {
        let parts: Vec<&str> = line.filled(name)?.split('.').collect();
        let gender = parts.get(3).and_then(|gender| GENDERS.iter().position(|known| known == gender));
        let (Some(gender), [occupation, other, referent @ ("0" | "1"), ..]) = (gender, parts.as_slice()) else {
            let why = format!(
                "{:?} is no name of a sentence; expected for instance technician.customer.1.male.txt",
                line.cell(name)
            );
            return Err(line.wrong(why));
        };
        let schema = schemas.entry([*occupation, *other, *referent]).or_insert((line.number, Default::default()));
        if schema.1[gender].replace(line.filled(sentence)?.into()).is_some() {
            return Err(line.wrong(format!("{:?} stands twice", line.cell(name))));
        }
    }
    let pronouns = |(key, (line, sentences)): ([&str; 3], (usize, [Option<String>; 3]))| {
        let [Some(female), Some(male), neutral] = sentences else {
            let why = format!("{} needs its sentence with the feminine and with the masculine pronoun", key.join("."));
            return Err(DataError::row(path, line, why));
        };
        let sentences = [female, male].into_iter().chain(neutral).collect();
        Ok((line, Pronouns { occupation: key[0].to_lowercase(), of_occupation: key[2] == "0", sentences }))
    };
    some(path, schemas.into_iter().map(pronouns).collect::<Result<_, _>>()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    const ROWS: &str = "sentid\tsentence\nclerk.guest.0.male.txt\tThe clerk said he was.\n\
                        clerk.guest.0.female.txt\tThe clerk said she was.\nclerk.guest.1.female.txt\tA.\nclerk.guest.1.male.txt\tB.\n";

    fn told(text: &str) -> Result<Lines<Pronouns>, String> {
        let path = Path::new("w.tsv");
        Sheet::of(path, text).and_then(|sheet| of(path, &sheet)).map_err(|error| error.to_string())
    }

    #[test]
    fn sentences_of_a_schema_stand_together() {
        let found = told(ROWS).unwrap();
        assert_eq!(found.len(), 2);
        assert_eq!(found[0].1.sentences, ["The clerk said she was.", "The clerk said he was."]);
        assert_eq!((found[0].1.of_occupation, found[1].1.of_occupation), (true, false));
    }

    #[test]
    fn what_is_missing_is_named() {
        assert!(
            told(&ROWS.replace("0.male", "2.male"))
                .unwrap_err()
                .starts_with("w.tsv:2: \"clerk.guest.2.male.txt\" is no name")
        );
        assert!(
            told(&ROWS.replace("1.male", "1.neutral"))
                .unwrap_err()
                .starts_with("w.tsv:4: clerk.guest.1 needs its sentence")
        );
        assert!(told(&ROWS.replace("1.male", "1.female")).unwrap_err().contains("stands twice"));
    }
}
