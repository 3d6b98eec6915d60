//! Feature flow: what the edges of a circuit carry, and which nodes write, read and pass on a feature.
//!
//! *What it measures.* A feature is given by pairs of prompts of which the clean one has it. In every stream its
//! directions are the leading singular vectors of the differences clean − corrupted, over pairs and positions. The score of
//! an edge, as EAP-IG has it, is a sum over positions and directions of the stream; *carries* is the part of it along the
//! feature's, S_f = Σ (P (z_u corrupted − z_u clean)) · ∂m/∂x_v, and its share S_f / S. p is how often as many directions drawn
//! from the states' own scatter carry as much. *writes*: the share of a node's squared change that lies in the span; *reads*:
//! that of the squared gradient at a port; *passes on*: of what a node writes of the feature, the part that it writes because of
//! what it reads of it, found by giving every node the clean stream with the feature alone exchanged.
//!
//! *What it cannot show.* That the feature is what its prompts were meant to be about: whatever else differs between them is
//! in its directions too. A part of a first-order score, where IG is blind this is. Several features whose spans overlap
//! carry the overlap each, so that shares may add up to more than 1; the facts tell the overlap.
//!
//! *Reference.* The score is that of Hanna et al. 2024; directions of differences after Zou et al. 2023, "Representation
//! engineering"; splitting an edge's score along directions and the test by chance are PatchClamp's own.
//!
//! *Example.* `features: [(name: "gender", data: Templates(…))]` beside `methods: [Circuit(…)]`

mod passing;
mod spans;

pub use spans::{Span, Spans};

use super::score::{Carried, Order, Scorer, batches, fractions};
use super::stand_in::StandIns;
use super::sweep::made;
use super::{Bench, Summary, blank, table};
use crate::circuit::Circuit;
use crate::node::{Edge, Node, Port};
use crate::plan::Feature;
use crate::spec::Stand;
use crate::steps::{RunError, Steps};
use crate::table::{Row, Table};
use passing::{Passing, passing};
use serde::{Deserialize, Serialize};
use spans::{DRAWS, spans};
use std::collections::BTreeMap;

/// Steps of integration, those of Hanna et al. 2024.
const STEPS: usize = 5;
/// More than this by chance, and an edge is not said to carry a feature.
const CHANCE: f64 = 0.05;
/// Sums of f32 that differ by no more than this part are the same.
const ROUNDING: f64 = 1e-5;
/// The metric of the rows that tell shares.
const SHARE: &str = "share";

/// Of a batch of items.
#[derive(Serialize, Deserialize)]
struct Part {
    carried: Carried,
    passing: Vec<Passing>,
}

/// The edges of a circuit with what is found of them, `[edge]`, `[port]` and `[node]` in these orders.
struct Asked<'a> {
    bench: &'a Bench<'a>,
    edges: Vec<Edge>,
    ports: Vec<Port>,
    nodes: Vec<Node>,
}

/// What the edges of a circuit carry.
pub struct Carries {
    /// Scores by feature, and what nodes write, read and pass on.
    pub table: Table,
    /// By name of the edge, the features that it carries, in the order of the experiment.
    pub labels: BTreeMap<String, String>,
}

/// Joint steps that [`carry`] takes.
pub fn joint(bench: &Bench) -> usize {
    if bench.features.is_empty() { 0 } else { batches(bench).len() + 1 }
}

/// What the edges of a circuit carry; nothing where the experiment names no feature.
pub fn carry(bench: &Bench, name: &str, circuit: &Circuit, steps: &mut Steps) -> Result<Option<Carries>, RunError> {
    if bench.features.is_empty() {
        return Ok(None);
    }
    let edges: Vec<Edge> = circuit.edges().map(|link| link.edge).collect();
    let blocks = circuit.blocks();
    let read = |port: &Port| edges.iter().any(|edge| edge.to == *port);
    let ports = blocks.ports().into_iter().filter(read).collect();
    // what a node writes of a feature is told over all positions
    let mut nodes: Vec<Node> = circuit.vertices().into_iter().filter_map(|vertex| vertex.node()).collect();
    nodes.dedup();
    let asked = Asked { bench, ports, nodes, edges };
    let (found, facts) = asked.found(&Order::new(blocks), steps)?;
    let mut main = table(&format!("{name}.features"), "What the circuit carries", bench);
    main.facts.extend(facts);
    main.rows = asked.rows(&main.name, &found);
    let labels = asked.labels(&main.rows);
    Ok(Some(Carries { table: main, labels }))
}

impl Asked<'_> {
    /// Of all items, and what is to be known of the features.
    fn found(&self, order: &Order, steps: &mut Steps) -> Result<(Part, Vec<(String, String)>), RunError> {
        let bench = self.bench;
        let taped = bench.model.on_tape();
        let stand_ins = StandIns::new(bench, Stand::Corrupted)?;
        let scorer = Scorer { bench, taped: taped.as_ref(), order, stand_ins };
        let mut ready: Option<Vec<Spans>> = None;
        let mut make = || bench.features.iter().map(|feature| spans(bench, feature)).collect();
        let facts = steps.joint(0, || Ok(facts(bench.features, made(&mut ready, &mut make)?)))?;
        let mut all = Part { carried: Carried::default(), passing: Vec::new() };
        for items in batches(bench) {
            let part = steps.joint(items.len(), || {
                let spans = made(&mut ready, &mut make)?;
                let carried = scorer.carried((&items, &fractions(STEPS)), &self.edges, &self.ports, spans)?;
                Ok(Part { carried, passing: passing(bench, &items, &self.nodes, spans)? })
            })?;
            all.add(part, &items, bench.items.len());
        }
        Ok((all, facts))
    }

    fn rows(&self, method: &str, found: &Part) -> Vec<Row> {
        let summary = Summary::new(self.bench);
        let row = |name: String, metric: String| Row { site: Some(name), metric, ..blank(method, self.bench.metric) };
        let share = |name: String, metric: String, parts: &Vec<f64>, wholes: &Vec<f64>| {
            summary.share(row(name, metric), parts, wholes)
        };
        let at = |edge: &Edge, row: Row| Row { position: edge.position, ..row };
        let mut rows = Vec::new();
        for ((feature, carried), passing) in self.bench.features.iter().zip(&found.carried.features).zip(&found.passing)
        {
            let named = |what: &str| format!("{}: {what}", feature.name);
            for (place, edge) in self.edges.iter().enumerate() {
                let (parts, wholes) = (&carried.scores[place], &found.carried.scores[place]);
                rows.push(summary.untested(at(edge, row(edge.to_string(), named("carries"))), parts, None));
                let p = Some(chance(parts.iter().sum(), &carried.chance[place]));
                rows.push(Row { p, ..at(edge, share(edge.to_string(), named(SHARE), parts, wholes)) });
            }
            for (place, port) in self.ports.iter().enumerate() {
                rows.push(share(port.to_string(), named("reads"), &carried.reads[0][place], &carried.reads[1][place]));
            }
            for (place, node) in self.nodes.iter().enumerate() {
                let [parts, wholes] = &passing.writes;
                rows.push(share(node.to_string(), named("writes"), &parts[place], &wholes[place]));
                // nothing enters the input
                if *node != Node::Input {
                    let [parts, wholes] = &passing.passes;
                    rows.push(share(node.to_string(), named("passes on"), &parts[place], &wholes[place]));
                }
            }
        }
        // 0 of 0 says nothing
        rows.retain(|row| row.effect.is_finite());
        rows
    }

    /// The features that every edge carries: their share is more than chance, and its interval above zero. In the order of
    /// the experiment, so that edges which carry the same have the same label.
    fn labels(&self, rows: &[Row]) -> BTreeMap<String, String> {
        let mut labels: BTreeMap<String, Vec<&str>> = BTreeMap::new();
        for row in rows {
            let Some(feature) = row.metric.strip_suffix(SHARE).and_then(|name| name.strip_suffix(": ")) else {
                continue;
            };
            let sure = row.p.is_some_and(|p| p <= CHANCE) && row.low.is_some_and(|low| low > 0.0);
            if let (Some(edge), true) = (&row.site, sure) {
                labels.entry(edge.clone()).or_default().push(feature);
            }
        }
        labels.into_iter().map(|(edge, features)| (edge, features.join(", "))).collect()
    }
}

/// The share of draws in which as much goes along directions of chance, the score itself counted among them.
fn chance(own: f64, draws: &[f64]) -> f64 {
    let as_much = draws.iter().filter(|draw| draw.abs() >= own.abs() * (1.0 - ROUNDING)).count();
    (1 + as_much) as f64 / (1 + draws.len()) as f64
}

/// What is to be known of the features' directions.
fn facts(features: &[Feature], spans: &[Spans]) -> Vec<(String, String)> {
    let mut facts = vec![
        (
            "carries".to_string(),
            "the part of an edge's score (EAP-IG, 5 steps) along the feature's directions".to_string(),
        ),
        (
            SHARE.to_string(),
            "that part over the whole score; p: as often directions drawn from the states' own scatter do as much"
                .to_string(),
        ),
        (
            "writes".to_string(),
            "share of a node's squared change, clean to corrupted, in the feature's span".to_string(),
        ),
        ("reads".to_string(), "share of the squared gradient at a port in the feature's span".to_string()),
        (
            "passes on".to_string(),
            "of what a node writes of the feature, the part that comes of reading the feature alone".to_string(),
        ),
    ];
    for (feature, spans) in features.iter().zip(spans) {
        let least = spans.values().map(Span::held).fold(1.0, f64::min);
        let most = spans.values().map(Span::held).fold(0.0, f64::max);
        let words = format!(
            "{} directions a stream, which hold {:.0} to {:.0} % of the differences of {} pairs",
            feature.dimensions,
            100.0 * least,
            100.0 * most,
            feature.items.len()
        );
        facts.push((format!("feature {}", feature.name), words));
    }
    for (place, first) in features.iter().enumerate() {
        for (other, second) in features.iter().enumerate().skip(place + 1) {
            let overlaps = spans[place].iter().map(|(site, span)| span.overlap(&spans[other][site]));
            let (least, most) =
                overlaps.fold((1.0f64, 0.0f64), |(least, most), next| (least.min(next), most.max(next)));
            let words = format!("{least:.2} to {most:.2}, the mean squared cosine between the spans, stream by stream");
            facts.push((format!("overlap of {} and {}", first.name, second.name), words));
        }
    }
    facts
}

impl Part {
    /// Puts the values of a batch where its items stand among `count`.
    fn add(&mut self, other: Part, items: &[usize], count: usize) {
        let place = |all: &mut Vec<Vec<f64>>, part: Vec<Vec<f64>>| {
            all.resize_with(part.len(), || vec![0.0; count]);
            for (all, part) in all.iter_mut().zip(part) {
                items.iter().zip(part).for_each(|(item, value)| all[*item] = value);
            }
        };
        place(&mut self.carried.scores, other.carried.scores);
        self.carried.features.resize_with(other.carried.features.len(), Default::default);
        for (all, part) in self.carried.features.iter_mut().zip(other.carried.features) {
            place(&mut all.scores, part.scores);
            all.chance.resize_with(part.chance.len(), || vec![0.0; DRAWS]);
            let sums = all.chance.iter_mut().flatten().zip(part.chance.into_iter().flatten());
            sums.for_each(|(all, part)| *all += part);
            all.reads.iter_mut().zip(part.reads).for_each(|(all, part)| place(all, part));
        }
        self.passing.resize_with(other.passing.len(), Default::default);
        for (all, part) in self.passing.iter_mut().zip(other.passing) {
            all.writes.iter_mut().zip(part.writes).for_each(|(all, part)| place(all, part));
            all.passes.iter_mut().zip(part.passes).for_each(|(all, part)| place(all, part));
        }
    }
}
