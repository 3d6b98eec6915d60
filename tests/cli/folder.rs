//! The run folder: whole, repeatable, drawn again, and never half written.

use super::{Place, TOKENS, contents, failed, golden, opened};
use serde_json::Value;
use std::fs;
use std::process::{Command, Stdio};

const COLUMNS: &str = "method,site,layer,head,position,neuron,item,metric,effect,normalised,low,high,p,n";

const ALL: &str = "Record(sites: [\"hook_resid_pre\"]), Patch(sites: [\"attn.hook_z\"], over: [Layer, Head]), Attention(), Generate(tokens: 2)";

#[test]
fn a_run_folder_is_whole_and_runs_again() {
    let place = Place::new(&format!("Path({:?})", golden("gpt2")), TOKENS, ALL);
    place.good(&["run", "q.ron", "--set", "seed=3"]);
    let first = contents(&place.path("runs/q"));
    for name in [
        "run.ron",
        "results.csv",
        "report.html",
        "texts.jsonl",
        "tables/02_patch.denoise.csv",
        "tables/02_patch.denoise.json",
        "tables/02_patch.denoise.tex",
        "figures/02_patch.denoise.svg",
        "figures/02_patch.denoise.pdf",
        "figures/02_patch.denoise.png",
    ] {
        assert!(first.contains_key(name), "{name} is not among {:?}", first.keys());
    }
    assert!(first.keys().all(|name| !name.ends_with(".partial")));
    for (name, table) in first.iter().filter(|(name, _)| name.ends_with(".csv")) {
        assert!(String::from_utf8_lossy(table).starts_with(COLUMNS), "{name}");
    }
    let ron = String::from_utf8_lossy(&first["run.ron"]);
    for word in ["seed: 3", "resamples: 2000", "device: Cpu", "weights sha256", "data sha256", "commit", "tokens: [{"] {
        assert!(ron.contains(word), "run.ron does not say {word}");
    }
    // from its own run.ron: the same folder again, byte by byte, and the first is kept
    place.good(&["run", "runs/q/run.ron"]);
    assert_eq!(contents(&place.path("runs/q~1")), first);
    assert!(contents(&place.path("runs/q")) == first, "the second run differs from the first");
}

#[test]
fn tensors_have_the_names_of_transformer_lens() {
    let place = Place::new(&format!("Path({:?})", golden("gpt2")), TOKENS, "Record(sites: All)");
    place.good(&["run", "q.ron", "--out", "r"]);
    let files = contents(&place.path("r"));
    let (name, bytes) = files.iter().find(|(name, _)| name.ends_with(".safetensors")).expect("states are tensors");
    let (header, _) = opened(bytes);
    for tensor in ["hook_embed", "blocks.1.attn.hook_pattern", "logits"] {
        assert!(header.as_object().unwrap().keys().any(|key| key.ends_with(tensor)), "{name} has no {tensor}");
    }
}

#[test]
fn a_report_is_drawn_again_without_the_model() {
    let place = Place::with_model("gpt2");
    place.good(&["run", "q.ron", "--out", "r"]);
    let first = contents(&place.path("r"));
    fs::remove_dir_all(place.path("m")).unwrap();
    fs::remove_dir_all(place.path("r/figures")).unwrap();
    fs::remove_file(place.path("r/report.html")).unwrap();
    place.good(&["report", "r"]);
    assert!(contents(&place.path("r")) == first, "the report drawn again differs");
    let html = String::from_utf8_lossy(&first["report.html"]).into_owned();
    assert!(!html.contains("src=\"http") && !html.contains("<link"), "the page reads other files");
    place.write("r/tables/01_patch.denoise.json", b"{");
    assert!(place.bad(&["report", "r"]).contains("tables/01_patch.denoise.json"));
}

#[test]
fn quiet_is_silent_and_json_is_json() {
    let place = Place::with_model("gpt2");
    let output = place.run(&["run", "q.ron", "--out", "r", "-q"]);
    assert!(output.status.success() && output.stdout.is_empty() && output.stderr.is_empty());
    let told: Value = serde_json::from_str(&place.good(&["run", "q.ron", "--out", "r", "--json"])).unwrap();
    assert_eq!(told["folder"], "r");
    assert!(told["tables"][0]["rows"].as_array().is_some_and(|rows| rows.len() == 6), "{told}");
    let steps: Vec<&str> =
        told["seconds"].as_array().unwrap().iter().map(|step| step["step"].as_str().unwrap()).collect();
    assert_eq!((steps.first(), steps.last()), (Some(&"load"), Some(&"report")));
    assert!(told["seconds"].as_array().unwrap().iter().all(|step| step["seconds"].as_f64().unwrap() >= 0.0), "{told}");
}

#[test]
fn nothing_of_others_is_overwritten() {
    let place = Place::with_model("gpt2");
    place.write("file", b"mine");
    fs::create_dir(place.path("folder")).unwrap();
    place.write("folder/report.html", b"mine");
    assert!(place.bad(&["run", "q.ron", "--out", "file"]).contains("file: is a file; give a folder"));
    assert!(place.bad(&["run", "q.ron", "--out", "file/r"]).contains("file/r: cannot be written"));
    assert!(place.bad(&["run", "q.ron", "--out", "folder"]).contains("folder: holds files, but no run.ron"));
    assert_eq!((place.read("file"), place.read("folder/report.html")), (b"mine".to_vec(), b"mine".to_vec()));
}

#[cfg(unix)]
#[test]
fn a_full_disk_is_an_error_that_leaves_no_half_file() {
    let place = Place::with_model("gpt2");
    // a limit on the size of files, with its signal ignored, fails like a full disk
    let line = format!("trap '' XFSZ; ulimit -f 8; exec {} run q.ron --out r", env!("CARGO_BIN_EXE_patchclamp"));
    let output = Command::new("bash").args(["-c", &line]).current_dir(place.0.path()).output().unwrap();
    let told = failed(&output);
    assert!(told.contains("cannot be written") && told.contains("what was written before it is whole"), "{told}");
    let left = contents(&place.path("r"));
    assert!(left.contains_key("run.ron") && left.keys().all(|name| !name.ends_with(".partial")), "{:?}", left.keys());
}

#[cfg(unix)]
#[test]
fn a_reader_that_stops_does_not_stop_the_run() {
    let place = Place::with_model("gpt2");
    place.good(&["run", "q.ron", "--out", "r"]);
    for arguments in [["run", "q.ron", "--out", "r"].as_slice(), &["sites", "m"], &["check", "q.ron"]] {
        let mut child = place.command(arguments).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        drop(child.stdout.take());
        let output = child.wait_with_output().unwrap();
        assert!(!String::from_utf8_lossy(&output.stderr).contains("panicked") && output.status.success());
    }
    assert!(place.path("r~1").is_dir() && place.path("r/report.html").is_file());
    let mut child = place.command(&["check", "nowhere.ron"]).stderr(Stdio::piped()).spawn().unwrap();
    drop(child.stderr.take());
    assert_eq!(child.wait().unwrap().code(), Some(1));
}

/// What each method gives a head as a share, ablation turned, in one file.
#[test]
fn methods_over_the_same_heads_stand_side_by_side() {
    let methods = "Patch(sites: [\"attn.hook_z\"], over: [Layer, Head]), \
                   Ablate(sites: [\"attn.hook_z\"], over: [Layer, Head], with: Zero), PathPatch(senders: Heads)";
    let place = Place::new(&format!("Path({:?})", golden("gpt2")), TOKENS, methods);
    place.good(&["run", "q.ron"]);
    let found = contents(&place.path("runs/q"));
    let text = |name: &str| String::from_utf8(found[name].clone()).unwrap();
    let side = text("side_by_side.csv");
    let mut lines = side.lines();
    assert_eq!(
        lines.next(),
        Some("layer,head,position,01_patch.denoise,02_ablate.zero,03_path_patch.denoise heads->logits")
    );
    let shares = |name: &str| -> Vec<f64> {
        let table: Value = serde_json::from_str(&text(&format!("tables/{name}.json"))).unwrap();
        table["rows"].as_array().unwrap().iter().map(|row| row["normalised"].as_f64().unwrap()).collect()
    };
    let (patched, ablated) = (shares("01_patch.denoise"), shares("02_ablate.zero"));
    for (index, line) in lines.enumerate() {
        let fields: Vec<&str> = line.split(',').collect();
        assert_eq!((fields[3].parse(), fields[4].parse()), (Ok(patched[index]), Ok(-ablated[index])), "{line}");
    }
    assert!(found.contains_key("figures/side_by_side_1.svg") && text("report.html").contains("head by head"));
}
