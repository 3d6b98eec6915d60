//! Real weights: figures of other implementations and published activations, reproduced through the public interface.
//!
//! The weights lie beside the checkout and not in it; where they are not there these tests say so and do nothing.

mod common;

use base64::Engine;
use common::*;
use patchclamp::hook::Activation;
use patchclamp::method::record::laid_out;
use patchclamp::model::load::{self, Loaded};
use patchclamp::site::Site;
use patchclamp::table::Row;
use patchclamp::tensor::{activation, to_floats};
use patchclamp::text::{SpecialTokens, Tokens};
use safetensors::tensor::{Dtype, TensorView, serialize_to_file};
use serde_json::{Value, json};
use std::path::Path;

/// A state as it is written: shape and values.
type Laid = (Vec<usize>, Vec<f32>);

/// The issue's own bound on patched metrics of a real model.
const TOLERANCE: f64 = 1e-3;

fn open(folder: &Path) -> Loaded {
    load::folder(folder, &[], &device()).unwrap()
}

fn read_json(path: &Path) -> Value {
    serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
}

/// Numbers of nested lists, one after another.
fn flat(value: &Value) -> Vec<f64> {
    match value {
        Value::Array(values) => values.iter().flat_map(flat).collect(),
        number => vec![number.as_f64().unwrap()],
    }
}

fn assert_all_close(found: &[f64], expected: &[f64], what: &str) {
    assert_eq!(found.len(), expected.len(), "{what}");
    for (index, (found, expected)) in found.iter().zip(expected).enumerate() {
        assert!((found - expected).abs() <= TOLERANCE, "{what}, cell {index}: {found}, expected {expected}");
    }
}

/// The metric itself under every patch: the effects of `rows` with the metric of the run left alone added back.
fn patched(rows: &[Row], base: &[f64]) -> Vec<f64> {
    rows.iter().map(|row| row.effect + base[row.item.unwrap()]).collect()
}

/// The girl and the boy, asked for `she` and `he`.
fn stories(golden: &Value, methods: &str) -> String {
    let text = |name: &str| golden[name].as_str().unwrap();
    let data = format!(
        r#"Pairs([(clean: "{}", corrupt: "{}", right: " she", wrong: " he")])"#,
        text("clean_text"),
        text("corrupt_text")
    );
    question(&data, methods, "metric: LogitDiff")
}

#[test]
fn stories260k_prefers_she_for_a_girl_and_he_for_a_boy() {
    let Some(folder) = real_weights("stories260K") else { return };
    let (loaded, golden) = (open(&folder), read_json(&golden("stories260k.json")));
    let (plan, outcome) = carry_out(&stories(&golden, r#"Patch(sites: ["hook_embed"], over: [])"#), &loaded);
    let ids = |name: &str| flat(&golden[name]).into_iter().map(|id| id as u32).collect::<Vec<_>>();
    let item = &plan.items[0];
    let answers = item.answers.clone().unwrap();
    assert_eq!((&item.clean, &item.corrupt), (&ids("clean_tokens"), &ids("corrupt_tokens")));
    assert_eq!([answers.right, answers.wrong].concat(), ids("answers"));
    let table = &outcome.findings[0].tables[0];
    let (clean, corrupted) = (fact(table, "metric, clean"), fact(table, "metric, corrupted"));
    assert!((clean - 5.6754).abs() <= TOLERANCE && (corrupted + 3.8992).abs() <= TOLERANCE, "{clean} {corrupted}");
    // every embedding patched is the clean run
    assert!((table.rows[0].normalised.unwrap() - 1.0).abs() < TOLERANCE);
}

#[test]
fn stories260k_patches_as_torch_hooks_do() {
    let Some(folder) = real_weights("stories260K") else { return };
    let (loaded, golden) = (open(&folder), read_json(&golden("stories260k.json")));
    let last = flat(&golden["clean_tokens"]).len() - 1;
    let neurons = format!("only: (layers: [2], positions: [{last}])");
    let sweeps = [
        ("denoising", "resid_pre", r#"sites: ["hook_resid_pre"], over: [Layer, Position]"#.to_string()),
        ("denoising", "attn_out", r#"sites: ["hook_attn_out"], over: [Layer, Position]"#.to_string()),
        ("denoising", "mlp_out", r#"sites: ["hook_mlp_out"], over: [Layer, Position]"#.to_string()),
        ("denoising", "z", r#"sites: ["attn.hook_z"], over: [Layer, Head]"#.to_string()),
        ("denoising", "z_by_position", r#"sites: ["attn.hook_z"], over: [Layer, Head, Position]"#.to_string()),
        ("denoising", "resid_pre_neuron", format!(r#"sites: ["hook_resid_pre"], over: [Neuron], {neurons}"#)),
        ("noising", "resid_pre", r#"sites: ["hook_resid_pre"], over: [Layer, Position], direction: Noise"#.to_string()),
    ];
    let methods: Vec<String> = sweeps.iter().map(|(_, _, sweep)| format!("Patch({sweep})")).collect();
    let findings = findings(&stories(&golden, &methods.join(", ")), &loaded);
    let base = |direction: &str| if direction == "noising" { "clean_metric" } else { "corrupt_metric" };
    for ((direction, name, _), finding) in sweeps.iter().zip(&findings) {
        let found = patched(&finding.items[0].rows, &[golden[base(direction)].as_f64().unwrap()]);
        assert_all_close(&found, &flat(&golden[direction][name]), &format!("{direction} {name}"));
    }
}

/// Three pairs of tokens a family, made by the same hooks as the goldens of stories260K; no real weights are needed.
#[test]
fn three_families_patch_as_torch_hooks_do() {
    let goldens = read_json(&golden("patch.json"));
    let goldens = goldens.as_object().unwrap();
    assert_eq!(goldens.len(), 3);
    for (case, golden) in goldens {
        let (clean, corrupt, answers) = (&golden["clean"], &golden["corrupt"], &golden["answers"]);
        let pair = |item: usize| {
            let [right, wrong] = [0, 1].map(|answer| &answers[item][answer]);
            format!("(clean: {}, corrupt: {}, right: {right}, wrong: {wrong})", clean[item], corrupt[item])
        };
        let data = format!("Pairs([{}])", (0..3).map(pair).collect::<Vec<_>>().join(", "));
        let methods = r#"
            Patch(sites: ["hook_resid_pre"], over: [Layer, Position]),
            Patch(sites: ["attn.hook_z"], over: [Layer, Head]),
        "#;
        let findings = findings(&question(&data, methods, ""), &load(case));
        for (name, finding) in ["resid_pre", "z"].into_iter().zip(&findings) {
            let found = patched(&finding.items[0].rows, &flat(&golden["corrupt_metric"]));
            assert_all_close(&found, &flat(&golden[name]), &format!("{case} {name}"));
        }
        let mean = flat(&golden["clean_metric"]).iter().sum::<f64>() / 3.0;
        assert!((fact(&findings[0].tables[0], "metric, clean") - mean).abs() <= TOLERANCE, "{case}");
    }
}

/// A tensor of the published files: shape, and base64 of little-endian f32.
fn published(value: &Value) -> (Vec<usize>, Vec<f32>) {
    let shape = flat(&value["shape"]).into_iter().map(|length| length as usize).collect();
    let bytes = base64::engine::general_purpose::STANDARD.decode(value["data"].as_str().unwrap()).unwrap();
    (shape, bytes.chunks_exact(4).map(|bytes| f32::from_le_bytes(bytes.try_into().unwrap())).collect())
}

/// minGPT's file as a Hugging Face folder of GPT-2.
fn as_gpt2(file: &Path, folder: &Path) {
    let model = read_json(file);
    let config = &model["config"];
    let config = json!({
        "model_type": "gpt2",
        "n_layer": config["n_layer"],
        "n_head": config["n_head"],
        "n_embd": config["n_embd"],
        "vocab_size": config["vocab_size"],
        "n_positions": config["block_size"],
        "activation_function": "gelu_new",
        "tie_word_embeddings": false,
    });
    std::fs::write(folder.join("config.json"), config.to_string()).unwrap();
    let weights =
        model.as_object().unwrap().iter().filter(|(name, _)| *name != "config" && !name.ends_with(".attn.bias"));
    let weights: Vec<(String, Vec<usize>, Vec<u8>)> = weights
        .map(|(name, value)| {
            let (mut shape, mut values) = published(value);
            if name.contains(".c_") && shape.len() == 2 {
                values = transposed(&values, shape[1]); // Linear is [out, in], GPT-2's Conv1D [in, out]
                shape.reverse();
            }
            (name.clone(), shape, values.into_iter().flat_map(f32::to_le_bytes).collect())
        })
        .collect();
    let views =
        weights.iter().map(|(name, shape, bytes)| (name, TensorView::new(Dtype::F32, shape.clone(), bytes).unwrap()));
    serialize_to_file(views, None, &folder.join("model.safetensors")).unwrap();
}

fn transposed(values: &[f32], columns: usize) -> Vec<f32> {
    (0..columns).flat_map(|column| values.iter().skip(column).step_by(columns)).copied().collect()
}

#[test]
fn gpt_nano_sort_has_its_published_activations() {
    /// The issue's own bound.
    const TOLERANCE: f32 = 1e-5;
    let Some(source) = real_weights("gpt-nano-sort") else { return };
    let folder = tempfile::tempdir().unwrap();
    as_gpt2(&source.join("gpt-nano-sort-model.json"), folder.path());
    let partials = read_json(&source.join("gpt-nano-sort-t0-partials.json"));
    let model = open(folder.path()).model;
    let (shape, ids) = published(&partials["idx"]);
    let tokens = Tokens::new(ids.chunks_exact(shape[1]).map(|row| row.iter().map(|id| *id as u32).collect()).collect());
    let record = recorded(model.as_ref(), &tokens, model.sites());
    let in_file = |site: Site, state: &Activation| {
        let (shape, state) = laid_out(site, state);
        (shape, to_floats(&state))
    };
    let at = |site: Site| in_file(site, record.at(site).unwrap());
    let logits = record.at(Site::Logits).unwrap();
    let mut sites: Vec<(&str, Laid)> = [
        ("tok_emb", Site::Embed),
        ("x", Site::ResidPre(0)),
        ("ln1", Site::Norm1Normalized(0)),
        ("q", Site::Query(0)),
        ("k", Site::Key(0)),
        ("v", Site::Value(0)),
        ("att", Site::Scores(0)),
        ("attSm", Site::Pattern(0)),
        ("y", Site::Mix(0)),
        ("yProj", Site::AttnOut(0)),
        ("attnResid", Site::ResidMid(0)),
        ("ln2", Site::Norm2Normalized(0)),
        ("fc", Site::MlpPre(0)),
        ("gelu", Site::MlpPost(0)),
        ("mlp", Site::MlpOut(0)),
        ("mlpResid", Site::ResidPost(0)),
        ("block0", Site::ResidPost(0)),
        ("block1", Site::ResidPost(1)),
        ("block2", Site::ResidPost(2)),
        ("ln_f", Site::FinalNormalized),
        ("lm_head", Site::Logits),
    ]
    .map(|(name, site)| (name, at(site)))
    .to_vec();
    sites.push(("pos_emb", in_file(Site::PosEmbed, &record.at(Site::PosEmbed).unwrap().clone().narrow(0, 0, 1))));
    sites.push(("probs", in_file(Site::Logits, &activation::softmax(logits.clone(), 3))));
    for (name, (shape, found)) in &sites {
        let (expected_shape, expected) = published(&partials[*name]);
        let by_head = ["q", "k", "v"].contains(name); // published as [batch, head, pos, width]
        let found = if by_head { swapped(found, shape) } else { found.clone() };
        assert_eq!(found.len(), expected_shape.iter().product::<usize>(), "{name}");
        for (index, (found, expected)) in found.iter().zip(&expected).enumerate() {
            let masked = *expected == f32::NEG_INFINITY && *found == f32::MIN;
            assert!(masked || (found - expected).abs() <= TOLERANCE, "{name} {index}: {found}, published {expected}");
        }
    }
    let known = |name: &str| sites.iter().any(|(known, _)| *known == name) || ["config", "idx", "qkv"].contains(&name);
    assert!(partials.as_object().unwrap().keys().all(|name| known(name)), "a published activation was not compared");
}

/// `[batch, head, pos, width]` from `[batch, pos, head, width]`.
fn swapped(values: &[f32], shape: &[usize]) -> Vec<f32> {
    let [batch, pos, heads, width] = [shape[0], shape[1], shape[2], shape[3]];
    let row = |batch: usize, head: usize, at: usize| &values[((batch * pos + at) * heads + head) * width..][..width];
    let rows = (0..batch).flat_map(|batch| (0..heads).flat_map(move |head| (0..pos).map(move |at| (batch, head, at))));
    rows.flat_map(|(batch, head, at)| row(batch, head, at)).copied().collect()
}

#[test]
fn tinystories_656k_reads_simple_stories() {
    /// Nats a token on the stories below, as transformers 5 in eager mode computes them; guessing would be ln 2048 = 7.6.
    const REFERENCE: f64 = 4.0298;
    let Some(folder) = real_weights("tinystories-656k") else { return };
    let loaded = open(&folder);
    let stories = [
        "Once upon a time, there was a little girl named Lily. She liked to play in the park with her friends.",
        "Tom had a red ball. One day, he lost his ball and he was very sad. His mom said, \"Do not worry, Tom.\"",
        "The dog was very happy. He ran to the big tree and saw a small bird.",
    ];
    let (mut nats, mut count) = (0.0, 0);
    for story in stories {
        let ids = loaded.text.as_ref().unwrap().encode(story, SpecialTokens::AsTokenizer).unwrap();
        let logits = logits(loaded.model.as_ref(), &Tokens::new(vec![ids.clone()]), &mut ());
        let scores = to_floats(&activation::log_softmax(logits, 2));
        assert!(scores.iter().all(|score| score.is_finite()));
        let vocabulary = loaded.model.dims().vocabulary;
        nats -= ids
            .iter()
            .skip(1)
            .enumerate()
            .map(|(at, id)| f64::from(scores[at * vocabulary + *id as usize]))
            .sum::<f64>();
        count += ids.len() - 1;
    }
    let mean = nats / count as f64;
    assert!((mean - REFERENCE).abs() <= TOLERANCE, "{mean} nats a token");
}

#[test]
fn winobias_has_as_many_pairs_as_its_authors_count() {
    let Some(folder) = shared(Path::new("data/winobias")) else { return };
    let organism = patchclamp::builtin::load("organism", &[], &device()).unwrap();
    for (split, expected) in [("dev", 160), ("test", 130)] {
        let path = folder.join(format!("pro_stereotyped_type1.txt.{split}"));
        let data = format!("WinoBias(path: {path:?})");
        let text = question(&data, "Mediate(mediators: Model)", "");
        let plan = patchclamp::plan::Plan::new(&experiment(&text), &organism).unwrap_or_else(|error| panic!("{error}"));
        assert_eq!(plan.items.len(), expected, "{split}");
    }
}
