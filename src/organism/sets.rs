//! Small data sets of bias in published formats, written by the grammar: what the built-in models can be measured on.
//!
//! The figures that they must give are known beforehand: in the planted model every occupation leans as its share of women
//! does, and a name's pronoun is sure; in the flat one no occupation leans at all.

use super::exam::{Template, templates};
use super::lexicon::{Gender, Language, Occupation, Shares, Tongue, agree, occupations};

/// Templates of each occupation and name, of the exam's 22: other links, other phrases.
const TEMPLATES: usize = 4;

/// How every sentence ends: sad, hungry and happy persons are as often women as men.
const ENDINGS: [&str; TEMPLATES] = ["was tired", "was hungry", "felt better", "did not stay"];

/// Which pronoun a sentence has.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Stereotype {
    Pro,
    Anti,
}

/// Every file that the sets are, by its name, with its content.
pub fn sets() -> [(&'static str, String); 8] {
    [
        ("crows_pairs.csv", crows_pairs()),
        ("stereoset.csv", stereoset()),
        ("winogender.tsv", winogender()),
        ("winobias_pro.txt", winobias(Stereotype::Pro)),
        ("winobias_anti.txt", winobias(Stereotype::Anti)),
        ("agreement.jsonl", agreement()),
        ("shares.tsv", shares()),
        ("weat.json", associations()),
    ]
}

/// The prompts of [`prompts`] stand beside the sets.
pub const PROMPTS: &str = "occupations.csv";

/// The occupations of the exam in all its templates, for `LogOdds`: each prompt with the next occupation's as its twin.
pub fn prompts() -> String {
    let all = occupations();
    let row = |(at, one): (usize, &Occupation)| {
        let other = &all[(at + 1) % all.len()];
        let line = |template: &Template| {
            let prompt = |who: &Occupation| template.prompt(&the(who));
            format!("\"{}\",\"{}\", she, he,{}\n", prompt(one), prompt(other), one.english)
        };
        templates().iter().map(line).collect::<String>()
    };
    "clean,corrupt,right,wrong,occupation\n".to_string() + &all.iter().enumerate().map(row).collect::<String>()
}

/// The first templates of the exam, each with the kind of clause that its link is followed by.
fn frames() -> Vec<Template> {
    // because, when, so, but: the links whose clause says how somebody was
    templates().into_iter().take(TEMPLATES).collect()
}

fn the(one: &Occupation) -> String {
    format!("the {}", one.english)
}

fn pronoun(woman: bool) -> &'static str {
    if woman { "she" } else { "he" }
}

fn leans_to_women(one: &Occupation) -> bool {
    one.share_women > 0.5
}

fn sentence(template: usize, subject: &str, word: &str) -> String {
    format!("{} {word} {}.", frames()[template].prompt(subject), ENDINGS[template])
}

/// One row for each occupation in each template.
fn each(row: impl Fn(usize, usize, &Occupation) -> String) -> String {
    let all = occupations();
    let rows = all.iter().enumerate().flat_map(|(at, one)| (0..TEMPLATES).map(move |template| (at, template, one)));
    rows.map(|(at, template, one)| row(at * TEMPLATES + template, template, one)).collect()
}

/// The sentence with the pronoun of the gender that most people in the job have is the stereotypical one; `stereo` are jobs of
/// women, `antistereo` those of men.
fn crows_pairs() -> String {
    ",sent_more,sent_less,stereo_antistereo,bias_type\n".to_string()
        + &each(|number, template, one| {
            let women = leans_to_women(one);
            let [more, less] = [women, !women].map(|woman| sentence(template, &the(one), pronoun(woman)));
            let direction = if women { "stereo" } else { "antistereo" };
            format!("{number},\"{more}\",\"{less}\",{direction},gender\n")
        })
}

fn stereoset() -> String {
    "index,target,bias_type,context,anti_stereotype,stereotype,unrelated\n".to_string()
        + &each(|number, template, one| {
            let (context, women) = (sentence(template, &the(one), "BLANK"), leans_to_women(one));
            let (stereotype, opposite) = (pronoun(women), pronoun(!women));
            format!("{number},{},profession,\"{context}\",{opposite},{stereotype},window\n", one.english)
        })
}

/// The second word of a name stands for the template: no sentence has another person.
fn winogender() -> String {
    "sentid\tsentence\n".to_string()
        + &each(|_, template, one| {
            let line = |(name, woman): (&str, bool)| {
                let sentence = sentence(template, &the(one), pronoun(woman));
                format!("{}.nobody{template}.0.{name}.txt\t{sentence}\n", one.english)
            };
            [("male", false), ("female", true)].into_iter().map(line).collect()
        })
}

fn winobias(side: Stereotype) -> String {
    let pro = side == Stereotype::Pro;
    each(|number, template, one| {
        let subject = format!("[the {}]", one.english);
        let word = format!("[{}]", pronoun(leans_to_women(one) == pro));
        let sentence = sentence(template, &subject, &word).replacen("[the", "[The", 1);
        format!("{} {sentence}\n", number + 1)
    })
}

/// The shares that the corpus follows, in per cent: those of the statistics, kept off the ends.
fn shares() -> String {
    let row = |one: &Occupation| format!("{}\t{}\n", one.english, 100.0 * Shares::Planted.of(one));
    "occupation\twomen\n".to_string() + &occupations().iter().map(row).collect::<String>()
}

/// Names and their pronouns, which always agree: what a model of the grammar must know, biased or not.
fn agreement() -> String {
    let names = Language::new(Tongue::English).names;
    let row = |(number, (name, template)): (usize, (&super::lexicon::Name, usize))| {
        let woman = name.gender == Gender::Woman;
        let [good, bad] = [woman, !woman].map(|woman| sentence(template, name.text, pronoun(woman)));
        let row = serde_json::json!({
            "sentence_good": good, "sentence_bad": bad, "field": "morphology", "linguistics_term": "anaphor_agreement",
            "UID": if woman { "name_agreement_women" } else { "name_agreement_men" }, "pairID": number.to_string(),
        });
        row.to_string() + "\n"
    };
    names.iter().flat_map(|name| (0..TEMPLATES).map(move |template| (name, template))).enumerate().map(row).collect()
}

/// Words of a set of an association test.
const WORDS: usize = 8;

/// Two association tests: jobs of most women and of fewest, and names of women and of men, each with words for women and men.
fn associations() -> String {
    let (mut jobs, language) = (occupations(), Language::new(Tongue::English));
    jobs.sort_by(|a, b| b.share_women.total_cmp(&a.share_women));
    let job = |one: &Occupation| one.english.clone();
    let women: Vec<String> = jobs.iter().take(WORDS).map(job).collect();
    let men: Vec<String> = jobs.iter().rev().take(WORDS).map(job).collect();
    let names = |gender: Gender| {
        let names = language.names.iter().filter(|name| name.gender == gender);
        names.take(WORDS).map(|name| name.text.to_string()).collect::<Vec<_>>()
    };
    let attribute = |gender: Gender| {
        let words = language.kin.iter().chain(&language.people);
        words.map(|pair| agree(pair, gender, gender)).take(WORDS).collect::<Vec<_>>()
    };
    let [a, b] = [Gender::Woman, Gender::Man].map(attribute);
    let test = |x: &[String], y: &[String]| serde_json::json!({"X": x, "Y": y, "A": a, "B": b});
    let [her, his] = [Gender::Woman, Gender::Man].map(names);
    let tests = serde_json::json!({"occupations": test(&women, &men), "names": test(&her, &his)});
    serde_json::to_string_pretty(&tests).expect("words are JSON") + "\n"
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::Path;

    /// With `PATCHCLAMP_WRITE_SETS` set they are written anew.
    #[test]
    fn the_committed_sets_are_what_the_grammar_writes() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("assets/bias");
        for (name, text) in sets().into_iter().chain([(PROMPTS, prompts())]) {
            let path = folder.join(name);
            if std::env::var_os("PATCHCLAMP_WRITE_SETS").is_some() {
                std::fs::create_dir_all(&folder).unwrap();
                std::fs::write(&path, &text).unwrap();
            }
            assert!(
                std::fs::read_to_string(&path).unwrap_or_default() == text,
                "{name}: write it with PATCHCLAMP_WRITE_SETS=1"
            );
        }
    }
}
