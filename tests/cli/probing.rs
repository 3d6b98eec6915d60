//! Probes and erasers, broken off and in parts: what is put together is the run.

use super::Place;
use super::long::{assert_same, begin, kill_at_random, place, undisturbed};

/// Few draws of each kind, as all of them are steps.
const METHODS: &str = r#"
    Probe(folds: 3, penalties: [1], hidden: 4, shuffles: 9, used: [Erase, Swap, Steer], random_directions: 2),
    Erase(folds: 3, hidden: 4, random_directions: 2, by: [Leace, Oracle, Inlp(rounds: 2)])"#;

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
