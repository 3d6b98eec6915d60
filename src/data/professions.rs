//! The professions of Vig et al. 2020 in their templates, each against the gender that its stereotype is not.
//!
//! The file is a JSON list of `[profession, definitional, stereotypical]`. What a profession leans to is the sum of the two
//! numbers: below zero `she` is the stereotypical answer and `man` takes the profession's place in the corrupted prompt,
//! above zero `he` and `woman`. One that leans to nothing has no stereotype to go against and is left out.

use super::DataError;
use crate::spec::{Answer, Pair, Professions, Prompt, Subject};
use indexmap::IndexMap;

const SLOT: &str = "{profession}";

/// Every template with every profession that leans somewhere, each with its number in the list.
pub fn read(file: &Professions) -> Result<Vec<(usize, Pair)>, DataError> {
    if file.items == Some(0) {
        return Err(DataError::Empty("`items` is 0".into()));
    }
    let text = super::text_file::text(&file.path)?;
    let professions = professions(file, &text)?;
    let mut pairs = Vec::new();
    for (number, template) in file.templates.iter().enumerate() {
        check(template)?;
        let pair = |(line, word, lean): &(usize, String, f64)| (*line, pair(template, number, word, *lean));
        pairs.extend(professions.iter().map(pair));
    }
    Ok(pairs)
}

/// The professions that are spoken of: place in the list, word, and what it leans to.
fn professions(file: &Professions, text: &str) -> Result<Vec<(usize, String, f64)>, DataError> {
    let broken = |error: serde_json::Error| DataError::row(&file.path, error.line(), format!("no JSON list: {error}"));
    let list: Vec<serde_json::Value> = serde_json::from_str(text).map_err(broken)?;
    let mut found = Vec::new();
    for (index, entry) in list.into_iter().enumerate() {
        let shown = entry.to_string();
        let wrong = |_| {
            let why = format!("{shown} is no profession; expected for instance [\"nurse\", 0.0, -0.9]");
            DataError::row(&file.path, index + 1, why)
        };
        let (word, definitional, stereotypical): (String, f64, f64) = serde_json::from_value(entry).map_err(wrong)?;
        let lean = definitional + stereotypical;
        if definitional.abs() < file.definitional && lean != 0.0 {
            found.push((index + 1, word.replace('_', " "), lean));
        }
    }
    Ok(found)
}

fn check(template: &str) -> Result<(), DataError> {
    if template.matches(SLOT).count() == 1 && !template.replace(SLOT, "").contains(['{', '}']) {
        return Ok(());
    }
    Err(DataError::Templates(format!("template {template:?}: {SLOT} must stand in it once, and no other slot")))
}

fn pair(template: &str, number: usize, word: &str, lean: f64) -> Pair {
    let prompt = |word: &str| Prompt::Text(template.replace(SLOT, word));
    let [right, wrong, person] = if lean < 0.0 { [" she", " he", "man"] } else { [" he", " she", "woman"] };
    let labels = [("template", number.to_string()), ("profession", word.to_string())];
    Pair {
        clean: prompt(word),
        corrupt: prompt(person),
        right: Answer::from(right),
        wrong: Answer::from(wrong),
        at: None,
        subject: Some(Subject::Words(word.to_string())),
        labels: labels.map(|(name, value)| (name.to_string(), value)).into_iter().collect::<IndexMap<_, _>>(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file() -> Professions {
        Professions {
            path: "p.json".into(),
            templates: vec!["The {profession} said that".into()],
            definitional: 0.75,
            items: None,
        }
    }

    #[test]
    fn a_profession_stands_against_the_gender_it_does_not_lean_to() {
        let text = r#"[["nurse", -0.1, -0.9], ["actress", -1.0, 0.0], ["boxer", 0.0, 0.9], ["clerk", 0.3, -0.3],
            ["stage_hand", 0.1, 0.2]]"#;
        let found = professions(&file(), text).unwrap();
        let lines: Vec<usize> = found.iter().map(|(line, ..)| *line).collect();
        assert_eq!((lines, found[2].1.as_str()), (vec![1, 3, 5], "stage hand"));
        let nurse = pair(&file().templates[0], 0, "nurse", found[0].2);
        assert_eq!((&nurse.right, &nurse.wrong), (&" she".into(), &" he".into()));
        assert_eq!(nurse.corrupt, Prompt::Text("The man said that".into()));
        let boxer = pair(&file().templates[0], 0, "boxer", found[1].2);
        assert_eq!((&boxer.right, &boxer.corrupt), (&" he".into(), &Prompt::Text("The woman said that".into())));
    }

    #[test]
    fn what_is_no_profession_is_named_with_its_place() {
        let told = |text: &str| professions(&file(), text).unwrap_err().to_string();
        assert_eq!(
            told("[[\"nurse\", 0, -1], [\"boxer\", 1]]"),
            "p.json:2: [\"boxer\",1] is no profession; expected for instance [\"nurse\", 0.0, -0.9]"
        );
        assert!(told("{}").starts_with("p.json:1: no JSON list: "));
        assert!(told("[\n[").starts_with("p.json:2: no JSON list: "));
    }

    #[test]
    fn a_template_without_its_slot_is_refused() {
        for template in ["The nurse said", "The {profession} and {profession}", "The {profession} of {place}", "{"] {
            assert!(check(template).is_err(), "{template}");
        }
    }

    #[test]
    fn the_templates_of_the_paper_are_seventeen() {
        let file: Professions = crate::spec::options().from_str("(path: \"p.json\")").unwrap();
        assert_eq!((file.templates.len(), file.definitional), (17, 0.75));
        assert!(file.templates.iter().all(|template| check(template).is_ok()));
    }
}
