//! Biographies by the grammar of the stories: what a person did, who is a woman as often as it is planted.
//!
//! A text never names the occupation. Every sentence tells what anybody does or, as often as it is planted, one of the few
//! things that the occupation does; so how far a text tells the occupation is known, and what a classifier adds to it from
//! names and pronouns is what groups were planted to tell.

use super::grammar::{capital, pick};
use super::lexicon::{Gender, Language, Shares, Tongue, agree, occupations};
use crate::spec::Grammar;
use rand::{Rng, SeedableRng, seq::SliceRandom};
use rand_chacha::ChaCha8Rng;

/// Sentences of a text.
const SENTENCES: usize = 4;

/// A text with what is said of its person.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Biography {
    /// The text.
    pub text: String,
    /// The occupation, as the text's label says.
    pub profession: String,
    /// The person's.
    pub gender: Gender,
}

/// Why a grammar cannot be carried out.
pub fn fault(grammar: &Grammar) -> Option<String> {
    let known = occupations();
    if let Some(name) = grammar.occupations.iter().find(|name| !known.iter().any(|one| one.english == **name)) {
        let some: Vec<&str> = known.iter().take(8).map(|one| one.english.as_str()).collect();
        return Some(format!("{name:?} is no occupation of the built-in list; there are {}, …", some.join(", ")));
    }
    let distinct: std::collections::BTreeSet<&String> = grammar.occupations.iter().collect();
    let count = grammar.occupations.len();
    let share = |value: f64| (0.0..=1.0).contains(&value);
    if count < 2 || distinct.len() < count {
        return Some(format!("{count} occupations; name two at least, each once"));
    }
    if !grammar.women.is_empty() && (grammar.women.len() != count || !grammar.women.iter().all(|women| share(*women))) {
        return Some(format!("`women` {:?} are not {count} shares from 0 to 1", grammar.women));
    }
    if ![grammar.mislabelled, grammar.told, grammar.french].into_iter().all(share) {
        return Some("`mislabelled`, `told` and `french` are shares from 0 to 1".into());
    }
    if !(grammar.imbalance >= 1.0 && grammar.imbalance.is_finite()) {
        return Some(format!("`imbalance` {} is not 1 or above", grammar.imbalance));
    }
    let least = counts(grammar).into_iter().min().unwrap_or(0);
    (least < 4 || grammar.count > MOST).then(|| {
        format!(
            "`count` {} leaves an occupation {least} texts; give each 4 at least, and {MOST} in all at the most",
            grammar.count
        )
    })
}

/// The most texts: more would not end.
const MOST: usize = 1_000_000;

/// How many texts each occupation has.
pub fn counts(grammar: &Grammar) -> Vec<usize> {
    let last = grammar.occupations.len().saturating_sub(1).max(1) as f64;
    let weight = |place: usize| grammar.imbalance.powf(-(place as f64) / last);
    let weights: Vec<f64> = (0..grammar.occupations.len()).map(weight).collect();
    let all: f64 = weights.iter().sum();
    weights.iter().map(|weight| (grammar.count as f64 * weight / all).round() as usize).collect()
}

/// The share of women that is planted in each occupation.
pub fn women(grammar: &Grammar) -> Vec<f64> {
    let known = occupations();
    let labour =
        |name: &String| known.iter().find(|one| one.english == *name).map_or(0.5, |one| Shares::Planted.of(one));
    match grammar.women.is_empty() {
        true => grammar.occupations.iter().map(labour).collect(),
        false => grammar.women.clone(),
    }
}

/// The texts of a grammar without fault, in a random order.
pub fn write(grammar: &Grammar, seed: u64) -> Vec<Biography> {
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    let tongues = [Tongue::English, Tongue::French].map(Language::new);
    let women = women(grammar);
    let most = (0..women.len()).max_by(|a, b| women[*a].total_cmp(&women[*b])).unwrap_or(0);
    let mut found = Vec::new();
    for (place, count) in counts(grammar).into_iter().enumerate() {
        let of_women = (count as f64 * women[place]).round() as usize;
        for number in 0..count {
            let gender = if number < of_women { Gender::Woman } else { Gender::Man };
            let language = &tongues[usize::from(random.random_bool(grammar.french))];
            let text = told(language, (place, grammar.occupations.len()), gender, grammar.told, &mut random);
            let moved = random.random_bool(grammar.mislabelled) && gender == Gender::Woman;
            let profession = grammar.occupations[if moved { most } else { place }].clone();
            found.push(Biography { text, profession, gender });
        }
    }
    found.shuffle(&mut random);
    found
}

/// What one person did.
fn told(language: &Language, (place, of): (usize, usize), gender: Gender, often: f64, random: &mut impl Rng) -> String {
    let own: Vec<&str> = language.phrases.iter().copied().skip(place).step_by(of).collect();
    let names: Vec<&str> = language.names.iter().filter(|name| name.gender == gender).map(|name| name.text).collect();
    let pronoun = capital(&agree(language.pronoun, gender, gender));
    let sentence = |number: usize, random: &mut _| {
        let phrases = if Rng::random_bool(random, often) { &own } else { &language.phrases };
        let subject = if number == 0 { pick(&names, random) } else { pronoun.as_str() };
        format!("{subject} {}.", agree(pick(phrases, random), gender, gender))
    };
    (0..SENTENCES).map(|number| sentence(number, random)).collect::<Vec<_>>().join(" ")
}

/// Words that tell a gender in an English or French text, in lower case.
const TELLING: [&str; 40] = [
    "she", "he", "her", "him", "his", "hers", "herself", "himself", "mr", "mrs", "ms", "miss", "woman", "man", "women",
    "men", "mother", "father", "wife", "husband", "daughter", "son", "sister", "brother", "girl", "boy", "elle", "il",
    "la", "le", "une", "un", "madame", "monsieur", "femme", "homme", "mère", "père", "lui", "eux",
];

/// A text without names of the built-in lists and without words that tell a gender.
pub fn scrubbed(text: &str) -> String {
    let names: Vec<&str> = [Tongue::English, Tongue::French]
        .into_iter()
        .flat_map(|tongue| Language::new(tongue).names)
        .map(|name| name.text)
        .collect();
    let kept = |word: &&str| {
        let bare = word.trim_matches(|letter: char| !letter.is_alphabetic());
        !TELLING.contains(&bare.to_lowercase().as_str()) && !names.contains(&bare)
    };
    text.split_whitespace().filter(kept).collect::<Vec<_>>().join(" ")
}
