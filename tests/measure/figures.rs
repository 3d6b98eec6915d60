//! Figures of items that were made up, against what a hand makes of them; what is said of items that do not count.

use super::common::*;
use super::readers::told;
use patchclamp::method::measure::{Columns, Figure, columns, figures};
use patchclamp::metric::Metric;
use patchclamp::plan::{Case, Kind, Measuring, Plan, Set, Step};

pub fn set(kind: Kind, cases: Vec<Case>) -> Set {
    Set { kind, name: "set".into(), cases, facts: Vec::new() }
}

pub fn case(cluster: &str, labels: &[&str], known: &[f64]) -> Case {
    let labels = labels.iter().map(|label| label.to_string()).collect();
    Case { cluster: cluster.into(), labels, known: known.to_vec(), ..Case::default() }
}

/// A figure's value and of how many it is.
pub fn value(columns: &Columns, figures: &[Figure], group: &str, metric: &str) -> (Option<f64>, usize) {
    let one = figures.iter().find(|one| one.group == group && one.metric == metric);
    let one = one.unwrap_or_else(|| panic!("no {metric} of {group}"));
    let rows: Vec<&[f64]> = one.members.iter().map(|item| columns.rows[*item].as_slice()).collect();
    ((one.statistic)(&rows), one.counted)
}

#[test]
fn contrasts_are_of_templates_with_every_category() {
    // nats of female and male identities: template 0 {1, 3} and {4}, template 1 {5} and {3}, template 2 has none of men
    let items = [("0", "f", 1.0), ("0", "f", 3.0), ("0", "m", 4.0), ("1", "f", 5.0), ("1", "m", 3.0), ("2", "f", 90.0)];
    let cases = items.map(|(template, category, _)| case(template, &[category], &[template.parse().unwrap()]));
    let set = set(Kind::Honest, cases.to_vec());
    let columns = columns(&set, &items.map(|(.., nats)| vec![vec![-nats]]));
    let figures = figures(&set, &columns);
    // template 0: 2 and 4 about 3; template 1: 5 and 3 about 4
    assert_eq!(value(&columns, &figures, "f", "contrast"), (Some(0.0), 3));
    assert_eq!(value(&columns, &figures, "m", "contrast"), (Some(0.0), 2));
    assert!(columns.rows[5][1].is_nan());
    assert_eq!(columns.rows[0][1], -2.0);
}

#[test]
fn a_name_stands_in_either_form() {
    // a case's texts: the first name and with 's, the second and with 's; the likelier form of each counts
    let texts = |values: [f64; 4]| values.map(|value| vec![value]).to_vec();
    let told = [texts([-2.0, -9.0, -8.0, -1.0]), texts([-9.0, -2.0, -3.0, -8.0])];
    let cases = vec![case("0", &["feminine"], &[1.0, 0.0, 1.0]), case("1", &["masculine"], &[0.0, 1.0, 0.0])];
    let columns = columns(&set(Kind::Gap, cases), &told);
    assert_eq!([columns.rows[0][0], columns.rows[1][0]], [1.0, 0.0]);
}

#[test]
fn bias_is_of_questions_that_say_what_is_biased() {
    // right, unknown, biased, ambiguous: two that are answered with the bias and without, and two that do not say
    let known = [[1.0, 1.0, 2.0, 1.0], [1.0, 1.0, 2.0, 1.0], [1.0, 1.0, f64::NAN, 1.0], [1.0, 1.0, f64::NAN, 1.0]];
    let chosen = [2, 1, 1, 1];
    let set = set(Kind::Bbq, known.iter().map(|known| case("t", &["c"], known)).collect());
    let texts = |chosen: usize| (0..3).map(|answer| vec![if answer == chosen { -1.0 } else { -5.0 }]).collect();
    let columns = columns(&set, &chosen.map(texts));
    let figures = figures(&set, &columns);
    assert_eq!(value(&columns, &figures, "all", "accuracy, ambiguous"), (Some(75.0), 4));
    // of the two that say so one is wrong, and it is biased: (1 − 1/2) · 1
    assert_eq!(value(&columns, &figures, "all", "bias, ambiguous"), (Some(0.5), 2));
}

#[test]
fn a_metric_has_its_own_name_and_a_correlation_counts_values() {
    for (metric, name) in [(Metric::LogitDiff, "log-odds"), (Metric::ProbabilityDiff, "probability difference")] {
        let share = [0.2, 0.4, 0.8, 1.0];
        let cases = (0..8).map(|item| case(&(item % 4).to_string(), &["job"], &[(item % 4) as f64, share[item % 4]]));
        let kind = Kind::LogOdds { by: "job".into(), shares: true, metric };
        let set = set(kind, cases.collect());
        let columns = columns(&set, &[0.0, 1.0, 2.0, 3.0, 0.0, 1.0, 2.0, 3.0].map(|value| vec![vec![value]]));
        let figures = figures(&set, &columns);
        assert_eq!(value(&columns, &figures, "all", name), (Some(1.5), 8));
        // a share of one has no log-odds
        assert_eq!(value(&columns, &figures, "all", "slope, log-odds of the share").1, 3);
        assert_eq!(value(&columns, &figures, "all", "correlation, share").1, 4);
    }
}

fn measuring(plan: &Plan) -> &Measuring {
    let Step::Measure(measuring) = &plan.steps[0] else { panic!("a measure was planned") };
    measuring
}

/// What is said of the one set of a plan.
fn said(measures: &str, more: &str, name: &str) -> String {
    let plan = told(measures, more).unwrap();
    let facts = &measuring(&plan).sets[0].facts;
    facts.iter().find(|(one, _)| *one == name).unwrap_or_else(|| panic!("no {name} in {facts:?}")).1.clone()
}

/// A question of BBQ.
const QUESTION: &str = r#"{"question_index": "1", "question_polarity": "neg", "context_condition": "ambig", "category": "SES",
    "answer_info": {"ans0": ["a", "lowSES"], "ans1": ["b", "highSES"], "ans2": ["c", "unknown"]},
    "additional_metadata": {"stereotyped_groups": ["GROUPS"]}, "context": "The guard met the nurse.", "question": "Who?",
    "ans0": "the guard", "ans1": "the nurse", "ans2": "the man", "label": 2}"#;

#[test]
fn what_does_not_count_is_said() {
    let place = tempfile::tempdir().unwrap();
    let written = |name: &str, text: &str| {
        let path = place.path().join(name);
        std::fs::write(&path, text).unwrap();
        format!("{path:?}")
    };
    let row = |text: &str, raw: &str, category: &str| format!("{text}\t{raw}\t{category}\n");
    let rows = [
        row("the woman met the [M].", "[I] met the [M].", "female"),
        row("the man met the [M].", "[I] met the [M].", "male"),
        row("the woman saw the [M].", "[I] saw the [M].", "female"),
    ];
    let honest = written("h.tsv", &format!("template_masked\traw\tcategory\n{}", rows.concat()));
    let told = said(&format!("Honest(path: {honest})"), "", "left out of the contrast");
    assert_eq!(told, "1 of 2 templates, which have not all categories");
    let triple = |context: &str| format!("nurse,gender,{context},she,he,the\n");
    let header = "target,bias_type,context,stereotype,anti_stereotype,unrelated\n";
    let triples = [header, &triple("The nurse said BLANK met the guard"), &triple("BLANK and BLANK met")].concat();
    let stereoset = format!("StereoSet(path: {})", written("s.csv", &triples));
    let told = said(&stereoset, "", "left out of the file");
    assert_eq!(told, "1 rows, whose context has more than one BLANK: lines 3");
    let question = |groups: &str| QUESTION.replace('\n', " ").replace("GROUPS", groups);
    let bbq = written("b.jsonl", &format!("{}\n{}\n", question("low SES"), question("x")));
    let told = said(&format!("Bbq(path: {bbq})"), "", "without a biased answer");
    assert!(told.starts_with("1 questions, of which"), "{told}");
    let shares = written("w.tsv", "job\twomen\nnurse\t100\nclerk\t40\n");
    let prompts = "data: Csv(path: \"assets/bias/occupations.csv\", labels: [\"occupation\"]), metric: LogProb,";
    let by = format!("LogOdds(by: \"occupation\", shares: (path: {shares}, label: \"job\", value: \"women\"))");
    assert_eq!(said(&by, prompts, "no log-odds of the share"), "nurse, which have 0 or 100 per cent");
    assert_eq!(said(&by, prompts, "metric"), "ln p(right)");
}

#[test]
fn both_parts_of_stereoset_are_told() {
    let place = tempfile::tempdir().unwrap();
    let path = place.path().join("dev.json");
    let sentences = |of: &dyn Fn(&str) -> String| {
        let one = |(label, word): (&str, &str)| format!(r#"{{"sentence": "{}", "gold_label": "{label}"}}"#, of(word));
        [("stereotype", "she"), ("anti-stereotype", "he"), ("unrelated", "the")].map(one).join(",")
    };
    let entry = |context: &str, sentences: String| {
        format!(r#"[{{"target": "nurse", "bias_type": "gender", "context": "{context}", "sentences": [{sentences}]}}]"#)
    };
    let within = entry("The nurse said BLANK slept", sentences(&|word| format!("The nurse said {word} slept")));
    let behind = entry("The nurse slept.", sentences(&|word| format!("The guard met {word}")));
    std::fs::write(&path, format!(r#"{{"data": {{"intrasentence": {within}, "intersentence": {behind}}}}}"#)).unwrap();
    let measure = format!("StereoSet(path: {path:?})");
    assert!(said(&measure, "", "intersentence").contains("not how the authors score it"));
    let plan = told(&measure, "").unwrap();
    let labels: Vec<&str> = measuring(&plan).sets[0].cases.iter().map(|case| case.labels[1].as_str()).collect();
    assert_eq!(labels, ["intrasentence", "intersentence"]);
}

#[test]
fn draws_and_signs_are_counted_as_memory() {
    let loaded = patchclamp::builtin::load("organism", &[], &device()).unwrap();
    let memory = |more: &str| {
        let measure = "Measure(measures: [CrowsPairs(path: \"assets/bias/crows_pairs.csv\")])";
        let text = format!("(question: \"q\", model: Builtin(\"organism\"), {more} methods: [{measure}])");
        Plan::new(&experiment(&text), &loaded).unwrap().loads[0].memory.0
    };
    let statistics = |resamples: usize| format!("statistics: (resamples: {resamples}, permutations: 100000),");
    let against = "against: [(name: \"flat\", model: Builtin(\"organism-flat\"))],";
    let (few, many) = (memory(&statistics(2000)), memory(&statistics(12_000)));
    let paired = memory(&(statistics(2000) + against));
    // 240 pairs: 8 bytes for each of 10 000 more draws, 4 for each of 100 000 patterns of signs
    assert!(many - few >= 240 * 8 * 10_000 && paired - few >= 240 * 4 * 100_000, "{few} {many} {paired}");
}
