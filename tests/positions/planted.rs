//! A name and its pronoun in the built-in model: gender is found where the name stands, and where the answer is read.

use super::common::*;
use patchclamp::builtin;
use patchclamp::method::Finding;
use patchclamp::node::{Node, Port};

/// Position of the name, and of the last token, in every prompt of [`NAMES`]; the boundary token stands before.
const NAME: usize = 1;
const LAST: usize = 5;
const NAMES: &str = r#"Templates(
    templates: ["{name} opened the door because", "{name} visited the market when"],
    clean: {"name": ["Mary", "Anna", "Emily", "Grace", "Helen", "Lucy"]},
    corrupt: {"name": ["John", "Peter", "George", "Henry", "James", "Oliver"]},
    right: " she", wrong: " he", both_ways: Yes,
)"#;

fn on_names(methods: &str, more: &str) -> Vec<Finding> {
    findings(&question(NAMES, methods, more), &builtin::load("organism", &[], &device()).unwrap())
}

#[test]
fn gender_leaves_the_input_at_the_name_and_is_read_at_the_end() {
    let found = &on_names("Circuit(score: EapIg(steps: 5), positions: Each, select: TopN(40))", "")[0];
    let circuit = &found.circuits[0].1;
    for link in circuit.edges() {
        let (edge, position) = (link.edge, link.edge.position.unwrap());
        // prompts differ in the name alone, and nothing before it knows of it
        assert!(edge.from != Node::Input || position == NAME, "{edge}");
        assert!(position >= NAME && (edge.to != Port::Logits || position == LAST), "{edge}");
    }
    // the way that path patching finds, and where it goes: from the name into the last position
    for edge in ["input->a0.h1<v>@1", "a0.h1->m0@5", "m0->logits@5"] {
        assert!(circuit.contains(edge.parse().unwrap()), "{edge}");
    }
    let elsewhere = circuit.links().filter(|link| link.edge.from == Node::Input && link.edge.position != Some(NAME));
    assert!(elsewhere.clone().count() > 100 && elsewhere.into_iter().all(|link| link.score.abs() < 1e-6));
    let done = &found.tables[1].rows;
    let row =
        |name: &str| done.iter().find(|row| row.site.as_deref() == Some(name) && row.metric == "faithfulness").unwrap();
    let (circuit, complement, chance) = (row("circuit"), row("complement"), row("random circuits"));
    assert!(circuit.effect > 0.9 && complement.effect.abs() < 0.1, "{circuit:?} {complement:?}");
    assert!(chance.p == Some(1.0 / 21.0) && chance.high.unwrap() < circuit.low.unwrap(), "{chance:?}");
}

#[test]
fn shuffled_answers_have_no_circuit_at_any_position() {
    for seed in 0..3 {
        let method = "Circuit(score: Eap, positions: Each, select: TopN(40), random_circuits: 0, shuffled_answers: 0)";
        let found = &on_names(method, &format!("control: ShuffledAnswers, seed: {seed}"))[0];
        assert!(found.tables[0].facts["stability"].starts_with("none"), "{}", found.tables[0].facts["stability"]);
    }
}
