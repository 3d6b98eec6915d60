//! Long runs: killed at any moment and begun again they give what an uninterrupted run gives, and do nothing twice.

use super::{Place, contents, failed, golden};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

/// How often the ordinary test kills; `PATCHCLAMP_KILLS` says how often else.
const KILLS: usize = 10;

/// Every method that prompts of several lengths allow.
const UNEVEN: &str = r#"
    Record(sites: All, gradients: ["hook_resid_pre"]),
    Record(sites: ["hook_resid_post"], gradients: ["hook_embed"], shards: (size: "1KiB")),
    LogitLens(), DirectLogitAttribution, Circuit(select: TopN(20)),
    EdgePruning(target: Edges(9), steps: 25, seeds: 2),
    Das(sites: ["blocks.1.attn.hook_z"], over: [Head], steps: 9, dimensions: [1, 2]), TunedLens(steps: 9),
    CUT, Represent(random_models: 2), Stitch(from: Path("GUEST"), penalties: [1]),
    AttributionPatch(sites: ["attn.hook_q"], over: [Layer, Head], score: AtPStar()),
    Patch(sites: ["attn.hook_z", "attn.hook_q"], over: [Layer, Head]),
    Ablate(sites: ["attn.hook_z", "mlp.hook_post"], over: [Layer], with: Mean),
    Generate(tokens: 2, edits: [(site: "blocks.1.hook_resid_pre", change: Scale(0.5))])"#;

/// Every method that wants prompts of one length, and so many cells that a sweep has several steps a batch.
const EVEN: &str = r#"
    Attention(weighting: ValueWeighted),
    Patch(sites: ["attn.hook_z", "attn.hook_q", "attn.hook_v"], over: [Layer, Head, Position], direction: Noise),
    Ablate(sites: ["hook_mlp_out"], over: [Layer, Position], with: Zero),
    Ablate(sites: ["hook_mlp_out"], over: [Layer, Position], with: MeanPerPosition),
    Ablate(sites: ["attn.hook_z"], over: [Layer, Head], with: Resample)"#;

/// Ways that need prompts which are never clean in one pair and corrupted in another.
const WEIGHTS_AND_STATES: &str = ", Orthogonal(score: Eap, counts: [1], spare: Shares), Erase()";

/// A cut of edges, and in other ways.
fn cut(others: &str) -> String {
    format!(
        "Cut(apart: Items, random: 2, keep: (data: {}), ways: [Edges(counts: [2, 5], spare: Strongest){others}])",
        pairs(&[4, 6, 4])
    )
}

/// Pairs of token ids, one of each length.
pub fn pairs(lengths: &[usize]) -> String {
    let token = |seed: usize, at: usize| (seed * 11 + at * 5) % 46 + 1; // the small models have 48 tokens
    let row = |seed: usize, length: usize| (0..length).map(|at| token(seed, at)).collect::<Vec<_>>();
    let pair = |(item, length): (usize, &usize)| {
        let (clean, corrupt) = (row(item, *length), row(item + 20, *length));
        format!("(clean: {clean:?}, corrupt: {corrupt:?}, right: {}, wrong: {})", token(item, 20), token(item, 21))
    };
    format!("Pairs([{}])", lengths.iter().enumerate().map(pair).collect::<Vec<_>>().join(", "))
}

/// A place with an experiment of many steps.
pub fn place(data: &str, methods: &str) -> Place {
    let methods = methods
        .replace("\"GUEST\"", &format!("{:?}", golden("half")))
        .replace("EDGES_CUT", &cut(""))
        .replace("CUT", &cut(WEIGHTS_AND_STATES));
    let place = Place::new(&format!("Path({:?})", golden("gpt2")), data, &methods);
    let text = String::from_utf8(place.read("q.ron")).unwrap();
    let quick = "    statistics: (resamples: 100, permutations: 100),\n)";
    place.write("q.ron", (text.trim_end().trim_end_matches(')').to_string() + quick).as_bytes());
    place
}

fn uneven() -> Place {
    place(&pairs(&[3, 9, 5, 4, 7, 5, 3, 8, 6, 4]), UNEVEN)
}

fn even() -> Place {
    place(&pairs(&[6; 40]), EVEN)
}

/// The folder of a run that nothing disturbs; it has the name `r`, which stands on its page.
pub fn undisturbed(place: &Place) -> BTreeMap<String, Vec<u8>> {
    place.good(&["run", "q.ron", "--out", "whole/r"]);
    let whole = contents(&place.path("whole/r"));
    assert!(whole.keys().all(|name| !name.starts_with("steps")), "{:?}", whole.keys());
    whole
}

/// Asserts that two folders hold the same; the first file that differs is named.
pub fn assert_same(folder: &Path, whole: &BTreeMap<String, Vec<u8>>) {
    let found = contents(folder);
    assert_eq!(found.keys().collect::<Vec<_>>(), whole.keys().collect::<Vec<_>>(), "{}", folder.display());
    for (name, bytes) in &found {
        assert!(*bytes == whole[name], "{}/{name} differs", folder.display());
    }
}

/// The numbers of the steps that a journal holds whole, in the order they were done.
pub fn steps(path: &Path) -> Vec<u64> {
    let bytes = fs::read(path).unwrap_or_default();
    let (mut at, mut numbers) = (32, Vec::new()); // behind the fingerprint
    let number = |at: usize| Some(u64::from_le_bytes(bytes.get(at..at + 8)?.try_into().unwrap()));
    while let (Some(step), Some(length)) = (number(at), number(at + 8)) {
        at += 16 + length as usize + 8;
        if at > bytes.len() {
            break;
        }
        numbers.push(step);
    }
    numbers
}

pub fn begin(place: &Place, arguments: &[&str]) -> Child {
    place.command(arguments).stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap()
}

/// What a process said before it was killed, or all of it where it ended by itself.
pub fn killed(mut child: Child) -> Output {
    child.kill().unwrap();
    child.wait_with_output().unwrap()
}

fn told(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// Waits for something that a process does soon.
pub fn wait_for(what: impl Fn() -> bool) {
    let begun = Instant::now();
    while !what() {
        assert!(begun.elapsed() < Duration::from_secs(120), "waited in vain");
        std::thread::sleep(Duration::from_millis(2));
    }
}

const RUN: [&str; 4] = ["run", "q.ron", "--out", "r"];
const JOURNAL: &str = "r/steps/1-of-1.steps";

/// Kills a run so many times at moments drawn from a seed, and begins it again each time.
pub fn kill_at_random(place: &Place, kills: usize, seed: u64) {
    let begun = Instant::now();
    let whole = undisturbed(place);
    let (longest, mut random) = (begun.elapsed(), ChaCha8Rng::seed_from_u64(seed));
    let (mut done, mut ended) = (Vec::new(), 0);
    for _ in 0..kills {
        let child = begin(place, &RUN);
        std::thread::sleep(longest.mul_f64(random.random_range(0.0..1.1)));
        let told = told(&killed(child));
        if !done.is_empty() && told.contains("Going on") {
            assert!(told.contains(&format!("Going on with the run in r: {} steps are done.", done.len())), "{told}");
        }
        if place.path("r/run.ron").is_file() && !place.path("r/steps").is_dir() {
            assert_same(&place.path("r"), &whole);
            fs::remove_dir_all(place.path("r")).unwrap();
            ended += 1;
        }
        let now = steps(&place.path(JOURNAL));
        assert_eq!(now, (0..now.len() as u64).collect::<Vec<_>>(), "a step was done twice or left out");
        let finishing = contents_or_none(&place.path("r")).contains_key("report.html");
        assert!(now.len() >= done.len() || !place.path("r").is_dir() || finishing, "steps were lost");
        done = now;
    }
    place.good(&RUN);
    assert_same(&place.path("r"), &whole);
    assert!(!place.path("r~1").exists(), "a run that was gone on with was put aside");
    let unfinished = kills - ended;
    assert!(kills < 5 || unfinished > 0, "every run ended before it was killed");
}

fn contents_or_none(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    if folder.is_dir() { contents(folder) } else { BTreeMap::new() }
}

fn kills() -> usize {
    std::env::var("PATCHCLAMP_KILLS").map_or(KILLS, |kills| kills.parse().unwrap())
}

#[test]
fn a_run_killed_anywhere_goes_on_and_ends_the_same() {
    kill_at_random(&uneven(), kills().div_ceil(2), 1);
    kill_at_random(&even(), kills() / 2, 2);
}

#[test]
fn a_run_killed_while_its_report_is_written_ends_the_same() {
    let place = place(&pairs(&[5, 5, 5]), r#"LogitLens(), Patch(sites: ["attn.hook_z"], over: [Layer, Head])"#);
    let whole = undisturbed(&place);
    for (number, file) in ["tables", "figures", "figures/01_logit_lens.png", "report.html"].into_iter().enumerate() {
        let child = begin(&place, &RUN);
        wait_for(|| place.path("r").join(file).exists());
        killed(child);
        let finished = !place.path("r/steps").is_dir();
        let all = steps(&place.path(JOURNAL)).len();
        let output = place.run(&RUN);
        let told = told(&output);
        assert!(
            output.status.success() && (finished || all == 0 || told.contains(&format!("r: {all} steps"))),
            "{told}"
        );
        assert_same(&place.path("r"), &whole);
        fs::rename(place.path("r"), place.path(&format!("r{number}"))).unwrap();
    }
}

#[test]
fn another_run_puts_the_unfinished_one_aside() {
    let place = uneven();
    let whole = undisturbed(&place);
    place.good(&["run", "q.ron", "--set", "seed=5", "--out", "other/r"]);
    let child = begin(&place, &RUN);
    wait_for(|| steps(&place.path(JOURNAL)).len() > 2);
    killed(child);
    let before = steps(&place.path(JOURNAL));
    let output = place.run(&["run", "q.ron", "--set", "seed=5", "--out", "r"]);
    let told = told(&output);
    assert!(output.status.success() && told.contains("The earlier run is kept as r~1.") && !told.contains("Going on"));
    assert_same(&place.path("r"), &contents(&place.path("other/r")));
    assert_eq!(steps(&place.path("r~1/steps/1-of-1.steps")), before);
    // back in its place it goes on
    fs::rename(place.path("r"), place.path("r5")).unwrap();
    fs::rename(place.path("r~1"), place.path("r")).unwrap();
    place.good(&RUN);
    assert_same(&place.path("r"), &whole);
}

#[test]
fn a_folder_has_one_process() {
    let place = uneven();
    let whole = undisturbed(&place);
    let child = begin(&place, &RUN);
    wait_for(|| !steps(&place.path(JOURNAL)).is_empty());
    signal(&child, "-STOP");
    let taken = "r/steps/1-of-1.steps: another process is at work on this run; wait for it, or give another --out";
    let others: [&[&str]; 5] = [
        &RUN,
        &["run", "q.ron", "--out", "r", "--set", "seed=5"],
        &["run", "q.ron", "--out", "r", "--shard", "1/2"],
        &["run", "q.ron", "--out", "r", "--shard", "1/1"],
        &["merge", "r"],
    ];
    for other in others {
        let told = place.bad(other);
        assert!(told.contains(taken), "{other:?}: {told}");
    }
    signal(&child, "-CONT");
    assert!(child.wait_with_output().unwrap().status.success());
    assert_same(&place.path("r"), &whole);
    assert!(!place.path("r~1").exists());
}

fn signal(child: &Child, signal: &str) {
    assert!(Command::new("kill").args([signal, &child.id().to_string()]).status().unwrap().success());
}

#[test]
fn a_full_disk_stops_a_step_and_the_run_goes_on_afterwards() {
    let methods = r#"Patch(sites: ["attn.hook_z"], over: [Layer]), Record(sites: All)"#;
    let place = place(&pairs(&[5, 5, 5]), methods);
    let whole = undisturbed(&place);
    // a limit on the size of files, with its signal ignored, fails like a full disk
    let line = format!("trap '' XFSZ; ulimit -f 16; exec {} run q.ron --out r", env!("CARGO_BIN_EXE_patchclamp"));
    let output = Command::new("bash").args(["-c", &line]).current_dir(place.0.path()).output().unwrap();
    let told = failed(&output);
    let expected = "the steps written before it are whole, and the same command goes on from there";
    assert!(told.starts_with("error: r/steps/1-of-1.steps: ") && told.contains(expected), "{told}");
    let before = steps(&place.path(JOURNAL));
    assert!(!before.is_empty(), "no step was kept");
    let output = place.run(&RUN);
    assert!(super::long::told(&output).contains(&format!("r: {} steps are done", before.len())));
    assert_same(&place.path("r"), &whole);
}

#[test]
fn steps_of_others_are_not_run_folders() {
    let place = place(&pairs(&[5, 5]), "LogitLens()");
    fs::create_dir_all(place.path("r/steps")).unwrap();
    place.write("r/steps/mine.txt", b"mine");
    assert!(place.bad(&RUN).contains("r: holds files, but no run.ron, so it is no run folder"));
    assert_eq!(place.read("r/steps/mine.txt"), b"mine");
}
