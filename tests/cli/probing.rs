//! Probes, erasers, localisers and steering, broken off and in parts: what is put together is the run.

use super::Place;
use super::long::{assert_same, begin, kill_at_random, place, undisturbed};

/// Few draws of each kind, as all of them are steps.
const METHODS: &str = r#"
    Probe(folds: 3, penalties: [1], hidden: 4, shuffles: 9, used: [Erase, Swap, Steer], random_directions: 2),
    Erase(folds: 3, hidden: 4, random_directions: 2, by: [Leace, Oracle, Inlp(rounds: 2)]),
    Localise(units: Count(5), false_discoveries: 1, lesion: [Zero, Resample], random: 2),
    Steer(coefficients: [1], random: 2)"#;

/// A probe of what a run has recorded, and of what it records itself: the states are the same.
const PROBES: [&str; 2] = [
    r#"Probe(folds: 3, penalties: [1], hidden: 4, shuffles: 9, states: "recorded", over: [Layer])"#,
    r#"Probe(folds: 3, penalties: [1], hidden: 4, shuffles: 9, random_models: 0, over: [Layer])"#,
];

/// Pairs of several lengths with two answers, each of a word of its own.
fn classes() -> Place {
    let pair = |item: usize| {
        let rest = &[7, 3, 9][..1 + item % 3];
        let prompt = |word: usize| [&[5, word], rest].concat();
        format!("(clean: {:?}, corrupt: {:?}, right: 1, wrong: 2)", prompt(10 + item), prompt(28 + item))
    };
    let pairs: Vec<String> = (0..18).map(pair).collect();
    place(&format!("Pairs([{}])", pairs.join(", ")), METHODS)
}

#[test]
fn probes_killed_at_any_moment_are_the_run() {
    kill_at_random(&classes(), 5, 3);
}

#[test]
fn probes_in_shards_are_the_run() {
    let place = classes();
    let whole = undisturbed(&place);
    let shard = |number: usize| begin(&place, &["run", "q.ron", "--out", "r", "--shard", &format!("{number}/2")]);
    for child in [shard(1), shard(2)] {
        let output = child.wait_with_output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    }
    place.good(&["merge", "r"]);
    assert_same(&place.path("r"), &whole);
}

/// The same question of other methods.
fn asking(place: &Place, file: &str, methods: &str) {
    let text = String::from_utf8(place.read("q.ron")).unwrap();
    place.write(file, text.replace(METHODS, methods).as_bytes());
}

#[test]
fn recorded_states_are_probed_where_they_lie() {
    let place = classes();
    asking(&place, "record.ron", r#"Record(sites: ["hook_resid_post"], at: [Answer], shards: (size: "1KiB"))"#);
    place.good(&["run", "record.ron", "--out", "recorded"]);
    for (name, probe) in ["filed", "made"].iter().zip(PROBES) {
        asking(&place, &format!("{name}.ron"), probe);
        place.good(&["run", &format!("{name}.ron"), "--out", name]);
    }
    let [filed, made] = ["filed", "made"].map(|name| place.read(&format!("{name}/tables/01_probe.csv")));
    assert!(filed == made, "{}", String::from_utf8_lossy(&filed));
    let facts = String::from_utf8(place.read("filed/run.ron")).unwrap();
    assert!(facts.contains("sha256 of the states in recorded"), "other states are another run");
}

#[test]
fn states_that_are_not_those_asked_for_are_refused() {
    let place = classes();
    asking(&place, "record.ron", r#"Record(sites: ["blocks.0.hook_resid_post"], at: [Answer], shards: ())"#);
    place.good(&["run", "record.ron", "--out", "recorded"]);
    for (method, said) in [
        (r#"Probe(folds: 3, states: "nowhere")"#, "nowhere: holds no states in files"),
        (r#"Probe(folds: 3, states: "recorded")"#, "has no states \"blocks.1.hook_resid_post\""),
        (r#"Probe(folds: 3, states: "recorded", only: (layers: [0]), at: 0)"#, "position 0 of item 0 was not kept"),
        (r#"Probe(folds: 3, states: "recorded", only: (layers: [0]), used: [Swap])"#, "no run can go on from them"),
        (r#"Probe(folds: 3, states: "recorded", only: (layers: [0]), random_models: 2)"#, "leave out `random_models`"),
    ] {
        asking(&place, "probe.ron", method);
        let told = place.bad(&["run", "probe.ron"]);
        assert!(told.contains("methods[0].states: ") && told.contains(said), "{method}: {told}");
    }
    asking(&place, "probe.ron", r#"Probe(folds: 3, states: "recorded", only: (layers: [0], heads: [0]))"#);
    let told = place.bad(&["run", "probe.ron"]);
    assert!(told.contains("methods[0].only.heads: `hook_resid_post` has no heads"), "{told}");
    let text = String::from_utf8(place.read("q.ron")).unwrap();
    let probe = r#"Probe(folds: 3, states: "recorded", only: (layers: [0]))"#;
    let other = text.replace(METHODS, probe).replacen("clean: [5, 10, 7]", "clean: [5, 10, 7, 7]", 1);
    place.write("other.ron", other.replacen("corrupt: [5, 28, 7]", "corrupt: [5, 28, 7, 7]", 1).as_bytes());
    let told = place.bad(&["run", "other.ron"]);
    assert!(told.contains("item 0 there has 3 tokens"), "{told}");
    // as many tokens, and other words
    let probe = r#"Probe(folds: 3, states: "recorded", only: (layers: [0]))"#;
    let other = text.replace(METHODS, probe).replacen("corrupt: [5, 28, 7]", "corrupt: [5, 47, 7]", 1);
    place.write("other.ron", other.as_bytes());
    let told = place.bad(&["run", "other.ron"]);
    assert!(told.contains("has states of other prompts, or of prompts with other answers"), "{told}");
    let process = text.replace(METHODS, probe).replacen("data:", "process: [CentreWriting], data:", 1);
    place.write("process.ron", process.as_bytes());
    let told = place.bad(&["run", "process.ron"]);
    assert!(told.contains("was run with process: []"), "{told}");
}
