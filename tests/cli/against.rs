//! `against`: circuits held against those of other prompts or another model; runs of their own, which are not run twice.

use super::{Place, TOKENS, contents, golden};
use patchclamp::table::{Row, Table};
use std::collections::BTreeSet;
use std::fs;

/// The same prompts with another answer wrong.
const OTHER: &str = "(name: \"other\", data: Pairs([(clean: [3, 7, 9], corrupt: [3, 8, 9], right: 5, wrong: 7), \
                     (clean: [4, 7, 9], corrupt: [4, 8, 9], right: 5, wrong: 7), (clean: [6, 7, 2], corrupt: [6, 8, 2], right: 5, wrong: 7)]))";

fn place(against: &str) -> Place {
    let model = format!("Path({:?})", golden("gpt2"));
    let place = Place::new(&model, TOKENS, "Circuit(select: TopN(12))");
    let text = String::from_utf8(place.read("q.ron")).unwrap();
    let end = text.trim_end().strip_suffix(')').unwrap().to_string();
    place.write("q.ron", format!("{end} against: [{against}])").as_bytes());
    place
}

#[test]
fn circuits_are_held_against_those_of_a_variant() {
    let place = place(&format!("{OTHER}, (name: \"seed-1\", seed: 1)"));
    let told = place.good(&["run", "q.ron", "--out", "r"]);
    assert!(told.contains("against other") && told.contains("against seed-1"), "{told}");
    for file in ["r/against/other/run.ron", "r/against/other/report.html", "r/circuits/01_circuit.against.other.json"] {
        assert!(place.path(file).is_file(), "{file}");
    }
    // whose an edge is, by both circuits
    let held = |file: &str| -> BTreeSet<String> {
        let found: serde_json::Value = serde_json::from_slice(&place.read(file)).unwrap();
        let edges = found["edges"].as_array().unwrap().iter().filter(|edge| edge["in_circuit"] == true);
        edges.map(|edge| edge["name"].as_str().unwrap().to_string()).collect()
    };
    let (here, there) = (held("r/circuits/01_circuit.json"), held("r/against/other/circuits/01_circuit.json"));
    let table = String::from_utf8(place.read("r/tables/01_circuit.against.other.csv")).unwrap();
    let told = |metric: &str| -> BTreeSet<String> {
        let rows = table.lines().map(|line| line.split(',').collect::<Vec<_>>());
        rows.filter(|row| row[7] == metric && row[1].contains("->")).map(|row| row[1].to_string()).collect()
    };
    assert_eq!(told("in both"), here.intersection(&there).cloned().collect());
    assert_eq!(told("only here"), here.difference(&there).cloned().collect());
    assert_eq!(told("only there"), there.difference(&here).cloned().collect());
    assert!(!told("only here").is_empty());
    // another seed draws other items, and the scores are the same
    let table = String::from_utf8(place.read("r/tables/01_circuit.against.seed-1.csv")).unwrap();
    let differences: Vec<&str> = table.lines().filter(|line| line.contains(",difference,")).collect();
    assert!(!differences.is_empty());
    assert!(table.lines().any(|line| line.contains("circuits") && line.contains("Jaccard,1.0,")), "{table}");
    // a variant is a run as any other
    place.good(&["run", "r/against/other/run.ron", "--out", "alone"]);
    assert!(place.read("alone/tables/01_circuit.csv") == place.read("r/against/other/tables/01_circuit.csv"));
}

#[test]
fn a_variant_that_is_finished_is_not_run_again() {
    let place = place(OTHER);
    place.good(&["run", "q.ron", "--out", "whole/r"]);
    let whole = contents(&place.path("whole/r"));
    // as a run that was killed between its variant and itself leaves its folder
    place.good(&["run", "q.ron", "--out", "r"]);
    let begun = fs::metadata(place.path("r/against/other/report.html")).unwrap().modified().unwrap();
    place.killed_behind_its_variants("r");
    place.good(&["run", "q.ron", "--out", "r"]);
    assert_eq!(fs::metadata(place.path("r/against/other/report.html")).unwrap().modified().unwrap(), begun);
    assert!(contents(&place.path("r")) == whole, "the folder differs from that of a run that was not killed");
}

#[test]
fn a_variant_that_cannot_be_is_refused() {
    for (against, expected) in [
        ("(name: \"a/b\", seed: 1)", "against[0].name: \"a/b\" becomes a folder"),
        ("(name: \"a\", seed: 1), (name: \"a\", seed: 2)", "against[1].name: \"a\" is the name of an earlier variant"),
        ("(name: \"a\")", "against[0]: differs in nothing"),
    ] {
        place(against).refuses(expected);
    }
    let other = format!("(name: \"wide\", model: Path({:?}))", golden("pythia-sequential"));
    let told = place(&other).bad(&["run", "q.ron", "--out", "r"]);
    assert!(told.contains("against[0] (wide): its model has 2 layers of 2 heads"), "{told}");
    let told = place(OTHER).bad(&["run", "q.ron", "--out", "r", "--shard", "1/2"]);
    assert!(told.contains("shards cannot be held against anything"), "{told}");
}

/// The rows of a table's CSV.
fn rows(place: &Place, file: &str) -> Vec<Row> {
    Table::rows_from_csv(&String::from_utf8(place.read(file)).unwrap()).unwrap()
}

/// The effects of one method, each with its place in words.
fn of(name: &str, rows: &[Row]) -> Vec<(String, f64)> {
    let place = |row: &Row| {
        let axes = [row.layer, row.head, row.position, row.neuron];
        format!("{} {:?} {axes:?}", row.metric, row.site)
    };
    rows.iter().filter(|row| row.method == name).map(|row| (place(row), row.effect)).collect()
}

fn held_by_item(methods: &str, against: &str) -> Place {
    let text = format!(
        "(question: \"q\", model: Path({:?}), data: {TOKENS}, methods: [{methods}], against: [{against}])",
        golden("gpt2")
    );
    let place = Place::new("", TOKENS, "");
    place.write("q.ron", text.as_bytes());
    place
}

/// The table of a variant has what either run has by itself, and their difference.
#[test]
fn what_is_told_of_single_prompts_is_held_against_a_variants() {
    let place = held_by_item(
        "Patch(sites: [\"hook_resid_pre\"], over: [Layer, Position]), Ablate(sites: [\"attn.hook_z\"], over: [Layer, Head])",
        "(name: \"int2\", treat: [Round(bits: 2)]), (name: \"same\", treat: [Magnitude(sparsity: 0.0)])",
    );
    let told = place.good(&["run", "q.ron", "--out", "r"]);
    assert!(told.contains("against int2"), "{told}");
    for (table, method) in [("01_patch.denoise", "patch.denoise"), ("02_ablate.mean", "ablate.mean")] {
        let [own, there] = ["r", "r/against/int2"].map(|run| rows(&place, &format!("{run}/tables/{table}.csv")));
        let held = rows(&place, &format!("r/tables/{table}.against.int2.csv"));
        let [here, other, difference] = ["here", "int2", "difference"].map(|name| of(name, &held));
        assert_eq!(here, of(method, &own));
        assert_eq!(other, of(method, &there));
        assert!(!here.is_empty() && here.len() == difference.len());
        for ((here, other), difference) in here.iter().zip(&other).zip(&difference) {
            assert!((other.1 - here.1 - difference.1).abs() < 1e-12, "{here:?} {other:?} {difference:?}");
        }
        assert!(difference.iter().any(|(_, effect)| effect.abs() > 1e-6));
        assert!(place.path(&format!("r/figures/{table}.against.int2.difference.svg")).is_file());
        let same = rows(&place, &format!("r/tables/{table}.against.same.csv"));
        assert!(of("difference", &same).iter().all(|(_, effect)| *effect == 0.0), "{same:?}");
    }
}

#[test]
fn other_prompts_are_not_held_against_each_other_item_by_item() {
    let patch = "Patch(sites: [\"hook_resid_pre\"], over: [Layer])";
    for against in [OTHER, "(name: \"seed-1\", seed: 1)", "(name: \"prob\", metric: Probability)"] {
        held_by_item(patch, against).refuses("against[0]: asks other prompts, or another metric of them");
    }
    held_by_item("Attention()", "(name: \"int2\", treat: [Round(bits: 2)])").refuses("no method tells of any");
    // beside a circuit it is run, and its effects are by themselves
    let place = held_by_item(&format!("Circuit(select: TopN(12)), {patch}"), OTHER);
    place.good(&["run", "q.ron", "--out", "r"]);
    assert!(place.path("r/tables/01_circuit.against.other.csv").is_file());
    assert!(place.path("r/against/other/tables/02_patch.denoise.csv").is_file());
    assert!(!place.path("r/tables/02_patch.denoise.against.other.csv").exists());
}

/// What probes tell has a value for every prompt, whose mean is what the probe's own table says.
#[test]
fn probes_are_held_against_a_variants_prompt_by_prompt() {
    let pairs: Vec<String> = (0..6)
        .map(|number| format!("(clean: [3, {}, 9], corrupt: [3, {}, 9], right: 5, wrong: 7)", 10 + number, 20 + number))
        .collect();
    let text = format!(
        "(question: \"q\", model: Path({:?}), data: Pairs([{}]), methods: [Probe(used: [Swap], shuffles: 2, folds: 3)], \
         against: [(name: \"int2\", treat: [Round(bits: 2)])])",
        golden("gpt2"),
        pairs.join(", ")
    );
    let place = Place::new("", TOKENS, "");
    place.write("q.ron", text.as_bytes());
    place.good(&["run", "q.ron", "--out", "r"]);
    let held = rows(&place, "r/tables/01_probe.against.int2.csv");
    for (run, name) in [("r", "here"), ("r/against/int2", "int2")] {
        let own = of("probe", &rows(&place, &format!("{run}/tables/01_probe.csv")));
        let mut compared = 0;
        for (at, effect) in of(name, &held) {
            let same = own.iter().find(|(other, _)| *other == at).unwrap_or_else(|| panic!("no {at:?}"));
            assert!((same.1 - effect).abs() < 1e-12, "{at:?}");
            compared += 1;
        }
        assert!(compared >= 4, "accuracy and information of every layer: {compared}");
    }
    assert!(place.path("r/tables/01_probe.swap.against.int2.csv").is_file());
}
