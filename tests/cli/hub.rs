//! Models of the hub by name, from a hub on this machine: loaded once, then from the cache; and every way it can fail.

use super::server::{Files, Hub, Shop};
use super::{PATCH, Place, TOKENS, failed, golden};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::fs;
use std::process::{Command, Output};

const MAIN: &str = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";
const STEP: &str = "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb";
const LATER: &str = "cccccccccccccccccccccccccccccccccccccccc";

/// Variables that would lead a test away from its own hub.
const FOREIGN: [&str; 14] = [
    "HF_HUB_CACHE",
    "HUGGINGFACE_HUB_CACHE",
    "HF_TOKEN",
    "HUGGING_FACE_HUB_TOKEN",
    "HF_TOKEN_PATH",
    "HF_HUB_OFFLINE",
    "TRANSFORMERS_OFFLINE",
    "HF_HUB_DOWNLOAD_TIMEOUT",
    "HTTP_PROXY",
    "HTTPS_PROXY",
    "ALL_PROXY",
    "http_proxy",
    "https_proxy",
    "all_proxy",
];

fn files(name: &str) -> Files {
    let entries = fs::read_dir(golden(name)).unwrap().map(|entry| entry.unwrap());
    let named = entries.map(|entry| (entry.file_name().into_string().unwrap(), fs::read(entry.path()).unwrap()));
    named.filter(|(name, _)| name != "reference.safetensors").collect()
}

/// A hub whose `lab/tiny` is a small checkpoint, with another one as its revision `step1`.
fn hub(model: &str) -> Hub {
    let revisions = BTreeMap::from([
        ("main".to_string(), (MAIN.to_string(), files(model))),
        ("step1".to_string(), (STEP.to_string(), files("gpt2-untied-inverse-layer"))),
    ]);
    Hub::open(Shop { revisions, ..Shop::default() })
}

fn place() -> Place {
    Place::new("Path(\"nowhere\")", TOKENS, PATCH)
}

/// A call with a cache of its own, below the place's folder.
fn call(place: &Place, address: &str, arguments: &[&str]) -> Command {
    let mut command = place.command(arguments);
    for name in FOREIGN {
        command.env_remove(name);
    }
    command.env("HF_HOME", place.path("home")).env("HF_ENDPOINT", format!("http://{address}"));
    command
}

fn told(output: &Output) -> String {
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout.clone()).unwrap()
}

fn good(place: &Place, hub: &Hub, arguments: &[&str]) -> String {
    told(&call(place, &hub.address, arguments).output().unwrap())
}

fn bad(place: &Place, hub: &Hub, arguments: &[&str]) -> String {
    failed(&call(place, &hub.address, arguments).output().unwrap())
}

fn says(text: &str, expected: &str) {
    assert!(text.contains(expected), "{text}\nshould say: {expected}");
}

/// What `check` says of the weights.
fn weights(text: &str) -> &str {
    text.lines().find_map(|line| line.trim().strip_prefix("weights sha256")).unwrap().trim()
}

#[test]
fn a_model_is_loaded_once_and_then_comes_from_the_cache() {
    let (place, hub) = (place(), hub("gpt2"));
    good(&place, &hub, &["run", "q.ron", "--model", "lab/tiny", "--out", "r"]);
    let asked = hub.asked();
    assert!(asked.iter().any(|line| line.starts_with("/content/")), "{asked:?}");
    let ron = String::from_utf8(place.read("r/run.ron")).unwrap();
    says(&ron, &format!("commit: \"{MAIN}\""));
    says(&ron, &format!("\"model commit\": \"{MAIN}\""));
    let folder = place.good(&["check", "q.ron", "--model", golden("gpt2").to_str().unwrap()]);
    says(&ron, weights(&folder));
    // the branch moves on, but the cache has what was asked for, and run.ron says which commit that was
    hub.shop().revisions.insert("main".into(), (LATER.into(), files("gpt2-untied-inverse-layer")));
    assert_eq!(weights(&good(&place, &hub, &["check", "q.ron", "--model", "lab/tiny"])), weights(&folder));
    assert_eq!(hub.asked(), Vec::<String>::new());
    let address = hub.address.clone();
    drop(hub);
    told(&call(&place, &address, &["run", "r/run.ron", "--out", "again"]).output().unwrap());
    for name in ["run.ron", "results.csv"] {
        assert!(place.read(&format!("r/{name}")) == place.read(&format!("again/{name}")), "{name} differs");
    }
    let offline = call(&place, &address, &["sites", "hub:lab/tiny"]).env("HF_HUB_OFFLINE", "1").output().unwrap();
    says(&told(&offline), "blocks.1.hook_resid_post");
}

#[test]
fn a_commit_that_was_written_down_is_loaded_though_the_branch_has_moved() {
    let (place, hub) = (place(), hub("gpt2"));
    good(&place, &hub, &["run", "q.ron", "--model", "lab/tiny", "--out", "r"]);
    fs::remove_dir_all(place.path("home")).unwrap();
    let old = files("gpt2");
    hub.shop().revisions.insert("old".into(), (MAIN.into(), old));
    hub.shop().revisions.insert("main".into(), (LATER.into(), files("gpt2-untied-inverse-layer")));
    let pinned = good(&place, &hub, &["check", "r/run.ron"]);
    let moved = good(&place, &hub, &["check", "q.ron", "--model", "lab/tiny"]);
    says(&pinned, MAIN);
    says(&moved, LATER);
    assert_ne!(weights(&pinned), weights(&moved));
}

#[test]
fn a_revision_has_weights_of_its_own() {
    let (place, hub) = (place(), hub("gpt2"));
    let main = good(&place, &hub, &["check", "q.ron", "--model", "hub:lab/tiny"]);
    for model in ["Hub(\"lab/tiny@step1\")", "Hub(id: \"lab/tiny\", revision: \"step1\")"] {
        let step = good(&place, &hub, &["check", "q.ron", "--set", &format!("model={model}")]);
        says(&step, "Hub(\"lab/tiny@step1\")");
        says(&step, STEP);
        assert_ne!(weights(&step), weights(&main));
    }
    assert_eq!(
        weights(&good(&place, &hub, &["check", "q.ron", "--model", &format!("lab/tiny@{MAIN}")])),
        weights(&main)
    );
    says(&bad(&place, &hub, &["sites", "lab/tiny@step9"]), "model lab/tiny@step9: http://127.0.0.1");
    says(&bad(&place, &hub, &["sites", "lab/tiny@step9"]), "has no such model or revision; check the name, and the");
}

#[test]
fn an_old_name_is_followed_and_shards_are_gathered() {
    let (place, hub) = (place(), hub("sharded"));
    let loaded = good(&place, &hub, &["check", "q.ron", "--model", "hub:old"]);
    let folder = place.good(&["check", "q.ron", "--model", golden("sharded").to_str().unwrap()]);
    assert_eq!(weights(&loaded), weights(&folder));
}

#[test]
fn a_token_opens_what_is_gated() {
    let (place, hub) = (place(), hub("gpt2"));
    hub.shop().token = Some("hf_right".into());
    let nobody = bad(&place, &hub, &["sites", "lab/tiny"]);
    says(
        &nobody,
        "gives it to nobody without a token; check the name; where it is gated, accept its licence on http://",
    );
    says(&nobody, "and set HF_TOKEN to a token of http://");
    let wrong = call(&place, &hub.address, &["sites", "lab/tiny"]).env("HF_TOKEN", "hf_wrong").output().unwrap();
    says(&failed(&wrong), "refuses it to this token; where it is gated, accept its licence on http://");
    hub.asked();
    fs::create_dir_all(place.path("home")).unwrap();
    place.write("home/token", b"hf_right\n");
    good(&place, &hub, &["sites", "lab/tiny"]);
    assert!(hub.asked().iter().all(|line| line.ends_with(" as hf_right")));
    fs::remove_dir_all(place.path("home")).unwrap();
    let right = call(&place, &hub.address, &["sites", "lab/tiny"]).env("HF_TOKEN", "hf_right").output().unwrap();
    says(&told(&right), "hook_embed");
}

#[test]
fn a_name_that_is_nowhere_is_told() {
    let (place, hub) = (place(), hub("gpt2"));
    let told = bad(&place, &hub, &["sites", "lab/other"]);
    says(&told, "has no such model or revision");
    says(&told, "a folder lab/other is not here either");
    says(&bad(&place, &hub, &["sites", "gpt2"]), "a model of the hub is called hub:NAME or OWNER/NAME");
    says(&bad(&place, &hub, &["sites", "hub:../x"]), "\"../x\" is no model's name on the hub; expected owner/name");
    says(&bad(&place, &hub, &["sites", "a/b/c"]), "model a/b/c: no such folder");
    for value in ["Hub(\"a/b/c\")", "Hub(id: \"a/b\", revision: \"../..\")", "Hub(id: \"a/b\", commit: \"\")"] {
        let told = bad(&place, &hub, &["check", "q.ron", "--set", &format!("model={value}")]);
        assert!(told.contains("q.ron:3:") && told.contains("expected"), "{told}");
    }
    let address = hub.address.clone();
    drop(hub);
    let told = failed(&call(&place, &address, &["sites", "lab/tiny"]).output().unwrap());
    says(&told, &format!("model lab/tiny: http://{address} cannot be reached ("));
    says(&told, "check the network, HTTPS_PROXY and HF_ENDPOINT, or give a folder");
    let offline = call(&place, &address, &["sites", "lab/tiny"]).env("HF_HUB_OFFLINE", "1").output().unwrap();
    says(&failed(&offline), "model lab/tiny: config.json is not in the cache ");
    says(&failed(&offline), "home/hub, and HF_HUB_OFFLINE forbids to ask the hub; run once without it");
}

#[test]
fn a_download_that_breaks_off_goes_on_where_it_was() {
    let (place, hub) = (place(), hub("gpt2"));
    let length = files("gpt2")["model.safetensors"].len();
    hub.shop().cuts = 99;
    let told = bad(&place, &hub, &["sites", "lab/tiny"]);
    says(&told, "model lab/tiny: the download of model.safetensors broke off (");
    says(&told, "what has come is kept, so run it again and it goes on from there");
    // half came, then half of the rest, and again
    let asked = hub.asked();
    let from =
        |share: usize| asked.iter().any(|line| line.ends_with(&format!(" from {}", length - length.div_ceil(share))));
    assert!(from(2) && from(4), "{asked:?}");
    let offline = call(&place, &hub.address, &["sites", "lab/tiny"]).env("HF_HUB_OFFLINE", "1").output().unwrap();
    says(&failed(&offline), "model.safetensors is not in the cache");
    hub.shop().cuts = 1;
    let loaded = good(&place, &hub, &["check", "q.ron", "--model", "lab/tiny"]);
    // apart from the question how long it is, nothing is asked for from its beginning again
    let asked = hub.asked();
    assert!(asked.iter().all(|line| !line.starts_with("/content/") || !line.ends_with(" from 0")), "{asked:?}");
    let folder = place.good(&["check", "q.ron", "--model", golden("gpt2").to_str().unwrap()]);
    assert_eq!(weights(&loaded), weights(&folder));
}

#[test]
fn what_came_otherwise_than_listed_is_thrown_away() {
    let (place, hub) = (place(), hub("gpt2"));
    hub.shop().lies = true;
    says(&bad(&place, &hub, &["sites", "lab/tiny"]), "model lab/tiny: model.safetensors came with SHA-256 ");
    hub.shop().lies = false;
    good(&place, &hub, &["sites", "lab/tiny"]);
    // a beginning that is longer than the whole cannot be gone on with
    let blobs = place.path("home/hub/models--lab--tiny/blobs");
    fs::remove_dir_all(place.path("home/hub/models--lab--tiny/snapshots")).unwrap();
    for blob in fs::read_dir(&blobs).unwrap().map(|entry| entry.unwrap().path()) {
        fs::copy(&blob, blob.with_extension("part")).unwrap();
    }
    good(&place, &hub, &["sites", "lab/tiny"]);
}

/// An index of shards is somebody's text: it must not name a place above the model's own folder.
#[test]
fn a_shard_above_the_models_folder_is_not_brought() {
    let (place, hub) = (place(), hub("sharded"));
    let above = "../above.safetensors";
    let index = "model.safetensors.index.json";
    let mut map: Value = serde_json::from_slice(&files("sharded")[index]).unwrap();
    map["weight_map"].as_object_mut().unwrap().values_mut().for_each(|file| *file = json!(above));
    let changed = [(index, map.to_string().into_bytes()), (above, vec![0; 9])];
    hub.shop().revisions.get_mut("main").unwrap().1.extend(changed.map(|(name, bytes)| (name.to_string(), bytes)));
    says(&bad(&place, &hub, &["sites", "lab/tiny"]), "a list of files without ../above.safetensors");
    assert!(!hub.asked().iter().any(|line| line.contains("above")));
}

#[test]
fn a_hub_that_does_not_answer_is_given_up() {
    let (place, hub) = (place(), hub("gpt2"));
    hub.shop().silent = true;
    let mut command = call(&place, &hub.address, &["sites", "lab/tiny"]);
    let told = failed(&command.env("HF_HUB_DOWNLOAD_TIMEOUT", "1").output().unwrap());
    says(&told, "cannot be reached (nothing came for 1 s)");
}

#[test]
fn what_cannot_be_loaded_is_known_before_the_weights_come() {
    let (place, hub) = (place(), hub("gpt2"));
    let change = |change: &dyn Fn(&mut Files)| {
        change(&mut hub.shop().revisions.get_mut("main").unwrap().1);
        let told = bad(&place, &hub, &["sites", "lab/tiny"]);
        assert!(!hub.asked().iter().any(|line| line.starts_with("/content/")));
        let _ = fs::remove_dir_all(place.path("home"));
        told
    };
    let config = |model_type: &str| {
        let mut config: Value = serde_json::from_slice(&files("gpt2")["config.json"]).unwrap();
        config["model_type"] = json!(model_type);
        config.to_string().into_bytes()
    };
    let told = change(&|files| drop(files.insert("config.json".into(), config("t5"))));
    says(&told, "config.json: `model_type` is t5; expected one of gpt2");
    let told = change(&|files| {
        let weights = files.remove("model.safetensors").unwrap();
        files.insert("pytorch_model.bin".into(), weights);
    });
    says(&told, "model lab/tiny: has pytorch_model.bin, but no model.safetensors; write one with transformers, `Auto");
    let told = change(&|files| files.clear());
    says(&told, "model lab/tiny: none of its 0 files is model.safetensors");
    // an index of shards cannot lead out of the cache
    let index = json!({"weight_map": {"x": "../../../../stolen"}}).to_string().into_bytes();
    let told = change(&|files| {
        files.insert("config.json".into(), config("gpt2"));
        files.insert("model.safetensors.index.json".into(), index.clone());
    });
    says(&told, "answers with a list of files without ../../../../stolen");
}
