//! The program from outside: good input gives a whole run folder, bad input one clear message and no panic.

use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use tempfile::TempDir;

const PATCH: &str = "Patch(sites: [\"attn.hook_z\"], over: [Layer, Head])";
const TOKENS: &str = "Pairs([(clean: [1, 2, 3], corrupt: [1, 4, 3], right: 5, wrong: 6), (clean: [1, 7, 3], corrupt: [1, 8, 3], right: 5, wrong: 6)])";
const WORDS: &str =
    "Pairs([(clean: \" Mary ran because\", corrupt: \" John ran because\", right: \" she\", wrong: \" he\")])";
const COLUMNS: &str = "method,site,layer,head,position,neuron,item,metric,effect,normalised,low,high,p,n";

/// A working folder with an experiment in it.
struct Place(TempDir);

impl Place {
    fn new(model: &str, data: &str, methods: &str) -> Self {
        let place = Place(tempfile::tempdir().unwrap());
        let text =
            format!("(\n    question: \"q\",\n    model: {model},\n    data: {data},\n    methods: [{methods}],\n)");
        place.write("q.ron", text.as_bytes());
        place
    }

    /// With a copy of a small checkpoint as `m`.
    fn with_model(name: &str) -> Self {
        let place = Place::new("Path(\"m\")", TOKENS, PATCH);
        fs::create_dir(place.path("m")).unwrap();
        for file in fs::read_dir(golden(name)).unwrap().map(|entry| entry.unwrap()) {
            fs::copy(file.path(), place.path("m").join(file.file_name())).unwrap();
        }
        place
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn write(&self, name: &str, bytes: &[u8]) {
        fs::write(self.path(name), bytes).unwrap();
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_patchclamp"));
        command.args(arguments).current_dir(self.0.path());
        command
    }

    fn run(&self, arguments: &[&str]) -> Output {
        self.command(arguments).output().unwrap()
    }

    /// What a successful call prints.
    fn good(&self, arguments: &[&str]) -> String {
        let output = self.run(arguments);
        assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    }

    /// The one message of a call that fails.
    fn bad(&self, arguments: &[&str]) -> String {
        failed(&self.run(arguments))
    }

    /// Fails with a message that holds `expected`.
    fn refuses(&self, expected: &str) {
        let told = self.bad(&["check", "q.ron"]);
        assert!(told.contains(expected), "{told}\nshould say: {expected}");
    }

    fn read(&self, name: &str) -> Vec<u8> {
        fs::read(self.path(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
    }
}

fn failed(output: &Output) -> String {
    let told = String::from_utf8(output.stderr.clone()).unwrap();
    assert_eq!(output.status.code(), Some(1), "{told}");
    assert!(told.starts_with("error: ") && !told.contains("panicked"), "{told}");
    told
}

fn golden(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden").join(name)
}

/// Header and data of a safetensors file.
fn opened(bytes: &[u8]) -> (Value, Vec<u8>) {
    let length = u64::from_le_bytes(bytes[..8].try_into().unwrap()) as usize;
    (serde_json::from_slice(&bytes[8..8 + length]).unwrap(), bytes[8 + length..].to_vec())
}

fn closed((header, data): (Value, Vec<u8>)) -> Vec<u8> {
    let text = header.to_string();
    [&(text.len() as u64).to_le_bytes(), text.as_bytes(), &data].concat()
}

const WEIGHTS: &str = "m/model.safetensors";
const TENSOR: &str = "transformer.h.0.ln_1.weight";

/// What is told of a checkpoint whose weights were changed.
fn with_weights(change: impl Fn(Vec<u8>) -> Vec<u8>, expected: &str) {
    let place = Place::with_model("gpt2");
    place.write(WEIGHTS, &change(place.read(WEIGHTS)));
    place.refuses(expected);
}

fn with_config(model: &str, field: &str, value: Value, expected: &str) {
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
    with_config("gpt2", "model_type", json!("t5"), "`model_type` is t5; expected one of gpt2, gpt_neox");
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
    with_config("gpt2", "n_layer", json!(1 << 24), "no tensor `transformer.h.2");
}

#[test]
fn what_is_not_in_a_folder_is_missed() {
    let place = Place::with_model("gpt2");
    place.write("m/tokenizer.json", b"{}");
    place.refuses("model m/tokenizer.json: not a tokenizer");
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

#[test]
fn words_that_do_not_fit_are_told() {
    let told = |data: &str, expected: &str| Place::new("Builtin(\"organism\")", data, PATCH).refuses(expected);
    told(
        &WORDS.replace("\" she\"", "\" she was\""),
        "data[0].right: the answer is 2 tokens (␣she ␣was), but the metric reads one",
    );
    told(&WORDS.replace("\" she\"", "\"\""), "data[0].right: the answer is empty");
    told(&WORDS.replace("John ran", "John"), "the clean prompt has 4 tokens and the corrupted one 3");
    told(&WORDS.replace(" Mary ran because", ""), "data[0].clean: the prompt is empty");
    told(
        &WORDS.replace(" Mary ran because", &" the".repeat(99)),
        "the prompt has 100 tokens; the model has 64 positions",
    );
    told(
        "Templates(templates: [\" {nane} ran\"], clean: {\"name\": [\"Mary\"]}, corrupt: {\"name\": [\"John\"]}, right: \" she\", wrong: \" he\")",
        "nothing fills the slot {nane}",
    );
    Place::new("Builtin(\"organsim\")", WORDS, PATCH)
        .refuses("there is no built-in model \"organsim\"; there are organism, organism-flat");
}

#[test]
fn files_of_prompts_are_read_row_by_row() {
    let told = |kind: &str, text: &[u8], expected: &str| {
        let place = Place::new("Builtin(\"organism\")", &format!("{kind}(path: \"d\")"), PATCH);
        place.write("d", text);
        place.refuses(expected);
    };
    told(
        "Csv",
        b"clean,corrupt,right\na,b,c\n",
        "data: d:1: there is no column `wrong`; the header has clean, corrupt, right",
    );
    told("Csv", b"clean,corrupt,right,wrong\na,b,c,d\na,b\n", "data: d:3: has 2 columns, but the header has 4");
    told("Csv", b"clean,corrupt,right,wrong\n\xff,b,c,d\n", "data: d:2: is not UTF-8");
    told(
        "Csv",
        b"clean,corrupt,right,wrong\n\" Mary, ran\",\" John, ran\",\" she was\",\" he\"\n",
        "data (d:2).right: the answer is 2 tokens",
    );
    told("Csv", b"", "data: d: is empty; its first line must name the columns");
    told("Csv", b"clean,corrupt,right,wrong\n", "data: d has no row, so there is no prompt");
    told("Jsonl", b"{\"clean\": \n", "data: d:1: no JSON object: EOF while parsing a value (column 10)");
    told("Jsonl", b"\n[1]\n", "data: d:2: no JSON object: invalid type: sequence, expected a map");
    told("Jsonl", b"{\"clean\": \"x\"}\n", "data: d:1: there is no key `corrupt`; the object has clean");
    told(
        "Jsonl",
        b"{\"clean\": null, \"corrupt\": 1}\n",
        "data: d:1: `clean`: invalid type: null, expected a text in quotes or a list of token ids",
    );
    told("Jsonl", b"", "data: d has no row");
    for kind in ["Csv", "Jsonl"] {
        let place = Place::new("Builtin(\"organism\")", &format!("{kind}(path: \"d\")"), PATCH);
        place.refuses("data: d: No such file or directory");
        fs::create_dir(place.path("d")).unwrap();
        place.refuses("data: d: Is a directory");
    }
}

#[test]
fn the_command_line_changes_a_file() {
    let place = Place::with_model("gpt2");
    let told = place.good(&["check", "q.ron", "--set", "seed=7", "--model", "organism", "--device", "cpu"]);
    assert!(told.contains("seed  7") && told.contains("Builtin(\"organism\")"), "{told}");
    let told = place.bad(&["check", "q.ron", "--set", "methods[0].over=[Layr]"]);
    assert!(
        told.contains("q.ron:5:52: `Layr` is no `Axis`")
            && told.ends_with("These lines are the file's after methods[0].over=[Layr] was written into it.\n"),
        "{told}"
    );
    assert!(place.bad(&["check", "q.ron", "--set", "seed"]).contains("--set seed: write path=value"));
    assert!(place.bad(&["check", "q.ron", "--model", "nowhere"]).contains("model nowhere: no such folder"));
    assert!(place.bad(&["check", "nowhere.ron"]).contains("nowhere.ron: No such file"));
    assert!(place.bad(&["check", "m"]).contains("m: Is a directory"));
    assert!(place.bad(&["report", "m"]).contains("not a run folder: m has no run.ron"));
}

#[test]
fn a_device_that_is_not_there_is_an_error() {
    let place = Place::with_model("gpt2");
    for device in ["webgpu", "vulkan", "cuda:99"] {
        // built in or not, this machine may lack it; what must not happen is a panic or a silent CPU
        let output = place.run(&["check", "q.ron", "--device", device]);
        if output.status.success() {
            assert!(String::from_utf8_lossy(&output.stdout).contains(&format!("device  {device}")));
        } else {
            assert!(failed(&output).contains("--device cpu") || failed(&output).contains("patchclamp devices"));
        }
    }
    assert_eq!(place.run(&["check", "q.ron", "--device", "gpu"]).status.code(), Some(2));
}

const ALL: &str = "Record(sites: [\"hook_resid_pre\"]), Patch(sites: [\"attn.hook_z\"], over: [Layer, Head]), Attention(), Generate(tokens: 2)";

/// Every file below a folder, with its content.
fn contents(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    let mut found = BTreeMap::new();
    for entry in fs::read_dir(folder).unwrap().map(|entry| entry.unwrap()) {
        let name = entry.file_name().into_string().unwrap();
        match entry.path().is_dir() {
            true => found
                .extend(contents(&entry.path()).into_iter().map(|(inner, bytes)| (format!("{name}/{inner}"), bytes))),
            false => drop(found.insert(name, fs::read(entry.path()).unwrap())),
        }
    }
    found
}

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
