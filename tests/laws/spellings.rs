//! Laws of spellings: a configuration or a checkpoint written otherwise is the same model, to the bit.

use super::common::*;
use patchclamp::model::load;
use patchclamp::text::Padding;
use safetensors::SafeTensors;
use serde_json::{Value, json};
use std::path::Path;

/// The bits of a model's logits on some prompts.
fn logit_bits(folder: &Path) -> Vec<u32> {
    let loaded = load::folder(folder, &[], &device()).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    bits(&logits(loaded.model.as_ref(), &random_tokens(&[7, 5], Padding::Right), &mut ()))
}

/// A copy of a golden with another configuration and other names of tensors.
fn rewritten(case: &str, change: impl Fn(&mut Value), name: impl Fn(&str) -> String) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let mut config = serde_json::from_slice(&std::fs::read(golden(case).join("config.json")).unwrap()).unwrap();
    change(&mut config);
    std::fs::write(folder.path().join("config.json"), config.to_string()).unwrap();
    let bytes = std::fs::read(golden(case).join("model.safetensors")).unwrap();
    let stored = SafeTensors::deserialize(&bytes).unwrap();
    let renamed = stored.tensors().into_iter().map(|(old, view)| (name(&old), view));
    let bytes = safetensors::serialize(renamed, None).unwrap();
    std::fs::write(folder.path().join("model.safetensors"), bytes).unwrap();
    folder
}

fn without(fields: &[&str]) -> impl Fn(&mut Value) {
    move |config| {
        fields.iter().for_each(|field| {
            config.as_object_mut().unwrap().remove(*field).unwrap_or_else(|| panic!("no field {field}"));
        });
    }
}

#[test]
fn a_model_saved_without_its_head_is_the_same() {
    let prefixes = [
        ("gpt2", "transformer."),
        ("gpt-neo", "transformer."),
        ("opt", "model."),
        ("opt", "model.decoder."),
        ("opt-behind", "model."),
        ("gemma", "model."),
        ("gemma2", "model."),
        ("llama", "model."),
    ];
    for (case, prefix) in prefixes {
        let bare = rewritten(case, |_| (), |name| name.strip_prefix(prefix).unwrap_or(name).to_string());
        assert!(logit_bits(bare.path()) == logit_bits(&golden(case)), "{case} without {prefix}");
    }
}

#[test]
fn a_field_that_is_not_written_is_what_it_would_be() {
    let fields: [(&str, &[&str]); 7] = [
        ("gpt-neo", &["attention_layers"]),
        ("gpt-neo", &["attention_types", "intermediate_size"]),
        ("gemma2", &["layer_types", "hidden_activation"]),
        ("qwen3", &["layer_types"]),
        ("opt", &["word_embed_proj_dim", "_remove_final_layer_norm", "activation_function"]),
        ("phi3", &["original_max_position_embeddings", "hidden_act"]),
        ("roberta", &["pad_token_id"]),
    ];
    for (case, fields) in fields {
        let sparse = rewritten(case, without(fields), str::to_string);
        assert!(logit_bits(sparse.path()) == logit_bits(&golden(case)), "{case} without {fields:?}");
    }
}

#[test]
fn rotary_positions_are_read_in_the_older_spelling() {
    for kind in ["su", "longrope"] {
        let older = |config: &mut Value| {
            let rope = config["rope_parameters"].take();
            config["rope_theta"] = rope["rope_theta"].clone();
            config["rope_scaling"] = json!({"type": kind});
            for field in ["short_factor", "long_factor", "attention_factor"] {
                config["rope_scaling"][field] = rope[field].clone();
            }
        };
        for case in ["phi3-long", "phi3-short"] {
            let older = rewritten(case, older, str::to_string);
            assert!(logit_bits(older.path()) == logit_bits(&golden(case)), "{case} as {kind}");
        }
    }
}

#[test]
fn what_a_field_says_is_heeded() {
    let changed: [(&str, &str, Value); 9] = [
        ("gpt-neo", "window_size", json!(2)),
        ("gpt-neo", "attention_layers", json!(["local", "local"])),
        ("qwen3", "sliding_window", json!(2)),
        ("gemma2", "layer_types", json!(["full_attention", "full_attention"])),
        ("gemma2", "attn_logit_softcapping", json!(null)),
        ("gemma2", "final_logit_softcapping", json!(30.0)),
        ("gemma2", "query_pre_attn_scalar", json!(6)),
        ("phi3", "sliding_window", json!(null)),
        ("phi3-long", "original_max_position_embeddings", json!(20)),
    ];
    for (case, field, value) in changed {
        let other = rewritten(case, |config| config[field] = value.clone(), str::to_string);
        assert!(logit_bits(other.path()) != logit_bits(&golden(case)), "{case}: `{field}` is not heeded");
    }
}

/// BERT's heads share the width evenly, with keys of their own; `transformers` does not read what would say otherwise.
#[test]
fn what_a_family_does_not_read_changes_nothing() {
    for case in ["bert", "roberta"] {
        for (field, value) in [("head_dim", 2), ("num_key_value_heads", 1)] {
            let other = rewritten(case, |config| config[field] = json!(value), str::to_string);
            let loaded = load::folder(other.path(), &[], &device()).unwrap();
            assert!(logit_bits(other.path()) == logit_bits(&golden(case)), "{case} with `{field}`");
            assert_eq!(loaded.model.dims(), load(case).model.dims());
        }
    }
}
