//! Checkpoints that are damaged, lie, or lack something.

use super::{Place, closed, golden, opened};
use serde_json::{Value, json};
use std::fs;

const WEIGHTS: &str = "m/model.safetensors";
const TENSOR: &str = "transformer.h.0.ln_1.weight";

/// What is told of a checkpoint whose weights were changed.
fn with_weights(change: impl Fn(Vec<u8>) -> Vec<u8>, expected: &str) {
    let place = Place::with_model("gpt2");
    place.write(WEIGHTS, &change(place.read(WEIGHTS)));
    place.refuses(expected);
}

pub(super) fn with_config(model: &str, field: &str, value: Value, expected: &str) {
    let place = Place::with_model(model);
    let mut config: Value = serde_json::from_slice(&place.read("m/config.json")).unwrap();
    match value {
        Value::Null => drop(config.as_object_mut().unwrap().remove(field)),
        value => config[field] = value,
    }
    place.write("m/config.json", config.to_string().as_bytes());
    place.refuses(expected);
}

#[test]
fn a_damaged_weight_file_is_named() {
    let whole = "model m/model.safetensors: not a whole safetensors file";
    with_weights(|_| Vec::new(), whole);
    with_weights(|_| b"abc".to_vec(), whole);
    with_weights(|_| [&u64::MAX.to_le_bytes(), b"{}".as_slice()].concat(), whole);
    with_weights(|bytes| [&(bytes.len() as u64 * 2).to_le_bytes(), &bytes[8..]].concat(), whole);
    with_weights(|bytes| bytes[..bytes.len() / 2].to_vec(), whole);
    with_weights(|bytes| bytes[..bytes.len() - 1].to_vec(), whole);
}

#[test]
fn a_header_that_lies_is_found_out() {
    let header = |change: fn(&mut Value)| {
        move |bytes: Vec<u8>| {
            let (mut header, data) = opened(&bytes);
            change(&mut header);
            closed((header, data))
        }
    };
    let whole = "not a whole safetensors file";
    with_weights(header(|header| header[TENSOR]["data_offsets"] = json!([0, 1_000_000_000_000u64])), whole);
    with_weights(header(|header| header[TENSOR]["shape"] = json!([1u64 << 63, 4])), whole);
    with_weights(
        header(|header| header[TENSOR]["shape"] = json!([4, 6])),
        "has shape [4, 6], but config.json makes it [24]",
    );
    with_weights(
        header(|header| header[TENSOR]["dtype"] = json!("I32")),
        "is of type I32; f32, f16, bf16 and f64 can be read",
    );
    with_weights(
        header(|header| {
            let tensor = header.as_object_mut().unwrap().remove(TENSOR).unwrap();
            header["other"] = tensor;
        }),
        "model m: the checkpoint has no tensor `transformer.h.0.ln_1.weight`",
    );
}

#[test]
fn a_weight_that_is_no_number_is_found() {
    with_weights(
        |bytes| {
            let (header, mut data) = opened(&bytes);
            let at = header[TENSOR]["data_offsets"][0].as_u64().unwrap() as usize + 8;
            data[at..at + 4].copy_from_slice(&f32::NAN.to_le_bytes());
            closed((header, data))
        },
        "tensor `transformer.h.0.ln_1.weight` holds NaN at index 2",
    );
}

#[test]
fn shards_that_are_not_there_are_named() {
    let place = Place::with_model("sharded");
    fs::remove_file(place.path("m/model-00002-of-00004.safetensors")).unwrap();
    place.refuses("m/model-00002-of-00004.safetensors: No such file or directory");
    place.write("m/model.safetensors.index.json", b"{}");
    place.refuses("m/model.safetensors.index.json: missing field `weight_map`");
}

#[test]
fn a_configuration_is_checked_field_by_field() {
    with_config("gpt2", "model_type", json!("t5"), "`model_type` is t5; expected one of gpt2, gpt_neo, gpt_neox");
    with_config("gpt2", "model_type", Value::Null, "`model_type` is missing; expected a text");
    with_config("gpt2", "n_head", json!(7), "`n_embd` is 24; expected a multiple of `n_head`, which is 7");
    with_config("gpt2", "n_layer", json!("two"), "`n_layer` is \"two\"; expected a whole number from 1 to");
    with_config("gpt2", "n_layer", json!(3), "no tensor `transformer.h.2");
    with_config("gpt2", "vocab_size", json!(10), "has shape [48, 24], but config.json makes it [10, 24]");
    with_config("gpt2", "layer_norm_epsilon", json!(-1.0), "`layer_norm_epsilon` is -1.0; expected a number above 0");
    with_config(
        "pythia-parallel",
        "rope_parameters",
        json!({"rope_theta": 1e4, "partial_rotary_factor": 9.0}),
        "is 9; expected a number above 0 and up to 1",
    );
}

#[test]
fn no_size_is_asked_of_the_memory_unseen() {
    for size in [json!(0), json!(1_000_000_000_000u64), json!(u64::MAX)] {
        for field in ["vocab_size", "n_layer", "n_embd", "n_positions", "n_head"] {
            with_config(
                "gpt2",
                field,
                size.clone(),
                &format!("`{field}` is {size}; expected a whole number from 1 to"),
            );
        }
        with_config("llama", "head_dim", size.clone(), "`head_dim` is");
        with_config("bert", "num_hidden_layers", size, "`num_hidden_layers` is");
    }
    with_config("llama", "head_dim", json!(1 << 24), "but config.json makes it [");
    with_config(
        "gpt2",
        "n_layer",
        json!(1 << 24),
        "is 16777216; expected no more layers than the checkpoint has tensors",
    );
}

#[test]
fn what_is_not_in_a_folder_is_missed() {
    let place = Place::with_model("gpt2");
    place.write("m/tokenizer.json", b"{}");
    place.refuses("model m/tokenizer.json: not a tokenizer");
    place.write("m/tokenizer.json", b"{\"decoder\": d}");
    place.refuses("model m/tokenizer.json: not a tokenizer: expected value at line 1 column 13");
    place.write("m/tokenizer.json", b"{\"decoder\": \"\\ud800\"}");
    place.refuses("model m/tokenizer.json: not a tokenizer: ");
    place.write("m/tokenizer.json", b"{\"decoder\": {\"type\": \"\xea\"}}");
    place.refuses("model m/tokenizer.json: not a tokenizer: ");
    fs::copy(golden("../../assets/organism/planted/tokenizer.json"), place.path("m/tokenizer.json")).unwrap();
    place.refuses("but the model's vocabulary holds 48; they do not belong together");
    fs::remove_file(place.path(WEIGHTS)).unwrap();
    place.refuses("model m: no model.safetensors and no model.safetensors.index.json");
    place.write("m/config.json", b"{");
    place.refuses("model m/config.json: EOF while parsing");
    fs::remove_file(place.path("m/config.json")).unwrap();
    place.refuses("model m/config.json: No such file or directory");
    fs::remove_dir_all(place.path("m")).unwrap();
    place.refuses("model m: no such folder; a model is a folder with config.json and model.safetensors; built in are organism and");
    place.write("m", b"a file");
    place.refuses("model m: no such folder");
}
