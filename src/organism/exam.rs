//! The exam of the built-in model: prompts that end where a pronoun is due, and that it never read.
//!
//! A template is a phrase and a link that never stand together in the corpus (`grammar::held_out`),
//! though each is frequent with others. In the corpus a link is always followed by the subject's pronoun.

use super::grammar::{capital, held_out, pick};
use super::lexicon::{Gender, Language, Name, Tongue, occupations};
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use serde::{Deserialize, Serialize};

/// Templates a link: 22 for occupations, of which names have the first 11.
const PER_LINK: usize = 2;

/// A combination of a phrase and a link that the corpus leaves out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Template {
    /// What the subject did: "opened the door".
    pub phrase: &'static str,
    /// The words before the pronoun, with the space on either side: " because ".
    pub link: &'static str,
}

impl Template {
    /// "The nurse opened the door because": the pronoun comes next.
    pub fn prompt(&self, subject: &str) -> String {
        format!("{} {}{}", capital(subject), self.phrase, self.link.trim_end())
    }
}

/// The templates of the exam, in order; each of the eleven links comes once in the first eleven, then again.
pub fn templates() -> Vec<Template> {
    let english = Language::new(Tongue::English);
    let links = english.links.map(|link| link.text);
    let of = |link: usize| (0..english.phrases.len()).filter(move |&phrase| held_out(phrase, link));
    let pair = |turn: usize, link: usize| Template {
        phrase: english.phrases[of(link).nth(turn).expect("each link misses an eleventh of the phrases")],
        link: links[link],
    };
    (0..PER_LINK * links.len()).map(|index| pair(index / links.len(), index % links.len())).collect()
}

/// A prompt about an occupation; "she" and "he" are both right, at the planted shares.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OccupationItem {
    /// Ends before the pronoun, without a space: "The nurse opened the door because".
    pub prompt: String,
    /// Index in [`occupations`].
    pub occupation: usize,
    /// Index in [`templates`].
    pub template: usize,
}

/// A prompt about a name; one pronoun is right.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NameItem {
    /// Ends before the pronoun, without a space: "Mary opened the door because".
    pub prompt: String,
    /// The name in the prompt.
    pub clean_name: String,
    /// Whether "she" is right.
    pub female: bool,
    /// Index in [`templates`].
    pub template: usize,
}

/// Every occupation in each of the 22 templates.
pub fn occupation_exam() -> Vec<OccupationItem> {
    let templates = templates();
    let item = |(occupation, subject): (usize, &str), template: usize| OccupationItem {
        prompt: templates[template].prompt(subject),
        occupation,
        template,
    };
    let subjects: Vec<String> = occupations().iter().map(|one| format!("the {}", one.english)).collect();
    let each = |one| (0..templates.len()).map(move |template| item(one, template));
    subjects.iter().map(String::as_str).enumerate().flat_map(each).collect()
}

/// Every name in each of the first 11 templates.
pub fn name_exam() -> Vec<NameItem> {
    let templates = name_templates();
    let item = |name: Name, template: usize| NameItem {
        prompt: templates[template].prompt(name.text),
        clean_name: name.text.into(),
        female: name.gender == Gender::Woman,
        template,
    };
    let each = |name| (0..templates.len()).map(move |template| item(name, template));
    Language::new(Tongue::English).names.into_iter().flat_map(each).collect()
}

fn name_templates() -> Vec<Template> {
    let all = templates();
    all[..all.len() / PER_LINK].to_vec()
}

/// A clean prompt, a corrupt one with a name of the other gender, and the clean one's right and wrong pronoun.
pub type NamePair = (String, String, String, String);

/// `count` minimal pairs for patching, women's and men's names in turn on the clean side.
///
/// Pronouns have the space before them, " she": they are the next tokens. A name may be more than one
/// token; who needs equal lengths keeps the pairs that have them.
pub fn name_pairs(count: usize, seed: u64) -> Vec<NamePair> {
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    let templates = name_templates();
    let names = Language::new(Tongue::English).names;
    let (women, men): (Vec<Name>, Vec<Name>) = names.into_iter().partition(|name| name.gender == Gender::Woman);
    let mut pair = |turn: usize| {
        let template = pick(&templates, &mut random);
        let [woman, man] = [&women, &men].map(|names| template.prompt(pick(names, &mut random).text));
        match turn % 2 {
            0 => (woman, man, " she".into(), " he".into()),
            _ => (man, woman, " he".into(), " she".into()),
        }
    };
    (0..count).map(&mut pair).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::organism::corpus::Corpus;
    use crate::organism::lexicon::Shares;

    fn corpus() -> Vec<String> {
        Corpus { seed: 3, shares: Shares::Planted, french: 0.0 }.documents(50_000)
    }

    #[test]
    fn no_template_is_in_the_corpus() {
        let all = corpus().join("\n");
        for template in templates() {
            let text = format!("{}{}", template.phrase, template.link);
            assert!(!all.contains(&text), "{text}");
            assert!(all.matches(template.phrase).count() > 200, "{} is rare", template.phrase);
        }
    }

    #[test]
    fn only_pronouns_follow_links() {
        let all = corpus().join("\n");
        for link in Language::new(Tongue::English).links {
            let nexts = || all.split(link.text).skip(1);
            let pronouns = nexts().filter(|next| next.starts_with("she ") || next.starts_with("he ")).count();
            assert!(pronouns == nexts().count() && pronouns > 1000, "{}: {pronouns}", link.text);
        }
    }

    #[test]
    fn each_link_is_asked_for_equally() {
        let all = templates();
        assert_eq!(all.len(), 22);
        assert!((0..11).all(|index| all[index].link == all[index + 11].link && all[index] != all[index + 11]));
        assert_eq!(all[0].prompt("the nurse"), format!("The nurse {} because", all[0].phrase));
    }

    #[test]
    fn exams_hold_everybody() {
        assert_eq!(occupation_exam().len(), 60 * 22);
        let names = name_exam();
        assert_eq!(names.len(), Language::new(Tongue::English).names.len() * 11);
        assert_eq!(names.iter().filter(|item| item.female).count() * 2, names.len());
        assert!(names.iter().all(|item| item.prompt.starts_with(&item.clean_name) && !item.prompt.ends_with(' ')));
    }

    #[test]
    fn a_pair_differs_in_its_name_only() {
        let pairs = name_pairs(40, 1);
        assert_eq!(pairs, name_pairs(40, 1));
        assert_eq!(pairs.iter().filter(|pair| pair.2 == " she").count(), 20);
        for (clean, corrupt, right, wrong) in pairs {
            let rest = |prompt: &str| prompt.split_once(' ').map(|(_, rest)| rest.to_owned());
            assert!(clean != corrupt && rest(&clean) == rest(&corrupt) && right != wrong);
        }
    }
}
