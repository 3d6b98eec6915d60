//! Cuts that are known beforehand: in a program whose inputs have ways of their own, and in the built-in model.

use super::*;
use patchclamp::builtin;
use patchclamp::compile::compile;
use patchclamp::program::{Name, Task};

/// The sum of three bits: pairs that differ in the first, and pairs in which the first is 0 and the second differs.
const FIRST: &str = r#"Pairs([
    (clean: "1 0 0", corrupt: "0 0 0", right: " 1", wrong: " 0"), (clean: "1 0 1", corrupt: "0 0 1", right: " 2", wrong: " 1"),
    (clean: "1 1 0", corrupt: "0 1 0", right: " 2", wrong: " 1"), (clean: "1 1 1", corrupt: "0 1 1", right: " 3", wrong: " 2"),
])"#;
const SECOND: &str = r#"Pairs([
    (clean: "0 1 0", corrupt: "0 0 0", right: " 1", wrong: " 0"), (clean: "0 1 1", corrupt: "0 0 1", right: " 2", wrong: " 1"),
])"#;

fn adder() -> Loaded {
    let task = Task { program: Name::Adder, symbols: None, length: None, beside: Vec::new() };
    compile(&task).unwrap().load(&[], &device()).unwrap()
}

/// Each bit is brought by a head of its own: what goes through the first one's alone can be cut, and nothing else is lost.
#[test]
fn a_bit_with_a_way_of_its_own_is_cut_and_nothing_else() {
    let loaded = adder();
    let ways = "Edges(score: Exact, counts: [1, 2], ablate: Zero, spare: Shares), Edges(score: Exact, counts: [8], ablate: Zero)";
    let text = cutting(FIRST, SECOND, ways, "apart: Items, random: 50");
    let finding = findings(&text, &loaded).remove(0);
    for site in ["edges weighed: 1", "edges weighed: 2"] {
        for (metric, expected) in [("selectivity", 1.0), ("bias: share left", 0.0), ("kept: share left", 1.0)] {
            let found = effect(&finding, site, metric);
            assert!((found - expected).abs() < 1e-4, "{site} {metric}: {found}");
        }
        let row = row(&finding.tables[0], site, "selectivity");
        let random = effect(&finding, site, "selectivity, random");
        assert!(row.p.unwrap() < 0.1 && random.abs() < 0.3, "{site}: {row:?} {random}");
        assert_eq!(effect(&finding, site, "kept: answered right"), 1.0);
    }
    // the strongest edges of the bias alone hold those that all bits go through
    let both = effect(&finding, "edges: 8", "kept: share left");
    assert!(both.abs() < 0.5, "{both}");
    let own: Vec<&str> = finding.tables[1].rows.iter().map(|row| row.site.as_deref().unwrap()).collect();
    assert!(own.iter().all(|edge| edge.contains("a1.h0")), "{own:?}");
}

const JOBS: &str = r#"Templates(
    templates: ["The {job} opened the door because", "The {job} visited the market when"],
    clean: {"job": ["nurse", "secretary", "receptionist", "hairdresser", "librarian", "dietitian"]},
    corrupt: {"job": ["plumber", "carpenter", "electrician", "mechanic", "engineer", "firefighter"]},
    right: " she", wrong: " he",
)"#;

const NAMES: &str = r#"Templates(
    templates: ["{name} opened the door because", "{name} visited the market when"],
    clean: {"name": ["Mary", "Anna", "Emily", "Grace", "Helen", "Lucy"]},
    corrupt: {"name": ["John", "Peter", "George", "Henry", "James", "Oliver"]},
    right: " she", wrong: " he",
)"#;

/// What brings the stereotype of an occupation goes through edges that chance does not hit, on occupations unseen; a name goes the
/// same way from the first layer on, so that little of the one can be cut without the other.
#[test]
fn in_the_built_in_model_the_stereotype_is_cut_and_shares_its_trunk() {
    let loaded = builtin::load("organism", &[], &device()).unwrap();
    let ways = "Edges(counts: [20]), Orthogonal(counts: [3]), Erase()";
    let finding = findings(&cutting(JOBS, NAMES, ways, "random: 19"), &loaded).remove(0);
    for site in ["edges: 20", "weights: 3", "erased by leace"] {
        let left = row(&finding.tables[0], site, "bias: share left");
        assert!(left.high.unwrap() < 0.3 && left.p.unwrap() <= 0.05, "{left:?}");
        let random = row(&finding.tables[0], site, "bias: share left, random");
        assert!(left.high.unwrap() < random.low.unwrap(), "{left:?} {random:?}");
        // the trunk is shared: what a name tells goes with it
        assert!(row(&finding.tables[0], site, "kept: share left").high.unwrap() < 0.5);
    }
    assert!(
        effect(&finding, "whole model", "bias") > 1.0 && effect(&finding, "whole model", "kept: answered right") > 0.9
    );
}
