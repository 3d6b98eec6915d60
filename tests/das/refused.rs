//! What makes no sense is refused before anything runs.

use super::common::*;
use insta::assert_snapshot;
use patchclamp::plan::Plan;
use patchclamp::precision::Precision;

#[test]
fn searches_that_make_no_sense_are_refused_with_a_reason() {
    let told = |case: &str, methods: &str, more: &str| {
        let half = if more.is_empty() { Precision::F32 } else { Precision::F16 };
        let text = question(&random_pairs(&[5, 4], Some(2)), methods, more);
        Plan::new(&experiment(&text), &load_in(case, half)).map(|_| ()).expect_err("it cannot be run").to_string()
    };
    let wrong = [
        r#"Das(sites: ["hook_resid_post"], over: [])"#,
        r#"Das(sites: ["attn.hook_z"], over: [Layer], dimensions: [9])"#,
        r#"Das(sites: ["attn.hook_pattern"], over: [Layer, Head])"#,
        r#"Das(sites: ["blocks.0.mlp.hook_post"], over: [Neuron], only: (neurons: [1, 2]))"#,
        r#"Das(sites: ["blocks.0.hook_mlp_out"], over: [], dimensions: [], steps: 0, random: 0, batch: 0, learning_rate: 0.0)"#,
        r#"Das(sites: ["blocks.0.hook_mlp_out"], over: [], dimensions: [0, 1, 1], boundless: (most: 25, price: -1.0))"#,
        r#"Das(sites: ["blocks.0.hook_mlp_out"], over: [], held_out: (share: 1.0, apart: Label("template")))"#,
        r#"TunedLens(sites: ["attn.hook_z"], steps: 0, batch: 0, held_out: (share: 0.0))"#,
    ];
    assert_snapshot!(told("gpt2", &wrong.join(", "), ""), @r#"
    methods[0].over: directions are learned for one layer at a time, and `hook_resid_post` is a site of several; add Layer to `over`
    methods[1].over: directions are learned for one head at a time, and `attn.hook_z` has several; add Head to `over`
    methods[1].dimensions: 9 directions; `blocks.0.attn.hook_z` has 1 to 8
    methods[2].sites: `attn.hook_pattern` is as wide as the prompt is long and has no directions; name a stream or what a head mixes
    methods[3].over: directions are of all neurons of a place; leave Neuron and `only.neurons` out
    methods[4].dimensions: is empty; name at least one number, or write `boundless: (most: 16)`
    methods[4].steps: 0 is not between 1 and 100000
    methods[4].batch: 0 is not between 1 and 100000
    methods[4].random: 0 is not between 1 and 100000
    methods[4].learning_rate: 0 is no number above 0; give for instance 0.1
    methods[5].dimensions: 1 stands twice
    methods[5].dimensions: 0 directions; `blocks.0.hook_mlp_out` has 1 to 24
    methods[5].boundless.most: 25 directions; `blocks.0.hook_mlp_out` has 1 to 24
    methods[5].boundless.price: -1 is not 0 or above
    methods[6].held_out.share: 1 is not between 0 and 1
    methods[6].held_out.apart: not every item has a label "template"
    methods[7].sites: `blocks.0.attn.hook_z` is not a stream of width 24, so it cannot be unembedded
    methods[7].steps: 0 is not between 1 and 100000
    methods[7].batch: 0 is not between 1 and 100000
    methods[7].held_out.share: 0 is not between 0 and 1
    "#);
    let one = "Pairs([(clean: [1, 2, 3], corrupt: [1, 5, 3], right: 7, wrong: 8), (clean: [1, 5, 4], corrupt: [1, 6, 4], right: 7, wrong: 8)])";
    let method = r#"Das(sites: ["blocks.0.hook_mlp_out"], over: [], held_out: (apart: Words))"#;
    let refused = Plan::new(&experiment(&question(one, method, "")), &load("gpt2"))
        .map(|_| ())
        .expect_err("nothing can be held out");
    assert_snapshot!(refused.to_string(), @"methods[0].held_out: the 2 items hang together by tokens by which the prompts of a pair differ, so none can be held out; add items, or choose another `apart`");
    assert_snapshot!(told("gpt2", r#"TunedLens(), Das(sites: ["blocks.0.hook_mlp_out"], over: [])"#, "precision: F16"), @r"
    methods[0]: what a step of the fit changes is less than half precision rounds away; use `precision: F32` or F64
    methods[1]: what a step of the fit changes is less than half precision rounds away; use `precision: F32` or F64
    ");
}
