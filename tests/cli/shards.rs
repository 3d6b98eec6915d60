//! Shards: the parts of a run put together are the run.

use super::long::{assert_same, begin, pairs, place, steps, undisturbed, wait_for};
use super::{Place, contents};
use std::fs;

/// A pass with one step a batch and sweeps with several, both ways of a record among them.
const METHODS: &str = r#"
    Record(sites: ["hook_resid_pre"]), Record(sites: ["hook_resid_pre"], at: [Last], shards: (size: "1KiB", numbers: F16)),
    Patch(sites: ["attn.hook_z", "attn.hook_k"], over: [Layer, Head, Position]),
    Ablate(sites: ["attn.hook_z"], over: [Layer, Head], with: Mean),
    Attention(), LogitLens(), DirectLogitAttribution, PathPatch(senders: Heads), Knockout(over: [Layer]),
    Patchscope(prompt: [3, 4, 5]), Mediate(mediators: Heads), Generate(tokens: 2),
    Circuit(select: TopN(20)), Acdc(threshold: [0.01, 0.02]),
    AttributionPatch(sites: ["attn.hook_q"], over: [Layer, Head], score: AtPStar()),
    EdgePruning(target: Edges(9), steps: 25, seeds: 3),
    Das(sites: ["hook_resid_post"], over: [Layer], only: (positions: [2]), steps: 9, boundless: (most: 3)), TunedLens(steps: 9),
    EDGES_CUT, Represent(random_models: 2), Stitch(from: Path("GUEST"), penalties: [1])"#;

fn sharded() -> Place {
    place(&pairs(&[6; 70]), METHODS)
}

fn shard(number: usize, of: usize) -> String {
    format!("{number}/{of}")
}

/// Runs shards at the same time, each into the folder that `out` gives.
fn run_all(place: &Place, of: usize, out: impl Fn(usize) -> String) {
    let one = |number| begin(place, &["run", "q.ron", "--out", &out(number), "--shard", &shard(number, of)]);
    for child in (1..=of).map(one).collect::<Vec<_>>() {
        let output = child.wait_with_output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    }
}

#[test]
fn shards_at_the_same_time_in_one_folder_are_the_run() {
    let place = sharded();
    let whole = undisturbed(&place);
    run_all(&place, 3, |_| "one/r".into());
    let each: Vec<Vec<u64>> =
        (1..=3).map(|number| steps(&place.path(&format!("one/r/steps/{number}-of-3.steps")))).collect();
    let mut all = each.concat();
    all.sort_unstable();
    // what nobody did is either joint, and left to who puts them together, or missed there
    assert!(all.windows(2).all(|pair| pair[0] < pair[1]), "a step was done twice: {all:?}");
    assert!(each.iter().all(|own| own.len() * 5 > all.len()), "a shard has hardly any steps: {each:?}");
    place.good(&["merge", "one/r"]);
    assert_same(&place.path("one/r"), &whole);
    // twice, and a shard that comes late
    let told = place.bad(&["merge", "one/r"]);
    assert!(told.contains("one/r: holds a finished run, so nothing is left to merge"), "{told}");
    let told = place.bad(&["run", "q.ron", "--out", "one/r", "--shard", "1/3"]);
    assert!(told.contains("one/r: holds a finished run; give another folder, or move it away"), "{told}");
    assert_same(&place.path("one/r"), &whole);
}

#[test]
fn shards_in_folders_of_their_own_are_merged_into_the_first() {
    let place = sharded();
    let whole = undisturbed(&place);
    run_all(&place, 3, |number| format!("{number}/r"));
    let told = place.bad(&["merge", "1/r", "3/r"]);
    assert!(told.contains("steps are missing; they belong to shard 2/3: run it again"), "{told}");
    assert!(place.bad(&["merge", "1/r", "nowhere"]).contains("nowhere has no run.ron"));
    place.good(&["run", "q.ron", "--out", "5/r", "--set", "seed=5", "--shard", "2/3"]);
    let told = place.bad(&["merge", "1/r", "5/r", "3/r"]);
    assert!(told.contains("5/r") && told.contains("these steps are of another experiment, model or version"), "{told}");
    let left = contents(&place.path("3/r"));
    place.good(&["merge", "1/r", "2/r", "3/r"]);
    assert_same(&place.path("1/r"), &whole);
    assert_same(&place.path("3/r"), &left);
}

#[test]
fn a_killed_shard_goes_on() {
    let place = sharded();
    let whole = undisturbed(&place);
    let second = ["run", "q.ron", "--out", "r", "--shard", "2/2"];
    place.good(&["run", "q.ron", "--out", "r", "--shard", "1/2"]);
    let mut child = begin(&place, &second);
    let journal = place.path("r/steps/2-of-2.steps");
    wait_for(|| steps(&journal).len() > 1);
    child.kill().unwrap();
    child.wait().unwrap();
    let told = place.bad(&["merge", "r"]);
    assert!(told.contains("shard 2/2: run it again with the same --out"), "{told}");
    let before = steps(&journal);
    place.good(&second);
    let after = steps(&journal);
    assert!(after.len() > before.len() && after.starts_with(&before), "{before:?} {after:?}");
    place.good(&["merge", "r"]);
    assert_same(&place.path("r"), &whole);
}

#[test]
fn a_run_takes_up_what_shards_have_done() {
    let place = sharded();
    let whole = undisturbed(&place);
    place.good(&["run", "q.ron", "--out", "r", "--shard", "1/2"]);
    let done = steps(&place.path("r/steps/1-of-2.steps")).len();
    let output = place.run(&["run", "q.ron", "--out", "r"]);
    let told = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(told.contains(&format!("Going on with the run in r: {done} steps are done.")), "{told}");
    assert_same(&place.path("r"), &whole);
}

#[test]
fn more_shards_than_steps_are_the_run() {
    let place = place(&pairs(&[5, 5]), "LogitLens()");
    let whole = undisturbed(&place);
    run_all(&place, 4, |_| "r".into());
    assert_eq!(fs::read_dir(place.path("r/steps")).unwrap().count(), 4);
    place.good(&["merge", "r"]);
    assert_same(&place.path("r"), &whole);
}

#[test]
fn neurons_are_not_chosen_by_a_part_of_the_items() {
    let place = place(&pairs(&[6; 4]), "Circuit(neurons: Top(2), select: TopN(9))");
    let told = place.bad(&["run", "q.ron", "--out", "r", "--shard", "1/2"]);
    assert!(told.contains("neurons: Top chooses by all items, of which a shard has a part"), "{told}");
    let told = place.good(&["check", "q.ron"]);
    assert!(told.contains("about ") && told.contains("2 neurons to be chosen"), "{told}");
    place.good(&["run", "q.ron", "--out", "r"]);
    let circuit = String::from_utf8(place.read("r/circuits/01_circuit.json")).unwrap();
    assert!(circuit.contains("\"neurons\":[\"m"), "{}", &circuit[..400]);
}
