//! WinoBias (Zhao et al. 2018) as pairs of files, pro- and anti-stereotypical, of either type.

use super::{Kept, some};
use crate::data::DataError;
use crate::data::text_file::{lines, text};
use std::path::Path;

/// A sentence in both files, with its twin's way to go on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Twins {
    /// The sentence, pro-stereotypical and anti-stereotypical: they differ in pronouns alone.
    pub sentences: [String; 2],
    /// The occupation that the pronoun means.
    pub occupation: String,
    /// Where the sentence can be asked as a question: what stands up to the pronoun in each, how it goes on, and how its twin
    /// goes on, which speaks of the other occupation.
    pub asked: Option<([String; 2], [String; 2])>,
}

/// One sentence in so many may differ in more than its pronouns, which is then left out; with more the files are others'.
const MOST_APART: usize = 10;

/// The sentences of two files, line by line, without those that differ in more than their pronouns: that one of them is the more
/// probable would not be for the pronoun.
pub fn winobias(pro: &Path, anti: &Path) -> Result<Kept<Twins>, DataError> {
    of((pro, &text(pro)?), (anti, &text(anti)?))
}

fn of(pro: (&Path, &str), anti: (&Path, &str)) -> Result<Kept<Twins>, DataError> {
    let [own, others] = [sentences(pro)?, sentences(anti)?];
    if own.len() != others.len() {
        let why = format!("has {} sentences, but {} has {}", others.len(), pro.0.display(), own.len());
        return Err(DataError::unreadable(anti.0, why));
    }
    let (mut found, mut apart) = (Vec::new(), Vec::new());
    for (index, ((line, one), (at, other))) in own.iter().zip(&others).enumerate() {
        if !one.is_twin_of(other) {
            apart.push((*line, *at));
            continue;
        }
        let twin = own.get(index ^ 1).map(|(_, twin)| twin);
        let asked = twin.and_then(|twin| asked(one, other, twin));
        let sentences = [one.text.clone(), other.text.clone()];
        found.push((*line, Twins { sentences, occupation: one.occupation.clone(), asked }));
    }
    match apart.first() {
        Some((line, at)) if found.len() * MOST_APART < own.len() * (MOST_APART - 1) => {
            let why = format!("is not line {line} of {} with other pronouns", pro.0.display());
            Err(DataError::row(anti.0, *at, why))
        }
        _ => Ok(Kept { rows: some(pro.0, found)?, left_out: apart.into_iter().map(|(line, _)| line).collect() }),
    }
}

/// Twins that begin alike up to one pronoun, of one case, and go on about one occupation each.
fn asked(one: &Sentence, other: &Sentence, twin: &Sentence) -> Option<([String; 2], [String; 2])> {
    let begins = |sentence: &Sentence| sentence.asked.as_ref().map(|(before, ..)| before.clone());
    let ((before, pronoun, behind), (_, against, _)) = (one.asked.as_ref()?, other.asked.as_ref()?);
    let (_, of_twin, onward) = twin.asked.as_ref()?;
    let one_case = [pronoun, against].map(|word| case(word)) == [case(of_twin); 2];
    let alike = begins(twin).as_deref() == Some(before) && one_case && twin.occupation != one.occupation;
    let prompt = |pronoun: &str| format!("{before} {pronoun}");
    (alike && behind != onward).then(|| ([prompt(pronoun), prompt(against)], [behind.clone(), onward.clone()]))
}

/// Subject, or possessive and object, which `her` may be.
fn case(pronoun: &str) -> usize {
    usize::from(!["he", "she"].contains(&pronoun))
}

struct Sentence {
    text: String,
    occupation: String,
    /// What stands before its one pronoun, the pronoun, and what follows it.
    asked: Option<(String, String, String)>,
}

/// Its words in lower case; whatever pronoun stands where one does.
fn without_pronouns(text: &str) -> Vec<String> {
    let words = text.split(|letter: char| !letter.is_alphanumeric() && letter != '\'').filter(|word| !word.is_empty());
    let word = |word: &str| if ANY.contains(&word) { "he".to_string() } else { word.to_string() };
    words.map(|one| word(&one.to_lowercase())).collect()
}

/// Every form of either pronoun.
const ANY: [&str; 8] = ["he", "she", "him", "his", "her", "hers", "himself", "herself"];

const PRONOUNS: [&str; 5] = ["he", "she", "him", "his", "her"];

fn sentences((path, text): (&Path, &str)) -> Result<Vec<(usize, Sentence)>, DataError> {
    let sentence = |(number, line): (usize, &str)| {
        Ok((number, Sentence::parse(line).map_err(|why| DataError::row(path, number, why))?))
    };
    lines(text).map(sentence).collect()
}

impl Sentence {
    /// Whether the two are one sentence with other pronouns.
    fn is_twin_of(&self, other: &Sentence) -> bool {
        let [one, two] = [self, other].map(|sentence| without_pronouns(&sentence.text));
        one == two && self.occupation == other.occupation && self.text != other.text
    }

    fn parse(line: &str) -> Result<Self, String> {
        let numbered = line.trim().split_once(' ').filter(|(number, _)| number.parse::<usize>().is_ok());
        let (_, sentence) = numbered
            .ok_or("has no number before it; expected for instance: 3 [The guard] waited because [he] was early.")?;
        let marks: Vec<&str> = sentence.split('[').skip(1).filter_map(|part| Some(part.split_once(']')?.0)).collect();
        if sentence.matches('[').count() != marks.len() || marks.len() < 2 {
            return Err("needs brackets around an occupation and around a pronoun".into());
        }
        let occupation = marks.iter().find(|mark| !PRONOUNS.contains(mark)).ok_or("has no occupation in brackets")?;
        let pronouns: Vec<&&str> = marks.iter().filter(|mark| PRONOUNS.contains(mark)).collect();
        let pronoun = **pronouns.first().ok_or("has no pronoun in brackets: he, she, him, his or her")?;
        let asked =
            sentence.split_once(&format!("[{pronoun}]")).filter(|_| pronouns.len() == 1).map(|(before, behind)| {
                let plain = |text: &str| text.replace(['[', ']'], "").trim().to_string();
                (plain(before), pronoun.to_string(), plain(behind))
            });
        let words = occupation.split_whitespace().map(str::to_lowercase);
        let occupation =
            words.skip_while(|word| ["the", "a", "an"].contains(&word.as_str())).collect::<Vec<_>>().join(" ");
        let asked = asked.filter(|(before, _, behind)| !before.is_empty() && behind.chars().any(char::is_alphanumeric));
        Ok(Sentence { text: sentence.replace(['[', ']'], ""), occupation, asked })
    }
}

#[cfg(test)]
mod tests {
    use super::super::Lines;
    use super::*;

    const PRO: &str =
        "1 [The guard] met the nurse because [he] was lost.\n2 The guard met [the nurse] because [she] was near.\n";

    fn kept(pro: &str, anti: &str) -> Result<Kept<Twins>, String> {
        of((Path::new("p.txt"), pro), (Path::new("a.txt"), anti)).map_err(|error| error.to_string())
    }

    fn told(pro: &str, anti: &str) -> Result<Lines<Twins>, String> {
        kept(pro, anti).map(|kept| kept.rows)
    }

    fn anti() -> String {
        PRO.replace("[he]", "[x]").replace("[she]", "[he]").replace("[x]", "[she]")
    }

    #[test]
    fn twins_are_asked_with_either_pronoun() {
        let found = told(PRO, &anti()).unwrap();
        let first = &found[0].1;
        assert_eq!(first.sentences[1], "The guard met the nurse because she was lost.");
        let (prompts, onward) = first.asked.clone().unwrap();
        assert_eq!(prompts, ["The guard met the nurse because he", "The guard met the nurse because she"]);
        assert_eq!(onward, ["was lost.", "was near."]);
        assert_eq!(found[1].1.asked.clone().unwrap().1, ["was near.", "was lost."]);
        assert_eq!(found[1].1.occupation, "nurse");
    }

    #[test]
    fn sentences_of_the_second_type_are_not_asked() {
        let pro =
            "1 The guard met [the nurse] and saw [her] there.\n2 The nurse met [the guard] and saw [him] there.\n";
        let anti = pro.replace("[her]", "[x]").replace("[him]", "[her]").replace("[x]", "[him]");
        assert!(told(pro, &anti).unwrap().iter().all(|(_, twins)| twins.asked.is_none()));
    }

    #[test]
    fn sentences_that_differ_in_more_than_pronouns_are_left_out() {
        // as they are published: an article twice, a pronoun too many, other words, another sentence
        let same = "The guard met [the nurse] and saw [her] there.\n";
        let odd = [
            ("The guard asked the [ nurse] and believed [him].", "The guard asked the [the nurse] and believed [her]."),
            (
                "[The guard] knows little since [he] did not visit.",
                "[The guard] knows little since [she] he did not visit.",
            ),
            (
                "The cook made a desk for [the clerk] and [she] needed a desk.",
                "The cook made a desk for [the clerk] and [he] needed one.",
            ),
            ("The guard waited for [the cook] and saw [him].", "The cook hired [the guard] and saw [him]."),
        ];
        let lines = |side: usize| {
            let same = (0..40).map(|_| if side == 0 { same.to_string() } else { same.replace("[her]", "[him]") });
            let odd = odd.iter().map(|(pro, anti)| format!("{}\n", [pro, anti][side]));
            same.chain(odd).enumerate().map(|(at, line)| format!("{} {line}", at + 1)).collect::<String>()
        };
        let kept = kept(&lines(0), &lines(1)).unwrap();
        assert_eq!((kept.rows.len(), kept.left_out), (40, vec![41, 42, 43, 44]));
        // commas, capitals and himself are none of this
        let pro = "1 [The guard] left, so [he] saw [himself].\n2 The guard met [the nurse] as [she] left.\n";
        let anti = "1 [The guard] left so [she] saw [herself].\n2 the guard met [the nurse] as [he] left.\n";
        assert_eq!(told(pro, anti).unwrap().len(), 2);
    }

    #[test]
    fn files_that_do_not_belong_together_are_named() {
        let wrong = |pro: &str, anti: &str, expected: &str| {
            let error = told(pro, anti).unwrap_err();
            assert!(error.contains(expected), "{error}");
        };
        wrong(PRO, PRO, "a.txt:1: is not line 1 of p.txt with other pronouns");
        wrong(PRO, &anti()[..anti().find('2').unwrap()], "a.txt: has 1 sentences, but p.txt has 2");
        wrong(&PRO.replace("1 ", ""), &anti(), "p.txt:1: has no number before it");
        wrong(&PRO.replace("[he]", "he"), &anti(), "p.txt:1: needs brackets");
        wrong("", "", "p.txt: has no row");
    }
}
