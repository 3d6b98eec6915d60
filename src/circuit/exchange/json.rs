//! This program's JSON of circuits; reading also takes the published form.
//!
//! ```json
//! {
//!   "format": "patchclamp-circuit-1",
//!   "facts": { "model": "gpt2", "metric": "logit_diff" },
//!   "blocks": { "layers": 12, "heads": 12, "parallel": false },
//!   "nodes": [ { "name": "a9.h9", "in_circuit": true } ],
//!   "edges": [ { "name": "m0->a5.h5<k>", "score": 0.03, "low": 0.01, "high": 0.05, "in_circuit": true } ]
//! }
//! ```
//! A neuron that is a node of its own is named in `blocks`, `"neurons": ["m3.n17"]`, and `m3` is then the rest of that MLP.
//! Where nodes are at positions, `blocks` says which, `"positions": {"count": 7, "answer": 6, "heard": "onward"}`: the logits
//! are read at `answer`; keys and values are heard `onward` or, where a model sees both ways, `everywhere`. Every edge has its
//! own in its name and beside it: `{ "name": "m0->a5.h5<k>@3", "position": 3, … }`; nodes are then named `m0@3`.
//! All scored edges are there, not only those of the circuit; `low` and `high` are null where there is no interval.
//! `nodes` are all of the model's and follow from the edges: reading checks their names.

use super::super::{Blocks, Circuit, Link, Places, Vertex};
use super::{ExchangeError, Facts, MOST_NODES, Read, published};
use crate::node::{Edge, Flow, Node};
use patchclamp_probes::Interval;
use serde::{Deserialize, Serialize};

/// What the form is called, with its version.
const FORMAT: &str = "patchclamp-circuit-1";

/// A circuit with what its file says of it.
#[derive(Clone, Debug)]
pub struct File {
    /// The circuit.
    pub circuit: Circuit,
    /// Its facts.
    pub facts: Facts,
}

/// Which of the forms a file has.
#[derive(Deserialize)]
struct Form {
    format: Option<String>,
    cfg: Option<serde::de::IgnoredAny>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Whole {
    format: String,
    #[serde(default)]
    facts: Facts,
    blocks: Sizes,
    #[serde(default)]
    nodes: Vec<NodeEntry>,
    edges: Vec<EdgeEntry>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Sizes {
    layers: usize,
    heads: usize,
    parallel: bool,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    neurons: Vec<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    positions: Option<Places>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct NodeEntry {
    name: String,
    in_circuit: bool,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct EdgeEntry {
    name: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    position: Option<usize>,
    score: f64,
    low: Option<f64>,
    high: Option<f64>,
    in_circuit: bool,
}

/// The circuit of a text in this program's form or in the published one of EAP-IG and MIB; `file` is what errors call it.
///
/// # Errors
/// Where it is no JSON, the line and column; where it makes no circuit, everything that is wrong with it.
pub fn read(file: &str, text: &str) -> Result<File, ExchangeError> {
    let malformed = |error: serde_json::Error| ExchangeError::malformed(file, text, &error);
    let wrong = |problem: String| ExchangeError::Wrong { file: file.to_string(), problems: vec![problem] };
    let form: Form = serde_json::from_str(text).map_err(malformed)?;
    let read = match (form.format.as_deref(), form.cfg) {
        (Some(FORMAT), _) => serde_json::from_str::<Whole>(text).map_err(malformed)?.into(),
        (Some(other), _) => return Err(wrong(format!("format: {other:?} is not known; this version reads {FORMAT}"))),
        (None, Some(_)) => published::read(text).map_err(malformed)?,
        (None, None) => {
            let what = format!("neither \"format\": {FORMAT:?} nor the \"cfg\" of a published circuit is there");
            return Err(wrong(what));
        }
    };
    let facts = read.facts.clone();
    let circuit = read.circuit().map_err(|problems| ExchangeError::Wrong { file: file.to_string(), problems })?;
    Ok(File { circuit, facts })
}

/// A circuit with its facts as text in this program's form.
pub fn write(circuit: &Circuit, facts: &Facts) -> String {
    let blocks = circuit.blocks();
    let held = circuit.vertices();
    let node = |vertex: &Vertex| NodeEntry { name: vertex.to_string(), in_circuit: held.contains(vertex) };
    let edge = |link: &Link| EdgeEntry {
        name: link.edge.to_string(),
        position: link.edge.position,
        score: link.score,
        low: link.interval.map(|interval| interval.low),
        high: link.interval.map(|interval| interval.high),
        in_circuit: link.in_circuit,
    };
    let whole = Whole {
        format: FORMAT.to_string(),
        facts: facts.clone(),
        blocks: Sizes::of(blocks),
        nodes: blocks.vertices().iter().map(node).collect(),
        edges: circuit.links().map(edge).collect(),
    };
    let text = serde_json::to_string(&whole).expect("names and finite numbers are JSON");
    // an entry a line: a circuit can be read, and two of them compared line by line
    text.replace("{\"name\":", "\n{\"name\":") + "\n"
}

impl File {
    /// The same if it is of the model with these blocks.
    ///
    /// # Errors
    /// Where it is not; `file` is what the error calls it.
    pub fn of(self, file: &str, expected: &Blocks) -> Result<Self, ExchangeError> {
        let found = self.circuit.blocks().clone();
        match found == *expected {
            true => Ok(self),
            false => Err(ExchangeError::OtherModel { file: file.to_string(), found, expected: expected.clone() }),
        }
    }
}

impl From<Whole> for Read {
    fn from(whole: Whole) -> Self {
        let Sizes { layers, heads, parallel, neurons, positions } = whole.blocks;
        let flow = if parallel { Flow::Parallel } else { Flow::Sequential };
        let blocks = Blocks::new(layers, heads, flow).at_positions(positions);
        let nodes = whole.nodes.into_iter().map(|node| node.name).collect();
        Self {
            blocks,
            facts: whole.facts,
            neurons,
            nodes,
            edges: whole.edges.into_iter().map(EdgeEntry::read).collect(),
        }
    }
}

impl Sizes {
    fn of(blocks: &Blocks) -> Self {
        let neuron = |(layer, neuron): &(usize, usize)| Node::Neuron(*layer, *neuron).to_string();
        Sizes {
            layers: blocks.layers,
            heads: blocks.heads,
            parallel: blocks.flow == Flow::Parallel,
            neurons: blocks.neurons().iter().map(neuron).collect(),
            positions: blocks.positions(),
        }
    }
}

/// Blocks with neurons of these names, and what is wrong with the names.
fn with_neurons(blocks: Blocks, names: &[String]) -> (Blocks, Vec<String>) {
    let neuron = |(place, name): (usize, &String)| match name.parse() {
        Ok(Node::Neuron(layer, neuron)) if layer < blocks.layers => Ok((layer, neuron)),
        Ok(Node::Neuron(..)) => {
            Err(format!("blocks.neurons[{place}]: {name} does not exist: the model has {blocks}, counted from 0"))
        }
        _ => Err(format!("blocks.neurons[{place}]: {name:?} is no neuron; write m3.n17 for neuron 17 of layer 3")),
    };
    let (found, problems): (Vec<_>, Vec<_>) = names.iter().enumerate().map(neuron).partition(Result::is_ok);
    let blocks = blocks.with_neurons(found.into_iter().flatten());
    (blocks, problems.into_iter().filter_map(Result::err).collect())
}

impl EdgeEntry {
    fn read(self) -> (String, Result<Link, String>) {
        let interval = match (self.low, self.high) {
            (None, None) => Ok(None),
            (Some(low), Some(high)) => Ok(Some(Interval { low, high })),
            _ => Err("low and high must both be numbers or both be null".to_string()),
        };
        let named = self.name.rsplit_once('@').and_then(|(_, position)| position.parse().ok());
        let differs = self.position.is_some_and(|position| named != Some(position));
        let checked = match differs {
            true => Err(format!("its position is {}, and its name says another", self.position.unwrap_or_default())),
            false => interval,
        };
        let link = |interval| Link { score: self.score, interval, in_circuit: self.in_circuit, edge: NOWHERE };
        (self.name, checked.map(link))
    }
}

/// Stands in a link until its name is read.
pub(super) const NOWHERE: Edge = Edge::new(crate::node::Node::Input, crate::node::Port::Logits);

impl Read {
    /// The circuit, or everything that is wrong.
    fn circuit(self) -> Result<Circuit, Vec<String>> {
        let nodes = self.blocks.layers.saturating_mul(self.blocks.heads.saturating_add(1));
        let nodes = nodes.saturating_mul(self.blocks.positions().map_or(1, |places| places.count));
        if self.blocks.layers == 0
            || self.blocks.positions().is_some_and(|places| places.answer >= places.count)
            || nodes > MOST_NODES
        {
            return Err(vec![format!("a model of {} is none that can be", self.blocks)]);
        }
        let (blocks, neurons) = with_neurons(self.blocks, &self.neurons);
        let mut problems: Vec<String> = neurons;
        let of_nodes = self.nodes.iter().enumerate().filter_map(|(place, name)| blocks.problem(place, name));
        problems.extend(of_nodes);
        let (mut places, mut links) = (Vec::new(), Vec::new());
        for (place, (name, link)) in self.edges.into_iter().enumerate() {
            match link.and_then(|link| Ok(Link { edge: name.parse::<Edge>().map_err(|e| e.to_string())?, ..link })) {
                Ok(link) => (places.push(place), links.push(link)).1,
                Err(problem) => problems.push(format!("edges[{place}] ({name}): {problem}")),
            }
        }
        let circuit = Circuit::new(blocks, links);
        let faults = circuit.as_ref().err().map(|faults| faults.0.as_slice()).unwrap_or_default();
        problems.extend(faults.iter().map(|(place, fault)| format!("edges[{}]: {fault}", places[*place])));
        circuit
            .map_err(|_| ())
            .and_then(|circuit| if problems.is_empty() { Ok(circuit) } else { Err(()) })
            .map_err(|()| problems)
    }
}

impl Blocks {
    /// What is wrong with the name of a node.
    fn problem(&self, place: usize, name: &str) -> Option<String> {
        match name.parse::<Vertex>() {
            Ok(vertex) if self.has_vertex(vertex) => None,
            Ok(_) => Some(format!("nodes[{place}]: {name} does not exist: the model has {self}, counted from 0")),
            Err(error) => Some(format!("nodes[{place}]: {error}")),
        }
    }
}
