//! Templates with slots, expanded over lists.

use super::{DataError, PAIR, Sourced};
use crate::spec::{Answer, Both, Pair, Prompt, Subject, Templates};
use indexmap::IndexMap;

/// What fills the slots of one prompt: slot, then word.
type Filling = Vec<(String, String)>;

/// The clean or the corrupted prompts.
struct Side<'a> {
    /// The lists that fill their slots, and what these are called.
    lists: &'a IndexMap<String, Vec<String>>,
    list: &'static str,
    /// What stands behind them, filled alike, and what that is called.
    answer: &'a Answer,
    name: &'static str,
}

fn sides(spec: &Templates) -> [Side<'_>; 2] {
    [
        Side { lists: &spec.clean, list: "clean", answer: &spec.right, name: "right" },
        Side { lists: &spec.corrupt, list: "corrupt", answer: &spec.wrong, name: "wrong" },
    ]
}

/// Every template with every contrast and every combination of the shared slots; at least one pair.
pub fn expand(spec: &Templates) -> Result<Vec<Sourced<Pair>>, DataError> {
    check(spec)?;
    let sides = sides(spec);
    let [clean, corrupt] = [aligned(&sides[0])?, aligned(&sides[1])?];
    if clean.len() != corrupt.len() {
        let (clean, corrupt) = (clean.len(), corrupt.len());
        return Err(wrong(&format!("the lists of `clean` have {clean} entries and those of `corrupt` {corrupt}")));
    }
    let mut pairs: Vec<Pair> = Vec::new();
    for (number, template) in spec.templates.iter().enumerate() {
        for shared in combinations(&spec.shared) {
            for own in clean.iter().zip(&corrupt) {
                let fill_in = |side: usize, own: &Filling| {
                    filled(spec, template, &sides[side], &[own.clone(), shared.clone()].concat())
                };
                let (clean, corrupt) = (fill_in(0, own.0)?, fill_in(1, own.1)?);
                pairs.extend(both(spec, [number, pairs.len()], clean, corrupt));
            }
        }
    }
    unused(spec)?;
    let sourced = |(index, pair)| Sourced { at: format!("data[{index}]"), what: pair };
    Ok(pairs.into_iter().enumerate().map(sourced).collect())
}

/// The most pairs that templates may make: more would not fit into memory.
const MOST: usize = 10_000_000;

fn check(spec: &Templates) -> Result<(), DataError> {
    let empty = |what: String| Err(DataError::Empty(what));
    if spec.templates.is_empty() {
        return empty("`templates` is empty".into());
    }
    if spec.items == Some(0) {
        return empty("`items` is 0".into());
    }
    if let Some((slot, _)) = spec.shared.iter().find(|(_, words)| words.is_empty()) {
        return empty(format!("the list of `shared` for {{{slot}}} is empty"));
    }
    let lists = spec.shared.values().chain(spec.clean.values().take(1)).map(Vec::len);
    let pairs = lists.fold(spec.templates.len(), usize::saturating_mul);
    if pairs > MOST {
        return Err(wrong(&format!("these templates make {pairs} pairs; {MOST} are the most")));
    }
    Ok(())
}

/// A list for a slot that stands nowhere is a slip of the pen: neither in a template nor in an answer that it fills.
fn unused(spec: &Templates) -> Result<(), DataError> {
    let stands = |slot: &str, answers: &[&Answer]| {
        let slot = format!("{{{slot}}}");
        let answers = answers.iter().flat_map(|answer| answer.texts());
        spec.templates.iter().map(String::as_str).chain(answers).any(|text| text.contains(&slot))
    };
    let idle = |slot: &str, list: &str, answers: &str| {
        Err(wrong(&format!("{{{slot}}} of `{list}` has words, but stands in no template and not in {answers}")))
    };
    for side in sides(spec) {
        if let Some(slot) = side.lists.keys().find(|slot| !stands(slot, &[side.answer])) {
            return idle(slot, side.list, &format!("`{}`", side.name));
        }
    }
    match spec.shared.keys().find(|slot| !stands(slot, &[&spec.right, &spec.wrong])) {
        Some(slot) => idle(slot, "shared", "`right` or `wrong`"),
        None => Ok(()),
    }
}

/// A pair, and where both ways are asked its reverse; the label `pair` makes the two one observation of the statistics.
fn both(spec: &Templates, [template, pair]: [usize; 2], clean: Filled, corrupt: Filled) -> Vec<Pair> {
    let template = ("template".to_string(), template.to_string());
    let labels = match spec.both_ways {
        Both::No => IndexMap::from([template]),
        Both::Yes => IndexMap::from([template, (PAIR.to_string(), pair.to_string())]),
    };
    let labels =
        |own: &Filled| labels.iter().map(|(name, value)| (name.clone(), value.clone())).chain(own.words.clone());
    let pair = |clean: &Filled, corrupt: &Filled| Pair {
        clean: Prompt::Text(clean.prompt.clone()),
        corrupt: Prompt::Text(corrupt.prompt.clone()),
        right: clean.answer.clone(),
        wrong: corrupt.answer.clone(),
        at: None,
        subject: clean.subject.clone(),
        labels: labels(clean).collect(),
    };
    let mut pairs = vec![pair(&clean, &corrupt)];
    pairs.extend((spec.both_ways == Both::Yes).then(|| pair(&corrupt, &clean)));
    pairs
}

/// A template with its slots filled, its answer, and its subject.
struct Filled {
    prompt: String,
    answer: Answer,
    subject: Option<Subject>,
    /// What is kept of its words.
    words: Filling,
}

fn filled(spec: &Templates, template: &str, side: &Side, filling: &Filling) -> Result<Filled, DataError> {
    let word = |slot: &String| {
        let found = filling.iter().find(|(known, _)| known == slot).map(|(_, word)| Subject::Words(word.clone()));
        found.ok_or_else(|| wrong(&format!("`subject` names the slot {{{slot}}}, which has no words")))
    };
    let labelled = |slot: &String| {
        let found = filling.iter().find(|(known, _)| known == slot).cloned();
        found.ok_or_else(|| wrong(&format!("`labels` names the slot {{{slot}}}, which has no words")))
    };
    Ok(Filled {
        words: spec.labels.iter().map(labelled).collect::<Result<_, _>>()?,
        prompt: fill("template", template, side.list, filling)?,
        answer: side.answer.map(|text| fill(&format!("`{}`", side.name), text, side.list, filling))?,
        subject: spec.subject.as_ref().map(word).transpose()?,
    })
}

/// Lists taken side by side: one filling an index.
fn aligned(side: &Side) -> Result<Vec<Filling>, DataError> {
    let (lists, name) = (side.lists, side.list);
    let length = lists.values().map(Vec::len).max().unwrap_or(0);
    if length == 0 || lists.values().any(|list| list.len() != length) {
        return Err(wrong(&format!("the lists of `{name}` must have one length above 0")));
    }
    let filling = |index: usize| lists.iter().map(|(slot, words)| (slot.clone(), words[index].clone())).collect();
    Ok((0..length).map(filling).collect())
}

/// Every combination of one word a slot.
fn combinations(lists: &IndexMap<String, Vec<String>>) -> Vec<Filling> {
    let extend = |fillings: Vec<Filling>, (slot, words): (&String, &Vec<String>)| {
        let with = |filling: &Filling| {
            let filling = filling.clone();
            words.iter().map(move |word| [filling.clone(), vec![(slot.clone(), word.clone())]].concat())
        };
        fillings.iter().flat_map(with).collect()
    };
    lists.iter().fold(vec![Vec::new()], extend)
}

/// A text with its slots filled; `what` it is and which `list` fills it, for errors.
fn fill(what: &str, template: &str, list: &str, filling: &Filling) -> Result<String, DataError> {
    let refused = |why: String| wrong(&format!("{what} {template:?}: {why}"));
    let (mut text, mut rest) = (String::new(), template);
    while let Some((before, after)) = rest.split_once('{') {
        let (slot, behind) = after.split_once('}').ok_or_else(|| refused("a brace is not closed".into()))?;
        let word = filling.iter().find(|(known, _)| known == slot);
        let nothing = || refused(format!("nothing fills the slot {{{slot}}}; neither `{list}` nor `shared` has it"));
        let (_, word) = word.ok_or_else(nothing)?;
        text = text + before + word;
        rest = behind;
    }
    Ok(text + rest)
}

fn wrong(why: &str) -> DataError {
    DataError::Templates(why.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn list(words: &[&str]) -> Vec<String> {
        words.iter().map(|word| word.to_string()).collect()
    }

    fn spec() -> Templates {
        Templates {
            templates: list(&["{name} saw the {thing}", "The {thing} saw {name}"]),
            clean: IndexMap::from([("name".into(), list(&["Ann", "Eve", "Amy"]))]),
            corrupt: IndexMap::from([("name".into(), list(&["Tom", "Ben", "Bob"]))]),
            shared: IndexMap::from([("thing".into(), list(&["cat", "dog"]))]),
            right: " she".into(),
            wrong: " he".into(),
            subject: None,
            labels: Vec::new(),
            both_ways: Both::No,
            items: None,
        }
    }

    #[test]
    fn every_template_contrast_and_combination_makes_a_pair() {
        let pairs = expand(&spec()).unwrap();
        assert_eq!(pairs.len(), 2 * 3 * 2);
        assert_eq!(
            (&pairs[0].what.clean, &pairs[0].what.corrupt),
            (&Prompt::Text("Ann saw the cat".into()), &Prompt::Text("Tom saw the cat".into()))
        );
        let both = expand(&Templates { both_ways: Both::Yes, ..spec() }).unwrap();
        assert_eq!((both.len(), &both[1].what.right), (24, &Answer::Text(" he".into())));
    }

    #[test]
    fn the_subject_is_the_word_of_its_slot_in_the_clean_prompt() {
        let of = |slot: &str| expand(&Templates { subject: Some(slot.into()), both_ways: Both::Yes, ..spec() });
        let pairs = of("name").unwrap();
        let subject = |index: usize| pairs[index].what.subject.clone();
        assert_eq!((subject(0), subject(1)), (Some(Subject::Words("Ann".into())), Some(Subject::Words("Tom".into()))));
        assert_eq!(of("nane").err(), Some(wrong("`subject` names the slot {nane}, which has no words")));
    }

    #[test]
    fn labels_are_the_words_of_the_clean_prompt() {
        let of = |slot: &str| expand(&Templates { labels: list(&[slot]), both_ways: Both::Yes, ..spec() });
        let pairs = of("name").unwrap();
        let label = |index: usize| pairs[index].what.labels.get("name").map(String::as_str);
        assert_eq!((label(0), label(1), label(2)), (Some("Ann"), Some("Tom"), Some("Eve")));
        assert_eq!(of("thing").unwrap()[0].what.labels["thing"], "cat");
        assert_eq!(of("nane").err(), Some(wrong("`labels` names the slot {nane}, which has no words")));
    }

    #[test]
    fn a_slot_that_nothing_fills_is_named() {
        let templates = vec!["{name} saw the {thing}".into(), "{nane} ran".into()];
        let error = expand(&Templates { templates, ..spec() }).err().map(|error| error.to_string());
        assert_eq!(
            error.as_deref(),
            Some("template \"{nane} ran\": nothing fills the slot {nane}; neither `clean` nor `shared` has it")
        );
    }

    #[test]
    fn a_list_for_no_slot_is_a_mistake() {
        let error = expand(&Templates { templates: vec!["{name} ran".into()], ..spec() }).err();
        assert_eq!(
            error,
            Some(wrong("{thing} of `shared` has words, but stands in no template and not in `right` or `wrong`"))
        );
    }
}
