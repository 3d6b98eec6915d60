//! Templates with slots, expanded over lists.

use super::DataError;
use crate::spec::{Answer, Both, Pair, Prompt, Templates};
use indexmap::IndexMap;

/// What fills the slots of one prompt: slot, then word.
type Filling = Vec<(String, String)>;

/// Every template with every contrast and every combination of the shared slots.
pub fn expand(spec: &Templates) -> Result<Vec<Pair>, DataError> {
    let (clean, corrupt) = (aligned(&spec.clean, "clean")?, aligned(&spec.corrupt, "corrupt")?);
    let same_slots =
        spec.clean.len() == spec.corrupt.len() && spec.clean.keys().all(|slot| spec.corrupt.contains_key(slot));
    if clean.len() != corrupt.len() || !same_slots {
        return Err(wrong("`clean` and `corrupt` must have the same slots and lists of one length"));
    }
    let mut pairs = Vec::new();
    for (number, template) in spec.templates.iter().enumerate() {
        for shared in combinations(&spec.shared) {
            for (clean, corrupt) in clean.iter().zip(&corrupt) {
                let fill_in = |own: &Filling| fill(template, &[own.clone(), shared.clone()].concat());
                pairs.extend(both(spec, number, fill_in(clean)?, fill_in(corrupt)?));
            }
        }
    }
    Ok(pairs)
}

fn both(spec: &Templates, template: usize, clean: String, corrupt: String) -> Vec<Pair> {
    let pair = |clean: &str, corrupt: &str, right: &str, wrong: &str| Pair {
        clean: Prompt::Text(clean.into()),
        corrupt: Prompt::Text(corrupt.into()),
        right: Answer::Text(right.into()),
        wrong: Answer::Text(wrong.into()),
        at: None,
        labels: IndexMap::from([("template".to_string(), template.to_string())]),
    };
    let mut pairs = vec![pair(&clean, &corrupt, &spec.right, &spec.wrong)];
    pairs.extend((spec.both_ways == Both::Yes).then(|| pair(&corrupt, &clean, &spec.wrong, &spec.right)));
    pairs
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
    let put = |text: String, (slot, word): &(String, String)| text.replace(&format!("{{{slot}}}"), word);
    let text = filling.iter().fold(template.to_string(), put);
    match text.find('{') {
        Some(at) => {
            let slot: String = text[at..].chars().take_while(|c| *c != '}').chain("}".chars()).collect();
            Err(wrong(&format!("template {template:?}: nothing fills the slot {slot}")))
        }
        None => Ok(text),
    }
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
            both_ways: Both::No,
            items: None,
        }
    }

    #[test]
    fn every_template_contrast_and_combination_makes_a_pair() {
        let pairs = expand(&spec()).unwrap();
        assert_eq!(pairs.len(), 2 * 3 * 2);
        assert_eq!(
            (&pairs[0].clean, &pairs[0].corrupt),
            (&Prompt::Text("Ann saw the cat".into()), &Prompt::Text("Tom saw the cat".into()))
        );
        let both = expand(&Templates { both_ways: Both::Yes, ..spec() }).unwrap();
        assert_eq!((both.len(), &both[1].right), (24, &Answer::Text(" he".into())));
    }

    #[test]
    fn a_slot_that_nothing_fills_is_named() {
        let error = expand(&Templates { templates: vec!["{nane} ran".into()], ..spec() }).unwrap_err();
        assert!(error.to_string().contains("{nane}"), "{error}");
    }
}
