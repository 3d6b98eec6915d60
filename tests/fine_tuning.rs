//! Classification with the whole model trained: planted gaps are found and none where nothing tells a gender; two models on the
//! same texts.

mod common;

use common::*;
use patchclamp::builtin;
use patchclamp::method::Finding;
use patchclamp::method::classify::{CLASS, differences};
use patchclamp::method::measure::Difference;
use patchclamp::model::load::Loaded;
use patchclamp::plan::{Plan, Step};
use patchclamp::steps::Steps;
use patchclamp::table::{Row, Table};
use std::fmt::Write;

/// The first block of the built-in model: quick to train.
fn small() -> Loaded {
    let mut loaded = builtin::load("organism", &[], &device()).unwrap();
    loaded.model.keep_layers(&[0]);
    loaded
}

const QUICK: &str = "statistics: (resamples: 300, permutations: 300)";

fn biographies(more: &str) -> String {
    let women = "women: [0.95, 0.9, 0.8, 0.7, 0.3, 0.2, 0.1, 0.05]";
    format!("Biographies(from: Grammar(count: 1200, told: 0.7, {women}), words: 24{more})")
}

fn whole(more: &str) -> String {
    format!("Classify(first: \"female\", shuffles: 100, train: Whole(epochs: 2, rate: 2e-3{more}))")
}

fn found(data: &str, methods: &str, loaded: &Loaded) -> (Plan, Vec<Finding>) {
    let (plan, outcome) = carry_out(&question(data, methods, QUICK), loaded);
    (plan, outcome.findings)
}

fn row<'a>(table: &'a Table, metric: &str) -> &'a Row {
    table.rows.iter().find(|row| row.metric == metric).unwrap_or_else(|| panic!("{metric} in {table:?}"))
}

#[test]
fn the_whole_model_takes_up_planted_shares_and_nothing_where_no_word_tells_a_gender() {
    let loaded = small();
    let (_, told) = found(&biographies(""), &whole(""), &loaded);
    let main = &told[0].tables[0];
    let (slope, gap) = (row(main, "gap by share: slope"), row(main, "gap, root mean square"));
    let chance = row(main, "gap, root mean square, shuffled groups");
    assert!(slope.low.unwrap() > 0.0, "{slope:?}");
    assert!(gap.effect > chance.high.unwrap(), "{gap:?} {chance:?}");
    assert!(row(main, "accuracy").low.unwrap() > 1.5 * row(main, "accuracy, likeliest class").effect, "{main:?}");
    assert!(main.facts["head"].starts_with("linear, of the mean of a text's states, trained with the whole model"));
    let losses: Vec<f64> = main.facts["loss of each epoch"].split(", ").map(|loss| loss.parse().unwrap()).collect();
    assert!(losses.len() == 2 && losses[1] < losses[0], "{losses:?}");

    let (_, told) = found(&biographies(", scrubbed: Yes"), &whole(""), &loaded);
    let main = &told[0].tables[0];
    let slope = row(main, "gap by share: slope");
    assert!(slope.low.unwrap() < 0.0 && slope.high.unwrap() > 0.0, "{slope:?}");
    let (gap, chance) = (row(main, "gap, root mean square"), row(main, "gap, root mean square, shuffled groups"));
    assert!(gap.effect <= chance.high.unwrap() && gap.effect >= chance.low.unwrap(), "{gap:?} {chance:?}");
}

/// Texts whose class is a token at the third place, for models without a tokenizer.
fn tokens(name: &str) -> String {
    let mut lines = String::new();
    for (item, row) in random_rows(&[5; 240], 7).iter().enumerate() {
        let (class, group) = (item % 2, item / 2 % 2);
        let mut text: Vec<u32> = row.iter().map(|token| token % 40).collect();
        text[2] = [44, 45][class];
        writeln!(
            lines,
            r#"{{"clean": {text:?}, "corrupt": {text:?}, "right": 5, "wrong": 6, "profession": "{class}", "gender": "{group}"}}"#
        )
        .unwrap();
    }
    let path = std::path::Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    std::fs::write(&path, lines).unwrap();
    format!("Jsonl(path: {path:?}, labels: [\"profession\", \"gender\"])")
}

#[test]
fn models_of_either_kind_are_trained() {
    let site = "sites: [\"blocks.1.hook_resid_post\"]";
    for pooled in ["Mean", "Last"] {
        let train = "train: Whole(epochs: 6, rows: 8, rate: 2e-3)";
        let method = format!("Classify({site}, pooled: {pooled}, shuffles: 5, {train})");
        let text = question(&tokens(&format!("{pooled}.jsonl")), &method, QUICK);
        // raw tokens have no mask, at which an encoder's answer would be read, and nobody asks for an answer here
        let plan = Plan::new(&experiment(&text), &load("gpt2")).unwrap_or_else(|error| panic!("{error}"));
        for case in ["bert", "roberta", "gpt2", "llama", "gemma2", "pythia-parallel"] {
            let outcome = patchclamp::run::run(&plan, &load(case), &mut Steps::unkept(&mut ())).unwrap();
            let main = &outcome.findings[0].tables[0];
            // two classes of as many texts; behind the last token a random model has to learn to look for the third
            let low = row(main, "accuracy").low.unwrap();
            assert!(low > 0.6, "{case} {pooled}: {low} {:?}", main.facts["loss of each epoch"]);
        }
    }
}

#[test]
fn training_leaves_the_model_as_it_was_and_hangs_on_its_draw_alone() {
    let (loaded, data) = (load("gpt2"), tokens("left.jsonl"));
    let train = |draw: usize| format!("Classify(train: Whole(epochs: 1, rows: 8, rate: 1e-2, draw: {draw}))");
    let rows = |finding: &Finding| finding.tables[0].rows.clone();
    let losses = |finding: &Finding| finding.tables[0].facts["loss of each epoch"].clone();
    let (_, several) = found(&data, &[&train(0), "Classify()", &train(0), &train(1)].join(", "), &loaded);
    let (_, alone) = found(&data, "Classify()", &loaded);
    assert!(rows(&several[1]) == rows(&alone[0]));
    assert!(rows(&several[0]) == rows(&several[2]) && losses(&several[0]) == losses(&several[2]));
    assert_ne!(losses(&several[0]), losses(&several[3]));
}

/// Of logits that are no numbers any class is the likeliest, and a model that says one class of all is fair.
#[test]
fn training_that_diverges_tells_nothing() {
    let train = "Classify(shuffles: 5, train: Whole(epochs: 2, rows: 8, rate: 1e30))";
    let (_, told) = found(&tokens("diverged.jsonl"), train, &load("gpt2"));
    let main = &told[0].tables[0];
    assert!(told[0].tables.iter().all(|table| table.rows.is_empty()) && told[0].items[0].rows.is_empty(), "{main:?}");
    let why = main.facts.iter().find(|(name, _)| name.starts_with("left out, ")).unwrap().1;
    assert!(why.contains("training diverged at step") && why.contains("lower `rate`"), "{why}");
}

#[test]
fn texts_that_are_kept_apart_are_drawn_together() {
    // every text four times over, of one person each
    let mut lines = String::new();
    for (item, row) in random_rows(&[5; 60], 9).iter().flat_map(|row| [row; 4]).enumerate() {
        let (person, class, group) = (item / 4, item / 4 % 2, item / 8 % 2);
        let mut text: Vec<u32> = row.iter().map(|token| token % 40).collect();
        text[2] = [44, 45][class];
        writeln!(
            lines,
            r#"{{"clean": {text:?}, "corrupt": {text:?}, "right": 5, "wrong": 6, "profession": "{class}", "gender": "{group}", "person": "{person}"}}"#
        )
        .unwrap();
    }
    let path = std::path::Path::new(env!("CARGO_TARGET_TMPDIR")).join("persons.jsonl");
    std::fs::write(&path, lines).unwrap();
    let data = format!("Jsonl(path: {path:?}, labels: [\"profession\", \"gender\", \"person\"])");
    let method = "Classify(shuffles: 50, penalties: [10], held_out: (apart: Label(\"person\")))";
    let (plan, told) = found(&data, method, &load("gpt2"));
    let Step::Classify(classifying) = &plan.steps[0] else { panic!("one method") };
    let (clusters, tested) = (classifying.clusters(), classifying.parts.test.len());
    assert!(clusters.len() == tested / 4 && clusters.iter().all(|cluster| cluster.len() == 4));
    let units = classifying.exchangeable();
    assert!(units.len() == 2 && units.iter().flatten().all(|unit| unit.len() == 4));
    let main = &told[0].tables[0];
    assert!(main.facts["intervals"].contains(&format!("{} clusters of the {tested}", clusters.len())));
    assert!(main.facts["shuffled groups"].contains("among clusters"), "{main:?}");
    // accuracy in steps of whole persons: no draw has part of one
    let accuracy = row(main, "accuracy");
    let part = accuracy.effect * clusters.len() as f64;
    assert!((part - part.round()).abs() < 1e-9, "{accuracy:?}");
}

#[test]
fn training_that_cannot_be_is_refused() {
    let refuses = |train: &str, more: &str, expected: &str| {
        let text = question(&tokens("refused.jsonl"), &format!("Classify(train: Whole({train}))"), more);
        let told = Plan::new(&experiment(&text), &load("gpt2")).map(|_| ()).unwrap_err().to_string();
        assert!(told.contains(expected), "{told}\nshould say: {expected}");
    };
    refuses("epochs: 0", "", "methods[0].train.epochs: 0 is too few");
    refuses("rows: 0", "", "methods[0].train.rows: 0 is too few");
    refuses("rate: 0", "", "methods[0].train.rate: 0 is no number above 0");
    refuses("weight_decay: -1", "", "methods[0].train.weight_decay: -1 is no number from 0 on");
    refuses("", "precision: Bf16", "methods[0].train: steps of training are too small for the numbers of bf16");
}

fn difference<'a>(found: &'a [Difference], group: &str, metric: &str) -> &'a Difference {
    let same = |one: &&Difference| one.group == group && one.metric == metric;
    found.iter().find(same).unwrap_or_else(|| panic!("{group}: {metric}"))
}

/// Ten texts that a model misses where the other does not, all of women, and three the other way round.
#[test]
fn two_models_are_compared_text_by_text() {
    let (plan, told) = found(&biographies(""), "Classify(first: \"female\", penalties: [10])", &small());
    let Step::Classify(classifying) = &plan.steps[0] else { panic!("one method") };
    let own = &told[0].items[0].rows;
    let label = |item: usize, name: &str| plan.items[item].labels[name].clone();
    let of = |item: usize| classifying.labels.of()[item];
    let is_told = |row: &&Row| row.metric == CLASS;
    let women = |right: bool| {
        let own = own.iter().filter(is_told).map(|row| (row.item.unwrap(), row.effect as usize));
        own.filter(move |(item, class)| label(*item, "gender") == "female" && (*class == of(*item)) == right)
    };
    let lost: Vec<usize> = women(true).take(10).map(|(item, _)| item).collect();
    let won: Vec<usize> = women(false).take(3).map(|(item, _)| item).collect();
    let mut others = own.clone();
    for row in others.iter_mut().filter(|row| row.metric == CLASS) {
        let item = row.item.unwrap();
        if lost.contains(&item) {
            row.effect = ((of(item) + 1) % 8) as f64;
        } else if won.contains(&item) {
            row.effect = of(item) as f64;
        }
    }
    let (statistics, seed) = (plan.experiment.statistics, plan.experiment.seed);
    let found = differences(classifying, [own, &others], true, statistics, seed);
    let stream = "blocks.0.hook_resid_post";
    let tested = classifying.parts.test.len() as f64;
    let accuracy = difference(&found, stream, "accuracy");
    assert!((accuracy.values[2].0 - (3.0 - 10.0) / tested).abs() < 1e-12, "{accuracy:?}");
    // scipy.stats.binomtest(3, 13, 0.5).pvalue
    assert!((accuracy.p.unwrap() - 0.092_285_156_25).abs() < 1e-9, "{accuracy:?}");
    assert_eq!(difference(&found, stream, "accuracy, male").values[2].0, 0.0);
    assert_eq!(difference(&found, stream, "accuracy, male").p, Some(1.0));
    let interval = accuracy.values[2].1.unwrap();
    assert!(interval.low < accuracy.values[2].0 && accuracy.values[2].0 < interval.high && interval.high < 0.03);
    // what either model has by itself is what its own table says
    let main = &told[0].tables[0];
    for metric in ["accuracy", "gap, root mean square", "gap by share: slope", "equalised odds, mean", "DTO, to (1, 1)"]
    {
        let [here, _, _] = difference(&found, stream, metric).values;
        assert!((here.0 - row(main, metric).effect).abs() < 1e-12, "{metric}");
    }
    for (number, class) in classifying.classes.iter().enumerate() {
        let gap = difference(&found, &format!("{stream}, {class}"), "gap");
        let own = told[0].tables[1].rows.iter().find(|row| row.method == *class && row.metric == "gap").unwrap();
        assert!((gap.values[0].0 - own.effect).abs() < 1e-12);
        let all =
            classifying.parts.test.iter().filter(|item| of(**item) == number && label(**item, "gender") == "female");
        let of_class = |items: &[usize]| items.iter().filter(|item| of(**item) == number).count() as f64;
        let change = (of_class(&won) - of_class(&lost)) / all.count() as f64;
        assert!((gap.values[2].0 - change).abs() < 1e-12, "{class}: {gap:?} {change}");
    }
    // against itself nothing differs
    for same in differences(classifying, [own, own], true, statistics, seed) {
        assert!(same.values[2].0 == 0.0 && same.p == Some(1.0), "{same:?}");
    }
}
