//! Families: what is listed, and which fields of their configurations are refused by name.

use super::checkpoints::with_config;
use super::{Place, TOKENS};
use patchclamp::model::family::FAMILIES;
use serde_json::json;
use std::path::Path;

#[test]
fn every_family_is_listed_on_a_hundred_columns() {
    let told = Place::new("Path(\"m\")", TOKENS, "").good(&["models"]);
    let readme = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("README.md")).unwrap();
    for family in FAMILIES {
        let name = family.name;
        assert!(told.lines().any(|line| line.split_whitespace().next() == Some(name)), "{name} is not listed");
        assert!(readme.contains(&format!("`{name}`")), "README.md does not name {name}");
    }
    for line in told.lines() {
        assert!(line.chars().count() <= 100, "too long: {line}");
    }
    assert!(told.contains("organism-flat"));
}

#[test]
fn what_is_not_supported_is_refused_by_the_name_of_its_field() {
    let causal = "is true; expected false";
    with_config("gemma", "use_bidirectional_attention", json!(true), causal);
    with_config("gemma2", "use_bidirectional_attention", json!(true), causal);
    with_config("roberta", "is_decoder", json!(true), "`is_decoder` is true; expected false");
    for case in ["bert", "roberta", "camembert"] {
        let expected = "`position_embedding_type` is \"relative_key\"; expected absolute";
        with_config(case, "position_embedding_type", json!("relative_key"), expected);
    }
    with_config("gemma2", "layer_types", json!(["full_attention"]), "expected full_attention or sliding_attention for");
    with_config("qwen3", "layer_types", json!(["full_attention", "chunked_attention"]), "`layer_types` is");
    with_config("gemma2", "attn_logit_softcapping", json!(0.0), "`attn_logit_softcapping` is 0.0; expected a number");
    with_config("opt", "activation_function", json!("mish"), "`activation_function` is mish; expected gelu");
}

#[test]
fn positions_that_make_no_sense_are_refused() {
    with_config("roberta", "pad_token_id", json!(17), "`max_position_embeddings` is 18; expected more than");
    with_config("gpt-neo", "attention_layers", json!(["global"]), "expected global or local for each of the 2 layers");
    with_config("gpt-neo", "attention_layers", json!(["global", "sparse"]), "`attention_layers` is");
    with_config("phi3", "rope_parameters", json!({"rope_type": "linear", "factor": 2.0}), "expected one of default,");
    with_config("llama", "rope_parameters", json!({"rope_type": "yarn"}), "`rope_parameters.rope_type` is yarn");
    let short = json!({"rope_type": "longrope", "short_factor": [1.0], "long_factor": [1.0]});
    with_config("phi3-long", "rope_parameters", short, "`rope_parameters.short_factor` is 1 numbers; expected 4");
    let little = json!({"rope_type": "default", "partial_rotary_factor": 0.01});
    with_config("phi3", "rope_parameters", little, "the number of rotated channels` is 0; expected at least 1");
    let by_layer = json!({"full_attention": {"rope_theta": 1e4}});
    with_config("gemma2", "rope_parameters", by_layer, "`rope_parameters.full_attention` is");
}
