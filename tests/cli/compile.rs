//! `patchclamp compile`: a program becomes a folder that everything else reads, and wrong sizes one clear message.

use super::{PATCH, Place, TOKENS, contents, golden};
use serde_json::Value;

/// An experiment on the compiled program that stands in `m`.
fn on_folder() -> Place {
    let place = Place::new("Path(\"m\")", "Program(of: (program: Reverse), items: 12)", "Circuit(select: TopN(4))");
    place.good(&["compile", "reverse", "--to", "m"]);
    place
}

fn json(bytes: &[u8]) -> Value {
    serde_json::from_slice(bytes).unwrap()
}

fn text(place: &Place, name: &str) -> String {
    String::from_utf8(place.read(name)).unwrap()
}

#[test]
fn a_compiled_program_is_a_folder_that_is_the_model_in_memory() {
    let place = on_folder();
    let files = ["circuit.json", "config.json", "model.safetensors", "tokenizer.json"];
    assert_eq!(contents(&place.path("m")).keys().cloned().collect::<Vec<_>>(), files);
    place.good(&["run", "q.ron", "--set", "truth=File(\"m/circuit.json\")", "--out", "folder"]);
    let own = ["--set", "model=Compiled(program: Reverse)", "--set", "truth=Own"];
    place.good(&[&["run", "q.ron", "--out", "memory"], &own[..]].concat());
    for file in ["results.csv", "tables/02_recovery.csv", "circuits/01_circuit.graphml"] {
        assert!(place.read(&format!("folder/{file}")) == place.read(&format!("memory/{file}")), "{file}");
    }
    assert!(text(&place, "memory/run.ron").contains("model: Compiled(\n        program: Reverse,\n    )"));
    // a run is repeated from what it wrote
    place.good(&["run", "memory/run.ron", "--out", "again"]);
    assert!(place.read("again/results.csv") == place.read("memory/results.csv"));
    assert!(text(&place, "memory/report.html").contains("held against the true one"));
    let sites = place.good(&["sites", "m"]);
    assert!(sites.contains("blocks.2.attn.hook_z") && !sites.contains("ln1"), "{sites}");
}

#[test]
fn the_circuit_of_a_file_is_held_against_the_true_one() {
    let place = on_folder();
    place.good(&["run", "q.ron", "--set", "methods=[Acdc(threshold: 0.01, ablate: Zero)]", "--out", "r"]);
    let told = place.good(&["circuit", "r/circuits/01_acdc.json", "--truth", "m/circuit.json"]);
    assert!(told.contains("8 of its 8 edges are among the 8 true ones; 46 edges have scores"), "{told}");
    assert!(told.contains("ROC area      1.0000; labels shuffled 0.5"), "{told}");
    assert!(told.contains("ROC staircase 1.0000; labels shuffled"), "{told}");
    place.good(&["compile", "histogram", "--to", "h"]);
    let told = place.bad(&["circuit", "r/circuits/01_acdc.json", "--truth", "h/circuit.json"]);
    assert!(told.contains("h/circuit.json is a circuit of another model: it has 1 layers of 1 heads"), "{told}");
}

#[test]
fn the_facts_of_a_folder_say_what_it_is() {
    let place = on_folder();
    place.good(&["compile", "or", "--beside", "xor", "--to", "g"]);
    let circuit = json(&place.read("g/circuit.json"));
    assert_eq!(circuit["facts"]["model"], "or, 2 symbols, up to 2 tokens, beside xor");
    let config = json(&place.read("g/config.json"));
    assert_eq!((&config["model_type"], &config["program"]["program"]), (&"compiled".into(), &"Or".into()));
    // nothing is written over
    let told = place.bad(&["compile", "and", "--to", "g"]);
    assert!(told.contains("g: holds files") && config == json(&place.read("g/config.json")), "{told}");
}

#[test]
fn sizes_that_make_no_sense_are_refused_by_their_names() {
    let place = on_folder();
    let told = place.bad(&["compile", "sort", "--symbols", "1", "--length", "17", "--to", "n"]);
    assert!(
        told.contains("symbols: 1 is not between 2 and 26") && told.contains("length: 17 is not between"),
        "{told}"
    );
    assert!(!place.path("n").exists());
    let output = place.run(&["compile", "sorted"]);
    let told = String::from_utf8(output.stderr).unwrap();
    assert!(!output.status.success() && told.contains("there are frac_prevs, reverse, sort_unique"), "{told}");
    let refused = |set: &str, expected: &str| {
        let told = place.bad(&["check", "q.ron", "--set", set]);
        assert!(told.contains(expected), "{told}\nshould say: {expected}");
    };
    refused("model=Compiled(program: Reverse, length: 17)", "length: 17 is not between 2 and 16");
    refused("model=Compiled(program: Xor, length: 3)", "Xor reads 2 bits, so leave it out");
    refused("data=Program()", "the model is not Compiled, so write which, as in of: (program: Reverse)");
    refused(
        "data=Program(of: (program: Reverse), shortest: 6)",
        "shortest: 6; texts of Reverse have here 1 to 5 tokens",
    );
    refused("data=Program(of: (program: Reverse), items: 0)", "items: 0 is not between 1 and 10000");
    refused("data=Program(of: (program: Length))", "Length answers all texts of these lengths alike");
    refused("data=Program(of: (program: Reverse, symbols: 6))", "it does not know");
    refused("data=Program(of: (program: Reverse, length: 9))", "the prompt has 10 tokens; the model has 6 positions");
    refused("special_tokens=Never", "special_tokens: Never leaves out the boundary token");
    refused("truth=Own", "truth: Own is the circuit of a compiled program, which this model is not");
    refused("truth=File(\"none.json\")", "none.json");
    let patch = ["check", "q.ron", "--set", "truth=File(\"m/circuit.json\")", "--set"];
    let told = place.bad(&[&patch[..], &[&format!("methods=[{PATCH}]")]].concat());
    assert!(told.contains("truth: no method here finds a circuit"), "{told}");
    let other = Place::new(&format!("Path({:?})", golden("gpt2")), TOKENS, "Circuit(select: TopN(4))");
    other.good(&["compile", "reverse", "--to", "m"]);
    let told = other.bad(&["check", "q.ron", "--set", "truth=File(\"m/circuit.json\")"]);
    assert!(told.contains("m/circuit.json is a circuit of another model"), "{told}");
}

/// The file is run as it is, and says what its comment promises.
#[test]
fn the_ground_truth_of_the_experiments_is_recovered() {
    let place = on_folder();
    let file = golden("../../experiments/ground_truth.ron").display().to_string();
    place.good(&["run", &file, "--set", "data.items=12", "--out", "r"]);
    let found = text(&place, "r/tables/09_recovery.csv");
    assert!(
        found.contains("1: over 3 thresholds,,,,,,roc_area,1.0,") && found.contains("roc_staircase,1.0,"),
        "{found}"
    );
}
