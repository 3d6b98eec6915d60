//! Laws of the memory budget: less memory is fewer rows at once, and nothing else.

use super::common::*;
use patchclamp::method::Finding;
use patchclamp::model::load::Loaded;
use patchclamp::plan::{Load, Plan, PlanError, ROWS};
use patchclamp::precision::Precision;
use patchclamp::spec::Memory;

/// Two orders of addition in f32, on differences of logits of a few units.
const TOLERANCE: f64 = 2e-5;

const METHODS: &str = r#"
    Record(sites: ["hook_resid_pre"], gradients: ["hook_resid_pre"]), LogitLens(), DirectLogitAttribution, Attention(),
    Patch(sites: ["attn.hook_z"], over: [Layer, Head, Position]),
    Ablate(sites: ["attn.hook_z"], over: [Layer, Head], with: Mean), Generate(tokens: 3),
    Circuit(select: TopN(20)), Circuit(score: Exact, select: TopN(20))"#;

/// How many methods these are.
const COUNT: usize = 9;

/// The same experiment with a budget of so many bytes.
fn text(budget: Option<u64>) -> String {
    let memory = budget.map_or(String::new(), |bytes| format!("memory: \"{}\"", Memory(bytes)));
    question(&random_pairs(&[6; 48], None), METHODS, &memory)
}

fn loads(budget: Option<u64>, loaded: &Loaded) -> Result<Vec<Load>, PlanError> {
    loads_of(&text(budget), loaded)
}

fn loads_of(text: &str, loaded: &Loaded) -> Result<Vec<Load>, PlanError> {
    Plan::new(&experiment(text), loaded).map(|plan| plan.loads)
}

/// The least budget that every method fits into, and what the most rows take.
fn range(loaded: &Loaded) -> (u64, u64) {
    let most = loads(None, loaded).unwrap().iter().map(|load| load.memory.0).max().unwrap();
    let (mut little, mut enough) = (1, most);
    while enough - little > 1 {
        let between = (little + enough) / 2;
        match loads(Some(between), loaded) {
            Ok(_) => enough = between,
            Err(_) => little = between,
        }
    }
    (enough, most)
}

#[test]
fn rows_shrink_with_the_budget_and_keep_to_it() {
    let loaded = load("gpt2");
    let (least, most) = range(&loaded);
    let rows = |loads: &[Load]| loads.iter().map(|load| load.rows).collect::<Vec<_>>();
    assert_eq!(rows(&loads(None, &loaded).unwrap()), [ROWS; COUNT]);
    assert_eq!(rows(&loads(Some(most), &loaded).unwrap()), [ROWS; COUNT]);
    let mut before = vec![ROWS; COUNT];
    for part in (0..=8).rev() {
        let budget = least + (most - least) * part / 8;
        let loads = loads(Some(budget), &loaded).unwrap();
        assert!(loads.iter().all(|load| load.memory.0 <= budget && load.rows >= 1), "{budget} {loads:?}");
        let now = rows(&loads);
        assert!(now.iter().zip(&before).all(|(now, before)| now <= before), "{now:?} {before:?}");
        before = now;
    }
    assert!(before.iter().any(|rows| *rows < ROWS / 2), "{before:?}");
}

#[test]
fn a_budget_that_holds_no_row_says_what_is_needed() {
    let loaded = load("gpt2");
    let (least, _) = range(&loaded);
    let told = loads(Some(least - 1), &loaded).unwrap_err().to_string();
    let (needed, weights) = (Memory(least).rounded(), "1 MiB");
    let expected =
        format!("one row at a time needs about {needed}, of which {weights} are weights; give at least that");
    assert!(told.starts_with("memory: ") && told.contains(&expected), "{told}");
}

#[test]
fn results_are_the_same_in_any_budget() {
    let loaded = load("gpt2");
    let (least, _) = range(&loaded);
    let [free, tight] = [None, Some(least)].map(|budget| findings(&text(budget), &loaded));
    let mut rows = 0;
    for (free, tight) in free.iter().zip(&tight) {
        rows += compare(free, tight);
    }
    assert!(rows > 1000);
}

/// Tracing reads probabilities, which need the whole vocabulary, and mediation odds, which do not; what the experiment's
/// metric is makes no difference to either.
#[test]
fn methods_with_a_metric_of_their_own_are_counted_by_it() {
    let loaded = load("gpt2");
    let [plain, whole] = ["LogitDiff", "Probability"].map(|metric| {
        let pair = "(clean: [1, 2, 3, 4], corrupt: [1, 9, 3, 4], right: 5, wrong: 6, subject: [1])";
        let methods = "Trace(), Mediate(), Patch(sites: [\"hook_resid_pre\"], over: [Layer, Position])";
        let text = question(&format!("Pairs([{}])", [pair; 48].join(", ")), methods, &format!("metric: {metric}"));
        loads_of(&text, &loaded).unwrap()
    });
    let memory = |loads: &[Load]| loads.iter().map(|load| load.memory.0).collect::<Vec<_>>();
    let (plain, whole) = (memory(&plain), memory(&whole));
    assert_eq!(plain[..2], whole[..2]);
    assert!(plain[2] < whole[2]);
}

/// What the only method of an experiment needs at the most, bytes.
fn needed(data: &str, method: &str, more: &str, loaded: &Loaded) -> u64 {
    loads_of(&question(data, method, more), loaded).unwrap()[0].memory.0
}

#[test]
fn every_method_does_with_fewer_rows_what_does_not_fit() {
    let loaded = load("gpt2");
    let pair = |item: usize| {
        let (third, fourth) = (item % 8, item / 8);
        format!(
            "(clean: [1, 2, {third}, {fourth}], corrupt: [1, 9, {third}, {fourth}], right: 5, wrong: 6, subject: [1])"
        )
    };
    let data = format!("Pairs([{}])", (0..64).map(pair).collect::<Vec<_>>().join(", "));
    for method in [
        "LogitLens()",
        "DirectLogitAttribution",
        "Patch(sites: [\"hook_resid_pre\"], over: [Layer, Position])",
        "Ablate(sites: [\"attn.hook_z\"], over: [Layer, Head])",
        "AttributionPatch(sites: [\"attn.hook_k\"], over: [Layer, Head], score: AtPStar())",
        "PathPatch(senders: Heads)",
        "Knockout(from: [0], over: [Layer, Head])",
        "Acdc(threshold: 0.01)",
        "Das(sites: [\"hook_resid_post\"], over: [Layer, Position])",
        "TunedLens()",
        "Patchscope(prompt: [9, 4, 30, 7], at: 2, tokens: 3)",
        "Mediate()",
        "Trace()",
        "Generate(tokens: 3)",
        "Localise(lesion: [Resample])",
        "Steer()",
    ] {
        let budget = Memory(needed(&data, method, "", &loaded) - 1);
        let less = loads_of(&question(&data, method, &format!("memory: \"{budget}\"")), &loaded);
        let load = less.unwrap_or_else(|error| panic!("{method}: {error}"))[0];
        assert!(load.rows < ROWS && load.memory <= budget, "{method}: {load:?}");
    }
}

/// What 64 items more leave in memory until they are written is in the estimate: both prompts, and the logits that nobody
/// named.
#[test]
fn what_recording_keeps_is_counted() {
    let (loaded, method) = (load("gpt2"), r#"Record(sites: ["hook_embed"])"#);
    let [(few, kept_of_few), (many, kept_of_many)] = [64, 128].map(|items| {
        let pair = "(clean: [1, 2, 3, 4, 7, 8], corrupt: [1, 9, 3, 4, 7, 8], right: 5, wrong: 6)";
        let data = format!("Pairs([{}])", vec![pair; items].join(", "));
        let found = findings(&question(&data, method, ""), &loaded);
        let numbers: usize = found[0].tensors.iter().flat_map(|(_, kept)| kept.values()).map(|kept| kept.1.len()).sum();
        (needed(&data, method, "", &loaded), 4 * numbers as u64)
    });
    assert!(many - few >= kept_of_many - kept_of_few, "{few} {many}, {kept_of_few} {kept_of_many}");
}

#[test]
fn what_an_answer_needs_is_counted() {
    let loaded = load("gpt2");
    let items = |prompt: &str, right: &str| {
        let pair = format!("(clean: [1, {prompt}], corrupt: [9, {prompt}], right: {right}, wrong: 6)");
        format!("Pairs([{}])", vec![pair; 64].join(", "))
    };
    // the columns that a set has read
    let patch = r#"Patch(sites: ["hook_resid_pre"], over: [Layer, Position])"#;
    let set = needed(&items("2, 3, 4", "(any_of: [5, 7, 8, 10, 11, 12, 13])"), patch, "", &loaded);
    assert!(set > needed(&items("2, 3, 4", "5"), patch, "", &loaded));
    // tokens behind a prompt are run as those of a prompt are: eight both times
    let answer = needed(&items("2, 3, 4", "[5, 7, 8, 10, 11]"), "Mediate()", "", &loaded);
    assert!(answer >= needed(&items("2, 3, 4, 5, 7, 8", "[10, 11]"), "Mediate()", "", &loaded));
}

/// A model in half precision is read in f32 too, to see what that costs.
#[test]
fn reading_a_model_twice_is_counted() {
    let [one, two] = [Precision::F32, Precision::F16].map(|precision| {
        let more = format!("precision: {precision:?}");
        needed(&random_pairs(&[3], None), "Generate(tokens: 1)", &more, &load_in("gpt2", precision))
    });
    assert!(two > one, "{one} {two}");
}

/// Asserts that two findings agree, item by item; how many rows there were.
fn compare(free: &Finding, tight: &Finding) -> usize {
    let tables = |finding: &Finding| [finding.tables.clone(), finding.items.clone()].concat();
    let mut rows = 0;
    for (free, tight) in tables(free).iter().zip(&tables(tight)) {
        assert_eq!(free.rows.len(), tight.rows.len(), "{}", free.name);
        for (free, tight) in free.rows.iter().zip(&tight.rows) {
            let place = |row: &patchclamp::table::Row| (row.site.clone(), row.layer, row.head, row.position, row.item);
            assert_eq!(place(free), place(tight));
            assert!((free.effect - tight.effect).abs() < TOLERANCE, "{free:?}\n{tight:?}");
            rows += 1;
        }
    }
    assert_eq!(free.texts, tight.texts);
    assert_eq!(free.circuits.len(), tight.circuits.len());
    for ((_, free), (_, tight)) in free.circuits.iter().zip(&tight.circuits) {
        for (free, tight) in free.links().zip(tight.links()) {
            assert_eq!((free.edge, free.in_circuit), (tight.edge, tight.in_circuit));
            assert!((free.score - tight.score).abs() < TOLERANCE, "{free:?}\n{tight:?}");
        }
        rows += free.links().len();
    }
    for ((_, free), (_, tight)) in free.tensors.iter().zip(&tight.tensors) {
        for (name, (shape, values)) in free {
            assert_eq!(*shape, tight[name].0);
            let apart = |(a, b): (&f32, &f32)| f64::from((a - b).abs());
            let most = values.iter().zip(&tight[name].1).map(apart).fold(0.0, f64::max);
            assert!(most < TOLERANCE, "{name}: {most}");
        }
    }
    rows
}
