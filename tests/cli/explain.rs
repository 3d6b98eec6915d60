//! `explain` and `--precision` from outside.

use super::{Place, TOKENS, golden};
use serde_json::Value;
use std::fs;

const EQUAL: &str = "They are equal at every site.";
const ROUNDING: &str = "They differ nowhere by more than rounding makes";

#[test]
fn a_pass_is_explained_in_another_precision() {
    let place = Place::with_model("gpt2");
    let told = place.good(&["explain", "q.ron", "f64"]);
    assert!(told.contains("q.ron: m, cpu, f32\nq.ron: m, cpu, f64") && told.contains(ROUNDING), "{told}");
    let json: Value = serde_json::from_str(&place.good(&["explain", "q.ron", "bf16", "--json"])).unwrap();
    assert_eq!((&json["begins"], &json["second"]), (&Value::Null, &Value::from("q.ron: m, cpu, bf16")));
    let site = json["sites"].as_array().unwrap().iter().find(|site| site["site"] == "blocks.1.attn.hook_z").unwrap();
    assert!(site["difference"].as_f64().unwrap() > 0.0 && site["at"]["head"].is_u64(), "{site}");
    place.good(&["explain", "q.ron", "f64", "--tolerance", "1e-4"]);
    let refused = place.bad(&["explain", "q.ron", "bf16", "--tolerance", "1e-4"]);
    assert!(refused.contains("differs by") && refused.contains("more than 1e-4"), "{refused}");
}

#[test]
fn a_pass_is_explained_against_what_a_run_kept() {
    let place = Place::new(&format!("Path({:?})", golden("llama")), TOKENS, "Record(sites: All)");
    place.good(&["run", "q.ron", "--out", "r", "-q"]);
    for second in ["r", "q.ron", "r/run.ron"] {
        assert!(place.good(&["explain", "q.ron", second]).contains(EQUAL), "{second}");
    }
    for side in ["clean", "corrupt"] {
        let told = place.good(&["explain", "q.ron", &format!("r/tensors/01_record_{side}.safetensors")]);
        assert!(told.contains(EQUAL) && !told.contains("Only in"), "{told}");
    }
}

#[test]
fn a_changed_weight_is_where_it_begins() {
    let place = Place::with_model("gpt2");
    fs::create_dir(place.path("n")).unwrap();
    fs::copy(place.path("m/config.json"), place.path("n/config.json")).unwrap();
    let (header, mut data) = super::opened(&place.read("m/model.safetensors"));
    let at = header["transformer.h.1.mlp.c_fc.bias"]["data_offsets"][0].as_u64().unwrap() as usize;
    data[at..at + 4].copy_from_slice(&2f32.to_le_bytes());
    place.write("n/model.safetensors", &super::closed((header, data)));
    let told = place.good(&["explain", "q.ron", "n"]);
    assert!(told.contains("They begin to differ at blocks.1.mlp.hook_pre: by "), "{told}");
    assert!(told.contains("→  blocks.1.mlp.hook_pre"), "{told}");
}

#[test]
fn what_cannot_be_compared_is_said() {
    let place = Place::with_model("gpt2");
    assert!(place.bad(&["explain", "q.ron", "nowhere"]).contains("nowhere: neither a file or folder that is there"));
    assert!(place.bad(&["explain", "q.ron", "no.safetensors"]).contains("no.safetensors: "));
    assert!(place.bad(&["explain", "q.ron", "m/model.safetensors"]).contains("no tensor of it is named as a site"));
    assert!(place.bad(&["explain", "q.ron", "cuda"]).contains("built without CUDA"));
    let text = String::from_utf8(place.read("q.ron")).unwrap();
    place.write("other.ron", text.replace("[1, 2, 3]", "[1, 9, 3]").as_bytes());
    assert!(place.bad(&["explain", "q.ron", "other.ron"]).contains("item 0 of other.ron has the tokens [1, 9, 3]"));
}

#[test]
fn a_run_in_half_precision_says_what_that_costs() {
    let place = Place::with_model("gpt2");
    let told: Value =
        serde_json::from_str(&place.good(&["run", "q.ron", "--out", "r", "--precision", "f16", "--json"])).unwrap();
    let fact = told["tables"][0]["facts"]["precision, error"].as_str().unwrap();
    assert!(fact.starts_with("logit_diff of the clean runs: differs by at most "), "{fact}");
    let run = String::from_utf8(place.read("r/run.ron")).unwrap();
    assert!(run.contains("precision: F16") && run.contains("\"precision\": \"f16\"") && run.contains(fact), "{run}");
    assert!(String::from_utf8(place.read("r/report.html")).unwrap().contains("differs by at most"));
    assert!(place.good(&["run", "r/run.ron", "--out", "s"]).contains(&format!("In f16, {fact}.")));
    place.good(&["run", "q.ron", "--out", "t", "--precision", "f64"]);
    assert!(!String::from_utf8(place.read("t/run.ron")).unwrap().contains("precision, error"));
    let refused = place.run(&["run", "q.ron", "--precision", "f8"]);
    assert!(String::from_utf8_lossy(&refused.stderr).contains("write f32, f64, f16 or bf16"));
}
