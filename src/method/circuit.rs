//! Circuits: edges scored, the strongest kept, and the model run with nothing but these.
//!
//! *What it measures.* Every edge u→v between what writes to the stream and what reads it gets a score, item by item, whose
//! mean says what the metric changes by when the edge brings what u writes after the corrupted prompt: an edge that supports
//! the answer has a negative one. (Published scores are mostly of a loss, the metric times −1.) The edges of largest score
//! are kept, and those that lead nowhere dropped. Then the model is run on the clean prompt while every other edge brings an ablated output: x_v ← x_v + Σ (z_u ablated − z_u now). Faithfulness is (m(C) − m(∅)) / (m(N) − m(∅)) with m
//! the mean metric, C the circuit, N all edges and ∅ none. The same for what is left without the circuit (its complement),
//! and for the circuits of ten shares of the edges, by sign and by size (Mueller et al. 2025). With `ablate: Optimal()` each of
//! these circuits has constants of its own, which lose the least of what the model says (Li & Janson 2024): nothing then
//! speaks against a circuit but what its other edges carry from prompt to prompt.
//!
//! *What it cannot show.* That a circuit is the only one, or minimal. Scores by gradients are first-order: an edge into a
//! saturated softmax may score nothing and matter. Faithfulness is of the mean metric; single items may do otherwise. The
//! intervals of scores, and how often an edge is chosen, speak of other items, not of another choice of method.
//!
//! *Reference.* Syed et al. 2023, "Attribution patching outperforms automated circuit discovery"; Hanna et al. 2024, "Have
//! faith in faithfulness"; Mueller et al. 2025, "MIB: a mechanistic interpretability benchmark"; Li & Janson 2024, "Optimal
//! ablation for interpretability".
//!
//! *Example.* `Circuit(score: EapIg(steps: 5), select: TopN(40))`

mod constants;
mod evaluate;
mod found;
mod portray;
mod tables;

pub use constants::{Constants, Fitted};
pub use evaluate::{Evaluation, brought};
pub use found::{Found, Scale, joint, runs};

use super::score::{Order, scores};
use super::{Bench, Finding, SCORES, Summary, Tensors};
use crate::circuit::{By, Circuit, Items, Resampling};
use crate::model::Model;
use crate::plan::{Circuits, supporting};
use crate::spec::Score;
use crate::steps::{RunError, Steps};
use ndarray::{Array2, Axis};

/// Scores of single items that are kept: 128 MiB of them.
const MOST_KEPT: usize = 1 << 25;

/// Ways of halving the items for a verdict.
const HALVES: usize = 100;

/// The model in which every head has keys and values of its own, where heads share them: a head that shares its keys reads
/// them by an edge of its own.
pub fn apart(model: &dyn Model) -> Option<Box<dyn Model>> {
    (model.dims().key_heads < model.dims().heads).then(|| model.ungrouped())
}

/// Scores, chooses and runs.
pub fn circuit(bench: &Bench, plan: &Circuits, steps: &mut Steps) -> Result<Finding, RunError> {
    let own = apart(bench.model);
    let bench = &Bench { model: own.as_deref().unwrap_or(bench.model), ..*bench };
    let order = Order::new(plan.blocks.layers, plan.blocks.heads, plan.blocks.flow);
    let scores = match scores(bench, &order, plan.score, steps) {
        Err(RunError::Elsewhere) => {
            steps.pass_over(joint(bench));
            return Err(RunError::Elsewhere);
        }
        found => found?,
    };
    let mut finding = chosen(bench, plan, &scores).run(bench, plan.stand, steps)?;
    finding.tensors.extend(kept(bench, &scores));
    Ok(finding)
}

/// Scores of single items `[item, edge]` and the observation that each belongs to, as tensors; more than fit into a
/// hundred megabytes or so are not kept.
fn kept(bench: &Bench, scores: &[Vec<f32>]) -> Option<(String, Tensors)> {
    let shape = [scores.len(), scores.first()?.len()];
    let groups = Summary::new(bench).groups().into_iter().map(|group| group as f32).collect();
    let tensors = [
        ("scores".to_string(), (shape.to_vec(), scores.concat())),
        ("groups".to_string(), (vec![scores.len()], groups)),
    ];
    (shape[0] * shape[1] <= MOST_KEPT).then(|| (format!("circuit{SCORES}"), tensors.into_iter().collect()))
}

/// Units of work: an item for its scores, or an edge of it where each is patched by itself, and its run circuits.
pub fn work(bench: &Bench, plan: &Circuits) -> usize {
    let edges = if plan.score == Score::Exact { plan.blocks.edges().len() } else { 1 };
    bench.items.len() * (edges + runs(Some(supporting(plan.score))))
}

/// The circuit of the largest scores, and how often each edge is chosen when items are drawn again.
fn chosen(bench: &Bench, plan: &Circuits, scores: &[Vec<f32>]) -> Found {
    let edges = plan.blocks.edges();
    let own = |(item, edge): (usize, usize)| f64::from(scores[item][edge]);
    let scores = Array2::from_shape_fn((scores.len(), edges.len()), own);
    let means = scores.mean_axis(Axis(0)).expect("a plan has items");
    let all =
        Circuit::new(plan.blocks, edges.into_iter().zip(means)).expect("the model's own edges, with finite scores");
    let (groups, draws, seed) = (Summary::new(bench).groups(), bench.statistics.resamples, bench.seed);
    let how = Resampling { rule: plan.rule, chosen: plan.count, draws, halves: HALVES, seed };
    let (circuit, inclusion, stability) =
        match all.resample(&Items { scores: scores.view(), groups: Some(&groups) }, &how) {
            Ok(found) => (found.circuit.clone(), found.inclusion.clone(), found.verdict()),
            Err(why) => {
                let circuit = all.select(plan.rule, plan.count).prune();
                let inclusion = circuit.members().into_iter().map(|member| f64::from(u8::from(member))).collect();
                (circuit, inclusion, format!("unknown: {why}"))
            }
        };
    let facts = [
        ("score", plan.score.to_string()),
        ("selection", format!("{:?}, {} edges, then pruned", plan.rule, plan.count)),
    ];
    Found {
        name: "circuit".into(),
        search: plan.score.to_string(),
        circuit,
        inclusion,
        stability,
        facts: facts.map(|(name, value)| (name.to_string(), value)).to_vec(),
        scale: scale(bench, plan.score),
        curve: Some(supporting(plan.score)),
    }
}

/// What a score by this method says.
fn scale(bench: &Bench, score: Score) -> Scale {
    let sign = match supporting(score) {
        By::Loss => "a score is what the metric changes by without the edge: negative supports the answer",
        _ => "a score is the share of the stream that the edge brings",
    };
    Scale {
        metric: bench.metric.to_string(),
        sign: sign.into(),
        inclusion: "share of bootstrap draws of the items whose circuit holds the edge".into(),
    }
}
