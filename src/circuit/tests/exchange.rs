//! What files of circuits must hold: nothing is lost, and every mistake is named with its place.

use super::super::exchange::{Facts, read, write};
use super::super::*;
use super::{GPT2, SMALL, edge, published, small};
use patchclamp_probes::Interval;

fn facts() -> Facts {
    [("model", "gpt2 \"small\" & <more>"), ("metric", "logit_diff")].map(|(a, b)| (a.into(), b.into())).into()
}

fn same(left: &Circuit, right: &Circuit) -> bool {
    left.blocks() == right.blocks() && left.links().eq(right.links())
}

fn sample() -> Circuit {
    let interval = Some(Interval { low: -0.25, high: 0.1 + 0.2 });
    let links = [
        Link { in_circuit: false, ..(edge("input->a1.h0<k>"), 1.0 / 3.0).into() },
        (edge("m0->logits"), -0.125, interval).into(),
        (edge("input->m0"), 2e-30).into(),
    ];
    Circuit::new(SMALL, links).unwrap()
}

#[test]
fn a_circuit_comes_back_from_its_file_to_the_bit() {
    for circuit in [sample(), published()] {
        let file = read("a.json", &write(&circuit, &facts())).unwrap();
        assert!(same(&file.circuit, &circuit));
        assert_eq!(file.facts, facts());
    }
}

/// The published form, as its authors lay it out.
fn as_published(circuit: &Circuit) -> String {
    let Blocks { layers, heads, .. } = circuit.blocks();
    let node = |vertex: &Vertex| format!("\"{vertex}\": {{\"in_graph\": false}}");
    let edge =
        |link: &Link| format!("\"{}\": {{\"score\": {:?}, \"in_graph\": {}}}", link.edge, link.score, link.in_circuit);
    let nodes: Vec<_> = circuit.blocks().vertices().iter().map(node).collect();
    let edges: Vec<_> = circuit.links().rev().map(edge).collect();
    format!(
        "{{\"cfg\": {{\"n_layers\": {layers}, \"n_heads\": {heads}, \"parallel_attn_mlp\": false, \"d_model\": 768}}, \
         \"nodes\": {{{}}}, \"edges\": {{{}}}}}",
        nodes.join(", "),
        edges.join(", ")
    )
}

#[test]
fn the_published_form_is_read() {
    let circuit = published();
    let file = read("ioi.json", &as_published(&circuit)).unwrap();
    assert!(same(&file.circuit, &circuit));
    assert!(file.clone().of("ioi.json", &GPT2).is_ok());
    insta::assert_snapshot!(file.of("ioi.json", &SMALL).unwrap_err(), @"ioi.json is a circuit of another model: it has 12 layers of 12 heads, and here are 2 layers of 2 heads");
}

fn refusal(text: &str) -> String {
    read("c.json", text).unwrap_err().to_string()
}

#[test]
fn every_mistake_of_a_file_is_named_with_its_place() {
    let own = |edges: &str| {
        refusal(&format!(
            "{{\"format\": \"patchclamp-circuit-1\", \"blocks\": {{\"layers\": 2, \"heads\": 2, \"parallel\": false}},\n\"nodes\": [{{\"name\": \"a9.h0\", \"in_circuit\": true}}], \"edges\": [{edges}]}}"
        ))
    };
    let entry = |name: &str, more: &str| format!("{{\"name\": \"{name}\", \"in_circuit\": true, {more}}}");
    let whole = "\"score\": 1.5, \"low\": null, \"high\": null";
    let edges = [
        entry("m0->a5.h5", whole),
        entry("input->m0", whole),
        entry("m1->m0", whole),
        entry("a7.h0->logits", whole),
        entry("input->m0", "\"score\": 1, \"low\": 0.5, \"high\": null"),
        entry("input->m0", whole),
    ];
    insta::assert_snapshot!(own(&edges.join(",\n")), @r#"
    c.json is no circuit:
    nodes[0]: a9.h0 does not exist: the model has 2 layers of 2 heads, counted from 0
    edges[0] (m0->a5.h5): "a5.h5" is nothing that reads the stream; write a5.h3<q>, a5.h3<k> or a5.h3<v> for what a head reads, m7 for an MLP, or logits
    edges[4] (input->m0): low and high must both be numbers or both be null
    edges[2]: m1->m0 runs backwards: a port reads only what is written before it, and with this edge the graph would have a cycle
    edges[3]: a7.h0->logits does not exist: the model has 2 layers of 2 heads, counted from 0
    edges[5]: input->m0 stands here a second time; an edge has one score
    "#);
    insta::assert_snapshot!(own(&entry("input->m0", "\"score\": NaN")), @"c.json:2:112: NaN is no number of JSON, and no score: leave out edges that have none");
    insta::assert_snapshot!(own(&entry("input->m0", "\"score\": 1, \"colour\": 2")), @"c.json:2:122: unknown field `colour`, expected one of `name`, `position`, `score`, `low`, `high`, `in_circuit`");
    let published =
        |edges: &str| refusal(&format!("{{\"cfg\": {{\"n_layers\": 2, \"n_heads\": 2}},\n\"edges\": {{{edges}}}}}"));
    let flagged = |name: &str, score: &str| format!("\"{name}\": {{\"score\": {score}, \"in_graph\": true}}");
    insta::assert_snapshot!(published(&[flagged("input->m0", "1"), flagged("input->m0", "2")].join(", ")), @r"
    c.json is no circuit:
    edges[1]: input->m0 stands here a second time; an edge has one score
    ");
    insta::assert_snapshot!(published(&flagged("input->m0", "-Infinity")), @"c.json:2:35: -Infinity is no number of JSON, and no score: leave out edges that have none");
    insta::assert_snapshot!(published(&flagged("input->m0", "1e999")), @"c.json:2:38: number out of range");
    insta::assert_snapshot!(published(&flagged("input", "1")), @r#"
    c.json is no circuit:
    edges[0] (input): "input" has no arrow; write for instance a0.h1->logits, or a0.h1->a2.h1<v>->logits
    "#);
    insta::assert_snapshot!(refusal("{}"), @r#"
    c.json is no circuit:
    neither "format": "patchclamp-circuit-1" nor the "cfg" of a published circuit is there
    "#);
    insta::assert_snapshot!(refusal("{\"format\": \"patchclamp-circuit-9\"}"), @r#"
    c.json is no circuit:
    format: "patchclamp-circuit-9" is not known; this version reads patchclamp-circuit-1
    "#);
    insta::assert_snapshot!(refusal(""), @"c.json:1:1: EOF while parsing a value");
    insta::assert_snapshot!(refusal("{\"cfg\": {\"n_layers\": 99999999999, \"n_heads\": 99999999999}, \"edges\": {}}"), @r"
    c.json is no circuit:
    a model of 99999999999 layers of 99999999999 heads is none that can be
    ");
}

#[test]
fn other_programs_get_the_circuit_and_its_facts() {
    let circuit = sample();
    insta::assert_snapshot!(circuit.graphml(&facts()), @r#"
    <?xml version="1.0" encoding="UTF-8"?>
    <graphml xmlns="http://graphml.graphdrawing.org/xmlns">
      <key id="label" for="node" attr.name="label" attr.type="string"/>
      <key id="kind" for="node" attr.name="kind" attr.type="string"/>
      <key id="layer" for="node" attr.name="layer" attr.type="int"/>
      <key id="head" for="node" attr.name="head" attr.type="int"/>
      <key id="neuron" for="node" attr.name="neuron" attr.type="int"/>
      <key id="at" for="node" attr.name="position" attr.type="int"/>
      <key id="name" for="edge" attr.name="name" attr.type="string"/>
      <key id="port" for="edge" attr.name="port" attr.type="string"/>
      <key id="position" for="edge" attr.name="position" attr.type="int"/>
      <key id="score" for="edge" attr.name="score" attr.type="double"/>
      <key id="low" for="edge" attr.name="low" attr.type="double"/>
      <key id="high" for="edge" attr.name="high" attr.type="double"/>
      <key id="weight" for="edge" attr.name="weight" attr.type="double"/>
      <key id="fact0" for="graph" attr.name="metric" attr.type="string"/>
      <key id="fact1" for="graph" attr.name="model" attr.type="string"/>
      <graph id="circuit" edgedefault="directed">
        <data key="fact0">logit_diff</data>
        <data key="fact1">gpt2 &quot;small&quot; &amp; &lt;more&gt;</data>
        <node id="input">
          <data key="label">input</data>
          <data key="kind">input</data>
        </node>
        <node id="m0">
          <data key="label">m0</data>
          <data key="kind">mlp</data>
          <data key="layer">0</data>
        </node>
        <node id="logits">
          <data key="label">logits</data>
          <data key="kind">logits</data>
        </node>
        <edge id="e0" source="input" target="m0">
          <data key="name">input-&gt;m0</data>
          <data key="port"></data>
          <data key="score">2e-30</data>
          <data key="weight">2e-30</data>
        </edge>
        <edge id="e1" source="m0" target="logits">
          <data key="name">m0-&gt;logits</data>
          <data key="port"></data>
          <data key="score">-0.125</data>
          <data key="low">-0.25</data>
          <data key="high">0.30000000000000004</data>
          <data key="weight">0.125</data>
        </edge>
      </graph>
    </graphml>
    "#);
    insta::assert_snapshot!(circuit.dot(&facts()), @r##"
    // metric: logit_diff
    // model: gpt2 "small" & <more>
    digraph circuit {
      rankdir=BT;
      node [shape=box, fontname="sans-serif"];
      "input";
      "m0";
      "logits";
      "input" -> "m0" [label="", score="2e-30", penwidth=0.30, color="#d55e00"];
      "m0" -> "logits" [label="", score="-0.125", penwidth=4.00, color="#0072b2"];
    }
    "##);
}

#[test]
fn graphs_hold_every_edge_of_the_circuit_once() {
    let circuit = published();
    let (graphml, dot) = (circuit.graphml(&Facts::new()), circuit.dot(&Facts::new()));
    assert_eq!((graphml.matches("<edge ").count(), dot.matches(" -> ").count()), (756, 756));
    assert_eq!(graphml.matches("<node ").count(), circuit.vertices().len());
    assert!(circuit.edges().all(|link| graphml.contains(&escape_name(link))));
    assert!(small(&[]).dot(&Facts::new()).ends_with("}\n"));
}

fn escape_name(link: &Link) -> String {
    format!(">{}<", link.edge.to_string().replace('<', "&lt;").replace('>', "&gt;"))
}
