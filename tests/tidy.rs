//! What a text search can hold of the invariants in `src/lib.rs` and of the house style.

use std::path::{Path, PathBuf};

/// The most lines of a file: what a person reads in one go.
const LINES: usize = 300;

/// Where files are read and written.
const TOUCH_FILES: [&str; 20] = [
    "src/explain/reference.rs",
    "src/spec/mod.rs",
    "src/text.rs",
    "src/data/biographies.rs",
    "src/data/csv.rs",
    "src/data/facts.rs",
    "src/data/jsonl.rs",
    "src/data/professions.rs",
    "src/data/winobias.rs",
    "src/model/source.rs",
    "src/model/weights.rs",
    "src/model/hash.rs",
    "src/model/family/config.rs",
    "src/organism/save.rs",
    "src/plan/edits.rs",
    "src/states/",
    "src/steps/journal.rs",
    "src/report/folder.rs",
    "src/report/work.rs",
    "src/hub/",
];

/// Every file of the project's own Rust, by its path from the root, with its text.
fn files() -> Vec<(String, String)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut found = Vec::new();
    for folder in ["src", "probes", "tests"] {
        collect(&root.join(folder), &mut found);
    }
    found.sort();
    let named = |path: PathBuf| {
        let name = path.strip_prefix(root).unwrap().to_string_lossy().replace('\\', "/");
        (name, std::fs::read_to_string(&path).unwrap())
    };
    found.into_iter().map(named).collect()
}

fn collect(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        match path.is_dir() {
            true => collect(&path, found),
            false if path.extension().is_some_and(|ending| ending == "rs") => found.push(path),
            false => {}
        }
    }
}

/// Lines of `src` that run: neither comments nor tests.
fn running() -> Vec<(String, usize, String)> {
    let of_src = files()
        .into_iter()
        .filter(|(name, _)| name.starts_with("src/") && !name.ends_with("tests.rs") && !name.contains("/tests/"));
    let lines = |(name, text): (String, String)| {
        let text = text.split("#[cfg(test)]\nmod tests {").next().unwrap().to_string();
        let numbered: Vec<_> = text.lines().enumerate().map(|(line, text)| (line + 1, text.to_string())).collect();
        numbered.into_iter().map(move |(line, text)| (name.clone(), line, text))
    };
    of_src.flat_map(lines).filter(|(_, _, line)| !line.trim_start().starts_with("//")).collect()
}

/// Lines that run, say one of `words`, and stand in none of `places`.
fn say(words: &[&str], places: &[&str]) -> Vec<String> {
    let astray = |(name, _, line): &(String, usize, String)| {
        words.iter().any(|word| line.contains(word)) && !places.iter().any(|place| name.starts_with(place))
    };
    running()
        .into_iter()
        .filter(astray)
        .map(|(name, number, line)| format!("{name}:{number}: {}", line.trim()))
        .collect()
}

#[test]
fn a_file_is_short_and_says_what_it_is() {
    for (name, text) in files() {
        assert!(text.lines().count() <= LINES, "{name} has {} lines; {LINES} are the most", text.lines().count());
        assert!(text.starts_with("//! "), "{name} does not begin with `//!` and a sentence on what it is");
    }
}

#[test]
fn only_the_tensor_file_names_burn() {
    assert_eq!(say(&["burn::", "use burn", "burn_"], &["src/tensor.rs"]), Vec::<String>::new());
}

#[test]
fn only_the_command_line_prints() {
    let words = ["print!(", "println!(", "eprint!(", "eprintln!(", "dbg!(", "stdout()", "stderr()"];
    assert_eq!(say(&words, &["src/cli/"]), Vec::<String>::new());
}

#[test]
fn only_the_readers_and_the_report_touch_files() {
    let words = ["std::fs", "fs::", "File::open", "File::create", "from_path("];
    assert_eq!(say(&words, &[TOUCH_FILES.as_slice(), &["src/cli/"]].concat()), Vec::<String>::new());
}

#[test]
fn only_the_hub_uses_the_network() {
    assert_eq!(say(&["hf_hub", "ureq", "std::net", "TcpStream"], &["src/hub/"]), Vec::<String>::new());
}

#[test]
fn nothing_that_runs_unwraps() {
    assert_eq!(say(&[".unwrap()", "todo!(", "unimplemented!("], &[]), Vec::<String>::new());
}

#[test]
fn chance_comes_from_a_seed() {
    assert_eq!(
        say(&["thread_rng", "rand::rng()", "from_entropy", "from_os_rng", "HashMap", "HashSet"], &[]),
        Vec::<String>::new()
    );
}

#[test]
fn the_model_does_not_know_the_methods() {
    let below = ["src/model/", "src/hook", "src/site.rs", "src/tensor.rs", "src/text.rs"];
    let knows = |(name, _, line): &(String, usize, String)| {
        let above = ["crate::method", "crate::plan", "crate::run", "crate::report", "crate::cli", "crate::spec"];
        below.iter().any(|file| name.starts_with(file)) && above.iter().any(|module| line.contains(module))
    };
    let found: Vec<_> = running().into_iter().filter(knows).collect();
    assert!(found.is_empty(), "{found:?}");
}

#[test]
fn statistics_know_no_model_and_no_text() {
    let manifest = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("probes/Cargo.toml")).unwrap();
    for package in ["burn", "tokenizers", "safetensors", "patchclamp ", "patchclamp="] {
        assert!(!manifest.lines().any(|line| line.starts_with(package)), "probes depends on {package}");
    }
}
