//! Experiments, `--set`, data, checkpoints and tokenizers, mutated: each is taken or refused, and none ends in a panic, in
//! an endless loop or in memory that nobody asked for.
//!
//! `cargo test` tries a few thousand. A million, some minutes of one core where temporary files stay in memory:
//! `TMPDIR=/dev/shm RAYON_NUM_THREADS=1 PATCHCLAMP_FUZZ=1000000 cargo test --test fuzz -- --nocapture --test-threads 1`
//! The same in parts, for instance of 100000: with `PATCHCLAMP_FUZZ_FIRST=100000` a part begins where the first ended.

mod guard;
mod mutate;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use guard::{hold, rewrite, tried};
use mutate::{Lexeme, Mutator, lex};
use patchclamp::builtin;
use patchclamp::model::load::{Loaded, folder};
use patchclamp::plan::Plan;
use patchclamp::spec::{Experiment, set};
use patchclamp::tensor::Device;
use patchclamp::text::{SpecialTokens, Text};
use rand::Rng;
use std::fs::{self, File};
use std::path::{Path, PathBuf};

const TOKENS: &str = r#"(
    question: "q",
    model: Path("m"),
    data: Pairs([(clean: [1, 2, 3], corrupt: [1, 4, 3], right: 5, wrong: 6, at: 2)]),
    methods: [Patch(sites: ["attn.hook_z"], over: [Layer, Head, Position], only: (layers: [0])), Record(sites: All)],
    statistics: (resamples: 10, permutations: 10),
)"#;

const WORDS: &str = r#"(
    question: "q",
    model: Builtin("organism"),
    data: KIND(path: "PATH", labels: ["pair"]),
    methods: [Patch(sites: ["hook_resid_pre"], over: [Layer, Position], only: (positions: [0, 1])), Generate(tokens: 2, edits: [(site: "blocks.2.hook_resid_pre", heads: [0], rows: [0], change: AddContrast(-1.0))], temperature: 0.5)],
)"#;

const PAIRS_CSV: &str = "clean,corrupt,right,wrong,pair\n\" Mary ran because\",\" John ran because\",\" she\",\" he\",a\n Anna left because, Peter left because, she, he,b\n";

const PAIRS_JSONL: &str = "{\"clean\": \" Mary ran because\", \"corrupt\": \" John ran because\", \"right\": \" she\", \"wrong\": \" he\", \"pair\": \"a\"}\n{\"clean\": [1, 2], \"corrupt\": [1, 3], \"right\": 5, \"wrong\": 6, \"pair\": 2}\n";

fn device() -> Device {
    Device::Flex(Default::default())
}

fn root(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(name)
}

/// Texts that live as long as the process, in pieces.
fn corpus(texts: impl IntoIterator<Item = String>) -> Vec<Vec<Lexeme>> {
    texts.into_iter().map(|text| lex(text.leak())).collect()
}

/// Every experiment of the project, and those of this file.
fn experiments() -> Vec<Vec<Lexeme>> {
    let found = fs::read_dir(root("experiments")).unwrap().map(|entry| entry.unwrap().path());
    let own = [TOKENS.to_string(), WORDS.replace("KIND", "Csv").replace("PATH", "nowhere.csv")];
    let mut texts: Vec<String> = found.map(|path| fs::read_to_string(path).unwrap()).collect();
    texts.sort();
    corpus(texts.into_iter().chain(own))
}

/// The small checkpoints: each with its folder in `place`, where files may be changed.
fn checkpoints(place: &Path) -> Vec<PathBuf> {
    let names = ["gpt2", "pythia-parallel", "llama", "llama3-scaling", "mistral", "qwen2", "bert", "half"];
    let copy = |name: &str| {
        let (from, to) = (root("tests/golden").join(name), place.join(name));
        fs::create_dir(&to).unwrap();
        for file in ["config.json", "model.safetensors"] {
            fs::copy(from.join(file), to.join(file)).unwrap();
        }
        to
    };
    names.into_iter().map(copy).collect()
}

/// A file of each folder, to be written again and again.
fn written(folders: &[PathBuf], name: &str) -> Vec<File> {
    let open = |folder: &PathBuf| File::options().write(true).open(folder.join(name)).unwrap();
    folders.iter().map(open).collect()
}

fn parsed(text: &str) -> Option<Experiment> {
    Experiment::parse(Path::new("q.ron"), text).ok()
}

/// Whether a model can be asked this: the first of them, every other time another.
fn plans(case: usize, text: &str, models: &[Loaded]) -> bool {
    let other = (case / 2) % (models.len() - 1) + 1;
    let model = if case.is_multiple_of(2) { &models[other] } else { &models[0] };
    parsed(text).is_some_and(|experiment| Plan::new(&experiment, model).is_ok())
}

/// The built-in model, and small ones of two kinds without a tokenizer.
fn models() -> Vec<Loaded> {
    let golden = |name: &str| folder(&root("tests/golden").join(name), &[], &device()).unwrap();
    vec![builtin::load("organism", &[], &device()).unwrap(), golden("gpt2"), golden("bert")]
}

#[test]
fn experiments_are_taken_or_refused() {
    let (corpus, models) = (experiments(), models());
    let make = |random| Mutator { random, corpus: &corpus }.text();
    hold("ron", 22, make, |case, input| plans(case, &String::from_utf8_lossy(input), &models));
}

#[test]
fn changes_of_experiments_are_taken_or_refused() {
    let (corpus, models) = (experiments(), models());
    let make = |random| {
        let mut mutator = Mutator { random, corpus: &corpus };
        let path = match mutator.random.random_ratio(1, 3) {
            true => (0..mutator.random.random_range(1..4)).map(|_| step(&mut mutator)).collect::<Vec<_>>().join("."),
            false => PATHS[mutator.random.random_range(0..PATHS.len())].to_string(),
        };
        format!("{path}={}", mutator.value()).into_bytes()
    };
    hold("set", 24, make, |case, input| {
        let (input, text) = (String::from_utf8_lossy(input), corpus[case % corpus.len()].concat());
        let Some((path, value)) = input.split_once('=') else { return false };
        set(&text, path, value).is_ok_and(|text| plans(case, &text, &models))
    });
}

/// Where the project's experiments have something, or may.
const PATHS: [&str; 24] = [
    "question",
    "model",
    "seed",
    "control",
    "metric",
    "padding",
    "special_tokens",
    "process",
    "device",
    "statistics",
    "statistics.level",
    "data",
    "data.templates",
    "data.templates[0]",
    "data.clean.name",
    "data.shared",
    "data.items",
    "data[0].clean",
    "data.Pairs[0].at",
    "methods",
    "methods[0]",
    "methods[0].sites",
    "methods[0].over",
    "methods[0].edits[0].change",
];

/// A step of a path: part of one that leads somewhere, an index, or anything.
fn step(mutator: &mut Mutator) -> String {
    match mutator.random.random_range(0..8) {
        0..6 => PATHS[mutator.random.random_range(0..PATHS.len())].to_string(),
        6 => mutator.random.random_range(0..4).to_string(),
        _ => mutator.value(),
    }
}

#[test]
fn files_of_prompts_are_taken_or_refused() {
    let place = tempfile::tempdir().unwrap();
    let (corpus, models) = (corpus([PAIRS_CSV.to_string(), PAIRS_JSONL.to_string()]), models());
    let path = place.path().join("pairs");
    let ron = |kind: &str| WORDS.replace("KIND", kind).replace("PATH", path.to_str().unwrap());
    let kinds = [ron("Csv"), ron("Jsonl")];
    let make = |random| Mutator { random, corpus: &corpus }.text();
    let mut file = File::create(&path).unwrap();
    hold("data", 6, make, |case, input| {
        rewrite(&mut file, input);
        kinds.iter().filter(|text| plans(case, text, &models)).count() > 0
    });
}

/// Whether a checkpoint can be loaded and asked something; every sixteenth that can is asked.
fn answers(case: usize, folder_of_it: &Path) -> bool {
    let Ok(loaded) = folder(folder_of_it, &[], &device()) else { return false };
    let experiment = parsed(TOKENS).unwrap();
    let Ok(plan) = Plan::new(&experiment, &loaded) else { return false };
    if case.is_multiple_of(16) {
        patchclamp::run::run(&plan, &loaded, &mut patchclamp::steps::Steps::unkept(&mut ())).unwrap();
    }
    true
}

#[test]
fn configurations_are_taken_or_refused() {
    let place = tempfile::tempdir().unwrap();
    let folders = checkpoints(place.path());
    let texts: Vec<String> =
        folders.iter().map(|folder| fs::read_to_string(folder.join("config.json")).unwrap()).collect();
    let all = corpus(texts);
    let make = |random| {
        let mut mutator = Mutator { random, corpus: &all };
        // the first byte says whose weights the configuration is put beside: mostly its own
        let which = mutator.random.random_range(0..folders.len());
        let beside = if mutator.random.random_ratio(1, 6) { 0 } else { which };
        [vec![beside as u8], mutator.text_of(which)].concat()
    };
    let mut files = written(&folders, "config.json");
    hold("config", 22, make, |case, input| {
        let which = input[0] as usize;
        rewrite(&mut files[which], &input[1..]);
        answers(case, &folders[which])
    });
}

#[test]
fn headers_of_weights_are_taken_or_refused() {
    let place = tempfile::tempdir().unwrap();
    let folders = checkpoints(place.path());
    let weights: Vec<Vec<u8>> =
        folders.iter().map(|folder| fs::read(folder.join("model.safetensors")).unwrap()).collect();
    let length = |bytes: &[u8]| u64::from_le_bytes(bytes[..8].try_into().unwrap()) as usize;
    let header = |bytes: &Vec<u8>| String::from_utf8(bytes[8..8 + length(bytes)].to_vec()).unwrap();
    let corpora: Vec<Vec<Vec<Lexeme>>> = weights.iter().map(|bytes| corpus([header(bytes)])).collect();
    let make = |mut random: rand_chacha::ChaCha8Rng| {
        let which = random.random_range(0..folders.len());
        let mut mutator = Mutator { random, corpus: &corpora[which] };
        let (text, data) = (mutator.text(), &weights[which][8 + length(&weights[which])..]);
        let size = match mutator.random.random_range(0..12) {
            0 => mutator.random.random(),
            1 => mutator.random.random_range(0..200_000),
            _ => text.len() as u64,
        };
        let mut bytes = [&size.to_le_bytes(), text.as_slice(), data].concat();
        if mutator.random.random_ratio(1, 8) {
            mutator.bytes(&mut bytes);
        }
        [vec![which as u8], bytes].concat()
    };
    let mut files = written(&folders, "model.safetensors");
    hold("weights", 22, make, |case, input| {
        let which = input[0] as usize;
        rewrite(&mut files[which], &input[1..]);
        answers(case, &folders[which])
    });
}

/// SentencePiece's table that makes `é` of `a`, mostly damaged: a trie of 512 units of which three mean something.
fn table(mutator: &mut Mutator) -> Vec<u8> {
    let mut units = vec![0u32; 512];
    (units[0], units[256 ^ 97], units[256]) = (256 << 10, 97 | 1 << 8 | 97 << 10, 1 << 31 | 2);
    let at = [0, 256 ^ 97, 256][mutator.random.random_range(0..3)];
    match mutator.random.random_range(0..4) {
        0 => units[at] = mutator.random.random(),
        1 | 2 => units[at] ^= 1 << mutator.random.random_range(0..32),
        _ => {}
    }
    let units: Vec<u8> = units.iter().flat_map(|unit| unit.to_le_bytes()).collect();
    let mut table = [&2048u32.to_le_bytes()[..], &units, "x\0é\0".as_bytes()].concat();
    if mutator.random.random_ratio(1, 4) {
        mutator.bytes(&mut table);
    }
    table
}

#[test]
fn tokenizers_are_taken_or_refused() {
    let corpus = corpus([fs::read_to_string(root("assets/organism/planted/tokenizer.json")).unwrap()]);
    let make = |random| {
        let mut mutator = Mutator { random, corpus: &corpus };
        let text = mutator.text();
        if mutator.random.random_ratio(1, 2) {
            return text;
        }
        let table = STANDARD.encode(table(&mut mutator));
        let normalizer = format!("\"normalizer\":{{\"type\":\"Precompiled\",\"precompiled_charsmap\":\"{table}\"}}");
        String::from_utf8_lossy(&text).replace("\"normalizer\":null", &normalizer).into_bytes()
    };
    hold("tokenizer", 4, make, |_, input| {
        let Ok(text) = Text::from_bytes(input) else { return false };
        let ids = text.encode(" Mary opened the déor because\n", SpecialTokens::AsTokenizer).unwrap_or_default();
        let labels: Vec<String> = ids.iter().map(|id| text.label(*id)).collect();
        text.decode(&ids);
        let _ = text.continuation("a", " she");
        text.vocabulary() > 0 && !labels.is_empty()
    });
}

#[test]
fn what_fails_is_found() {
    let make = |mut random: rand_chacha::ChaCha8Rng| vec![random.random_range(0..4)];
    let (taken, failures) = tried("guard", 0..64, make, |_, input| match input[0] {
        0 => panic!("a fault"),
        1 => std::hint::black_box(vec![0u8; 600 << 20]).is_empty(), // asked for, never touched
        value => value == 2,
    });
    let told: Vec<&str> = failures.iter().map(|failure| failure.what.as_str()).collect();
    assert!(told.len() == 2 && told[0] == "memory: it takes 600 MiB" && told[1].ends_with(": a fault"), "{told:?}");
    assert!(failures.iter().all(|failure| failure.input[0] < 2) && (8..24).contains(&taken), "{taken}");
}
