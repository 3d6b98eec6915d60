//! What is said of probes that cannot be run.

use crate::common::*;
use patchclamp::plan::Plan;

const PAIRS: &str = r#"Pairs([
    (clean: [5, 10, 9, 4], corrupt: [5, 20, 9, 4], right: 1, wrong: 2, labels: {"kind": "a"}),
    (clean: [5, 11, 9, 4], corrupt: [5, 21, 9, 4], right: 1, wrong: 2, labels: {"kind": "a"}),
    (clean: [5, 12, 9, 4], corrupt: [5, 22, 9, 4], right: 1, wrong: 2, labels: {"kind": "a"}),
])"#;

fn refused(data: &str, method: &str, more: &str) -> String {
    let text = question(data, method, more);
    Plan::new(&experiment(&text), &load("gpt2")).map(|_| ()).expect_err(method).to_string()
}

#[test]
fn every_mistake_names_its_place_and_what_to_do() {
    for (method, more, said) in [
        (
            "Probe(of: Label(\"gender\"))",
            "",
            "methods[0].of: not every item has a label \"gender\"; the first has [\"kind\"]",
        ),
        (
            "Probe(of: Label(\"kind\"))",
            "",
            "methods[0].of: all 3 prompts are \"a\"; a probe needs two classes at least",
        ),
        ("Probe(of: Feature(\"it\"))", "", "methods[0].of: `features` has no \"it\"; there are none"),
        (
            "Probe(at: Contrast, folds: 2, apart: Label(\"none\"))",
            "",
            "methods[0].apart: not every prompt has a label \"none\"",
        ),
        ("Probe(at: 7)", "", "methods[0].at: position 7 does not exist; a prompt has 0 to 3"),
        ("Probe(folds: 9)", "", "methods[0].folds: "),
        ("Probe(folds: 2, penalties: [])", "", "methods[0].penalties: [] are not numbers above 0, one at least"),
        ("Probe(folds: 2, penalties: [-1])", "", "methods[0].penalties: [-1.0] are not numbers above 0"),
        ("Probe(folds: 2, penalties: [1], sparse: [25])", "", "methods[0].sparse: 25 values; a state here has 1 to 24"),
        ("Probe(sites: [\"attn.hook_pattern\"])", "", "methods[0].sites: `attn.hook_pattern` is as wide as the prompt"),
        ("Probe(only: (positions: [1]))", "", "methods[0].only.positions: a state is taken at one position"),
        (
            "Probe(over: [], folds: 2, penalties: [1], used: [Erase])",
            "",
            "methods[0].over: runs go on from a state of one layer",
        ),
        ("Erase(over: [], folds: 2)", "", "methods[0].over: runs go on from a state of one layer"),
        ("Erase(by: [])", "", "methods[0].by: is empty; name at least one of Leace"),
        ("Erase(by: [Inlp(rounds: 0)])", "", "methods[0].by: 0 rounds of INLP take nothing out"),
        ("Erase(by: [Inlp(rounds: 2), Inlp(rounds: 4)])", "", "methods[0].by: has INLP twice"),
        ("Erase(by: [Leace, Leace])", "", "methods[0].by: Leace stands twice"),
    ] {
        let found = refused(PAIRS, method, more);
        assert!(found.contains(said), "{method}\n{found}\n{said}");
    }
}

#[test]
fn what_cannot_be_learnt_is_refused() {
    let one = r#"Pairs([(clean: [5, 10, 9, 4], corrupt: [5, 20, 9, 4], right: 1, wrong: 2)])"#;
    assert!(refused(one, "Probe(folds: 2)", "").contains("methods[0].apart: \"1\" stands in one group only"));
    let both = r#"Pairs([
        (clean: [5, 10, 9, 4], corrupt: [5, 20, 9, 4], right: 1, wrong: 2),
        (clean: [5, 20, 9, 4], corrupt: [5, 10, 9, 4], right: 1, wrong: 2),
    ])"#;
    assert!(refused(both, "Probe(folds: 2)", "").contains("is \"2\" in one item and \"1\" in another"));
}
