//! `EvaluateCircuit`: a circuit from a file does what it did where it was found, and a file that does not go with the model
//! is one clear message.

use super::{Place, TOKENS, golden};

/// Two ways through two layers of three heads, and an edge that leads nowhere, in the form that EAP-IG writes.
const PUBLISHED: &str = r#"{"cfg": {"n_layers": 2, "n_heads": 3, "parallel_attn_mlp": false},
 "edges": {
  "input->m0": {"score": 5.0, "in_graph": true},
  "m0->logits": {"score": 1.0, "in_graph": true},
  "input->m1": {"score": -3.0, "in_graph": false},
  "m1->logits": {"score": -4.0, "in_graph": false},
  "input->a0.h1<k>": {"score": 0.5, "in_graph": false}}}"#;

fn place(methods: &str) -> Place {
    Place::new(&format!("Path({:?})", golden("gpt2")), TOKENS, methods)
}

/// The rows of a table without the column that names it, but for nulls that need scores of single items.
fn rows(place: &Place, table: &str) -> Vec<String> {
    let text = String::from_utf8(place.read(&format!("r/tables/{table}.csv"))).unwrap();
    let kept = text.lines().skip(1).filter(|line| !line.contains("shuffled answers"));
    kept.map(|line| line.split_once(',').unwrap().1.to_string()).collect()
}

/// The names of the edges that are in the circuit of a run's table.
fn edges(place: &Place, table: &str) -> Vec<String> {
    let text = String::from_utf8(place.read(&format!("r/circuits/{table}.json"))).unwrap();
    let file: serde_json::Value = serde_json::from_str(&text).unwrap();
    let held = file["edges"].as_array().unwrap().iter().filter(|edge| edge["in_circuit"] == true);
    held.map(|edge| edge["name"].as_str().unwrap().to_string()).collect()
}

#[test]
fn a_circuit_does_from_a_file_what_it_did_where_it_was_found() {
    let place = place("Circuit(score: Eap, select: TopN(12), ablate: Mean)");
    place.good(&["run", "q.ron", "--out", "r"]);
    place.write("c.json", &place.read("r/circuits/01_circuit.json"));
    let (done, removed) = (rows(&place, "01_circuit.faithfulness"), rows(&place, "01_circuit.removals"));
    let found = edges(&place, "01_circuit");
    assert!(done.len() > 40 && found.len() > 3, "{} {}", done.len(), found.len());
    // as the file has it, and chosen again in both orders: supporting edges come first in both forms of `by`
    let methods = "EvaluateCircuit(file: \"c.json\", ablate: Mean), \
                   EvaluateCircuit(file: \"c.json\", select: TopN(12), ablate: Mean), \
                   Circuit(score: Eap, select: TopN(12), by: Sign, ablate: Mean), \
                   EvaluateCircuit(file: \"c.json\", select: TopN(12), by: Sign, ablate: Mean)";
    place.good(&["run", "q.ron", "--out", "r", "--set", &format!("methods=[{methods}]")]);
    for number in ["01", "02"] {
        assert_eq!(rows(&place, &format!("{number}_evaluate_circuit.faithfulness")), done);
        assert_eq!(rows(&place, &format!("{number}_evaluate_circuit.removals")), removed);
        assert_eq!(edges(&place, &format!("{number}_evaluate_circuit")), found);
    }
    assert_eq!(edges(&place, "04_evaluate_circuit"), edges(&place, "03_circuit"));
    assert_ne!(edges(&place, "04_evaluate_circuit"), found);
}

#[test]
fn a_circuit_of_neurons_does_from_a_file_what_it_did_where_it_was_found() {
    let place = place("Circuit(score: Eap, neurons: Top(9), select: TopN(60))");
    place.good(&["run", "q.ron", "--out", "r"]);
    place.write("c.json", &place.read("r/circuits/01_circuit.json"));
    let (done, removed) = (rows(&place, "01_circuit.faithfulness"), rows(&place, "01_circuit.removals"));
    let found = edges(&place, "01_circuit");
    assert!(found.iter().any(|edge| edge.contains(".n")), "{found:?}");
    place.good(&["run", "q.ron", "--out", "r", "--set", "methods=[EvaluateCircuit(file: \"c.json\")]"]);
    assert_eq!(rows(&place, "01_evaluate_circuit.faithfulness"), done);
    assert_eq!(rows(&place, "01_evaluate_circuit.removals"), removed);
    assert_eq!(edges(&place, "01_evaluate_circuit"), found);
}

#[test]
fn a_circuit_at_positions_does_from_a_file_what_it_did_where_it_was_found() {
    let place = place("Circuit(score: Eap, positions: Each, select: TopN(60))");
    place.good(&["run", "q.ron", "--out", "r"]);
    place.write("c.json", &place.read("r/circuits/01_circuit.json"));
    let (done, removed) = (rows(&place, "01_circuit.faithfulness"), rows(&place, "01_circuit.removals"));
    let found = edges(&place, "01_circuit");
    assert!(!found.is_empty() && found.iter().all(|edge| edge.contains('@')), "{found:?}");
    let csv = String::from_utf8(place.read("r/tables/01_circuit.csv")).unwrap();
    let at_two = csv.lines().filter(|line| line.contains("->logits@2,,,2,"));
    assert!(at_two.count() > 0, "{csv}");
    place.good(&["run", "q.ron", "--out", "s", "--set", "methods=[EvaluateCircuit(file: \"c.json\")]"]);
    let own = |table: &str| -> Vec<String> {
        let text = String::from_utf8(place.read(&format!("s/tables/{table}.csv"))).unwrap();
        text.lines().skip(1).map(|line| line.split_once(',').unwrap().1.to_string()).collect()
    };
    assert_eq!(own("01_evaluate_circuit.faithfulness"), done);
    assert_eq!(own("01_evaluate_circuit.removals"), removed);
    // the file of a run is told, drawn and held against another
    let told = place.good(&["circuit", "c.json", "--with", "c.json", "--out", "o"]);
    assert!(told.contains("0 only here, 0 only there: Jaccard index 1.000") && told.contains("->logits@2"), "{told}");
    assert!(place.read("o/circuit.json") == place.read("r/circuits/01_circuit.json"));
    let svg = String::from_utf8(place.read("o/circuit.svg")).unwrap();
    assert!(svg.contains("data-edge=") && svg.contains("@2\""), "{svg}");
    let page = String::from_utf8(place.read("r/report.html")).unwrap();
    assert!(page.contains("data-node=") && page.contains("\"to\":\"logits\""));
    // prompts of another length have other positions
    let longer = "data=Pairs([(clean: [1, 2, 3, 9], corrupt: [1, 4, 3, 9], right: 5, wrong: 6)])";
    let told = place.bad(&["check", "q.ron", "--set", "methods=[EvaluateCircuit(file: \"c.json\")]", "--set", longer]);
    assert!(told.contains("c.json: its edges are those of another prompt: a node at each of 3 positions, and here are a node at each of 4 positions"), "{told}");
    // an edge of all positions is no edge of this file
    let text = String::from_utf8(place.read("c.json")).unwrap();
    place.write("d.json", text.replacen("@2\",\"position\":2", "\"", 1).as_bytes());
    let told = place.bad(&["circuit", "d.json"]);
    assert!(told.contains("where nodes are at each position every edge names its own"), "{told}");
}

#[test]
fn a_published_circuit_is_run_with_the_edges_that_it_has() {
    let place = place("EvaluateCircuit(file: \"c.json\")");
    place.write("c.json", PUBLISHED.as_bytes());
    place.good(&["run", "q.ron", "--out", "r"]);
    assert_eq!(edges(&place, "01_evaluate_circuit"), ["input->m0", "m0->logits"]);
    let told = String::from_utf8(place.read("r/report.html")).unwrap();
    assert!(told.contains("5 of 75 edges; those without are outside"));
    // what is not scored is in no circuit, so there is no curve over all edges
    assert!(rows(&place, "01_evaluate_circuit.faithfulness").iter().all(|row| !row.contains("of all edges by")));
    // a positive score of a published circuit supports the answer
    place.good(&["run", "q.ron", "--out", "r", "--set", "methods[0].select=TopN(3)", "--set", "methods[0].by=Sign"]);
    assert_eq!(edges(&place, "01_evaluate_circuit"), ["input->m0", "m0->logits"]);
}

#[test]
fn another_file_of_the_same_name_makes_another_run() {
    let place = place("EvaluateCircuit(file: \"c.json\")");
    place.write("c.json", PUBLISHED.as_bytes());
    place.good(&["run", "q.ron", "--out", "r"]);
    let first = place.read("r/run.ron");
    place.good(&["run", "q.ron", "--out", "again"]);
    assert_eq!(place.read("again/run.ron"), first);
    // what a run is known by when it is gone on with
    place.write("c.json", PUBLISHED.replace("5.0", "6.0").as_bytes());
    place.good(&["run", "q.ron", "--out", "r"]);
    assert_ne!(place.read("r/run.ron"), first);
}

#[test]
fn a_file_that_cannot_be_run_is_refused_with_place_and_remedy() {
    let own = r#"{"format": "patchclamp-circuit-1", "blocks": {"layers": 2, "heads": 3, "parallel": false},
        "edges": [{"name": "input->m0", "score": 1.0, "low": null, "high": null, "in_circuit": true}]}"#;
    let cases = [
        (PUBLISHED.replace("\"n_layers\": 2", "\"n_layers\": 3"), "", "c.json is a circuit of another model"),
        (PUBLISHED.replace("5.0", "NaN"), "", "NaN is no number of JSON"),
        (PUBLISHED.replace("input->m1", "m1->m1"), "", "m1->m1"),
        (PUBLISHED.replace("true", "false"), "", "none of the 5 edges is in the circuit; choose some"),
        (PUBLISHED.into(), ", select: TopN(6)", "methods[0].select: 6 edges; this model has 1 to 5 to choose from"),
        (
            own.replace("false}", "false, \"neurons\": [\"m1.n96\"]}"),
            "",
            "neuron 96 of layer 1 does not exist; gpt2 has neurons 0 to 95",
        ),
        (own.into(), ", select: TopN(1), by: Sign", "methods[0].by: Sign needs to know"),
    ];
    for (file, more, expected) in cases {
        let place = place(&format!("EvaluateCircuit(file: \"c.json\"{more})"));
        place.write("c.json", file.as_bytes());
        let told = place.bad(&["check", "q.ron"]);
        assert!(told.contains(expected), "{expected}: {told}");
    }
    let told = place("EvaluateCircuit(file: \"none.json\")").bad(&["check", "q.ron"]);
    assert!(told.contains("methods[0].file: none.json"), "{told}");
}
