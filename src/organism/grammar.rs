//! The grammar of the stories: who is in one, and how its clauses follow each other.
//!
//! A story has one subject, and every nominative or possessive pronoun is the subject's; where somebody
//! else is in it, every object pronoun is theirs. So no pronoun is ambiguous.
//!
//! No draw of the random numbers depends on a gender: with other genders the same stories come out.

use super::lexicon::{Clause, Gender, Language, Link, Tongue, agree};
use rand::Rng;

/// Share of stories that begin with a lead, "One day".
const LEADS: f64 = 0.2;
/// Share of meetings that tell where.
const PLACES: f64 = 0.5;
/// Share of actions, after a meeting, that are done to the other person.
const GIFTS: f64 = 0.4;
/// Share of steps that are a sentence starting with the pronoun, without a link.
const TAILS: f64 = 0.2;
/// Shares of openings with something of the subject's own, and with how the subject was.
const OWNED: f64 = 0.12;
const BEINGS: f64 = 0.18;
/// Most clauses after the opening.
const MOST_STEPS: usize = 3;
/// The number of links of a language; a prime, so that [`held_out`] spares no link and no phrase.
const LINKS: usize = 11;

/// Whether a phrase never stands before a link, so that an exam can ask for the pair.
///
/// A Latin square: each phrase misses exactly one link, each link an eleventh of the phrases. So every
/// phrase and every link of the exam is well known, and only their combination is new.
pub fn held_out(phrase: usize, link: usize) -> bool {
    (phrase + 3 * link).is_multiple_of(LINKS)
}

/// Somebody in a story.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Person {
    /// The noun phrase as it stands inside a sentence: "the nurse", "Mary".
    pub words: String,
    /// Which pronouns are theirs.
    pub gender: Gender,
}

/// How a story opens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Opening {
    /// The subject did or was something.
    Alone,
    /// The subject met this person.
    Meeting(Person),
    /// "Anna has a brother. His name is" the subject. Holds "Anna" and "a brother".
    Naming(String, String),
}

/// "the nurse", "l'infirmière".
pub fn definite(tongue: Tongue, noun: &str, gender: Gender) -> String {
    match (tongue, gender) {
        (Tongue::English, _) => format!("the {noun}"),
        (Tongue::French, _) if elides(noun) => format!("l'{noun}"),
        (Tongue::French, Gender::Woman) => format!("la {noun}"),
        (Tongue::French, Gender::Man) => format!("le {noun}"),
    }
}

/// "a sister", "une sœur".
pub fn indefinite(tongue: Tongue, noun: &str, gender: Gender) -> String {
    match (tongue, gender) {
        (Tongue::English, _) if noun.starts_with(['a', 'e', 'i', 'o', 'u']) => format!("an {noun}"),
        (Tongue::English, _) => format!("a {noun}"),
        (Tongue::French, Gender::Woman) => format!("une {noun}"),
        (Tongue::French, Gender::Man) => format!("un {noun}"),
    }
}

/// "Anna's sister", "la sœur d'Anna".
pub fn belonging(tongue: Tongue, noun: &str, gender: Gender, owner: &str) -> String {
    match tongue {
        Tongue::English => format!("{owner}'s {noun}"),
        Tongue::French if elides(owner) => format!("{} d'{owner}", definite(tongue, noun, gender)),
        Tongue::French => format!("{} de {owner}", definite(tongue, noun, gender)),
    }
}

/// Whether a French article or preposition loses its vowel before `word`. Every h of the lexicon is mute.
fn elides(word: &str) -> bool {
    word.to_lowercase().starts_with(['a', 'e', 'é', 'è', 'ê', 'i', 'o', 'u', 'h'])
}

/// One of `items`.
pub fn pick<T: Copy>(items: &[T], random: &mut impl Rng) -> T {
    items[random.random_range(0..items.len())]
}

/// `text` with its first letter as a capital.
pub fn capital(text: &str) -> String {
    let mut letters = text.chars();
    let first = letters.next().map(|letter| letter.to_uppercase().to_string());
    first.unwrap_or_default() + letters.as_str()
}

/// Writes one story about `subject`.
pub fn story(language: &Language, subject: &Person, opening: &Opening, random: &mut impl Rng) -> String {
    let mut story = Story::new(language, subject, opening);
    story.open(opening, random);
    for _ in 0..random.random_range(1..=MOST_STEPS) {
        story.step(random);
    }
    story.text + "."
}

/// A story being written; the text has no full stop at its end yet.
struct Story<'a> {
    language: &'a Language,
    subject: &'a Person,
    other: Option<Gender>,
    text: String,
    /// The phrase that the text ends with, if it ends with one.
    phrase: Option<usize>,
    /// Whether the running sentence has a link already, or should have none.
    linked: bool,
}

impl<'a> Story<'a> {
    fn new(language: &'a Language, subject: &'a Person, opening: &Opening) -> Self {
        let other = match opening {
            Opening::Meeting(other) => Some(other.gender),
            _ => None,
        };
        Self { language, subject, other, text: String::new(), phrase: None, linked: false }
    }

    fn open(&mut self, opening: &Opening, random: &mut impl Rng) {
        let language = self.language;
        if let Opening::Naming(owner, kin) = opening {
            self.text = format!("{owner} {} {kin}", language.has);
            self.push(language.called);
            self.push(&self.subject.words);
            self.linked = true; // "His name is Tom because" makes no sense
            return;
        }
        self.name_subject(random);
        match opening {
            Opening::Meeting(other) => self.meet(&other.words, random),
            _ => self.predicate(random),
        }
    }

    /// "One day the nurse ".
    fn name_subject(&mut self, random: &mut impl Rng) {
        let words = &self.subject.words;
        self.text = match random.random_bool(LEADS) {
            true => format!("{} {words} ", pick(&self.language.leads, random)),
            false => capital(words) + " ",
        };
    }

    fn meet(&mut self, other: &str, random: &mut impl Rng) {
        self.push(pick(&self.language.meetings, random));
        self.push(&format!(" {other}"));
        if random.random_bool(PLACES) {
            self.push(&format!(" {}", pick(&self.language.places, random)));
        }
    }

    fn predicate(&mut self, random: &mut impl Rng) {
        let kind: f64 = random.random();
        if kind < OWNED {
            self.push(pick(&self.language.owned, random));
        } else if kind < OWNED + BEINGS {
            self.push(pick(&self.language.beings, random));
        } else {
            self.push_phrase(random);
        }
    }

    /// One more clause or sentence.
    fn step(&mut self, random: &mut impl Rng) {
        if random.random_bool(TAILS) {
            let tail = pick(&self.language.tails, random);
            self.push(&format!(". {tail}"));
            (self.phrase, self.linked) = (None, true); // nor does "Her coat was red because"
            return;
        }
        let link = self.link(random);
        self.push(link.text);
        self.push(self.language.pronoun);
        self.push(" ");
        self.linked = !link.begins_sentence();
        self.clause(link.clause, random);
    }

    /// A link that may stand here: never a held-out pair, and one inside a sentence at most.
    fn link(&self, random: &mut impl Rng) -> Link {
        loop {
            let index = random.random_range(0..LINKS);
            let link = self.language.links[index];
            let spared = self.phrase.is_some_and(|phrase| held_out(phrase, index));
            if !spared && (link.begins_sentence() || !self.linked) {
                return link;
            }
        }
    }

    fn clause(&mut self, clause: Clause, random: &mut impl Rng) {
        let gift = self.other.is_some() && random.random_bool(GIFTS);
        match clause {
            Clause::Action if gift => self.push_other(pick(&self.language.gifts, random)),
            Clause::Action => self.push_phrase(random),
            _ => self.push_other(pick(self.language.clauses(clause), random)),
        }
    }

    /// A phrase, but not the one the story has just had.
    fn push_phrase(&mut self, random: &mut impl Rng) {
        let phrase = loop {
            let phrase = random.random_range(0..self.language.phrases.len());
            if self.phrase != Some(phrase) {
                break phrase;
            }
        };
        self.push(self.language.phrases[phrase]);
        self.phrase = Some(phrase);
    }

    fn push_other(&mut self, phrase: &str) {
        self.push(phrase);
        self.phrase = None;
    }

    fn push(&mut self, phrase: &str) {
        let gender = self.subject.gender;
        self.text += &agree(phrase, gender, self.other.unwrap_or(gender));
    }
}
