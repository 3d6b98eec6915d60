//! What single edges and nodes of a circuit do in it: each is taken out of it, and each node out of the whole model too.

use super::Evaluation;
use super::found::Found;
use super::outside::Outside;
use super::runner::Runner;
use crate::circuit::{Circuit, Vertex};
use crate::method::rewire::Rewired;
use crate::method::summary::mean;
use crate::method::{Bench, Summary, blank, table};
use crate::model::HookError;
use crate::node::{Edge, Node, Port};
use crate::spec::{Judge, Stand};
use crate::steps::{RunError, Steps};
use crate::table::{Row, Table};
use std::collections::BTreeMap;

/// In circuits of more nodes, or of more edges, single ones are not taken out: that would run longer than all else.
const MOST: (usize, usize) = (64, 512);

/// Joint steps a batch.
pub const JOINTS: usize = 2;

/// What was measured, `[part][item]`.
pub struct Removals {
    edges: Vec<Edge>,
    nodes: Vec<Vertex>,
    /// The metric of the circuit without each edge, then without each node, less that of the circuit.
    in_circuit: Vec<Vec<f64>>,
    /// The metric of the whole model without each node.
    in_model: Vec<Vec<f64>>,
}

/// Takes out each edge and each node of a circuit, and each of its nodes out of the whole model.
pub fn removals(found: &Found, runner: &mut Runner, steps: &mut Steps) -> Result<Removals, RunError> {
    let circuit = &found.circuit;
    let mut edges: Vec<Edge> = circuit.edges().map(|link| link.edge).collect();
    let mut nodes = circuit.writers();
    nodes.retain(|vertex| vertex.node().is_some());
    if nodes.len() > MOST.0 || edges.len() > MOST.1 || matches!(runner.stand(), Stand::Optimal { .. }) {
        (edges, nodes) = (Vec::new(), Vec::new());
    }
    let parts = edges.len() + nodes.len();
    let remove = |evaluation: &Evaluation, items: &[usize]| match parts {
        0 => Ok(Vec::new()),
        _ => without(circuit, &edges, &nodes, evaluation, items),
    };
    let in_circuit = match circuit.blocks().positions() {
        None => runner.removals(parts, remove, steps)?,
        Some(_) => at_positions(circuit, &edges, &nodes, runner, steps)?,
    };
    let nothing = Outside::nothing(circuit);
    let in_model = runner.run(&nodes.iter().map(|node| nothing.and_from(*node)).collect::<Vec<_>>(), steps)?;
    Ok(Removals { edges, nodes, in_circuit, in_model })
}

/// What the metric changes by without each edge, and without each node, where these are at positions: each by a run of its own.
fn at_positions(
    circuit: &Circuit,
    edges: &[Edge],
    nodes: &[Vertex],
    runner: &mut Runner,
    steps: &mut Steps,
) -> Result<Vec<Vec<f64>>, RunError> {
    let own = Outside::of(circuit, &circuit.members(), true);
    let without = edges.iter().map(|edge| own.and(*edge)).chain(nodes.iter().map(|node| own.and_from(*node)));
    let outsides: Vec<Outside> = std::iter::once(own.clone()).chain(without).collect();
    let runs = if edges.is_empty() { &[] } else { outsides.as_slice() };
    let values = runner.run(runs, steps)?;
    let Some((whole, parts)) = values.split_first() else { return Ok(Vec::new()) };
    let change = |values: &Vec<f64>| values.iter().zip(whole).map(|(without, whole)| without - whole).collect();
    Ok(parts.iter().map(change).collect())
}

/// What the metric changes by without each edge, and without each node, `[part][item of the batch]`.
fn without(
    circuit: &Circuit,
    edges: &[Edge],
    nodes: &[Vertex],
    evaluation: &Evaluation,
    items: &[usize],
) -> Result<Vec<Vec<f64>>, HookError> {
    let (blocks, rows) = (circuit.blocks(), evaluation.bench().rows);
    let mut run = Rewired::on(&[items.to_vec()], blocks.clone(), Judge::Metric, evaluation)?;
    run.settle_all(blocks, |edge| circuit.contains(edge));
    let whole: Vec<f64> = items.iter().map(|item| run.values()[*item]).collect();
    // what judges is the metric times −1
    let change =
        |values: &[f64]| values.iter().zip(&whole).map(|(without, whole)| whole - without).collect::<Vec<f64>>();
    let mut found: BTreeMap<Edge, Vec<f64>> = BTreeMap::new();
    let mut ports: Vec<Port> = edges.iter().map(|edge| edge.to).collect();
    ports.sort_unstable();
    ports.dedup();
    for port in ports {
        let from: Vec<Node> = edges.iter().filter(|edge| edge.to == port).map(|edge| edge.from).collect();
        if !run.wiring().is_heard(port) {
            found.extend(from.iter().map(|from| (Edge::new(*from, port), vec![0.0; items.len()])));
            continue;
        }
        let trials = run.trials(port);
        for some in from.chunks(trials.most(rows)) {
            let values = trials.without_each(some);
            let one = |(from, values): (&Node, &Vec<Vec<f64>>)| (Edge::new(*from, port), change(&values[0]));
            found.extend(some.iter().zip(&values).map(one));
        }
    }
    let of_nodes = nodes.iter().filter_map(|vertex| vertex.node()).map(|node| {
        let values = run.without(node);
        change(&items.iter().map(|item| values[*item]).collect::<Vec<f64>>())
    });
    Ok(edges.iter().map(|edge| found[edge].clone()).chain(of_nodes).collect())
}

impl Removals {
    /// The table; `whole`, `empty` and `circuit` are the metric of all edges, none, and the circuit, an item each.
    pub fn table(&self, found: &Found, bench: &Bench, [whole, empty, circuit]: [&[f64]; 3]) -> Table {
        let name = format!("{}.removals", found.name);
        let title = format!("Circuit of {} edges ({}): what each part does in it", found.circuit.size(), found.search);
        let mut main = table(&name, &title, bench);
        let summary = Summary::new(bench);
        let total: Vec<f64> = whole.iter().zip(empty).map(|(whole, empty)| whole - empty).collect();
        let scale = summary.scale(&total, &mut main);
        let names = self.edges.iter().map(ToString::to_string).chain(self.nodes.iter().map(ToString::to_string));
        let positions =
            self.edges.iter().map(|edge| edge.position).chain(self.nodes.iter().map(|node| node.position()));
        for ((site, position), change) in names.zip(positions).zip(&self.in_circuit) {
            let place = Row { site: Some(site), position, ..blank(&name, bench.metric) };
            main.rows.push(summary.untested(place, change, scale));
        }
        let mut most: Option<(f64, Vertex)> = None;
        for ((node, change), in_model) in
            self.nodes.iter().zip(&self.in_circuit[self.edges.len()..]).zip(&self.in_model)
        {
            let apart: Vec<f64> =
                circuit.iter().zip(change).zip(in_model).map(|((own, change), model)| own + change - model).collect();
            let metric = "incompleteness".to_string();
            let (site, position) = (Some(node.to_string()), node.position());
            let place = Row { site, position, metric, ..blank(&name, bench.metric) };
            let size = (mean(&apart) / mean(&total)).abs();
            most = most.filter(|(known, _)| *known >= size).or(Some((size, *node)));
            main.rows.push(summary.share(place, &apart, &total));
        }
        self.facts(&mut main, most);
        main
    }

    fn facts(&self, main: &mut Table, most: Option<(f64, Vertex)>) {
        let mean_of = |(site, change): (String, &Vec<f64>)| (mean(change).abs(), site);
        let edges = self.edges.iter().map(ToString::to_string).zip(&self.in_circuit).map(mean_of);
        let least = edges.min_by(|one, other| one.0.total_cmp(&other.0));
        let (nodes, edges) = MOST;
        let measured = |what: Option<String>| {
            what.unwrap_or(format!(
                "not measured: the circuit is empty, or has more than {nodes} nodes or {edges} edges"
            ))
        };
        let least = least.map(|(size, site)| format!("the edge whose removal changes least is {site}: {size:.4}"));
        let most = most.map(|(size, node)| format!("farthest apart without {node}: {size:.4}"));
        let facts = [
            ("effect", "metric of the circuit without the edge or the node, less that of the circuit".to_string()),
            ("normalised", "over what all edges do beyond none".to_string()),
            ("minimality", measured(least)),
            (
                "incompleteness",
                format!(
                    "(metric of the circuit without the node − metric of the model without it) / (all edges − no edge); {}",
                    measured(most)
                ),
            ),
        ];
        main.facts.extend(facts.map(|(name, value)| (name.to_string(), value)));
    }
}
