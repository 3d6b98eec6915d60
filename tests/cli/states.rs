//! States in files: what is read back is what was there, whatever happened on the way.

use super::long::{assert_same, begin, killed, pairs, place, steps, undisturbed, wait_for};
use super::{Place, contents};
use ndarray::Array2;
use patchclamp::data::Side;
use patchclamp::precision::Precision;
use patchclamp::spec::{Role, Spot};
use patchclamp::states::{States, StatesError, View};
use patchclamp_probes::rows::{Rows, gathered};
use safetensors::SafeTensors;
use std::fs;
use std::path::Path;

/// Two orders of addition in f32, of states of order 1.
const TOLERANCE: f64 = 1e-5;

const SITES: &str = r#"["hook_embed", "hook_resid_post", "attn.hook_z", "mlp.hook_post", "logits"]"#;
const NAMES: [&str; 5] =
    ["hook_embed", "blocks.1.hook_resid_post", "blocks.0.attn.hook_z", "blocks.1.mlp.hook_post", "logits"];
const ANSWER: Option<Spot> = Some(Spot::Role(Role::Answer));

/// Recorded in memory, and to files of less than an item each and of several.
fn recorded(data: &str, more: &str) -> Place {
    let record = |how: &str| format!("Record(sites: {SITES}, gradients: [\"hook_resid_pre\"]{how})");
    let methods = [record(""), record(&format!(", shards: (size: \"100B\"{more})")), record(", shards: ()")];
    let place = place(data, &methods.join(", "));
    place.good(&["run", "q.ron", "--out", "r"]);
    place
}

fn open(place: &Place, name: &str) -> States {
    let states = States::open(&place.path("r"), Some(name)).unwrap();
    states.verify().unwrap();
    states
}

/// A tensor of the file that a recording in memory ends in: its rows are items times positions, less those of padding.
fn whole(place: &Place, side: &str, name: &str) -> Array2<f64> {
    let bytes = place.read(&format!("r/tensors/01_record_{side}.safetensors"));
    let tensors = SafeTensors::deserialize(&bytes).unwrap();
    let real = tensors.tensor("attention_mask").unwrap();
    let real: Vec<bool> = real.data().chunks_exact(8).map(|bytes| bytes[0] == 1).collect();
    let view = tensors.tensor(name).unwrap();
    let values: Vec<f64> = view.data().as_chunks::<4>().0.iter().map(|b| f64::from(f32::from_le_bytes(*b))).collect();
    let width = values.len() / real.len();
    let rows: Vec<f64> =
        values.chunks_exact(width).zip(&real).filter(|(_, real)| **real).flat_map(|(row, _)| row.to_vec()).collect();
    Array2::from_shape_vec((rows.len() / width, width), rows).unwrap()
}

fn all(view: &View) -> Array2<f64> {
    gathered(view)
}

#[test]
fn files_hold_what_memory_holds() {
    let place = recorded(&pairs(&[6; 5]), "");
    for (side, name) in [(Side::Clean, "clean"), (Side::Corrupt, "corrupt")] {
        for state in NAMES.iter().copied().chain(["grad.blocks.1.hook_resid_pre"]) {
            let expected = whole(&place, name, state);
            assert!(expected.iter().any(|value| *value != 0.0));
            for recording in ["02_record", "03_record"] {
                let states = open(&place, recording);
                let found = all(&states.rows(state, side, None, None).unwrap());
                match (state.starts_with("grad."), recording) {
                    // a file an item is a batch an item, whose gradients are summed in another order
                    (true, "02_record") => assert!((&found - &expected).iter().all(|apart| apart.abs() < TOLERANCE)),
                    _ => assert_eq!(found, expected, "{recording} {state}"),
                }
            }
        }
    }
    assert_eq!((open(&place, "02_record").index().files.len(), open(&place, "03_record").index().files.len()), (10, 2));
}

#[test]
fn prompts_of_several_lengths_come_without_padding_in_the_order_of_items() {
    let lengths = [3, 9, 5, 4, 9];
    let place = recorded(&pairs(&lengths), "");
    let states = open(&place, "03_record");
    for state in NAMES {
        let (found, expected) =
            (all(&states.rows(state, Side::Clean, None, None).unwrap()), whole(&place, "clean", state));
        assert!((&found - &expected).iter().all(|apart| apart.abs() < TOLERANCE), "{state}");
    }
    let view = states.rows("hook_embed", Side::Corrupt, None, None).unwrap();
    let expected: Vec<(usize, usize)> =
        lengths.iter().enumerate().flat_map(|(item, length)| (0..*length).map(move |at| (item, at))).collect();
    assert_eq!(view.items().into_iter().zip(view.positions()).collect::<Vec<_>>(), expected);
}

/// A spot is a row an item, and a head a part of a row.
#[test]
fn spots_and_heads_are_parts_of_all() {
    let place = recorded(&pairs(&[3, 9, 5]), "");
    let states = open(&place, "02_record");
    let every = states.rows(NAMES[2], Side::Clean, None, None).unwrap();
    let answers = states.rows(NAMES[2], Side::Clean, ANSWER, Some(1)).unwrap();
    assert_eq!((answers.items(), answers.positions()), (vec![0, 1, 2], vec![2, 8, 4]));
    let (every, width) = (all(&every), answers.width());
    for (row, from) in [2, 11, 16].into_iter().enumerate() {
        let expected = every.row(from).to_vec()[width..2 * width].to_vec();
        assert_eq!(all(&answers).row(row).to_vec(), expected);
    }
    let contrast = states.rows(NAMES[0], Side::Clean, Some(Spot::Role(Role::Contrast)), None).unwrap();
    assert_eq!(contrast.count(), every.nrows(), "these prompts differ everywhere");
}

#[test]
fn only_the_positions_that_are_asked_for_are_kept() {
    let methods = r#"Record(sites: ["hook_resid_post"], at: [0, Answer], shards: ()), Record(sites: ["hook_resid_post"], shards: ())"#;
    let place = place(&pairs(&[3, 9, 5]), methods);
    place.good(&["run", "q.ron", "--out", "r"]);
    let (some, every) = (open(&place, "01_record"), open(&place, "02_record"));
    let view = some.rows(NAMES[1], Side::Clean, None, None).unwrap();
    assert_eq!((view.items(), view.positions()), (vec![0, 0, 1, 1, 2, 2], vec![0, 2, 0, 8, 0, 4]));
    for spot in [ANSWER, Some(Spot::Position(0))] {
        let [some, every] = [&some, &every].map(|states| all(&states.rows(NAMES[1], Side::Clean, spot, None).unwrap()));
        assert_eq!(some, every);
    }
    let told = |found: Result<View, StatesError>| found.map(|_| ()).unwrap_err().to_string();
    let absent = told(some.rows(NAMES[1], Side::Clean, Some(Spot::Position(1)), None));
    assert!(absent.ends_with("01_record.json: position 1 of item 0 was not kept"), "{absent}");
    let absent = told(some.rows("hook_embed", Side::Clean, None, None));
    assert!(absent.ends_with("has no states \"hook_embed\", but blocks.0.hook_resid_post, blocks.1.hook_resid_post"));
    let absent = told(some.rows(NAMES[1], Side::Clean, None, Some(0)));
    assert!(absent.ends_with("\"blocks.1.hook_resid_post\" has no heads"), "{absent}");
}

#[test]
fn half_precision_is_the_f32_rounded() {
    for (numbers, precision) in [("F16", Precision::F16), ("Bf16", Precision::Bf16)] {
        let place = recorded(&pairs(&[4; 3]), &format!(", numbers: {numbers}"));
        let [half, full] = ["02_record", "03_record"].map(|name| {
            let states = open(&place, name);
            let rows = all(&states.rows(NAMES[1], Side::Clean, None, None).unwrap());
            assert_eq!(states.index().numbers, if name == "02_record" { precision } else { Precision::F32 });
            rows
        });
        let rounded = full.mapv(|value| match precision {
            Precision::F16 => half::f16::from_f64(value).to_f64(),
            _ => half::bf16::from_f64(value).to_f64(),
        });
        assert!(half == rounded && half != full, "{numbers}");
    }
}

const RUN: [&str; 4] = ["run", "q.ron", "--out", "r"];

/// Many files of one item each, and the same again on the other side.
fn many() -> Place {
    place(&pairs(&[5; 40]), &format!("Record(sites: {SITES}, shards: (size: \"100B\"))"))
}

/// A run that has done its steps and has not written its report.
fn unfinished(place: &Place) {
    place.good(&[RUN.as_slice(), &["--shard", "1/1"]].concat());
    assert!(place.path("r/steps").is_dir() && !place.path("r/report.html").exists());
}

#[test]
fn a_killed_recording_goes_on_and_ends_the_same() {
    let place = many();
    let whole = undisturbed(&place);
    let child = begin(&place, &RUN);
    wait_for(|| steps(&place.path("r/steps/1-of-1.steps")).len() > 9);
    killed(child);
    let files = || contents(&place.path("r/states")).keys().filter(|name| !name.ends_with("partial")).count();
    assert!((10..80).contains(&files()), "{}", files());
    // what steps have kept says where states are, and holds none itself
    let journal = fs::metadata(place.path("r/steps/1-of-1.steps")).unwrap().len();
    let states: usize = contents(&place.path("r/states")).values().map(Vec::len).sum();
    assert!(journal * 10 < states as u64, "{journal} {states}");
    place.good(&RUN);
    assert_same(&place.path("r"), &whole);
}

#[test]
fn a_file_that_is_torn_or_gone_is_written_again_and_no_other() {
    let place = many();
    let whole = undisturbed(&place);
    unfinished(&place);
    let file = |number: usize| place.path(&format!("r/states/01_record/{number:05}.safetensors"));
    let written = |number: usize| fs::metadata(file(number)).unwrap().modified().unwrap();
    let mut bytes = fs::read(file(3)).unwrap();
    *bytes.last_mut().unwrap() ^= 1;
    fs::write(file(3), &bytes).unwrap();
    fs::write(file(5), &bytes[..bytes.len() - 4]).unwrap();
    fs::remove_file(file(7)).unwrap();
    let before: Vec<_> = [2, 4, 6, 40].map(written).into();
    place.good(&RUN);
    assert_same(&place.path("r"), &whole);
    assert_eq!(before, [2, 4, 6, 40].map(written), "a whole file was written again");
}

#[test]
fn damage_and_files_of_others_are_told() {
    let place = many();
    place.good(&RUN);
    place.good(&["run", "q.ron", "--set", "seed=5", "--out", "other"]);
    let open = || States::open(&place.path("r"), None);
    let told = || open().map(|_| ()).unwrap_err().to_string();
    let file = place.path("r/states/01_record/00003.safetensors");
    let bytes = fs::read(&file).unwrap();
    let mut flipped = bytes.clone();
    *flipped.last_mut().unwrap() ^= 1;
    fs::write(&file, flipped).unwrap();
    let error = open().unwrap().verify().unwrap_err().to_string();
    assert!(
        error.contains("00003.safetensors: its SHA-256 is") && error.contains("record the states again"),
        "{error}"
    );
    fs::write(&file, &bytes[..bytes.len() - 4]).unwrap();
    assert!(told().contains("00003.safetensors: is not whole ("), "{}", told());
    fs::remove_file(&file).unwrap();
    assert!(told().contains("00003.safetensors"), "{}", told());
    fs::copy(place.path("other/states/01_record/00003.safetensors"), &file).unwrap();
    assert!(told().contains("00003.safetensors: is of another run or model than the recording"), "{}", told());
    fs::write(&file, &bytes).unwrap();
    let states = open().unwrap();
    states.of_weights(&states.index().weights).unwrap();
    let error = states.of_weights("0123").unwrap_err().to_string();
    assert!(error.contains("01_record.json: states of another model; their weights have the SHA-256"), "{error}");
    let none = States::open(Path::new("nowhere"), None).map(|_| ()).unwrap_err().to_string();
    assert!(none.starts_with("nowhere: holds no states in files; give the folder of a run with `Record("), "{none}");
}

#[test]
fn several_recordings_are_asked_for_by_name() {
    let place = recorded(&pairs(&[4; 2]), "");
    let told = |name| States::open(&place.path("r"), name).map(|_| ()).unwrap_err().to_string();
    assert!(told(None).ends_with("r: holds several recordings (02_record, 03_record); name one of them"));
    assert!(told(Some("01_record")).ends_with("r: has no recording \"01_record\", but 02_record, 03_record"));
}

#[test]
fn what_cannot_be_rows_in_files_is_refused() {
    let refuses = |method: &str, expected: &str| place(&pairs(&[4, 4]), method).refuses(expected);
    refuses(
        r#"Record(sites: ["hook_resid_pre"], at: [Answer])"#,
        "methods[0].at: single positions are kept as rows in files; write `shards: ()` too",
    );
    refuses(
        "Record(sites: All, shards: ())",
        "methods[0].sites: `attn.hook_attn_scores` is as wide as a prompt is long, which no rows in files are",
    );
    refuses(r#"Record(sites: ["hook_resid_pre"], at: [9], shards: ())"#, "methods[0].at: position 9 does not exist");
    refuses(
        r#"Record(sites: ["hook_resid_pre"], shards: (numbers: F64))"#,
        "methods[0].shards.numbers: states are kept in F32, F16 or Bf16",
    );
}

/// The kernel's count of the most memory that a process had, bytes.
#[cfg(target_os = "linux")]
fn peak(place: &Place, arguments: &[&str]) -> u64 {
    let mut child = begin(place, arguments);
    let mut most = 0;
    while child.try_wait().unwrap().is_none() {
        let status = fs::read_to_string(format!("/proc/{}/status", child.id())).unwrap_or_default();
        let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        let kibibytes = line.and_then(|line| line.split_whitespace().next()?.parse::<u64>().ok());
        most = most.max(kibibytes.unwrap_or(0) << 10);
        std::thread::sleep(std::time::Duration::from_millis(5));
    }
    assert!(child.wait().unwrap().success());
    most
}

/// A budget of less than half of what is recorded is kept to.
#[test]
#[cfg(target_os = "linux")]
fn memory_is_kept_to_however_much_is_recorded() {
    let sites = r#"["hook_resid_pre", "hook_resid_mid", "attn.hook_q", "attn.hook_result", "hook_q_input", "hook_k_input",
        "hook_v_input", "mlp.hook_pre", "mlp.hook_post", "hook_resid_post"]"#;
    let rows: Vec<Vec<usize>> =
        (0..3000).map(|item| (0..16).map(|at| (item * 7 + at * 5) % 46 + 1).collect()).collect();
    let place = place(&format!("Tokens({rows:?})"), &format!("Record(sites: {sites}, shards: ())"));
    let budget = 96 << 20;
    let most = peak(&place, &["run", "q.ron", "--out", "r", "--memory", "96MiB"]);
    let states: u64 = contents(&place.path("r/states")).values().map(|bytes| bytes.len() as u64).sum();
    assert!(states > 2 * budget, "{states} bytes are no test of a budget of {budget}");
    assert!(most <= budget, "{most} bytes of {budget}");
}
