//! One search: ports from the logits down, edges one after the other, each out for good or back.
//!
//! Edges of a port are tried several at once: row i of a batch is without the first i of them. As long as each may stay out
//! those rows are what one trial after the other gives; from the first that must stay on they are void, and tried again.

use crate::method::Bench;
use crate::method::rewire::{Rewired, Wiring};
use crate::model::HookError;
use crate::node::{Edge, Node, Port};
use crate::plan::Acdc;
use crate::steps::{RunError, Steps};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// What was decided of an edge.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Decision {
    /// Whether the edge stays.
    pub kept: bool,
    /// What judging changed by without it, an item each; nothing where no run was needed, as nobody hears the port.
    pub change: Vec<f32>,
}

/// What was decided of every edge.
#[derive(Clone, Debug, PartialEq)]
pub struct Decided {
    /// Of each edge.
    pub edges: BTreeMap<Edge, Decision>,
    /// What the circuit is judged at, an item each.
    pub values: Vec<f32>,
}

impl Decided {
    /// The edges that stay.
    pub fn kept(&self) -> BTreeSet<Edge> {
        self.edges.iter().filter(|(_, decision)| decision.kept).map(|(edge, _)| *edge).collect()
    }
}

/// Searches the whole model, in which no heads share keys or values; `None` where a step is another shard's. Steps are a
/// chain, a port each, which one process does.
pub fn search(bench: &Bench, plan: &Acdc, threshold: f64, steps: &mut Steps) -> Result<Option<Decided>, RunError> {
    let mut begun: Option<Rewired> = None;
    let mut done: Vec<(Port, Vec<Decision>)> = Vec::new();
    let mut whole = true;
    for port in Wiring::ports(&plan.blocks) {
        let work = Wiring::whole(plan.blocks.clone()).parents(port).len() * bench.items.len();
        let found = steps
            .link(work, || Ok(decide(caught_up(bench, plan, &done, &mut begun)?, port, (threshold, bench.rows))))?;
        whole &= found.is_some();
        let found = found.unwrap_or_default();
        if let Some(circuit) = &mut begun {
            settle(circuit, port, &found);
        }
        done.push((port, found));
    }
    let values = steps.step(0, || {
        let circuit = caught_up(bench, plan, &done, &mut begun)?;
        Ok(circuit.values().iter().map(|value| *value as f32).collect())
    })?;
    let of = |(port, found): (Port, Vec<Decision>)| {
        let edges = Wiring::whole(plan.blocks.clone()).parents(port).into_iter().map(move |from| Edge::new(from, port));
        edges.zip(found)
    };
    let edges = done.into_iter().flat_map(of).collect();
    Ok(values.filter(|_| whole).map(|values| Decided { edges, values }))
}

/// The circuit after what was decided, which is gone through again where it was read back.
fn caught_up<'c, 'a>(
    bench: &'a Bench,
    plan: &Acdc,
    done: &[(Port, Vec<Decision>)],
    begun: &'c mut Option<Rewired<'a>>,
) -> Result<&'c Rewired<'a>, HookError> {
    if begun.is_none() {
        let mut circuit = Rewired::whole(bench, plan.blocks.clone(), (plan.judge, plan.stand))?;
        done.iter().for_each(|(port, found)| settle(&mut circuit, *port, found));
        *begun = Some(circuit);
    }
    Ok(begun.as_ref().expect("made above"))
}

fn settle(circuit: &mut Rewired, port: Port, found: &[Decision]) {
    let parents = circuit.wiring().parents(port);
    let kept: BTreeSet<Node> =
        parents.into_iter().zip(found).filter(|(_, decision)| decision.kept).map(|(node, _)| node).collect();
    circuit.settle(port, |node| kept.contains(&node));
}

/// Decides on every edge into a port, later senders first.
fn decide(circuit: &Rewired, port: Port, (threshold, rows): (f64, usize)) -> Vec<Decision> {
    let parents = circuit.wiring().parents(port);
    if !circuit.wiring().is_heard(port) {
        return parents.iter().map(|_| Decision { kept: false, change: Vec::new() }).collect();
    }
    let mut trials = circuit.trials(port);
    let (most, mut width) = (trials.most(rows), 1);
    let mut decisions: Vec<Decision> = Vec::new();
    let mut current = circuit.values().to_vec();
    while decisions.len() < parents.len() {
        let rest = &parents[decisions.len()..];
        let mut out = 0;
        let mut must_stay = false;
        for values in trials.without_first(&rest[..width.min(rest.len())]) {
            let values = circuit.by_item(&values);
            let change: Vec<f64> = values.iter().zip(&current).map(|(new, old)| new - old).collect();
            must_stay = change.iter().sum::<f64>() / change.len() as f64 >= threshold;
            decisions.push(Decision { kept: must_stay, change: change.into_iter().map(|by| by as f32).collect() });
            if must_stay {
                break;
            }
            (current, out) = (values, out + 1);
        }
        trials.take_out(&rest[..out]);
        width = if must_stay { 1 } else { most.min(2 * width) };
    }
    decisions
}
