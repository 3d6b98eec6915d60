//! What is said of steps that cannot be taken.

use super::common::{experiment, load, question};
use insta::assert_snapshot;
use patchclamp::model::load::Loaded;
use patchclamp::model::process::Processing;
use patchclamp::plan::Plan;

fn problems(treat: &str, case: &str) -> String {
    let text = question(&super::pairs(), "LogitLens()", &format!("treat: [{treat}]"));
    Plan::new(&experiment(&text), &load(case)).map(|_| ()).expect_err("it is wrong").to_string()
}

#[test]
fn all_mistakes_are_told_at_once() {
    let treat = "Round(bits: 1, per: Group(0), only: (layers: [7], parts: [\"mlp.linear\", \"mlp.up\"])), \
                 Nf4(block: 0, only: (parts: [])), Magnitude(sparsity: 1.5), Wanda(sparsity: \"5:4\"), \
                 RandomMask(sparsity: \"2:7\"), Gptq(bits: 9, damping: -1, calibration: (rows: 0), only: (parts: [\"embed\"])), \
                 FairGptq(bits: 4, alpha: -0.1), SparseGpt(sparsity: 0.5, block: 0, calibration: (from: Text(\"no.txt\"), length: 4)), \
                 PruneHeads(These([(9, 0), (0, 9)])), PruneHeads(Smallest(99)), PruneLayers([9]), \
                 Merge(with: Builtin(\"organism\"), weight: 2), Awq(bits: 4, calibration: (from: Sampled, length: 9999))";
    assert_snapshot!(problems(treat, "gpt2"), @r#"
    treat[0].only.layers: layer 7 does not exist; gpt2 has layers 0 to 1
    treat[0].only.parts[0]: there is no "mlp.linear"; gpt2 has embed, attn.q, attn.k, attn.v, attn.out, mlp.in, mlp.out
    treat[0].only.parts[1]: there is no "mlp.up"; gpt2 has embed, attn.q, attn.k, attn.v, attn.out, mlp.in, mlp.out
    treat[0].bits: 1 is not between 2 and 8
    treat[0].per: Group(0) has no weights; write for instance Group(128)
    treat[1].only.parts: names no map; leave it out for all of them
    treat[1].block: 0 is too few; it must be at least 1
    treat[2].sparsity: 1.5 is not between 0 and 1
    treat[3].sparsity: "5:4" asks for 5 zeros in 4 weights
    treat[4].sparsity: blocks.0.attn.q has 24 inputs, which are no whole number of 7 neighbours; leave it out by `only`, or write a share
    treat[5].only.parts: is calibrated by what the maps of blocks read, and `embed` and `unembed` stand outside them; round those in a step of their own, for instance Round(bits: 8, only: (parts: ["embed"]))
    treat[5].bits: 9 is not between 2 and 8
    treat[5].damping: -1 is no number from 0 on
    treat[5].calibration.rows: 0 is too few; it must be at least 1
    treat[6].alpha: -0.1 is no number from 0 on
    treat[7].block: 0 is too few; it must be at least 1
    treat[7].calibration.from: no.txt: No such file or directory (os error 2)
    treat[8].PruneHeads: layer 9 does not exist; gpt2 has layers 0 to 1
    treat[8].PruneHeads: head 9 does not exist; gpt2 has heads 0 to 2
    treat[9].PruneHeads: 99 heads are more than there are: 6
    treat[10].PruneLayers: layer 9 does not exist; gpt2 has layers 0 to 1
    treat[11].weight: 2 is not between 0 and 1
    treat[12].calibration.length: 9999 tokens are more than the 16 positions of the model
    "#);
}

#[test]
fn steps_that_would_do_nothing_are_refused() {
    let treat = "Round(bits: 4, only: (layers: [])), PruneLayers([]), PruneHeads(These([])), PruneHeads(Smallest(0)), \
                 Round(bits: 4, draw: 3), Magnitude(sparsity: 0.5, draw: 1), Awq(bits: 4, draw: 2), \
                 Matched(step: Magnitude(sparsity: 0.5, draw: 1)), Matched(step: Round(bits: 4)), RandomHeads(count: 0), \
                 RandomHeads(count: 7), RandomLayers(count: 3), Nf4(draw: 1), Gptq(bits: 4, draw: 1), FairGptq(bits: 4, draw: 1)";
    assert_snapshot!(problems(treat, "gpt2"), @"
    treat[0].only.layers: names no layer, so that nothing would be done; leave the step out, or name some
    treat[1].PruneLayers: names no layer, so that nothing would be done; leave the step out, or name some
    treat[2].PruneHeads: names no head, so that nothing would be done; leave the step out, or name some
    treat[3].PruneHeads: 0 is too few; it must be at least 1
    treat[4].draw: 3 would change nothing, as nothing is left to chance; leave it out, or write rounding: Stochastic
    treat[5].draw: 1 would change nothing, as nothing is left to chance; leave it out, or write RandomMask
    treat[6].draw: 2 would change nothing, as nothing is left to chance; leave it out, or write rounding: Stochastic
    treat[7].draw: 1 would change nothing, as nothing is left to chance; leave it out, or write RandomMask
    treat[8].step: is no pruning of single weights; write Magnitude, Wanda or SparseGpt
    treat[9].count: 0 is too few; it must be at least 1
    treat[10].count: 7 heads are more than there are: 6
    treat[11].count: 3 layers are more than there are: 2
    treat[12].draw: 1 would change nothing, as nothing is left to chance; leave it out, or write rounding: Stochastic
    treat[13].draw: 1 would change nothing, as nothing is left to chance; leave it out, or write rounding: Stochastic
    treat[14].draw: 1 would change nothing, as nothing is left to chance; leave it out, or write rounding: Stochastic
    ");
}

#[test]
fn texts_that_are_empty_calibrate_nothing() {
    let place = tempfile::tempdir().unwrap();
    let file = place.path().join("empty.txt");
    std::fs::write(&file, "").unwrap();
    let steps = format!("treat: [Gptq(bits: 4, calibration: (from: Text({file:?})))]");
    let plan = Plan::new(&experiment(&question(&super::pairs(), "LogitLens()", &steps)), &organism(&[]));
    let told = plan.map(|_| ()).expect_err("there is no text").to_string();
    assert!(told.contains("has 0 tokens, fewer than the 64 of one row"), "{told}");
}

/// Folded norms give a tied model an unembedding of its own, which is not there yet when weights are treated.
#[test]
fn maps_are_those_of_the_model_before_it_is_processed() {
    for process in [vec![], vec![Processing::FoldNorms]] {
        let steps = "treat: [Round(bits: 4, only: (parts: [\"unembed\"]))]";
        let plan = Plan::new(&experiment(&question(&super::pairs(), "LogitLens()", steps)), &tied(&process));
        let told = plan.map(|_| ()).expect_err("it is tied").to_string();
        assert!(told.contains("it reads its answers with the embedding"), "{told}");
    }
}

fn tied(process: &[Processing]) -> Loaded {
    super::fresh("gpt2").finish(process).unwrap()
}

fn organism(process: &[Processing]) -> Loaded {
    super::organism().finish(process).unwrap()
}

#[test]
fn what_a_model_has_not_cannot_be_done_to_it() {
    assert_snapshot!(problems("PruneLayers([0]), Awq(bits: 4, calibration: (from: Sampled, length: 4))", "bert"), @r#"
    treat[0].PruneLayers: norms stand behind the stream of this model, so no block lets it through as it is; prune heads or weights instead
    treat[1].calibration.from: Sampled needs a model that goes on with a text, and this one fills gaps; write Prompts or Text("file.txt")
    "#);
    assert_snapshot!(problems("Round(bits: 4, only: (parts: [\"unembed\"]))", "gpt2"), @r#"treat[0].only.parts[0]: there is no "unembed"; gpt2 has embed, attn.q, attn.k, attn.v, attn.out, mlp.in, mlp.out; it reads its answers with the embedding"#);
}

#[test]
fn a_share_that_is_none_is_answered_in_the_file() {
    let text = question(&super::pairs(), "LogitLens()", "treat: [Magnitude(sparsity: \"half\")]");
    let told = patchclamp::spec::Experiment::parse(std::path::Path::new("q.ron"), &text).unwrap_err().to_string();
    assert!(told.contains("a share from 0 to 1, or zeros in so many neighbours"), "{told}");
}

#[test]
fn what_is_written_is_read_again() {
    let steps = "Round(bits: 4, scheme: Asymmetric, per: Group(32), only: (layers: [1], parts: [\"mlp\"])), Nf4(double: false), \
                 Magnitude(sparsity: 1), Wanda(sparsity: \"2:4\"), SparseGpt(sparsity: 0.25, block: 64), Awq(bits: 3, per: Tensor), \
                 Gptq(bits: 2, act_order: true, rounding: Stochastic, draw: 7, calibration: (from: Text(\"a.txt\"), rows: 9)), \
                 FairGptq(bits: 4, pairs: CrowsPairs(\"b.csv\"), calibration: (from: Sampled)), RandomMask(sparsity: 0.5, within: Row), \
                 PruneHeads(Smallest(2)), PruneHeads(These([(0, 1)])), PruneLayers([1]), Merge(with: Builtin(\"organism\")), \
                 Matched(step: Wanda(sparsity: 0.5), draw: 3), RandomHeads(count: 2), RandomLayers(count: 1, draw: 9)";
    let more = format!("treat: [{steps}], against: [(name: \"a\", treat: [{steps}]), (name: \"b\", treat: [])]");
    let once = experiment(&question(&super::pairs(), "LogitLens()", &more));
    let again = experiment(&patchclamp::report::ron_text(&once));
    assert_eq!(again.treat, once.treat);
    assert_eq!(again.against[0].treat, Some(once.treat.clone()));
    assert_eq!((once.treat.len(), again.against[1].treat.as_deref()), (16, Some([].as_slice())));
}

#[test]
fn a_student_that_cannot_be_is_refused() {
    let treat = "Distil(layers: These([])), Distil(layers: These([1, 0, 7]), rows: 0, rate: 0, temperature: -1), \
                 Distil(layers: Spread(3), lambda: -1, mu: -1, weight_decay: -1), Distil(layers: Spread(0)), \
                 Distil(layers: Spread(1), calibration: (from: Sampled, length: 1)), Merge(with: Builtin(\"organism\"))";
    assert_snapshot!(problems(treat, "gpt2"), @"
    treat[0].layers: names no layer, so that nothing would be done; leave the step out, or name some
    treat[1].layers: layer 7 does not exist; gpt2 has layers 0 to 1
    treat[1].layers: [1, 0, 7] do not rise; name each layer once, in order
    treat[1].rows: 0 is too few; it must be at least 1
    treat[1].rate: 0 is no number above 0
    treat[1].temperature: -1 is no number above 0
    treat[2].layers: 3 layers are more than there are: 2
    treat[2].weight_decay: -1 is no number from 0 on
    treat[2].lambda: -1 is no number from 0 on
    treat[2].mu: -1 is no number from 0 on
    treat[3].layers: 0 is too few; it must be at least 1
    treat[4].calibration.length: a text of one token has no next one; write 2 or more
    treat[5].with: stands behind Distil; write the student with `patchclamp treat`, and merge that
    ");
    assert_snapshot!(problems("Distil(layers: Spread(1))", "bert"), @"treat[0].lambda: asks for masked tokens, as the model sees both ways, and its tokenizer has no mask; write lambda: 0");
    assert_snapshot!(problems("Distil(layers: These([1]))", "gpt2-untied-inverse-layer"), @"treat[0].layers: attention of this model is scaled by the number of its layer, so no layer can stand in the place of another; keep the first ones");
}
