//! Neurons as nodes: told, exchanged and drawn like all others.

use super::super::exchange::{Facts, read, write};
use super::super::*;
use super::{SMALL, edge};

/// One neuron of each layer on the way, beside the rest of its MLP.
fn finer() -> Circuit {
    let scores = [
        ("input->m0", 1.0),
        ("input->m0.n2", 4.0),
        ("m0->m1.n7", -2.0),
        ("m0.n2->m1.n7", 3.0),
        ("m1.n7->logits", 5.0),
        ("m0.n9->logits", 0.5),
    ];
    let blocks = SMALL.with_neurons([(1, 7), (0, 9), (0, 2)]);
    Circuit::new(blocks, scores.map(|(name, score)| (edge(name), score))).unwrap().prune()
}

#[test]
fn a_file_brings_neurons_back() {
    let text = write(&finer(), &Facts::new());
    assert!(text.contains("\"neurons\":[\"m0.n2\",\"m0.n9\",\"m1.n7\"]"), "{text}");
    let found = read("a.json", &text).unwrap().circuit;
    assert!(found.blocks() == finer().blocks() && found.links().eq(finer().links()));
    // of whole MLPs nothing is said of neurons
    assert!(!write(&super::small(&[]), &Facts::new()).contains("neurons"));
}

#[test]
fn neurons_that_a_file_does_not_name_are_refused() {
    let text = write(&finer(), &Facts::new());
    let told = |from: &str, to: &str| read("c.json", &text.replace(from, to)).unwrap_err().to_string();
    insta::assert_snapshot!(told("\"m0.n9\",\"m1.n7\"]", "\"m5.n9\",\"a1.h0\"]"), @r#"
    c.json is no circuit:
    blocks.neurons[1]: m5.n9 does not exist: the model has 2 layers of 2 heads, counted from 0
    blocks.neurons[2]: "a1.h0" is no neuron; write m3.n17 for neuron 17 of layer 3
    nodes[5]: m0.n9 does not exist: the model has 2 layers of 2 heads, with m0.n2 as nodes of their own, counted from 0
    nodes[9]: m1.n7 does not exist: the model has 2 layers of 2 heads, with m0.n2 as nodes of their own, counted from 0
    edges[2]: m0->m1.n7: a single neuron is a node only where it is named as one; name it in the `neurons` of the blocks
    edges[3]: m0.n2->m1.n7: a single neuron is a node only where it is named as one; name it in the `neurons` of the blocks
    edges[4]: m0.n9->logits: a single neuron is a node only where it is named as one; name it in the `neurons` of the blocks
    edges[5]: m1.n7->logits: a single neuron is a node only where it is named as one; name it in the `neurons` of the blocks
    "#);
    let mismatched = read("c.json", &text).unwrap().of("c.json", &SMALL).unwrap_err();
    insta::assert_snapshot!(mismatched, @"c.json is a circuit of another model: it has 2 layers of 2 heads, with m0.n2, m0.n9, m1.n7 as nodes of their own, and here are 2 layers of 2 heads");
}

#[test]
fn other_programs_get_neurons() {
    let (graphml, dot) = (finer().graphml(&Facts::new()), finer().dot(&Facts::new()));
    insta::assert_snapshot!(graphml.split("<node id=\"m1.n7\">").nth(1).unwrap().split("</node>").next().unwrap(), @r#"
    <data key="label">m1.n7</data>
    <data key="kind">neuron</data>
    <data key="layer">1</data>
    <data key="neuron">7</data>
    "#);
    assert!(dot.contains("\"m0.n2\" -> \"m1.n7\""), "{dot}");
}

#[test]
fn neurons_stand_beside_their_mlp() {
    let diagram = finer().diagram(&Caption::default());
    let spots: Vec<_> = diagram.spots.iter().map(|spot| (spot.name.as_str(), spot.row, spot.column)).collect();
    let expected =
        [("input", 0, None), ("m0", 1, Some(0)), ("m0.n2", 1, Some(1)), ("m1.n7", 2, Some(1)), ("logits", 3, None)];
    assert_eq!(spots, expected);
    assert_eq!(diagram.columns, ["MLP", "neuron"]);
    assert_eq!(
        diagram.wires.iter().map(|wire| wire.name.as_str()).collect::<Vec<_>>(),
        ["input->m0", "input->m0.n2", "m0->m1.n7", "m0.n2->m1.n7", "m1.n7->logits"]
    );
}

#[test]
fn of_many_neurons_some_stand_above_others() {
    let (many, logits) = ((0..30).map(|neuron| (0, neuron)), |neuron| edge(&format!("m0.n{neuron}->logits")));
    let scores = (0..30).flat_map(|neuron| [(edge(&format!("input->m0.n{neuron}")), 1.0), (logits(neuron), 1.0)]);
    let diagram = Circuit::new(SMALL.with_neurons(many), scores).unwrap().diagram(&Caption::default());
    let at = |name: &str| diagram.spots.iter().find(|spot| spot.name == name).map(|spot| (spot.row, spot.column));
    assert_eq!(
        ["m0.n0", "m0.n11", "m0.n12", "m0.n29"].map(at),
        [(1, 0), (1, 11), (2, 0), (3, 5)].map(|(r, c)| Some((r, Some(c))))
    );
    assert_eq!((diagram.columns.len(), at("logits")), (12, Some((4, None))));
    assert_eq!(diagram.bands[0].rows, 1..4);
}

#[test]
fn what_is_left_out_names_neurons() {
    insta::assert_snapshot!(finer().left_out(), @"72 of 77 edges and 6 of 11 nodes are left out: all heads of layers 0–1; MLP 1; neuron m0.n9");
    let paths = finer().paths(crate::node::Node::Input, Strength::Weakest, 1);
    assert_eq!(paths[0].0.to_string(), "input->m0.n2->m1.n7->logits");
}
