//! The published files are read whole, and so are their spellings: other line ends, byte order marks; what is wrong is named.

use super::common::*;
use patchclamp::builtin;
use patchclamp::data::bias::{bbq, blimp, crows, honest, stereoset, winobias, winogender, winogender_shares, words};
use patchclamp::plan::Plan;
use patchclamp::spec::CrowsPairs;
use std::path::{Path, PathBuf};

fn data(name: &str) -> Option<PathBuf> {
    shared(&Path::new("data").join(name))
}

#[test]
fn published_files_have_as_many_items_as_their_authors_say() {
    let Some(folder) = data("crows-pairs") else { return };
    let data = folder.parent().unwrap();
    assert_eq!(crows(&CrowsPairs::new(folder.join("crows_pairs_anonymized.csv"))).unwrap().len(), 1508);
    let french = data.join("french-crows-pairs");
    for (name, count) in
        [("crows_pairs_FR", 1466), ("crows_pairs_EN_revised", 1467), ("crows_pairs_EN_revised+210", 1677)]
    {
        let file = CrowsPairs { skip_empty: true, ..CrowsPairs::new(french.join(format!("{name}.csv"))) };
        assert_eq!(crows(&file).unwrap().len(), count, "{name}");
    }
    let both = CrowsPairs {
        more: "sent_more_fr".into(),
        less: "sent_less_fr".into(),
        skip_empty: true,
        ..CrowsPairs::new(french.join("crows_pairs_EN_revised_FR_with_comments.csv"))
    };
    assert_eq!(crows(&both).unwrap().len(), 1500);
    let strict = crows(&CrowsPairs::new(french.join("crows_pairs_FR.csv"))).unwrap_err().to_string();
    assert!(
        strict.ends_with("crows_pairs_FR.csv:130: `sent_less` is empty; `skip_empty: true` leaves such rows out"),
        "{strict}"
    );
    let triples = stereoset(&data.join("stereoset-intrasentence/stereoset.csv")).unwrap();
    assert_eq!((triples.rows.len(), triples.left_out.len()), (2104, 2)); // two contexts have two blanks
    let wino = |kind: &str, part: &str| data.join(format!("winobias/{kind}_stereotyped_{part}"));
    // counted by hand: the lines whose sentences differ in more than pronouns
    for (part, apart) in [
        ("type1.txt.dev", [92, 212].as_slice()),
        ("type1.txt.test", &[157, 255, 279, 289, 296]),
        ("type2.txt.dev", &[90, 102, 119, 176, 207, 208, 209]),
        ("type2.txt.test", &[92, 103, 307, 382, 384]),
    ] {
        let found = winobias(&wino("pro", part), &wino("anti", part)).unwrap();
        let asked = found.rows.iter().filter(|(_, twins)| twins.asked.is_some()).count();
        assert_eq!((found.left_out.as_slice(), found.rows.len()), (apart, 396 - apart.len()), "{part}");
        assert!((asked > 200) == part.starts_with("type1"), "{part}: {asked}");
    }
    assert_eq!(winogender(&data.join("winogender/all_sentences.tsv")).unwrap().len(), 240);
    let shares = winogender_shares(&data.join("winogender/occupations-stats.tsv")).unwrap();
    assert!(shares.len() == 2 && shares.iter().all(|(_, table)| table.len() == 60));
    let questions = bbq(&data.join("bbq/data/Religion.jsonl")).unwrap();
    assert_eq!((questions.len(), questions.iter().filter(|(_, one)| one.biased.is_some()).count()), (1200, 1200));
    assert_eq!(blimp(&data.join("blimp-gender-agreement/anaphor_gender_agreement.jsonl")).unwrap().len(), 1000);
    for language in ["en", "es", "fr", "it", "pt", "ro", "en_queer"] {
        assert!(honest(&data.join(format!("honest/{language}_template.tsv"))).unwrap().len() > 600, "{language}");
    }
    let pairs = data.join("debiaswe/definitional_pairs.json");
    assert_eq!((words(&pairs, 0).unwrap()[2].as_str(), words(&pairs, 1).unwrap()[2].as_str()), ("she", "he"));
    assert!(words(&data.join("debiaswe/professions.json"), 0).unwrap().contains(&"alter ego".to_string()));
}

/// What a plan says of measures of the built-in model.
pub fn told(measures: &str, more: &str) -> Result<Plan, String> {
    let text =
        format!("(question: \"q\", model: Builtin(\"organism\"), {more} methods: [Measure(measures: [{measures}])])");
    let loaded = builtin::load("organism", &[], &device()).unwrap();
    Plan::new(&experiment(&text), &loaded).map_err(|error| error.to_string())
}

#[test]
fn spellings_of_a_file_are_one_file() {
    let place = tempfile::tempdir().unwrap();
    let path = place.path().join("c.csv");
    let text = ",sent_more,sent_less,stereo_antistereo,bias_type\n0,\"The nurse was\nhappy, so she slept\",\"The nurse, he\",stereo,gender\n";
    let facts = |bytes: &[u8]| {
        std::fs::write(&path, bytes).unwrap();
        let pairs = crows(&CrowsPairs::new(&path)).unwrap();
        (pairs.len(), pairs[0].1.second.clone())
    };
    let plain = facts(text.as_bytes());
    assert_eq!(facts(text.replace('\n', "\r\n").as_bytes()), plain);
    assert_eq!(facts(format!("\u{feff}{text}").as_bytes()), plain);
    std::fs::write(&path, b"a\n\xff\n").unwrap();
    assert!(
        crows(&CrowsPairs::new(&path))
            .unwrap_err()
            .to_string()
            .ends_with("c.csv:2: is not UTF-8; save the file as UTF-8")
    );
}

#[test]
fn all_that_is_wrong_with_measures_is_told_at_once() {
    let error = told(
        "CrowsPairs(path: \"nowhere.csv\"), Perplexity(window: 99, stride: 0), LogOdds(by: \"job\"), StereoSet(path: \"assets/bias/crows_pairs.csv\")",
        "",
    );
    let error = error.map(drop).unwrap_err();
    for expected in [
        "methods[0]: asks the experiment's own prompts, and there are none; write `data`",
        "methods[0].measures[0]: nowhere.csv: ",
        "methods[0].measures[1].window: 99 is not between 2 and the model's 64 positions",
        "methods[0].measures[1].stride: 0 is not between 1 and the window's 99 tokens",
        "methods[0].measures[3]: assets/bias/crows_pairs.csv:1: there is no column `target`",
    ] {
        assert!(error.contains(expected), "{error}\nshould say: {expected}");
    }
    let none = told("", "").map(drop).unwrap_err();
    assert!(none.contains("methods[0].measures: is empty; name at least one"), "{none}");
    let prompts = "data: Csv(path: \"assets/bias/occupations.csv\", labels: [\"occupation\"]),";
    let by = told("LogOdds(by: \"job\")", prompts).map(drop).unwrap_err();
    assert!(by.contains("methods[0].measures[0].by: item 0 has no label \"job\"; the data has occupation"), "{by}");
}

#[test]
fn a_method_that_asks_prompts_says_so_where_there_are_none() {
    let text = "(question: \"q\", model: Builtin(\"organism\"), methods: [LogitLens()])";
    let loaded = builtin::load("organism", &[], &device()).unwrap();
    let error = Plan::new(&experiment(text), &loaded).map(drop).unwrap_err().to_string();
    assert!(error.contains("methods[0]: asks the experiment's own prompts, and there are none"), "{error}");
}

#[test]
fn items_that_are_too_long_are_left_out_and_counted() {
    let place = tempfile::tempdir().unwrap();
    let path = place.path().join("p.csv");
    let long = "the nurse opened the door and ".repeat(20);
    std::fs::write(&path, format!("a,b\nThe nurse,The clerk\n{long},The nurse\n")).unwrap();
    let plan = told(&format!("Pairs(path: {path:?}, first: \"a\", second: \"b\")"), "").unwrap();
    let patchclamp::plan::Step::Measure(measuring) = &plan.steps[0] else { panic!("a measure was planned") };
    assert_eq!(measuring.sets[0].cases.len(), 1);
    assert!(measuring.sets[0].facts.iter().any(|(name, why)| *name == "left out" && why.starts_with("1 items")));
}
