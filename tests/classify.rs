//! Classification: gaps follow planted shares and nothing else, figures are those of counting, files of others are read.

mod common;

use common::*;
use patchclamp::builtin;
use patchclamp::method::Finding;
use patchclamp::model::load::Loaded;
use patchclamp::organism::biography::{Biography, counts, scrubbed, write};
use patchclamp::organism::lexicon::Gender;
use patchclamp::plan::{Item, Plan};
use patchclamp::spec::Grammar;
use patchclamp::table::{Row, Table};
use std::path::PathBuf;

fn organism() -> Loaded {
    builtin::load("organism", &[], &device()).unwrap()
}

const QUICK: &str = "statistics: (resamples: 400)";

const PLANTED: &str = "women: [0.95, 0.9, 0.8, 0.7, 0.3, 0.2, 0.1, 0.05]";

fn grammar(more: &str) -> String {
    format!("Biographies(from: Grammar(count: 1200, {PLANTED}){more})")
}

fn found(data: &str, method: &str) -> (Plan, Finding) {
    let (plan, mut outcome) = carry_out(&question(data, method, QUICK), &organism());
    (plan, outcome.findings.remove(0))
}

fn table<'a>(finding: &'a Finding, name: &str) -> &'a Table {
    finding.tables.iter().find(|table| table.name.ends_with(name)).unwrap()
}

fn row<'a>(table: &'a Table, metric: &str) -> &'a Row {
    table.rows.iter().find(|row| row.metric == metric).unwrap_or_else(|| panic!("{metric} in {table:?}"))
}

const LAST: &str = r#"Classify(first: "female", sites: ["blocks.1.hook_resid_post"], penalties: [10], shuffles: 100)"#;

#[test]
fn gaps_follow_planted_shares_and_go_when_no_word_tells_a_gender() {
    let (_, told) = found(&grammar(""), LAST);
    let main = table(&told, "classify");
    let (slope, gap) = (row(main, "gap by share: slope"), row(main, "gap, root mean square"));
    let chance = row(main, "gap, root mean square, shuffled groups");
    assert!(slope.low.unwrap() > 0.0, "{slope:?}");
    assert!(row(main, "gap by share: Pearson").low.unwrap() > 0.0);
    assert!(gap.effect > chance.high.unwrap(), "{gap:?} {chance:?}");
    assert!(row(main, "accuracy").low.unwrap() > 1.5 * row(main, "accuracy, likeliest class").effect, "{main:?}");

    let (_, told) = found(&grammar(", scrubbed: Yes"), LAST);
    let main = table(&told, "classify");
    let slope = row(main, "gap by share: slope");
    assert!(slope.low.unwrap() < 0.0 && slope.high.unwrap() > 0.0, "{slope:?}");
    let (gap, chance) = (row(main, "gap, root mean square"), row(main, "gap, root mean square, shuffled groups"));
    assert!(gap.effect <= chance.high.unwrap() && gap.effect >= chance.low.unwrap(), "{gap:?} {chance:?}");
}

/// Shares of right texts among some of those that were tested.
fn share(items: &[Item], singles: &[Row], of: impl Fn(&Item) -> bool) -> f64 {
    let right = singles.iter().filter(|row| row.metric == "accuracy");
    let own: Vec<f64> = right.filter(|row| of(&items[row.item.unwrap()])).map(|row| row.effect).collect();
    own.iter().sum::<f64>() / own.len() as f64
}

#[test]
fn figures_are_those_of_counting_texts() {
    let (plan, told) = found(&grammar(""), LAST);
    let (main, gaps, singles) = (table(&told, "classify"), table(&told, "gaps"), &told.items[0].rows);
    let is = |item: &Item, label: &str, value: &str| item.labels[label] == value;
    let near =
        |found: f64, expected: f64, what: &str| assert!((found - expected).abs() < 1e-12, "{what}: {found} {expected}");
    let all = share(&plan.items, singles, |_| true);
    near(row(main, "accuracy").effect, all, "accuracy");
    let groups = ["female", "male"].map(|group| share(&plan.items, singles, |item| is(item, "gender", group)));
    near(row(main, "accuracy, female").effect, groups[0], "female");
    near(row(main, "accuracy, worst group").effect, groups[0].min(groups[1]), "worst group");
    let (mut squares, mut pairs) = (Vec::new(), Vec::new());
    for gap in gaps.rows.iter().filter(|row| row.metric == "gap") {
        let rate = |group: &str| {
            share(&plan.items, singles, |item| is(item, "profession", &gap.method) && is(item, "gender", group))
        };
        near(gap.effect, rate("female") - rate("male"), &gap.method);
        squares.push(gap.effect * gap.effect);
        let own: Vec<&Item> = plan.items.iter().filter(|item| is(item, "profession", &gap.method)).collect();
        let women = own.iter().filter(|item| is(item, "gender", "female")).count() as f64 / own.len() as f64;
        pairs.push((women, gap.effect));
    }
    let rms = (squares.iter().sum::<f64>() / squares.len() as f64).sqrt();
    assert_eq!(squares.len(), 8);
    near(row(main, "gap, root mean square").effect, rms, "root mean square");
    near(row(main, "DTO, to (1, 1)").effect, (1.0 - all).hypot(rms), "DTO");
    // a single head is its own best
    near(row(main, "DTO, to the best of the streams").effect, 0.0, "relative DTO");
    let mean = |of: fn(&(f64, f64)) -> f64| pairs.iter().map(of).sum::<f64>() / pairs.len() as f64;
    let (x, y) = (mean(|pair| pair.0), mean(|pair| pair.1));
    let both: f64 = pairs.iter().map(|pair| (pair.0 - x) * (pair.1 - y)).sum();
    let slope = both / pairs.iter().map(|pair| (pair.0 - x).powi(2)).sum::<f64>();
    near(row(main, "gap by share: slope").effect, slope, "slope");
    for row in &main.rows {
        let (low, high) = (row.low.unwrap_or(row.effect), row.high.unwrap_or(row.effect));
        assert!(low <= high && row.n > 0, "{row:?}");
    }
    let cells = table(&told, "cells");
    assert!(!cells.rows.is_empty() && cells.rows.iter().all(|row| row.n > 0), "{cells:?}");
}

#[test]
fn the_first_group_is_the_one_that_is_named() {
    let of = |first: &str| found(&grammar(""), &LAST.replace("\"female\"", first)).1;
    let (women, men) = (of("\"female\""), of("\"male\""));
    for metric in ["gap by share: slope", "gap by share: Pearson", "gap, root mean square", "accuracy"] {
        let [one, other] = [&women, &men].map(|told| row(table(told, "classify"), metric).effect);
        // gaps and shares both turn their sign
        assert!((one - other).abs() < 1e-9, "{metric}: {one} {other}");
    }
    let [one, other] = [&women, &men].map(|told| table(told, "gaps").rows[0].effect);
    assert!(one != 0.0 && one == -other, "{one} {other}");
}

fn planted() -> Grammar {
    let text = format!("({PLANTED}, count: 800)");
    patchclamp::spec::parse(std::path::Path::new("g.ron"), &text).unwrap()
}

fn count(texts: &[Biography], of: impl Fn(&Biography) -> bool) -> f64 {
    texts.iter().filter(|text| of(text)).count() as f64
}

#[test]
fn shares_imbalance_and_labels_are_those_that_were_planted() {
    let grammar = planted();
    let texts = write(&grammar, 3);
    assert_eq!(texts, write(&grammar, 3));
    assert_ne!(texts, write(&grammar, 4));
    for (name, women) in grammar.occupations.iter().zip(&grammar.women) {
        let of = |text: &Biography| text.profession == *name;
        let share = count(&texts, |text| of(text) && text.gender == Gender::Woman) / count(&texts, of);
        assert!((share - women).abs() < 1e-9, "{name} {share}");
        assert!(texts.iter().all(|text| !text.text.contains(name.as_str())), "{name}");
    }
    let uneven = counts(&Grammar { imbalance: 8.0, ..grammar.clone() });
    assert!((uneven[0] as f64 / uneven[7] as f64 - 8.0).abs() < 0.3, "{uneven:?}");
    let moved = write(&Grammar { mislabelled: 0.5, ..grammar }, 3);
    let nurses = |texts: &[Biography], gender| count(texts, |text| text.profession == "nurse" && text.gender == gender);
    assert!(nurses(&moved, Gender::Woman) > 2.0 * nurses(&texts, Gender::Woman));
    assert_eq!(nurses(&moved, Gender::Man), nurses(&texts, Gender::Man));
}

#[test]
fn a_scrubbed_text_tells_no_gender() {
    let text = "Mary left the house. She read her book, and he, too.";
    assert_eq!(scrubbed(text), "left the house. read book, and too.");
    let of = |share| write(&Grammar { women: vec![share; 8], ..planted() }, 5);
    let (women, men) = (of(1.0), of(0.0));
    assert!(women.iter().zip(&men).all(|(woman, man)| woman.text != man.text));
    assert!(women.iter().zip(&men).all(|(woman, man)| scrubbed(&woman.text) == scrubbed(&man.text)));
}

fn file(name: &str, text: &str) -> PathBuf {
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("biographies");
    std::fs::create_dir_all(&folder).unwrap();
    std::fs::write(folder.join(name), text).unwrap();
    folder.join(name)
}

fn data(path: &std::path::Path, more: &str) -> String {
    format!("Biographies(from: File(path: {path:?}){more})")
}

const TEXTS: [(&str, usize, usize); 4] = [
    ("She read the book. She went home, tired.", 13, 1),
    ("He wrote a letter.", 24, 0),
    ("She \"sang\" a song.", 24, 1),
    ("John went home.", 13, 0),
];

#[test]
fn files_with_the_columns_of_bias_in_bios_are_read() {
    let json = TEXTS.map(|(text, label, group)| {
        serde_json::json!({"hard_text": text, "profession": label, "gender": group}).to_string()
    });
    let csv = TEXTS.map(|(text, label, group)| format!("\"{}\",{label},{group}", text.replace('"', "\"\"")));
    let named = TEXTS.map(|(text, label, group)| {
        let (label, group) = (if label == 13 { "nurse" } else { "software_engineer" }, ["male", "female"][group]);
        serde_json::json!({"hard_text": text, "profession": label, "gender": group}).to_string()
    });
    let paths = [
        file("hub.jsonl", &json.join("\n")),
        file("hub.csv", &format!("hard_text,profession,gender\n{}\n", csv.join("\n"))),
        file("named.jsonl", &named.join("\n")),
    ];
    let loaded = organism();
    let items = |data: &str| {
        let text = question(data, "Record(sites: [\"hook_embed\"])", "");
        Plan::new(&experiment(&text), &loaded).unwrap_or_else(|error| panic!("{error}")).items
    };
    let first = items(&data(&paths[0], ""));
    assert_eq!(first[0].labels["profession"], "nurse");
    assert_eq!(
        (first[1].labels["profession"].as_str(), first[1].labels["gender"].as_str()),
        ("software_engineer", "male")
    );
    assert!(paths.iter().all(|path| items(&data(path, "")) == first));
    for kept in ["snappy", "zstd", "gzip", "named"] {
        assert_eq!(items(&data(&parquet(kept), "")), first, "{kept}");
    }
    let text = loaded.text.as_ref().unwrap();
    assert_eq!(text.decode(&items(&data(&paths[0], ", words: 4"))[0].clean).trim(), "She read the book.");
    assert_eq!(text.decode(&items(&data(&paths[0], ", scrubbed: Yes"))[3].clean).trim(), "went home.");
    assert_eq!(items(&data(&paths[0], ", items: 3")).len(), 3);
}

/// A file of `tests/golden/biographies.py`.
fn parquet(name: &str) -> PathBuf {
    golden(&format!("biographies-{name}.parquet"))
}

#[test]
fn damaged_parquet_is_an_error_and_no_panic() {
    let (loaded, whole) = (organism(), std::fs::read(parquet("snappy")).unwrap());
    let path = file("damaged.parquet", "");
    let mut refused = 0;
    for place in (0..whole.len()).step_by(3) {
        let mut bytes = whole.clone();
        bytes[place] ^= 0xa5;
        std::fs::write(&path, bytes).unwrap();
        let text = question(&data(&path, ""), "Record(sites: [\"hook_embed\"])", "");
        if let Err(error) = Plan::new(&experiment(&text), &loaded) {
            refused += 1;
            assert!(error.to_string().contains("damaged.parquet"), "{error}");
        }
    }
    assert!(refused > whole.len() / 9, "{refused} of {}", whole.len() / 3);
}

#[test]
fn what_cannot_be_classified_is_refused() {
    let loaded = organism();
    let refuses = |data: &str, method: &str, expected: &str| {
        let told = Plan::new(&experiment(&question(data, method, "")), &loaded).map(|_| ()).unwrap_err().to_string();
        assert!(told.contains(expected), "{told}\nshould say: {expected}");
    };
    let few = "Biographies(from: Grammar(count: 64))";
    refuses(few, "Classify(label: \"job\")", "methods[0].label: not every item has a label \"job\"");
    refuses(
        few,
        "Classify(first: \"neuter\")",
        "methods[0].first: \"neuter\" is no group; there are [\"female\", \"male\"]",
    );
    refuses(few, "Classify(group: \"profession\")", "methods[0].group: gaps are between two groups");
    refuses(few, "Classify(penalties: [])", "methods[0].penalties: [] are not numbers above 0");
    let grammar = |more: &str| format!("Biographies(from: Grammar({more}))");
    refuses(
        &grammar("occupations: [\"nurse\", \"wizard\"]"),
        "Classify()",
        "\"wizard\" is no occupation of the built-in list",
    );
    refuses(&grammar("women: [0.5]"), "Classify()", "`women` [0.5] are not 8 shares from 0 to 1");
    refuses(&grammar("count: 9"), "Classify()", "`count` 9 leaves an occupation 1 texts");
    refuses(&grammar("told: 2"), "Classify()", "are shares from 0 to 1");
    let bad = file("bad.jsonl", r#"{"hard_text": "She left.", "profession": 99, "gender": 1}"#);
    refuses(&data(&bad, ""), "Classify()", "bad.jsonl:1: 99 stands for no name; there are 0 to 27");
    let holes = data(&parquet("holes"), "");
    refuses(&holes, "Classify()", "biographies-holes.parquet:2: column `hard_text` has nothing there");
    let other = format!("Biographies(from: File(path: {:?}, label: \"job\"))", parquet("gzip"));
    refuses(&other, "Classify()", "there is no column `job`; the file has hard_text, profession, gender, other");
    let group = format!("Biographies(from: File(path: {:?}, group: \"other\"))", parquet("gzip"));
    refuses(
        &group,
        "Classify()",
        "biographies-gzip.parquet:1: column `other` has 0.5, which is neither a text nor a whole number",
    );
    refuses(&data(&file("text.parquet", "{}"), ""), "Classify()", "text.parquet: no Parquet file");
    let none = file("none.csv", "text,profession,gender\nShe left.,1,1\n");
    refuses(&data(&none, ""), "Classify()", "there is no column `hard_text`; the header has text, profession, gender");
}
