//! Where subjects are found, and what is said of mistakes in mediation and tracing.

use super::common::*;
use insta::assert_snapshot;
use patchclamp::plan::Plan;

/// What is wrong with an experiment on the built-in model.
fn problems(data: &str, methods: &str) -> String {
    let loaded = patchclamp::builtin::load("organism", &[], &device()).unwrap();
    Plan::new(&experiment(&question(data, methods, "")), &loaded).err().map_or(String::new(), |error| error.to_string())
}

const TEMPLATES: &str = r#"Templates(templates: ["The {who} ran because", "The woman saw a {who}, so"], subject: "who",
    clean: {"who": ["man"]}, corrupt: {"who": ["king"]}, right: " he", wrong: " she")"#;

#[test]
fn a_subject_is_found_by_its_words() {
    let loaded = patchclamp::builtin::load("organism", &[], &device()).unwrap();
    let subjects = |data: &str| -> Vec<_> {
        let plan =
            Plan::new(&experiment(&question(data, "Trace()", "")), &loaded).unwrap_or_else(|error| panic!("{error}"));
        plan.items.into_iter().map(|item| item.subject.unwrap()).collect()
    };
    // <|endoftext|> The man ran because; the "man" in "woman" is not meant
    assert_eq!(subjects(TEMPLATES), [2..3, 5..6]);
    let facts = "Facts([(prompt: \"The old nurse ran because\", subject: \"old nurse\"), (prompt: [1, 2, 3], subject: [0, 1])])";
    assert_eq!(subjects(facts), [2..4, 0..2]);
}

#[test]
fn a_subject_that_cannot_be_is_refused() {
    let fact = |prompt: &str, subject: &str| {
        problems(
            &format!("Facts([(prompt: {prompt}, subject: {subject})])"),
            "Trace(copies: 0, window: 0, noise: Sigma(-1), facts: Known)",
        )
    };
    assert_snapshot!(fact("\"The nurse ran because\"", "\"nur\""), @r#"
    data[0].subject: "nur" begins or ends within a token of "The nurse ran because" (<|endoftext|> ␣The ␣nurse ␣ran ␣because); write other words, or positions
    methods[0].window: 0 is too few; write 1 or more
    methods[0].copies: 0 is too few; write 1 or more
    methods[0].noise: -1 is not 0 or above
    "#);
    let first = |told: String| told.lines().next().unwrap().to_string();
    assert_snapshot!(first(fact("\"The nurse ran\"", "\"doctor\"")), @r#"data[0].subject: "doctor" does not stand in "The nurse ran""#);
    assert_snapshot!(first(fact("[1, 2, 3]", "\"nurse\"")), @r#"data[0].subject: "nurse" is text, but the prompt is tokens; write positions, for instance [1, 2]"#);
    assert_snapshot!(first(fact("[1, 2, 3]", "[0, 2]")), @"data[0].subject: [0, 2] are not neighbours in order; write for instance [1, 2]");
    assert_snapshot!(first(fact("[1, 2, 3]", "[3]")), @"data[0].subject: position 3 does not exist; the prompt has 0 to 2");
}

#[test]
fn what_a_mediator_lacks_is_said() {
    let pairs =
        r#"Pairs([(clean: "The nurse ran because", corrupt: "The man ran because", right: " she", wrong: " he")])"#;
    assert_snapshot!(problems(pairs, "Mediate(mediators: Neurons(top: 2.0)), Trace(facts: Known)"), @r"
    methods[0]: needs to know which words a prompt is about; write `subject` in each pair, the slot's name in Templates, the column's in Csv and Jsonl, or data as Facts
    methods[0].mediators.top: 2 is no share above 0 and up to 1
    methods[1]: needs to know which words a prompt is about; write `subject` in each pair, the slot's name in Templates, the column's in Csv and Jsonl, or data as Facts
    ");
    // whole answers are read by mediation, and by no other method
    let several = pairs.replace(" she", " she was");
    assert_eq!(problems(&several, "Mediate()"), "");
    let told = problems(&several, "Mediate(), Patch(sites: [\"attn.hook_z\"], over: [Head])");
    assert!(told.contains("the answer is 2 tokens (␣she ␣was), but the metric reads one"), "{told}");
}
