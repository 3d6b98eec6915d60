//! Circuits: edges scored, the strongest kept, and the model run with nothing but these.
//!
//! *What it measures.* Every edge u→v between what writes to the stream and what reads it gets a score, item by item, whose
//! mean says what the metric changes by when the edge brings what u writes after the corrupted prompt: an edge that supports
//! the answer has a negative one. (Published scores are mostly of a loss, the metric times −1.) The edges of largest score
//! are kept, and those that lead nowhere dropped. Then the model is run on the clean prompt while every other edge brings an ablated output: x_v ← x_v + Σ (z_u ablated − z_u now). Faithfulness is (m(C) − m(∅)) / (m(N) − m(∅)) with m
//! the mean metric, C the circuit, N all edges and ∅ none. The same for what is left without the circuit (its complement),
//! and for the circuits of ten shares of the edges, by sign and by size (Mueller et al. 2025).
//!
//! *What it cannot show.* That a circuit is the only one, or minimal. Scores by gradients are first-order: an edge into a
//! saturated softmax may score nothing and matter. Faithfulness is of the mean metric; single items may do otherwise. The
//! intervals of scores, and how often an edge is chosen, speak of other items, not of another choice of method.
//!
//! *Reference.* Syed et al. 2023, "Attribution patching outperforms automated circuit discovery"; Hanna et al. 2024, "Have
//! faith in faithfulness"; Mueller et al. 2025, "MIB: a mechanistic interpretability benchmark".
//!
//! *Example.* `Circuit(score: EapIg(steps: 5), select: TopN(40))`

mod evaluate;
mod portray;
mod tables;

pub use evaluate::Evaluation;

use super::score::{Order, batches, scores};
use super::sweep::made;
use super::{Bench, Finding, Summary};
use crate::circuit::{By, Circuit, Ends, Items, Resampling, Rule, SHARES};
use crate::node::Edge;
use crate::plan::{Circuits, supporting};
use crate::spec::Score;
use crate::steps::{RunError, Steps};
use ndarray::{Array2, Axis};
use tables::Found;

/// Circuits that are run: all edges, none, the circuit, the others, and those of both curves.
const RUNS: usize = 4 + 2 * SHARES.len();

/// Ways of halving the items for a verdict.
const HALVES: usize = 100;

/// Scores, chooses and runs.
pub fn circuit(bench: &Bench, plan: &Circuits, steps: &mut Steps) -> Result<Finding, RunError> {
    // a head that shares its keys reads them by an edge of its own
    let own = (bench.model.dims().key_heads < bench.model.dims().heads).then(|| bench.model.ungrouped());
    let bench = &Bench { model: own.as_deref().unwrap_or(bench.model), ..*bench };
    let order = Order::new(plan.blocks.layers, plan.blocks.heads, plan.blocks.flow);
    let scores = match scores(bench, &order, plan.score, steps) {
        Err(RunError::Elsewhere) => {
            // circuits run, and their nodes seen, in each
            steps.pass_over(2 * batches(bench).len());
            return Err(RunError::Elsewhere);
        }
        found => found?,
    };
    let summary = Summary::new(bench);
    let chosen = chosen(bench, plan, &scores, &summary);
    let values = run_all(bench, plan, &chosen.circuit, steps)?;
    let portraits = portray::portray(bench, &chosen.circuit, steps)?;
    Ok(Found { bench, plan, summary: &summary, chosen, values, portraits }.finding())
}

/// A circuit, and what is known of how it would come out with other items.
struct Chosen {
    circuit: Circuit,
    /// For each edge the share of bootstrap draws whose circuit holds it.
    inclusion: Vec<f64>,
    /// Whether the circuit survives other items, in a sentence.
    verdict: String,
}

/// Units of work: an item for its scores, or an edge of it where each is patched by itself, and its run circuits.
pub fn work(bench: &Bench, plan: &Circuits) -> usize {
    let edges = if plan.score == Score::Exact { plan.blocks.edges().len() } else { 1 };
    bench.items.len() * (edges + RUNS)
}

/// The circuit of the largest scores, and how often each edge is chosen when items are drawn again.
fn chosen(bench: &Bench, plan: &Circuits, scores: &[Vec<f32>], summary: &Summary) -> Chosen {
    let edges = plan.blocks.edges();
    let own = |(item, edge): (usize, usize)| f64::from(scores[item][edge]);
    let scores = Array2::from_shape_fn((scores.len(), edges.len()), own);
    let means = scores.mean_axis(Axis(0)).expect("a plan has items");
    let all =
        Circuit::new(plan.blocks, edges.into_iter().zip(means)).expect("the model's own edges, with finite scores");
    let (groups, draws, seed) = (summary.groups(), bench.statistics.resamples, bench.seed);
    let how = Resampling { rule: plan.rule, chosen: plan.count, draws, halves: HALVES, seed };
    match all.resample(&Items { scores: scores.view(), groups: Some(&groups) }, &how) {
        Ok(found) => Chosen { verdict: found.verdict(), inclusion: found.inclusion, circuit: found.circuit },
        Err(why) => {
            let circuit = all.select(plan.rule, plan.count).prune();
            let inclusion = circuit.members().into_iter().map(|member| f64::from(u8::from(member))).collect();
            Chosen { circuit, inclusion, verdict: format!("unknown: {why}") }
        }
    }
}

/// The circuits that are run, by the edges outside each, in the order of [`Found::values`].
fn outsides(plan: &Circuits, circuit: &Circuit) -> Vec<Vec<Edge>> {
    let outside = |members: &[bool], wanted: bool| -> Vec<Edge> {
        let links = circuit.links().zip(members).filter(|(_, member)| **member != wanted);
        links.map(|(link, _)| link.edge).collect()
    };
    let members = circuit.members();
    let mut outsides = vec![Vec::new(), plan.blocks.edges(), outside(&members, true), outside(&members, false)];
    for rule in [Rule::Top(supporting(plan.score)), Rule::Top(By::Size)] {
        let nothing = Ends { empty: 0.0, whole: 1.0 };
        let gathered = circuit.curve(rule, nothing, |circuit| {
            outsides.push(outside(&circuit.members(), true));
            Ok::<f64, std::convert::Infallible>(0.0)
        });
        let Ok(_) = gathered;
    }
    outsides
}

/// The metric of every item under every circuit that is run, `[circuit][item]`; a step for each batch, joint as circuits
/// hang on the scores of all items.
fn run_all(bench: &Bench, plan: &Circuits, circuit: &Circuit, steps: &mut Steps) -> Result<Vec<Vec<f64>>, RunError> {
    let mut evaluation: Option<Evaluation> = None;
    let mut make = || Evaluation::new(bench, plan.stand);
    let outsides = outsides(plan, circuit);
    let mut values = vec![vec![0.0; bench.items.len()]; outsides.len()];
    for items in batches(bench) {
        let found = steps.joint(items.len() * RUNS, || made(&mut evaluation, &mut make)?.values(&items, &outsides))?;
        for (values, found) in values.iter_mut().zip(found) {
            items.iter().zip(found).for_each(|(item, value)| values[*item] = value);
        }
    }
    Ok(values)
}
