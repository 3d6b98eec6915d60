//! BBQ (Parrish et al. 2022): questions with three answers, one of them that nobody can tell; one JSON object a line.

use super::{Lines, some};
use crate::data::DataError;
use crate::data::jsonl::Row;
use crate::data::text_file::{lines, text};
use serde_json::{Map, Value};
use std::path::Path;

/// A question.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Question {
    /// What is told.
    pub context: String,
    /// What is asked.
    pub question: String,
    /// The answers.
    pub answers: [String; 3],
    /// Which is right.
    pub right: usize,
    /// Which says that nobody can tell.
    pub unknown: usize,
    /// Which goes with the stereotype: the stereotyped group where the question is negative, the other where it is not; none
    /// where the file does not say.
    pub biased: Option<usize>,
    /// Whether the context leaves the answer open.
    pub ambiguous: bool,
    /// Of which bias.
    pub category: String,
    /// Questions of one template have one.
    pub template: String,
}

/// The questions of a file.
pub fn bbq(path: &Path) -> Result<Lines<Question>, DataError> {
    let text = text(path)?;
    some(
        path,
        lines(&text).map(|(number, line)| Ok((number, question(path, number, line)?))).collect::<Result<_, _>>()?,
    )
}

fn question(path: &Path, number: usize, line: &str) -> Result<Question, DataError> {
    let row = Row::parse(path, number, line)?;
    let wrong = |why: &str| DataError::row(path, number, why);
    let word = |key: &str| row.read::<String>(key);
    let info: Map<String, Value> = row.read("answer_info")?;
    let groups = [0, 1, 2].map(|answer| named(info.get(&format!("ans{answer}"))));
    let unknown = groups.iter().position(|group| group.iter().any(|name| name == "unknown"));
    let stereotyped = Stereotyped::of(&row.read("additional_metadata")?);
    let unknown = unknown.ok_or_else(|| wrong("no answer of `answer_info` is \"unknown\""))?;
    let negative = match word("question_polarity")?.as_str() {
        "neg" => true,
        "nonneg" => false,
        _ => return Err(wrong("`question_polarity` must be neg or nonneg")),
    };
    let ambiguous = match word("context_condition")?.as_str() {
        "ambig" => true,
        "disambig" => false,
        _ => return Err(wrong("`context_condition` must be ambig or disambig")),
    };
    let right: usize = row.read("label")?;
    if right > 2 {
        return Err(wrong("`label` must be 0, 1 or 2"));
    }
    let category = word("category")?;
    Ok(Question {
        answers: [word("ans0")?, word("ans1")?, word("ans2")?],
        biased: biased(&groups, unknown, &stereotyped, negative),
        template: format!("{category} {}", row.label("question_index")?),
        context: word("context")?,
        question: word("question")?,
        category,
        right,
        unknown,
        ambiguous,
    })
}

/// Whom a question's stereotype is of.
struct Stereotyped {
    /// Any of these,
    groups: Vec<String>,
    /// who is this too: a gender or a status, in the categories of two attributes.
    also: Option<String>,
}

impl Stereotyped {
    fn of(about: &Map<String, Value>) -> Self {
        let names = |key: &str| match about.get(key) {
            Some(Value::Array(names)) => names.iter().filter_map(Value::as_str).map(plain).collect(),
            Some(Value::String(name)) if !name.trim().is_empty() => vec![plain(name)],
            _ => Vec::new(),
        };
        let either = |keys: [&str; 2]| keys.into_iter().map(names).find(|names| !names.is_empty()).unwrap_or_default();
        let groups = either(["stereotyped_groups", "known_stereotyped_race"]);
        Stereotyped { groups, also: names("known_stereotyped_var2").into_iter().next() }
    }

    fn is(&self, names: &[String]) -> bool {
        let has = |name: &String| names.contains(name);
        self.groups.iter().any(has) && self.also.as_ref().is_none_or(has)
    }
}

/// A group's name as it is compared: in lower case, and as the lists of stereotyped groups write it.
fn plain(name: &str) -> String {
    match name.trim().to_lowercase().as_str() {
        "lowses" => "low ses".into(),
        "highses" => "high ses".into(),
        name => name.to_string(),
    }
}

/// The names of an answer's group; the last of them may be of two attributes, `F-Black` or `lowSES-Black`.
fn named(value: Option<&Value>) -> Vec<String> {
    let names: Vec<&str> = value.and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str).collect();
    let parts = names.last().into_iter().flat_map(|last| last.split(['-', '_']));
    names.iter().copied().chain(parts).map(plain).collect()
}

/// The answer that goes with the stereotype, where just one of the two groups is the stereotyped one.
fn biased(groups: &[Vec<String>; 3], unknown: usize, stereotyped: &Stereotyped, negative: bool) -> Option<usize> {
    let of = |answer: &usize| stereotyped.is(&groups[*answer]);
    let (those, others): (Vec<usize>, Vec<usize>) = (0..3).filter(|answer| *answer != unknown).partition(of);
    let ([target], [other]) = (those.as_slice(), others.as_slice()) else { return None };
    Some(if negative { *target } else { *other })
}

#[cfg(test)]
mod tests {
    use super::*;

    const LINE: &str = r#"{"example_id": 0, "question_index": "1", "question_polarity": "neg", "context_condition": "ambig", "category": "Religion", "answer_info": {"ans0": ["Jewish", "Jewish"], "ans1": ["Can't answer", "unknown"], "ans2": ["Muslim", "Muslim"]}, "additional_metadata": {"stereotyped_groups": ["Muslim"]}, "context": "C.", "question": "Q?", "ans0": "a", "ans1": "b", "ans2": "c", "label": 1}"#;

    fn told(line: &str) -> Result<Question, String> {
        question(Path::new("b.jsonl"), 1, line).map_err(|error| error.to_string())
    }

    #[test]
    fn what_goes_with_the_stereotype_turns_with_the_question() {
        let one = told(LINE).unwrap();
        assert_eq!((one.unknown, one.right, one.biased, one.ambiguous), (1, 1, Some(2), true));
        assert_eq!(told(&LINE.replace("\"neg\"", "\"nonneg\"")).unwrap().biased, Some(0));
        assert_eq!(told(&LINE.replace("[\"Muslim\"]", "[\"Other\"]")).unwrap().biased, None);
    }

    #[test]
    fn groups_are_known_by_either_of_their_names() {
        // answers' groups as the categories write them, and their lists of stereotyped groups
        let told = |one: &str, other: &str, listed: &str| {
            let line = LINE.replace("[\"Jewish\", \"Jewish\"]", &format!("[\"the one\", \"{one}\"]"));
            let line = line.replace("[\"Muslim\", \"Muslim\"]", &format!("[\"the other\", \"{other}\"]"));
            self::told(&line.replace("\"stereotyped_groups\": [\"Muslim\"]", listed)).unwrap().biased
        };
        let groups = |names: &str| format!("\"stereotyped_groups\": [{names}]");
        assert_eq!(told("highSES", "lowSES", &groups("\"low SES\"")), Some(2));
        assert_eq!(told("F-Black", "F-White", &groups("\"Black\", \"African American\"")), Some(0));
        assert_eq!(told("nonTrans_F", "trans_F", &groups("\"Transgender women\", \"trans\"")), Some(2));
        assert_eq!(told("nonOld", "old", &groups("\"old\"")), Some(2));
        let both = "\"known_stereotyped_race\": [\"Black\"], \"known_stereotyped_var2\": \"lowSES\"";
        assert_eq!(told("highSES-Black", "lowSES-Black", both), Some(2));
        assert_eq!(told("lowSES-White", "lowSES-Black", both), Some(2));
        assert_eq!(told("lowSES-White", "highSES-Black", both), None);
    }

    #[test]
    fn a_malformed_question_is_named() {
        for (from, to, expected) in [
            ("\"label\": 1", "\"label\": 3", "b.jsonl:1: `label` must be 0, 1 or 2"),
            ("\"unknown\"", "\"x\"", "b.jsonl:1: no answer of `answer_info` is \"unknown\""),
            ("\"question\": \"Q?\", ", "", "b.jsonl:1: there is no key `question`"),
            ("\"ambig\"", "\"am\"", "b.jsonl:1: `context_condition` must be ambig or disambig"),
            ("}, \"context\"", ", \"context\"", "b.jsonl:1: no JSON object"),
        ] {
            let told = told(&LINE.replace(from, to)).unwrap_err();
            assert!(told.starts_with(expected), "{told}");
        }
    }
}
