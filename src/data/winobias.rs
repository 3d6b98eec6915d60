//! WinoBias as Vig et al. 2020 ask it: the same sentence up to its pronoun, once with each gender, and two ways to go on.
//!
//! The file has a sentence a line, `1 [The developer] argued with the designer because [she] did not like the design.`, and
//! two lines that follow each other are twins: they begin alike, and go on about one occupation each. The clean prompt ends
//! with the female pronoun and the corrupted one with the male; right is how the twin goes on that has the female pronoun,
//! wrong the other. As there, twins are left out whose pronouns differ in more than gender or who begin differently, those
//! with `him`, and those with more than one pronoun.
//!
//! Reference: Zhao et al. 2018; Vig et al. 2020.

use super::DataError;
use crate::spec::{Answer, Pair, Prompt, Subject, WinoBias};
use indexmap::IndexMap;

/// Female and male pronoun of each case that is asked about.
const PRONOUNS: [[&str; 2]; 2] = [["she", "he"], ["her", "his"]];

/// The pairs, each with the line of its first sentence.
pub fn read(file: &WinoBias) -> Result<Vec<(usize, Pair)>, DataError> {
    let text = super::text_file::text(&file.path)?;
    pairs(file, &text)
}

fn pairs(file: &WinoBias, text: &str) -> Result<Vec<(usize, Pair)>, DataError> {
    let lines: Vec<(usize, &str)> = text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty()).collect();
    let refused = |line: usize, why: String| DataError::row(&file.path, line, why);
    let mut found = Vec::new();
    for twins in lines.chunks(2) {
        let [(first, one), (second, two)] = twins else {
            return Err(refused(twins[0].0 + 1, "has no twin; sentences stand in pairs".into()));
        };
        let parse = |line: usize, text: &str| Sentence::parse(text).map_err(|why| refused(line + 1, why));
        if let (Some(one), Some(two)) = (parse(*first, one)?, parse(*second, two)?) {
            found.extend(pair(one, two).map_err(|why| refused(second + 1, why))?.map(|pair| (first + 1, pair)));
        }
    }
    Ok(found)
}

/// A sentence around its pronoun.
struct Sentence {
    before: String,
    /// Index into [`PRONOUNS`].
    case: usize,
    /// 0 is female.
    gender: usize,
    behind: String,
    occupation: String,
}

impl Sentence {
    /// Nothing where a sentence is not asked about.
    fn parse(line: &str) -> Result<Option<Self>, String> {
        let numbered = line.trim().split_once(' ').filter(|(number, _)| number.parse::<usize>().is_ok());
        let (_, sentence) = numbered
            .ok_or("has no number before it; expected for instance: 3 [The guard] waited because [he] was early.")?;
        let marked = |part: &str| -> Option<String> { Some(part.split_once(']')?.0.to_string()) };
        let marks: Vec<String> = sentence.split('[').skip(1).filter_map(marked).collect();
        if sentence.matches('[').count() != marks.len() || marks.is_empty() {
            return Err("has no brackets around its occupation and pronoun, or one that is not closed".into());
        }
        let [occupation, pronoun] = marks.as_slice() else { return Ok(None) };
        if pronoun == "him" || occupation == "him" {
            return Ok(None);
        }
        let place = |case: usize| Some((case, PRONOUNS[case].iter().position(|known| known == pronoun)?));
        let (case, gender) = (0..PRONOUNS.len()).find_map(place).ok_or_else(|| {
            format!("[{pronoun}] is no pronoun, or stands before it; expected an occupation, then she, he, her or his; these are sentences of type 1")
        })?;
        let (before, behind) = sentence.split_once(&format!("[{pronoun}]")).unwrap_or((sentence, ""));
        let occupation = occupation.trim_start_matches(['T', 't']).trim_start_matches("he ").to_string();
        let before = before.replace(['[', ']'], "").trim().to_string();
        Ok(Some(Sentence { before, case, gender, behind: behind.trim().to_string(), occupation }))
    }
}

/// The pair of two twins; nothing where they are not asked about.
fn pair(one: Sentence, two: Sentence) -> Result<Option<Pair>, String> {
    if one.before != two.before || one.case != two.case {
        return Ok(None);
    }
    let (female, male) = match (one.gender, two.gender) {
        (0, 1) => (one, two),
        (1, 0) => (two, one),
        _ => return Err("has a pronoun of the same gender as the sentence before; twins have one of each".into()),
    };
    if female.behind == male.behind || female.behind.is_empty() || male.behind.is_empty() {
        return Err("goes on as the sentence before, or not at all behind its pronoun".into());
    }
    let prompt = |gender: usize| Prompt::Text(format!("{} {}", female.before, PRONOUNS[female.case][gender]));
    let labels = [("female", &female.occupation), ("male", &male.occupation)];
    Ok(Some(Pair {
        clean: prompt(0),
        corrupt: prompt(1),
        right: Answer::Text(format!(" {}", female.behind)),
        wrong: Answer::Text(format!(" {}", male.behind)),
        at: None,
        subject: None::<Subject>,
        labels: labels.map(|(name, value)| (name.to_string(), value.clone())).into_iter().collect::<IndexMap<_, _>>(),
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(text: &str) -> Result<Vec<(usize, Pair)>, String> {
        pairs(&WinoBias { path: "w.txt".into() }, text).map_err(|error| error.to_string())
    }

    const TWINS: &str =
        "1 [The guard] met the nurse because [he] was lost.\n2 The guard met [the nurse] because [she] was near.\n";

    #[test]
    fn twins_are_a_pair_in_either_order() {
        let found = told(TWINS).unwrap();
        let (line, pair) = &found[0];
        assert_eq!((found.len(), *line), (1, 1));
        assert_eq!(pair.clean, Prompt::Text("The guard met the nurse because she".into()));
        assert_eq!(pair.corrupt, Prompt::Text("The guard met the nurse because he".into()));
        assert_eq!((&pair.right, &pair.wrong), (&" was near.".into(), &" was lost.".into()));
        assert_eq!((pair.labels["female"].as_str(), pair.labels["male"].as_str()), ("nurse", "guard"));
        let mut lines: Vec<&str> = TWINS.lines().collect();
        lines.reverse();
        assert_eq!(told(&lines.join("\n")).unwrap()[0].1, *pair);
    }

    #[test]
    fn twins_that_the_authors_do_not_ask_are_left_out() {
        for (from, to) in [
            ("[she] was", "[her] bag was"),
            ("[he] was lost", "[he] lost [his] way"),
            ("[he] was lost", "the nurse saw [him]"),
            ("met [the", "saw [the"),
        ] {
            let text = TWINS.replace(from, to);
            assert_ne!(text, TWINS);
            assert_eq!(told(&text).unwrap().len(), 0, "{text}");
        }
    }

    #[test]
    fn what_is_no_twin_is_named_with_its_line() {
        let wrong = |from: &str, to: &str, expected: &str| {
            let error = told(&TWINS.replace(from, to)).unwrap_err();
            assert!(error.contains(expected), "{error}");
        };
        wrong("2 The", "The", "w.txt:2: has no number before it");
        wrong("[she]", "[he]", "w.txt:2: has a pronoun of the same gender");
        wrong("[she]", "[they]", "w.txt:2: [they] is no pronoun");
        wrong("[he] was lost.", "[he]", "w.txt:2: goes on as the sentence before, or not at all");
        wrong("[he]", "[he", "w.txt:1: has no brackets");
        assert!(told(&TWINS[..TWINS.find('2').unwrap()]).unwrap_err().starts_with("w.txt:1: has no twin"));
        assert!(told("1 The guard ran.\n2 The guard ran.").unwrap_err().starts_with("w.txt:1: has no brackets"));
    }
}
