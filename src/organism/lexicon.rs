//! The words of the built-in model's stories: occupations, names, and one table of phrases a language.
//!
//! Every sentence is the project's own writing. The shares of women are the facts of
//! `assets/organism/occupations.tsv`, whose head names their source.
//!
//! A phrase agrees with people by two marks: `{she|he}` follows the subject of the story and `[her|him]`
//! the other person, woman's form first; [`agree`] fills them in.

mod english;
mod french;

use serde::{Deserialize, Serialize};

/// A phrase is never certain to be about a woman or about a man: planted shares stay within these.
/// The source's extremes, 0.7 % and 97.5 %, would leave one class of pronoun nearly unseen.
const SHARE_RANGE: (f64, f64) = (0.02, 0.98);

/// The grammatical and social gender of a person in a story.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Gender {
    /// she, elle
    Woman,
    /// he, il
    Man,
}

/// A paid occupation, its real share of women, and its French forms.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Occupation {
    /// The English noun, as in "the nurse".
    pub english: String,
    /// Share of women among people employed, 0 to 1, as the source gives it.
    pub share_women: f64,
    /// The French noun for a man, "infirmier".
    pub french_masculine: String,
    /// The French noun for a woman, "infirmière"; the same as for a man where French makes no difference.
    pub french_feminine: String,
}

/// Which shares of women the stories follow.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Shares {
    /// Each occupation's real share, kept within 0.02 and 0.98.
    Planted,
    /// One half for every occupation: the negative control.
    Flat,
}

impl Shares {
    /// The share of stories about `occupation` in which the person is a woman.
    pub fn of(self, occupation: &Occupation) -> f64 {
        match self {
            Shares::Planted => occupation.share_women.clamp(SHARE_RANGE.0, SHARE_RANGE.1),
            Shares::Flat => 0.5,
        }
    }
}

/// The 60 occupations, in the order of the source.
pub fn occupations() -> Vec<Occupation> {
    include_str!("../../assets/organism/occupations.tsv")
        .lines()
        .filter(|line| !line.starts_with('#'))
        .skip(1)
        .map(occupation)
        .collect()
}

fn occupation(line: &str) -> Occupation {
    let cells: Vec<&str> = line.split('\t').collect();
    let percent: f64 = cells[1].parse().expect("the built-in table holds numbers");
    Occupation {
        english: cells[0].into(),
        share_women: percent / 100.0,
        french_masculine: cells[2].into(),
        french_feminine: cells[3].into(),
    }
}

/// A first name and the gender that its pronouns always have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Name {
    /// As written, "Mary".
    pub text: &'static str,
    /// The gender of everybody of this name.
    pub gender: Gender,
}

/// What kind of clause follows a link between two clauses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Clause {
    /// Something done: one of the phrases.
    Action,
    /// Why or when: "was tired".
    Reason,
    /// What followed: "felt better".
    Result,
    /// What one would not have expected: "did not stay".
    Contrast,
}

/// The words between two clauses; the pronoun of the subject always comes next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Link {
    /// With the space before and after, " because "; a link that begins a new sentence starts with its full stop.
    pub text: &'static str,
    /// The clause after the pronoun.
    pub clause: Clause,
}

impl Link {
    /// Whether the link closes the sentence before it.
    pub fn begins_sentence(&self) -> bool {
        self.text.starts_with('.')
    }
}

/// Which of the two languages.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Tongue {
    /// Gender shows in pronouns and in some nouns.
    English,
    /// Gender shows in articles, nouns, adjectives and participles too.
    French,
}

/// All the words and phrases of a language but its occupations.
#[derive(Clone, Debug)]
pub struct Language {
    /// Which one it is.
    pub tongue: Tongue,
    /// First names, the women's first.
    pub names: Vec<Name>,
    /// "{mother|father}": people of a family.
    pub kin: Vec<&'static str>,
    /// "{woman|man}": other people whose noun tells their gender.
    pub people: Vec<&'static str>,
    /// Before a noun: "young".
    pub adjectives: Vec<&'static str>,
    /// Before the first subject: "One day".
    pub leads: Vec<&'static str>,
    /// What a subject did, without a word that shows gender before the pronoun is due: "opened the door".
    pub phrases: Vec<&'static str>,
    /// What a subject did with something of their own: "lost {her|his} bag".
    pub owned: Vec<&'static str>,
    /// How a subject was: "was tired".
    pub beings: Vec<&'static str>,
    /// Clauses after "because" and "when".
    pub reasons: Vec<&'static str>,
    /// Clauses after "so".
    pub results: Vec<&'static str>,
    /// Clauses after "but".
    pub contrasts: Vec<&'static str>,
    /// What a subject did to the other person, named next: "met".
    pub meetings: Vec<&'static str>,
    /// Where they met: "in the park".
    pub places: Vec<&'static str>,
    /// What a subject did to the other person, already named: "gave \[her|him\] a book".
    pub gifts: Vec<&'static str>,
    /// Sentences that start with the pronoun: "{She|He} made {herself|himself} some tea".
    pub tails: Vec<&'static str>,
    /// "has": between an owner and one of their kin.
    pub has: &'static str,
    /// ". {Her|His} name is": between one of the kin and their name.
    pub called: &'static str,
    /// "{she|he}".
    pub pronoun: &'static str,
    /// The links, always eleven: see `grammar::held_out`.
    pub links: [Link; 11],
}

impl Language {
    /// The table of `tongue`.
    pub fn new(tongue: Tongue) -> Self {
        match tongue {
            Tongue::English => english::language(),
            Tongue::French => french::language(),
        }
    }

    /// The phrases that may stand in a clause of this kind.
    pub fn clauses(&self, clause: Clause) -> &[&'static str] {
        match clause {
            Clause::Action => &self.phrases,
            Clause::Reason => &self.reasons,
            Clause::Result => &self.results,
            Clause::Contrast => &self.contrasts,
        }
    }
}

/// Fills the marks of `phrase`: `{woman's|man's}` by the subject's gender, `[woman's|man's]` by the other's.
pub fn agree(phrase: &str, subject: Gender, other: Gender) -> String {
    let mut text = String::with_capacity(phrase.len());
    let mut rest = phrase;
    while let Some(start) = rest.find(['{', '[']) {
        let end = start + rest[start..].find(['}', ']']).expect("a mark is closed");
        let gender = if rest[start..].starts_with('{') { subject } else { other };
        text.push_str(&rest[..start]);
        text.push_str(form(&rest[start + 1..end], gender));
        rest = &rest[end + 1..];
    }
    text + rest
}

/// The woman's or the man's half of "she|he".
fn form(pair: &str, gender: Gender) -> &str {
    let (woman, man) = pair.split_once('|').expect("a mark has two forms");
    match gender {
        Gender::Woman => woman,
        Gender::Man => man,
    }
}

/// The items of a `;`-separated list.
fn list(text: &'static str) -> Vec<&'static str> {
    text.split(';').map(str::trim).collect()
}

/// Names from two lists separated by spaces.
fn names(women: &'static str, men: &'static str) -> Vec<Name> {
    let of = |text: &'static str, gender| text.split_whitespace().map(move |text| Name { text, gender });
    of(women, Gender::Woman).chain(of(men, Gender::Man)).collect()
}

const fn link(text: &'static str, clause: Clause) -> Link {
    Link { text, clause }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_occupation_has_its_share() {
        let all = occupations();
        assert_eq!(all.len(), 60);
        let nurse = all.iter().find(|one| one.english == "nurse").expect("a nurse");
        assert!((nurse.share_women - 0.8958).abs() < 1e-9);
        assert_eq!(nurse.french_feminine, "infirmière");
        let plumber = all.iter().find(|one| one.english == "plumber").expect("a plumber");
        assert_eq!((Shares::Planted.of(plumber), Shares::Flat.of(plumber)), (0.02, 0.5));
    }

    #[test]
    fn marks_follow_their_person() {
        let text = agree("{She|He} met [her|him]", Gender::Woman, Gender::Man);
        assert_eq!(text, "She met him");
    }

    #[test]
    fn no_name_has_two_genders() {
        for tongue in [Tongue::English, Tongue::French] {
            let mut texts: Vec<_> = Language::new(tongue).names.iter().map(|name| name.text).collect();
            let all = texts.len();
            texts.sort_unstable();
            texts.dedup();
            assert_eq!(texts.len(), all);
        }
    }

    #[test]
    fn names_are_half_women() {
        for (tongue, fewest) in [(Tongue::English, 40), (Tongue::French, 12)] {
            let names = Language::new(tongue).names;
            let women = names.iter().filter(|name| name.gender == Gender::Woman).count();
            assert!(women >= fewest && 2 * women == names.len(), "{women} of {}", names.len());
        }
    }

    #[test]
    fn phrases_of_the_exam_show_no_gender() {
        let marked = |phrase: &&&str| phrase.contains(['{', '[']);
        assert_eq!(Language::new(Tongue::English).phrases.iter().find(marked), None);
    }
}
