//! `patchclamp circuit`: circuits in files are read, chosen, told and written; a wrong file is one clear message.

use super::{Place, TOKENS, contents, golden};
use serde_json::Value;

/// Two ways through two layers of two heads, and an edge that leads nowhere, in the form that EAP-IG writes.
const PUBLISHED: &str = r#"{"cfg": {"n_layers": 2, "n_heads": 2, "parallel_attn_mlp": false, "d_model": 8},
 "nodes": {"input": {"in_graph": true}, "m0": {"in_graph": true}, "m1": {"in_graph": false}, "logits": {"in_graph": true}},
 "edges": {
  "input->m0": {"score": 5.0, "in_graph": true},
  "m0->logits": {"score": 1.0, "in_graph": true},
  "input->m1": {"score": -3.0, "in_graph": false},
  "m1->logits": {"score": -4.0, "in_graph": false},
  "input->a0.h1<k>": {"score": 0.5, "in_graph": false}}}"#;

/// What `--out` writes.
const FILES: [&str; 7] = ["dot", "graphml", "json", "pdf", "png", "svg", "tex"];

fn with(file: &str) -> Place {
    let place = Place::with_model("gpt2");
    place.write("c.json", file.as_bytes());
    place
}

/// The names of the edges that a file of this program holds in its circuit.
fn members(place: &Place, name: &str) -> Vec<String> {
    let file: Value = serde_json::from_slice(&place.read(name)).unwrap();
    let edges = file["edges"].as_array().unwrap();
    let held = edges.iter().filter(|edge| edge["in_circuit"] == true);
    let mut names: Vec<String> = held.map(|edge| edge["name"].as_str().unwrap().to_string()).collect();
    names.sort();
    names
}

#[test]
fn a_published_circuit_is_told_as_it_stands() {
    let told = with(PUBLISHED).good(&["circuit", "c.json"]);
    // of edges there are 6 into the heads of layer 0, 3 into its MLP, 24 and 6 of layer 1, and 7 into the logits
    let expected = "2 edges, 3 nodes; 44 of 46 edges and 5 of 8 nodes are left out: all heads of layers 0–1; MLP 1\n\
                    Strongest paths from the input, each with the size of its weakest edge:\n    1.0000e0  input->m0->logits\n";
    assert_eq!(told, expected);
}

/// Size takes both middle halves of the ways, sign one way whole, and greedy goes back from the strongest edge into the
/// logits.
#[test]
fn edges_are_chosen_by_size_by_sign_and_greedily() {
    let place = with(PUBLISHED);
    let chosen = |more: &[&str]| {
        place.good(&[&["circuit", "c.json", "--out", "o", "--edges"], more].concat());
        members(&place, "o/circuit.json")
    };
    assert_eq!(chosen(&["3"]), ["input->m1", "m1->logits"]);
    assert_eq!(chosen(&["4"]), ["input->m0", "input->m1", "m0->logits", "m1->logits"]);
    assert_eq!(chosen(&["5"]), chosen(&["4"])); // pruned
    assert_eq!(chosen(&["2", "--select", "greedy"]), ["input->m1", "m1->logits"]);
    let way = chosen(&["2", "--by", "sign"]);
    assert!(way == ["input->m0", "m0->logits"] || way == ["input->m1", "m1->logits"], "{way:?}");
    // the two of largest size are no way
    let told = place.bad(&["circuit", "c.json", "--edges", "2"]);
    assert!(told.contains("--edges 2: none of the edges of c.json chosen is on a way from input to logits"), "{told}");
    for count in ["0", "6"] {
        let told = place.bad(&["circuit", "c.json", "--edges", count]);
        assert!(told.contains(&format!("--edges {count}: c.json has 1 to 5 edges to choose from")), "{told}");
    }
    let output = place.run(&["circuit", "c.json", "--by", "sign"]);
    assert!(!output.status.success() && String::from_utf8_lossy(&output.stderr).contains("--edges"));
}

#[test]
fn a_circuit_is_written_for_other_programs_and_read_again() {
    let place = with(PUBLISHED);
    let told = place.good(&["circuit", "c.json", "--edges", "4", "--unit", "nats", "--out", "o/p"]);
    assert!(told.ends_with("o/p/circuit.*\n"), "{told}");
    let files = contents(&place.path("o/p"));
    assert_eq!(files.keys().cloned().collect::<Vec<_>>(), FILES.map(|ending| format!("circuit.{ending}")));
    let text = |ending: &str| String::from_utf8(files[&format!("circuit.{ending}")].clone()).unwrap();
    assert_eq!((text("graphml").matches("<edge ").count(), text("dot").matches(" -> ").count()), (4, 4));
    assert!(text("dot").contains("4 edges, then pruned") && text("svg").contains("nats"));
    assert!(text("tex").contains("tikzpicture"));
    let starts = |ending: &str, bytes: &[u8]| files[&format!("circuit.{ending}")].starts_with(bytes);
    assert!(starts("png", b"\x89PNG") && starts("pdf", b"%PDF"));
    // the file that was written says what was told, and is written again as it is
    let again = place.good(&["circuit", "o/p/circuit.json", "--unit", "nats", "--out", "q"]);
    assert_eq!(again.lines().next(), told.lines().next());
    assert!(contents(&place.path("q")) == files);
}

/// The strongest two ways are other ones where one score is larger: both hold the way through the first MLP.
#[test]
fn two_circuits_are_held_against_each_other() {
    let place = with(PUBLISHED);
    place.write("d.json", PUBLISHED.replace("-4.0", "-0.4").as_bytes());
    let told = |more: &[&str]| place.good(&[&["circuit", "c.json", "--with", "d.json"], more].concat());
    let first = told(&["--edges", "4"]);
    // of the other file the four edges of largest size are no whole ways but one: input->m1 and the key lead nowhere
    let expected = "2 edges in both, 2 only here, 0 only there: Jaccard index 0.500\nScores of 5 edges in both files: rank correlation 0.900, correlation 0.897";
    assert!(first.starts_with(expected), "{first}");
    for (keep, expected) in [
        ("both", vec!["input->m0", "m0->logits"]),
        ("only", vec!["input->m1", "m1->logits"]),
        ("either", vec!["input->m0", "input->m1", "m0->logits", "m1->logits"]),
    ] {
        told(&["--edges", "4", "--keep", keep, "--out", "o"]);
        assert_eq!(members(&place, "o/circuit.json"), expected, "{keep}");
    }
    place.write("d.json", PUBLISHED.replace("\"n_layers\": 2", "\"n_layers\": 3").as_bytes());
    let told = place.bad(&["circuit", "c.json", "--with", "d.json"]);
    assert!(told.contains("d.json is a circuit of another model"), "{told}");
}

#[test]
fn the_circuit_of_a_run_is_read_from_its_folder() {
    let model = format!("Path({:?})", golden("gpt2"));
    let place = Place::new(&model, TOKENS, "Circuit(select: TopN(12))");
    place.good(&["run", "q.ron", "--out", "r"]);
    let told = place.good(&["circuit", "r/circuits/01_circuit.json", "--out", "o"]);
    let found = members(&place, "o/circuit.json");
    assert!(!found.is_empty() && told.starts_with(&format!("{} edges, ", found.len())), "{told}");
    for ending in ["json", "graphml", "dot"] {
        let [run, written] = [format!("r/circuits/01_circuit.{ending}"), format!("o/circuit.{ending}")];
        assert!(place.read(&run) == place.read(&written), "{ending} differs from the run's");
    }
    let curve = String::from_utf8(place.read("r/figures/01_circuit.faithfulness_curve.svg")).unwrap();
    assert!(
        ["Chosen by sign", "Chosen by size", "0.001", "Share of all edges"].iter().all(|text| curve.contains(text))
    );
    // chosen again as the run chose
    place.good(&["circuit", "r/circuits/01_circuit.json", "--edges", "12", "--out", "again"]);
    assert_eq!(members(&place, "again/circuit.json"), found);
}

#[test]
fn a_file_that_is_no_circuit_is_refused_with_the_place() {
    let edge = |name: &str, score: &str| format!("\"{name}\": {{\"score\": {score}, \"in_graph\": true}}");
    let file = |edges: &[String]| {
        format!(
            "{{\"cfg\": {{\"n_layers\": 2, \"n_heads\": 2}}, \"nodes\": {{}},\n\"edges\": {{{}}}}}",
            edges.join(", ")
        )
    };
    let good = edge("input->m0", "1");
    let cases = [
        (
            file(&[good.clone(), edge("a11.h10->logits", "1")]),
            "edges[1]: a11.h10->logits does not exist: the model has 2 layers of 2 heads",
        ),
        (file(&[edge("input->mlp0", "1")]), "edges[0] (input->mlp0): \"mlp0\" is nothing that reads the stream"),
        (file(&[edge("input->m0", "NaN")]), "c.json:2:34: NaN is no number of JSON, and no score"),
        (file(&[good.clone(), good.clone()]), "edges[1]: input->m0 stands here a second time"),
        (file(&[good, edge("m1->a0.h0<v>", "1")]), "edges[1]: m1->a0.h0<v> runs backwards"),
        ("(question: \"q\")".to_string(), "c.json:1:1: expected value"),
        ("{\"nodes\": {}}".to_string(), "neither \"format\": \"patchclamp-circuit-1\" nor the \"cfg\""),
    ];
    for (text, expected) in cases {
        let place = with(&text);
        let told = place.bad(&["circuit", "c.json", "--out", "o"]);
        assert!(told.starts_with("error: c.json") && told.contains(expected), "{told}\nshould say: {expected}");
        assert!(!place.path("o").exists());
    }
    let told = with(PUBLISHED).bad(&["circuit", "nowhere.json"]);
    assert!(told.contains("nowhere.json"), "{told}");
    let told = with(PUBLISHED).bad(&["circuit", "c.json", "--out", "c.json"]);
    assert!(told.contains("c.json cannot be made"), "{told}");
}

#[test]
fn the_terminal_shows_the_circuit_before_what_it_is_held_against() {
    let model = format!("Path({:?})", golden("gpt2"));
    let told = Place::new(&model, TOKENS, "Circuit(select: TopN(12))").good(&["run", "q.ron"]);
    let (_, done) = told.split_once("what it does").unwrap();
    let firsts = ["circuit", "complement", "all edges", "no edge"]
        .map(|name| done.find(&format!(" {name}  ")).unwrap_or_else(|| panic!("{name} is not shown:\n{told}")));
    assert!(firsts.is_sorted(), "{told}");
    assert!(done.contains(" … and 42 rows more, in the report"), "{told}");
}
