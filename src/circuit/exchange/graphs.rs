//! A circuit for the programs that draw and measure graphs: GraphML (Gephi, networkx), DOT (graphviz).
//!
//! Both hold the circuit alone: what was scored and is not in it is in the JSON.

use super::super::{Circuit, Link, Vertex};
use super::Facts;
use crate::figure::escape;
use crate::node::Node;
use std::fmt::Write;

/// Attributes of GraphML: identifier, what has it, name, type.
const KEYS: [(&str, &str, &str, &str); 12] = [
    ("label", "node", "label", "string"),
    ("kind", "node", "kind", "string"),
    ("layer", "node", "layer", "int"),
    ("head", "node", "head", "int"),
    ("neuron", "node", "neuron", "int"),
    ("at", "node", "position", "int"),
    ("name", "edge", "name", "string"),
    ("port", "edge", "port", "string"),
    ("position", "edge", "position", "int"),
    ("score", "edge", "score", "double"),
    ("low", "edge", "low", "double"),
    ("high", "edge", "high", "double"),
];

impl Circuit {
    /// GraphML of the nodes and edges in the circuit; `weight` of an edge is |score|, which Gephi lays out by.
    pub fn graphml(&self, facts: &Facts) -> String {
        let mut xml = String::from(
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<graphml xmlns=\"http://graphml.graphdrawing.org/xmlns\">\n",
        );
        for (id, of, name, kind) in KEYS.into_iter().chain([("weight", "edge", "weight", "double")]) {
            xml += &format!("  <key id=\"{id}\" for=\"{of}\" attr.name=\"{name}\" attr.type=\"{kind}\"/>\n");
        }
        for (place, name) in facts.keys().enumerate() {
            let name = escape(name);
            xml += &format!("  <key id=\"fact{place}\" for=\"graph\" attr.name=\"{name}\" attr.type=\"string\"/>\n");
        }
        xml += "  <graph id=\"circuit\" edgedefault=\"directed\">\n";
        xml.extend(facts.values().enumerate().map(|(place, value)| data(2, &format!("fact{place}"), value)));
        xml.extend(self.vertices().into_iter().map(vertex_xml));
        xml.extend(self.edges().enumerate().map(|(place, link)| edge_xml(place, link)));
        xml + "  </graph>\n</graphml>\n"
    }

    /// DOT of the nodes and edges in the circuit, a layer a rank, bottom to top; blue lowers the metric, orange raises it.
    pub fn dot(&self, facts: &Facts) -> String {
        let mut dot = String::new();
        facts.iter().for_each(|(name, value)| dot += &format!("// {}\n", one_line(&format!("{name}: {value}"))));
        dot += "digraph circuit {\n  rankdir=BT;\n  node [shape=box, fontname=\"sans-serif\"];\n";
        for vertex in self.vertices() {
            let _ = writeln!(dot, "  {};", quoted(&vertex.to_string()));
        }
        let strongest = self.edges().map(|link| link.score.abs()).fold(f64::MIN_POSITIVE, f64::max);
        for link in self.edges() {
            let width = 0.3 + 3.7 * link.score.abs() / strongest;
            let colour = if link.score < 0.0 { "#0072b2" } else { "#d55e00" };
            let [from, to] = [Vertex::of_source(link.edge), Vertex::of_end(link.edge)].map(|v| quoted(&v.to_string()));
            let at = link.edge.position.map(|position| format!(", position={position}")).unwrap_or_default();
            let _ = writeln!(
                dot,
                "  {from} -> {to} [label={}, score={}, penwidth={width:.2}, color=\"{colour}\"{at}];",
                quoted(port(link)),
                quoted(&format!("{:?}", link.score)),
            );
        }
        dot + "}\n"
    }
}

/// What a head reads by: q, k or v; nothing for the rest.
fn port(link: &Link) -> &'static str {
    use crate::node::Port;
    match link.edge.to {
        Port::Query(..) => "q",
        Port::Key(..) => "k",
        Port::Value(..) => "v",
        Port::Mlp(_) | Port::Neuron(..) | Port::Logits => "",
    }
}

fn vertex_xml(vertex: Vertex) -> String {
    let kind = match vertex.node() {
        Some(Node::Input) => "input",
        Some(Node::Head(..)) => "head",
        Some(Node::Mlp(_)) => "mlp",
        Some(Node::Neuron(..)) => "neuron",
        None => "logits",
    };
    let number = |id, number: Option<usize>| number.map(|number| data(3, id, &number.to_string())).unwrap_or_default();
    let node = vertex.node();
    let parts = [
        data(3, "label", &vertex.to_string()),
        data(3, "kind", kind),
        number("layer", node.and_then(Node::layer)),
        number("head", node.and_then(Node::head)),
        number("neuron", node.and_then(Node::neuron)),
        number("at", vertex.position()),
    ];
    format!("    <node id=\"{vertex}\">\n{}    </node>\n", parts.concat())
}

fn edge_xml(place: usize, link: &Link) -> String {
    let number = |id, number: f64| data(3, id, &format!("{number:?}"));
    let interval = link.interval.map(|interval| number("low", interval.low) + &number("high", interval.high));
    let parts = [
        data(3, "name", &link.edge.to_string()),
        data(3, "port", port(link)),
        link.edge.position.map(|position| data(3, "position", &position.to_string())).unwrap_or_default(),
        number("score", link.score),
        interval.unwrap_or_default(),
        number("weight", link.score.abs()),
    ];
    let (from, to) = (Vertex::of_source(link.edge), Vertex::of_end(link.edge));
    format!("    <edge id=\"e{place}\" source=\"{from}\" target=\"{to}\">\n{}    </edge>\n", parts.concat())
}

fn data(depth: usize, key: &str, value: &str) -> String {
    format!("{}<data key=\"{key}\">{}</data>\n", "  ".repeat(depth), escape(value))
}

fn quoted(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
}

fn one_line(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}
