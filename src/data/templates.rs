//! Templates with slots, expanded over lists.

use super::{DataError, PAIR, Sourced};
use crate::spec::{Answer, Both, Pair, Prompt, Subject, Templates};
use indexmap::IndexMap;

/// What fills the slots of one prompt: slot, then word.
type Filling = Vec<(String, String)>;

/// Every template with every contrast and every combination of the shared slots; at least one pair.
pub fn expand(spec: &Templates) -> Result<Vec<Sourced<Pair>>, DataError> {
    check(spec)?;
    let (clean, corrupt) = (aligned(&spec.clean, "clean")?, aligned(&spec.corrupt, "corrupt")?);
    let same_slots =
        spec.clean.len() == spec.corrupt.len() && spec.clean.keys().all(|slot| spec.corrupt.contains_key(slot));
    if clean.len() != corrupt.len() || !same_slots {
        return Err(wrong("`clean` and `corrupt` must have the same slots and lists of one length"));
    }
    let mut pairs: Vec<Pair> = Vec::new();
    for (number, template) in spec.templates.iter().enumerate() {
        for shared in combinations(&spec.shared) {
            for (clean, corrupt) in clean.iter().zip(&corrupt) {
                let fill_in = |own: &Filling| filled(spec, template, &[own.clone(), shared.clone()].concat());
                pairs.extend(both(spec, [number, pairs.len()], fill_in(clean)?, fill_in(corrupt)?));
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

/// A list for a slot that stands in no template is a slip of the pen.
fn unused(spec: &Templates) -> Result<(), DataError> {
    let mut slots = spec.clean.keys().chain(spec.corrupt.keys()).chain(spec.shared.keys());
    let stands = |slot: &String| spec.templates.iter().any(|template| template.contains(&format!("{{{slot}}}")));
    match slots.find(|slot| !stands(slot)) {
        Some(slot) => Err(wrong(&format!("{{{slot}}} has words, but stands in no template"))),
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
    let pair = |clean: &Filled, corrupt: &Filled, right: &str, wrong: &str| Pair {
        clean: Prompt::Text(clean.prompt.clone()),
        corrupt: Prompt::Text(corrupt.prompt.clone()),
        right: Answer::Text(right.into()),
        wrong: Answer::Text(wrong.into()),
        at: None,
        subject: clean.subject.clone(),
        labels: labels.clone(),
    };
    let mut pairs = vec![pair(&clean, &corrupt, &spec.right, &spec.wrong)];
    pairs.extend((spec.both_ways == Both::Yes).then(|| pair(&corrupt, &clean, &spec.wrong, &spec.right)));
    pairs
}

/// A template with its slots filled, and its subject.
struct Filled {
    prompt: String,
    subject: Option<Subject>,
}

fn filled(spec: &Templates, template: &str, filling: &Filling) -> Result<Filled, DataError> {
    let word = |slot: &String| {
        let found = filling.iter().find(|(known, _)| known == slot).map(|(_, word)| Subject::Words(word.clone()));
        found.ok_or_else(|| wrong(&format!("`subject` names the slot {{{slot}}}, which has no words")))
    };
    Ok(Filled { prompt: fill(template, filling)?, subject: spec.subject.as_ref().map(word).transpose()? })
}

/// Lists taken side by side: one filling an index.
fn aligned(lists: &IndexMap<String, Vec<String>>, name: &str) -> Result<Vec<Filling>, DataError> {
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

fn fill(template: &str, filling: &Filling) -> Result<String, DataError> {
    let refused = |why: String| wrong(&format!("template {template:?}: {why}"));
    let (mut text, mut rest) = (String::new(), template);
    while let Some((before, after)) = rest.split_once('{') {
        let (slot, behind) = after.split_once('}').ok_or_else(|| refused("a brace is not closed".into()))?;
        let word = filling.iter().find(|(known, _)| known == slot);
        let (_, word) = word.ok_or_else(|| refused(format!("nothing fills the slot {{{slot}}}")))?;
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

    fn spec() -> Templates {
        let list = |words: &[&str]| words.iter().map(|word| word.to_string()).collect::<Vec<_>>();
        Templates {
            templates: list(&["{name} saw the {thing}", "The {thing} saw {name}"]),
            clean: IndexMap::from([("name".into(), list(&["Ann", "Eve", "Amy"]))]),
            corrupt: IndexMap::from([("name".into(), list(&["Tom", "Ben", "Bob"]))]),
            shared: IndexMap::from([("thing".into(), list(&["cat", "dog"]))]),
            right: " she".into(),
            wrong: " he".into(),
            subject: None,
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
    fn a_slot_that_nothing_fills_is_named() {
        let templates = vec!["{name} saw the {thing}".into(), "{nane} ran".into()];
        let error = expand(&Templates { templates, ..spec() }).err().map(|error| error.to_string());
        assert_eq!(error.as_deref(), Some("template \"{nane} ran\": nothing fills the slot {nane}"));
    }

    #[test]
    fn a_list_for_no_slot_is_a_mistake() {
        let error = expand(&Templates { templates: vec!["{name} ran".into()], ..spec() }).err();
        assert_eq!(error, Some(wrong("{thing} has words, but stands in no template")));
    }
}
