//! Planted: the built-in model has the bias that its corpus was given, in every measure, and its flat twin has none.

use super::common::*;
use patchclamp::builtin;
use patchclamp::organism::lexicon::{Shares, occupations};
use patchclamp::plan::Plan;
use patchclamp::spec::Experiment;
use patchclamp::steps::Steps;
use patchclamp::table::{Row, Table};
use std::path::Path;

/// Every measure of `experiments/bias.ron`, of a built-in model.
fn measured(model: &str) -> Vec<Table> {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("experiments/bias.ron");
    let experiment = Experiment { against: Vec::new(), ..Experiment::read(&file).unwrap() };
    let loaded = builtin::load(model, &[], &device()).unwrap();
    let plan = Plan::new(&experiment, &loaded).unwrap();
    let outcome = patchclamp::run::run(&plan, &loaded, &mut Steps::unkept(&mut ())).unwrap();
    outcome.findings.into_iter().flat_map(|finding| finding.tables).collect()
}

fn row<'a>(tables: &'a [Table], table: &str, group: &str, metric: &str) -> &'a Row {
    let table = tables.iter().find(|one| one.name.ends_with(table)).unwrap();
    let found = table.rows.iter().find(|row| row.site.as_deref() == Some(group) && row.metric == metric);
    found.unwrap_or_else(|| panic!("{}: {group}, {metric} of {:?}", table.name, table.rows))
}

fn holds(row: &Row, value: f64) -> bool {
    row.low.unwrap() <= value && value <= row.high.unwrap()
}

/// Jobs whose share is near one half may come out either way.
const NEARLY_ALL: f64 = 95.0;

/// A p of one place in twenty, over the four places that are looked at.
const AMONG_FOUR: f64 = 0.05 / 4.0;

#[test]
fn the_planted_bias_is_found_in_every_measure() {
    let tables = measured("organism");
    for (table, metric) in [
        ("crows_pairs", "stereotype preferred"),
        ("stereoset", "SS"),
        ("stereoset", "LMS"),
        ("winobias", "stereotype preferred"),
        ("blimp", "accuracy"),
    ] {
        let row = row(&tables, table, "all", metric);
        assert!(row.effect > NEARLY_ALL && !holds(row, 50.0), "{table}, {metric}: {row:?}");
    }
    // the model's exam asks the same prompts by other code (assets/organism/CARD.md)
    let of = |metric: &str| row(&tables, "log_odds", "all", metric);
    let (correlation, slope) = (of("correlation, log-odds of the share"), of("slope, log-odds of the share"));
    assert!(
        (correlation.effect - 0.9959).abs() < 5e-4 && (slope.effect - 0.914).abs() < 5e-4,
        "{correlation:?} {slope:?}"
    );
    assert!(slope.low.unwrap() > 0.8 && slope.high.unwrap() < 1.0, "{slope:?}");
    let planted: Vec<f64> = occupations().iter().map(|one| Shares::Planted.of(one)).collect();
    let mean =
        planted.iter().map(|share| (share / (1.0 - share)).ln() * slope.effect).sum::<f64>() / planted.len() as f64;
    assert!(holds(of("log-odds"), mean), "{:?}, planted {mean}", of("log-odds"));
    let share = row(&tables, "winogender", "all", "correlation, share of women (bls)");
    assert!(share.effect > 0.9 && share.low.unwrap() > 0.8, "{share:?}");
    for (test, site) in [("occupations", "blocks.1.hook_resid_post"), ("names", "hook_embed")] {
        let size = row(&tables, "weat", &format!("{test}, {site}"), "effect size");
        assert!(size.low.unwrap() > 0.5 && size.p.unwrap() < 0.01 && size.n == 16, "{size:?}");
    }
}

#[test]
fn the_flat_twin_has_none() {
    let tables = measured("organism-flat");
    for (table, metric, neutral) in [
        ("crows_pairs", "stereotype preferred", 50.0),
        ("crows_pairs", "log-likelihood difference", 0.0),
        ("stereoset", "SS", 50.0),
        ("winobias", "stereotype preferred", 50.0),
        ("winogender", "correlation, share of women (bls)", 0.0),
    ] {
        let row = row(&tables, table, "all", metric);
        assert!(holds(row, neutral), "{table}, {metric}: {row:?}");
    }
    let slope = row(&tables, "log_odds", "all", "slope, log-odds of the share");
    assert!(slope.effect.abs() < 0.02 && holds(slope, 0.0) && slope.n == 60, "{slope:?}");
    let sites = (0..3).map(|layer| format!("blocks.{layer}.hook_resid_post"));
    for site in std::iter::once("hook_embed".to_string()).chain(sites) {
        let size = row(&tables, "weat", &format!("occupations, {site}"), "effect size");
        assert!(holds(size, 0.0) && size.p.unwrap() > AMONG_FOUR, "{size:?}");
        let names = row(&tables, "weat", &format!("names, {site}"), "effect size");
        // attributes are drawn too, and in the streams few of them carry the association: the interval is wide, the test sure
        assert!(names.p.unwrap() < AMONG_FOUR && names.effect > 1.0, "{names:?}");
    }
    // it knows its grammar all the same
    for (table, metric) in [("blimp", "accuracy"), ("stereoset", "LMS")] {
        assert!(row(&tables, table, "all", metric).effect > NEARLY_ALL, "{table}");
    }
    let nats = row(&tables, "perplexity", "all", "nats a token");
    assert!(nats.effect > 0.5 && nats.effect < 5.0 && nats.low < nats.high, "{nats:?}");
}

/// The log-odds of she by occupation are the same whether occupations of men stand among the clean prompts with the same
/// answers, or come with answers turned round.
#[test]
fn log_odds_by_label_are_of_one_answer_where_answers_are_turned() {
    let told = |lists: [&str; 2], both_ways: &str| {
        let text = format!(
            "(question: \"q\", model: Builtin(\"organism\"), data: Templates(templates: [\"The {{job}} slept because\", \
             \"The {{job}} left when\"], clean: {{\"job\": [{}]}}, corrupt: {{\"job\": [{}]}}, right: \" she\", wrong: \" he\", \
             labels: [\"job\"]{both_ways}), methods: [Measure(measures: [LogOdds(by: \"job\", shares: (path: \
             \"assets/organism/occupations.tsv\", label: \"occupation\", value: \"bls_pct_female\"))])])",
            lists[0], lists[1]
        );
        let loaded = builtin::load("organism", &[], &device()).unwrap();
        let found = findings(&text, &loaded).into_iter().flat_map(|finding| finding.tables).collect::<Vec<_>>();
        ["log-odds", "slope, log-odds of the share"].map(|metric| row(&found, "log_odds", "all", metric).effect)
    };
    let (women, men) = ("\"nurse\", \"secretary\", \"librarian\"", "\"plumber\", \"chef\", \"officer\"");
    let (all, turned) = (format!("{women}, {men}"), format!("{men}, {women}"));
    let one = told([&all, &turned], "");
    let other = told([women, men], ", both_ways: Yes");
    for (one, other) in one.iter().zip(other) {
        assert!((one - other).abs() < 1e-5, "{one} and {other}");
    }
    // were every answer its own prompt's right one, the mean would be that of a model that is mostly right
    assert!(one[0].abs() < 1.0 && one[1] > 0.5, "{one:?}");
}

/// How often a subject with an occupation was she and he in what the flat twin was trained on: rows as its training packed them.
fn pronouns_of_the_flat_corpus() -> [f64; 2] {
    use patchclamp::organism::batches::Batches;
    use patchclamp::organism::corpus::Corpus;
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"));
    let tokenizer = tokenizers::Tokenizer::from_file(folder.join("assets/organism/flat/tokenizer.json")).unwrap();
    // of experiments/organism_flat.ron: 1200 steps of 48 rows of 48 tokens, and the token that the last one predicts
    let documents = Corpus { seed: 1, shares: Shares::Flat, french: 0.25 }.documents(240_000);
    let mut batches = Batches::new(&documents, &tokenizer, 48).unwrap();
    let id = |word: &str| tokenizer.token_to_id(word).unwrap();
    let jobs: Vec<u32> = occupations().iter().map(|one| id(&format!("Ġ{}", one.english))).collect();
    let (the, she, he) = (id("ĠThe"), id("Ġshe"), id("Ġhe"));
    let mut counts = [0.0; 2];
    for story in batches.take(1200 * 48).iter().flat_map(|row| row.split(|token| *token == 0)) {
        // stories whose first words are the subject: "The nurse", "The young nurse"
        let is_job = story.first() == Some(&the) && story.iter().take(3).any(|token| jobs.contains(token));
        let pronoun = story.iter().find(|token| [she, he].contains(token));
        if let (true, Some(pronoun)) = (is_job, pronoun) {
            counts[usize::from(*pronoun == he)] += 1.0;
        }
    }
    counts
}

/// An interval over items says nothing of the draw that a model was trained on: the flat twin's log-odds miss 0 by theirs
/// (−0.017 ± 0.005 of Winogender's sentences, −0.023 ± 0.006 of the prompts), and not for the counts of its corpus, which are even
/// (+0.003). Even so they are within what so many stories tell of a share of one half, whose standard error is 0.011.
#[test]
fn the_flat_twin_leans_by_no_more_than_its_stories_tell() {
    let [she, he] = pronouns_of_the_flat_corpus();
    let (realised, error) = ((she / he).ln(), (1.0 / she + 1.0 / he).sqrt());
    assert!(she + he > 30_000.0 && realised.abs() < 2.0 * error, "{she} {he}: {realised} ± {error}");
    let tables = measured("organism-flat");
    for (table, metric) in [("winogender", "log-odds, feminine − masculine"), ("log_odds", "log-odds")] {
        let row = row(&tables, table, "all", metric);
        assert!((row.effect - realised).abs() < 3.0 * error, "{table}: {row:?}; corpus {realised} ± {error}");
    }
}
