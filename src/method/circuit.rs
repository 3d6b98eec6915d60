//! Circuits: edges scored, the strongest kept, and the model run with nothing but these.
//!
//! *What it measures.* Every edge u→v between what writes to the stream and what reads it gets a score, item by item, whose
//! mean says what the metric changes by when the edge is ablated, as `ablate` says (optimal constants hang on a circuit: of
//! these by the means that they begin at): an edge that supports the answer has a negative one. (Published scores are mostly
//! of a loss, the metric times −1.) The edges of largest score are kept, and those that lead nowhere dropped. With `neurons`
//! single neurons of MLPs are nodes too: one writes what it holds times its row of the output map, and reads the stream by its
//! own columns; the node of its MLP is then the rest of it, output bias included. With `positions: Each` every edge is one at
//! each position, u@p→v@p (Haklay et al. 2025): what u writes there and v reads there. What a head reads as key or value at p
//! it may write at every q ≥ p; so a node at p is kept where that leads to the logits at the answer, the only ones that have
//! edges. A score is then that of the edge without the sum over positions (of information flow, the share there). Then the model
//! is run on the clean prompt while every other edge brings an ablated output: x_v ← x_v + Σ (z_u ablated − z_u now).
//! Faithfulness is (m(C) − m(∅)) / (m(N) − m(∅)) with m the mean metric, C the circuit, N all edges and ∅ none. The same for
//! what is left without the circuit (its complement),
//! and for the circuits of ten shares of the edges, by sign and by size (Mueller et al. 2025). Two nulls stand beside it: random
//! circuits of as many edges, and circuits of scores whose answers are exchanged in half of the items. With `ablate: Optimal()`
//! each of these circuits has constants of its own, which lose the least of what the model says (Li & Janson 2024): nothing
//! then speaks against a circuit but what its other edges carry from prompt to prompt. No nulls stand beside it there, and no
//! part is taken out, as constants would have to be fitted to each of them.
//!
//! *What it cannot show.* That a circuit is the only one, or minimal. Scores by gradients are first-order: an edge into a
//! saturated softmax may score nothing and matter, and integration with `ablate: Zero` begins at a state of zeros, where norms
//! have slopes that say nothing of the rest of the way: score by `Eap` or `EapIgActivations` there. Faithfulness is of the mean
//! metric; single items may do otherwise. The neurons of `Top` are chosen by the same items that the circuit is told of, by what
//! corrupted prompts change of them, and by their true answers in all nulls. Positions are those of tokens, not of their roles:
//! in another sentence another word stands there. The
//! intervals of scores, and how often an edge is chosen, speak of other items, not of another choice of method or neurons.
//!
//! *Reference.* Syed et al. 2023, "Attribution patching outperforms automated circuit discovery"; Hanna et al. 2024, "Have
//! faith in faithfulness"; Mueller et al. 2025, "MIB: a mechanistic interpretability benchmark"; Li & Janson 2024, "Optimal
//! ablation for interpretability"; Haklay et al. 2025, "Position-aware automatic circuit discovery".
//!
//! *Example.* `Circuit(score: EapIg(steps: 5), select: TopN(40))`, `Circuit(neurons: Top(20), select: Faithful(0.9))`,
//! `Circuit(positions: Each, select: TopN(40))`

mod constants;
mod count;
mod evaluate;
mod found;
mod neurons;
mod null;
mod outside;
mod portray;
mod removals;
mod runner;
mod stability;
mod tables;
mod ways;

pub use constants::{Constants, Fitted};
pub use count::{counted, tries};
pub use evaluate::{Evaluation, brought};
pub use found::{Found, Scale, Shuffled, joint, runs};
pub use neurons::parted;

use super::score::{Order, batches, scores};
use super::{Bench, Finding, SCORES, Summary, Tensors};
use crate::circuit::{By, Circuit, Items, Resampling};
use crate::metric::Metric;
use crate::model::Model;
use crate::plan::{Circuits, supporting};
use crate::spec::Score;
use crate::steps::{RunError, Steps};
use crate::table::Table;
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
    let (plan, facts) = &neurons::chosen(bench, plan, steps)?;
    let parted = parted(bench.model, &plan.blocks);
    let bench = &Bench { model: parted.as_deref().unwrap_or(bench.model), ..*bench };
    let order = Order::new(&plan.blocks);
    let own = scores(bench, &order, (plan.score, plan.stand), steps);
    let other = exchanged(bench, &order, plan, steps);
    let (own, other) = match (own, other) {
        (Err(RunError::Elsewhere), _) | (_, Err(RunError::Elsewhere)) => {
            steps.pass_over(batches(bench).len() * tries(plan.size, plan.blocks.count()) + joint(bench, plan.shuffled));
            return Err(RunError::Elsewhere);
        }
        (own, other) => (own?, other?),
    };
    let other = other.unwrap_or_else(|| turned(&own, plan.score));
    let kept = kept(bench, &own);
    let (mut found, stability) = chosen(bench, plan, [own, other], steps)?;
    found.facts.extend(facts.iter().cloned());
    let mut finding = found.run(bench, plan.stand, steps)?;
    finding.tables.extend(stability);
    finding.tensors.extend(kept);
    Ok(finding)
}

/// Scores with right and wrong answer exchanged in every item, where scores are needed for that and draws are wanted.
fn exchanged(
    bench: &Bench,
    order: &Order,
    plan: &Circuits,
    steps: &mut Steps,
) -> Result<Option<Vec<Vec<f32>>>, RunError> {
    if plan.shuffled == 0 || !is_scored_again(bench.metric, plan.score) {
        return Ok(None);
    }
    let items = null::with_exchanged(bench, &vec![true; bench.items.len()]);
    scores(&Bench { items: &items, ..*bench }, order, (plan.score, plan.stand), steps).map(Some)
}

/// Whether scores of exchanged answers are others than those of the answers, or these times −1.
fn is_scored_again(metric: Metric, score: Score) -> bool {
    !metric.is_odd() && score != Score::InformationFlow
}

/// The scores of exchanged answers where they follow from those of the answers.
fn turned(own: &[Vec<f32>], score: Score) -> Vec<Vec<f32>> {
    let sign = if score == Score::InformationFlow { 1.0 } else { -1.0 };
    own.iter().map(|item| item.iter().map(|score| sign * score).collect()).collect()
}

/// Scores of single items `[item, edge]` and the observation that each belongs to, as tensors; more than fit into a
/// hundred megabytes or so are not kept.
fn kept(bench: &Bench, scores: &[Vec<f32>]) -> Option<(String, Tensors)> {
    let shape = [scores.len(), scores.first()?.len()];
    if shape[0] * shape[1] > MOST_KEPT {
        return None;
    }
    let groups = Summary::new(bench).groups().into_iter().map(|group| group as f32).collect();
    let tensors = [
        ("scores".to_string(), (shape.to_vec(), scores.concat())),
        ("groups".to_string(), (vec![scores.len()], groups)),
    ];
    Some((format!("circuit{SCORES}"), tensors.into_iter().collect()))
}

/// Units of work: an item for its scores, or an edge of it where each is patched by itself, and its run circuits.
pub fn work(bench: &Bench, plan: &Circuits) -> usize {
    let edges = if plan.score == Score::Exact { plan.expected().count() } else { 1 };
    let choice = usize::from(plan.top.is_some());
    let again = if plan.shuffled > 0 && is_scored_again(bench.metric, plan.score) { 2 } else { 1 };
    let nulls = plan.random + if plan.shuffled > 0 { plan.shuffled + 1 } else { 0 };
    bench.items.len()
        * (choice
            + again * edges
            + tries(plan.size, plan.expected().count())
            + runs(Some(supporting(plan.score)))
            + nulls)
}

/// The circuit of the largest scores, and how often each edge is chosen when items are drawn again.
fn chosen(
    bench: &Bench,
    plan: &Circuits,
    [own, other]: [Vec<Vec<f32>>; 2],
    steps: &mut Steps,
) -> Result<(Found, Option<Table>), RunError> {
    let edges = plan.blocks.edges();
    let value = |(item, edge): (usize, usize)| f64::from(own[item][edge]);
    let scores = Array2::from_shape_fn((own.len(), edges.len()), value);
    let means = scores.mean_axis(Axis(0)).expect("a plan has items");
    let all = Circuit::new(plan.blocks.clone(), edges.into_iter().zip(means))
        .expect("the model's own edges, with finite scores");
    let (count, selected) = counted(bench, (plan.rule, plan.size), plan.stand, &all, steps)?;
    let groups = Summary::new(bench).groups();
    let how = Resampling {
        rule: plan.rule,
        chosen: count,
        draws: bench.statistics.resamples,
        halves: HALVES,
        seed: bench.seed,
    };
    let items = Items { scores: scores.view(), groups: Some(&groups) };
    let mut table = None;
    let (circuit, inclusion, stability) = match all.resample(&items, &how) {
        Ok(found) => {
            let told = stability::stability(bench, &all, &items, &how, &found);
            table = Some(told.table);
            (found.circuit, found.inclusion, told.verdict)
        }
        Err(why) => {
            let circuit = all.select(plan.rule, count).prune();
            let inclusion = circuit.members().into_iter().map(|member| f64::from(u8::from(member))).collect();
            (circuit, inclusion, format!("unknown: {why}"))
        }
    };
    let choose = |scores: &[f64]| {
        let mut members = all.chosen(scores, plan.rule, count);
        all.pruned(&mut members);
        members
    };
    let exchanges = null::exchanges(&groups, plan.shuffled, bench.seed);
    let shuffled = (plan.shuffled > 0).then(|| null::shuffled([&own, &other], exchanges, choose));
    let facts = [("score".to_string(), plan.score.to_string())].into_iter().chain(selected).collect();
    let (scale, curve) = (scale(bench, plan.score), Some(supporting(plan.score)));
    let (name, search, random) = ("circuit".into(), plan.score.to_string(), plan.random);
    Ok((Found { name, search, circuit, inclusion, stability, facts, scale, curve, random, shuffled }, table))
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
