//! The program from outside: good input gives a whole run folder, bad input one clear message and no panic.

mod against;
mod checkpoints;
mod circuit;
#[path = "../common/mod.rs"]
mod common;
mod compile;
mod evaluate_circuit;
mod explain;
mod families;
mod folder;
mod hub;
mod input;
#[cfg(unix)]
mod long;
mod measure;
mod page;
#[cfg(unix)]
mod probing;
mod protocols;
mod represent;
mod server;
#[cfg(unix)]
mod shards;
#[cfg(unix)]
mod states;
mod treat;
mod twins;

use common::real_weights;
use serde_json::Value;
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use tempfile::TempDir;

const PATCH: &str = "Patch(sites: [\"attn.hook_z\"], over: [Layer, Head])";
const TOKENS: &str = "Pairs([(clean: [1, 2, 3], corrupt: [1, 4, 3], right: 5, wrong: 6), (clean: [1, 7, 3], corrupt: [1, 8, 3], right: 5, wrong: 6)])";

/// A working folder with an experiment in it.
struct Place(TempDir);

impl Place {
    /// Leaves of a finished run what one that was killed behind its variants leaves.
    fn killed_behind_its_variants(&self, folder: &str) {
        for entry in std::fs::read_dir(self.path(folder)).unwrap().map(|entry| entry.unwrap().path()) {
            match entry.file_name().unwrap().to_str().unwrap() {
                "against" | "run.ron" => {}
                _ if entry.is_dir() => std::fs::remove_dir_all(entry).unwrap(),
                _ => std::fs::remove_file(entry).unwrap(),
            }
        }
        std::fs::create_dir(self.path(folder).join("steps")).unwrap();
    }

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
