//! What the nodes of a circuit are said to look at and write is what other methods measure of them.

use super::common::{findings, load, question};
use patchclamp::circuit::{Blocks, Portrait, Portraits};
use patchclamp::model::load::Loaded;
use patchclamp::node::Flow;
use patchclamp::site::Site;

/// Portraits are rounded to four digits behind the point.
const ROUNDED: f64 = 1e-4;
/// Two of length 5, one of 7.
const PAIRS: &str = "Pairs([(clean: [1, 2, 3, 4, 9], corrupt: [1, 7, 3, 4, 9], right: 5, wrong: 6), \
                            (clean: [8, 2, 3, 11, 9, 4, 1], corrupt: [8, 2, 6, 11, 9, 4, 1], right: 5, wrong: 6), \
                            (clean: [1, 12, 3, 4, 19], corrupt: [1, 7, 3, 4, 19], right: 5, wrong: 6)])";

/// A circuit of every edge, so that every node is seen.
fn everything(loaded: &Loaded) -> String {
    let dims = loaded.model.dims();
    let blocks = Blocks::new(dims.layers, dims.heads, loaded.model.flow().unwrap());
    assert!(blocks.flow == Flow::Sequential);
    format!("Circuit(score: Eap, select: TopN({}))", blocks.edges().len())
}

fn node<'a>(portraits: &'a Portraits, name: &str) -> &'a Portrait {
    portraits.nodes.iter().find(|node| node.name == name).unwrap_or_else(|| panic!("{name} is not there"))
}

#[test]
fn a_node_writes_what_attribution_gives_it() {
    for case in ["gpt2", "llama"] {
        let loaded = load(case);
        let methods = format!("DirectLogitAttribution, {}", everything(&loaded));
        let found = findings(&question(PAIRS, &methods, ""), &loaded);
        let (_, portraits) = &found[1].portraits[0];
        let mut compared = 0;
        for row in &found[0].tables[0].rows {
            let name = match (row.site.as_deref().unwrap(), row.layer, row.head) {
                ("attn.hook_result", Some(layer), Some(head)) => format!("a{layer}.h{head}"),
                ("hook_mlp_out", Some(layer), None) => format!("m{layer}"),
                _ => continue,
            };
            let direct = node(portraits, &name).seen[0].direct.unwrap();
            assert!((direct - row.effect).abs() < ROUNDED, "{case} {name}: {direct}, not {}", row.effect);
            compared += 1;
        }
        let dims = loaded.model.dims();
        assert_eq!(compared, dims.layers * (dims.heads + 1), "{case}");
    }
}

#[test]
fn a_pattern_is_that_of_the_attention_method() {
    let loaded = load("llama");
    // of the commonest length alone, as attention takes no others
    let alike = "Pairs([(clean: [1, 2, 3, 4, 9], corrupt: [1, 7, 3, 4, 9], right: 5, wrong: 6), \
                        (clean: [1, 12, 3, 4, 19], corrupt: [1, 7, 3, 4, 19], right: 5, wrong: 6)])";
    let attention = findings(&question(alike, "Attention()", ""), &loaded);
    let found = findings(&question(PAIRS, &everything(&loaded), ""), &loaded);
    let (_, portraits) = &found[0].portraits[0];
    assert_eq!(portraits.views[0].tokens.len(), 5);
    assert!(portraits.views[0].name.contains("the 2 of one length"), "{}", portraits.views[0].name);
    for layer in 0..loaded.model.dims().layers {
        let (shape, values) = &attention[0].tensors[0].1[&Site::Pattern(layer).to_string()];
        for head in 0..shape[0] {
            let pattern = node(portraits, &format!("a{layer}.h{head}")).seen[0].pattern.clone().unwrap();
            assert_eq!(pattern.len(), shape[1]);
            for (query, row) in pattern {
                for (key, share) in row.iter().enumerate() {
                    let expected = f64::from(values[(head * shape[1] + query) * shape[2] + key]);
                    assert!((share - expected).abs() < ROUNDED, "a{layer}.h{head} {query} {key}: {share}");
                }
            }
        }
    }
}

/// The answers of a second experiment are the tokens that a node moved most in the first: what it then writes to the right
/// one less the wrong one is what it moved them by.
#[test]
fn tokens_are_raised_by_what_is_written_to_them() {
    let loaded = load("gpt2");
    let asked = |right: &str, wrong: &str| {
        let data =
            format!("Pairs([(clean: [1, 2, 3, 4, 9], corrupt: [1, 7, 3, 4, 9], right: {right}, wrong: {wrong})])");
        findings(&question(&data, &everything(&loaded), ""), &loaded).remove(0).portraits.remove(0).1
    };
    let first = asked("5", "6");
    assert_eq!(first.views.len(), 2, "the mean, and the one prompt");
    for name in ["a0.h1", "m1"] {
        let seen = &node(&first, name).seen[1];
        let ((right, up), (wrong, down)) = (&seen.raised[0], &seen.lowered[0]);
        let direct = node(&asked(right, wrong), name).seen[1].direct.unwrap();
        assert!(((up - down) - direct).abs() < 2.0 * ROUNDED, "{name}: {up} and {down}, not {direct}");
        assert!(seen.raised.is_sorted_by(|a, b| a.1 >= b.1) && seen.lowered.is_sorted_by(|a, b| a.1 <= b.1));
    }
}

#[test]
fn portraits_are_read_as_they_were_written() {
    let loaded = load("gpt2");
    let found = findings(&question(PAIRS, "Circuit(score: Eap, select: TopN(9))", ""), &loaded);
    let (_, portraits) = &found[0].portraits[0];
    let text = portraits.write();
    assert_eq!(&Portraits::read("n.json", &text).unwrap(), portraits, "it is read as it was written");
    let bad = Portraits::read("n.json", &text.replace("patchclamp-nodes-1", "patchclamp-nodes-9")).unwrap_err();
    assert!(bad.to_string().contains("this version reads patchclamp-nodes-1"), "{bad}");
    let bad = Portraits::read("n.json", "{\n\"views\": 1}").unwrap_err();
    assert!(bad.to_string().starts_with("n.json:2:"), "{bad}");
}
