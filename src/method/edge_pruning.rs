//! Edge pruning: a circuit of learned masks, all edges at once.
//!
//! *What it measures.* Every edge and every node that writes has a mask between 0 and 1, drawn from a hard concrete
//! distribution; an edge is severed by 1 − its mask times its sender's: x_v ← x_v + Σ (1 − z) (z_u ablated − z_u now), the
//! same pass that circuits are run by, on a tape. The masks are fitted by Adam so that the model goes on as it does,
//! KL(model ‖ circuit) at the answer (or the metric times −1), while the expected share s of pruned edges comes to the
//! target t: + λ1 (t − s) + λ2 (t − s)², with t rising over the first steps and prices λ that rise where s falls short. An
//! edge's score is the chance that its mask is above 0, the mean over seeds; the edges of highest score are kept, and those
//! that lead nowhere dropped. Unlike scores edge by edge, masks see what edges do together. Each seed is a fit with draws
//! of its own: `inclusion` is the share of seeds whose own circuit holds the edge.
//!
//! *What it cannot show.* How much an edge matters: a mask says in or out, for a circuit of this size. Intervals over items;
//! seeds speak of the fit alone, and of the very items that it was fitted on. That a smaller circuit would not do.
//!
//! *Reference.* Bhaskar et al. 2024, "Finding transformer circuits with edge pruning"; Louizos et al. 2018 for the masks.
//!
//! *Example.* `EdgePruning(target: Edges(40), steps: 300, seeds: 3)`

mod concrete;
mod descent;
mod masked;

pub use masked::Masked;

use super::chain::{Behind, Chain};
use super::circuit::{Found, Scale, apart, joint, runs};
use super::score::Order;
use super::sweep::made;
use super::{Bench, Finding};
use crate::circuit::{By, Circuit, Rule};
use crate::model::HookError;
use crate::plan::Pruning;
use crate::steps::{RunError, Steps};
use descent::{Fit, State};

/// Steps of a fit that are kept together: what a killed run may lose.
const KEPT: usize = 10;

/// Fits masks for every seed, and runs the circuit.
pub fn edge_pruning(bench: &Bench, plan: &Pruning, steps: &mut Steps) -> Result<Finding, RunError> {
    let own = apart(bench.model);
    let bench = &Bench { model: own.as_deref().unwrap_or(bench.model), ..*bench };
    let order = Order::new(&plan.blocks);
    let mut masked: Option<Masked> = None;
    let mut make = || Masked::new(bench, &order, (plan.judge, plan.stand));
    let mut fits = Vec::new();
    for number in 0..plan.seeds {
        let seed = (bench.seed, number);
        let fit = Fit { order: &order, count: plan.count, steps: plan.steps, rate: plan.learning_rate, seed };
        let mut cost = |shares: &[f64]| made(&mut masked, &mut make)?.cost(shares);
        fits.push((fit, fitted(&fit, bench.items.len(), &mut cost, steps)?));
    }
    if let Err(elsewhere) = steps.complete() {
        steps.pass_over(joint(bench, 0));
        return Err(elsewhere);
    }
    let whole = |(fit, state): (Fit, Option<State>)| Seed::new(plan, &fit, &state.expect("no step is missing"));
    let seeds: Vec<Seed> = fits.into_iter().map(whole).collect();
    found(plan, &seeds).run(bench, plan.stand, steps)
}

/// Units of work: an item for each step of each fit, and for each run.
pub fn work(bench: &Bench, plan: &Pruning) -> usize {
    bench.items.len() * (plan.seeds * plan.steps + runs(None))
}

/// A fit from its beginning to its end; `None` where it is another shard's.
fn fitted(
    fit: &Fit,
    items: usize,
    cost: &mut impl FnMut(&[f64]) -> Result<(f64, Vec<f64>), HookError>,
    steps: &mut Steps,
) -> Result<Option<State>, RunError> {
    let chain = Chain { count: fit.steps, kept: KEPT, work: items, behind: Behind::Nothing };
    chain.run(fit.begin(), steps, |state| {
        let masks = fit.draw(state);
        let (loss, slopes) = cost(&masks.severed)?;
        fit.step(state, &masks, loss, &slopes);
        Ok(())
    })
}

/// What one fit came to.
struct Seed {
    /// Of each edge.
    chances: Vec<f64>,
    /// Its own circuit.
    circuit: Circuit,
    /// The share of edges that its masks were expected to prune in the end.
    sparsity: f64,
    loss: f64,
}

impl Seed {
    fn new(plan: &Pruning, fit: &Fit, state: &State) -> Self {
        let chances = fit.chances(state);
        let circuit = circuit(plan, &chances);
        Seed { circuit, chances, sparsity: fit.sparsity(state), loss: state.loss }
    }
}

/// The edges of highest chance.
fn circuit(plan: &Pruning, chances: &[f64]) -> Circuit {
    let all = Circuit::new(plan.blocks.clone(), plan.blocks.edges().into_iter().zip(chances.iter().copied()));
    all.expect("the model's own edges, with finite chances").select(Rule::Top(By::Sign), plan.count).prune()
}

fn found(plan: &Pruning, seeds: &[Seed]) -> Found {
    let count = seeds.len() as f64;
    let edges = 0..seeds[0].chances.len();
    let chances: Vec<f64> =
        edges.clone().map(|edge| seeds.iter().map(|seed| seed.chances[edge]).sum::<f64>() / count).collect();
    let members: Vec<Vec<bool>> = seeds.iter().map(|seed| seed.circuit.members()).collect();
    let inclusion = edges.map(|edge| members.iter().filter(|of| of[edge]).count() as f64 / count).collect();
    let mean = |value: fn(&Seed) -> f64| seeds.iter().map(value).sum::<f64>() / count;
    let aim = 1.0 - plan.count as f64 / plan.blocks.edges().len() as f64;
    let facts = [
        ("score", "chance of the learned mask to be above 0, the mean over seeds".into()),
        ("selection", format!("the {} edges of highest score, then pruned", plan.count)),
        ("fit", format!("{} seeds, {} steps of rate {}", seeds.len(), plan.steps, plan.learning_rate)),
        (
            "judge",
            format!(
                "{:?}: {:.4} with the masks of the last step, the mean over seeds",
                plan.judge,
                mean(|seed| seed.loss)
            ),
        ),
        ("sparsity", format!("{:.4} expected of the fitted masks, {aim:.4} aimed at", mean(|seed| seed.sparsity))),
    ];
    Found {
        name: "edge_pruning".into(),
        search: "edge pruning".into(),
        circuit: circuit(plan, &chances),
        inclusion,
        stability: stability(seeds),
        facts: facts.map(|(name, value)| (name.to_string(), value)).to_vec(),
        scale: Scale {
            metric: "chance".into(),
            sign: "a score is the chance that the edge stays: 1 is kept, 0 pruned, whichever way it works".into(),
            inclusion: "share of seeds whose own circuit holds the edge".into(),
        },
        // masks are fitted for a circuit of one size
        curve: None,
        random: plan.random,
        shuffled: None,
    }
}

/// How alike the circuits of seeds are.
fn stability(seeds: &[Seed]) -> String {
    let pairs = seeds.iter().enumerate().flat_map(|(at, one)| seeds[at + 1..].iter().map(move |other| (one, other)));
    let alike: Vec<f64> =
        pairs.map(|(one, other)| one.circuit.jaccard(&other.circuit).expect("circuits of one model")).collect();
    let Some(least) = alike.iter().copied().reduce(f64::min) else {
        return "unknown: masks were fitted once; `seeds: 3` tells whether other draws give the same circuit".into();
    };
    let mean = alike.iter().sum::<f64>() / alike.len() as f64;
    let held = |edge: &usize| seeds.iter().all(|seed| seed.circuit.members()[*edge]);
    let always = (0..seeds[0].chances.len()).filter(held).count();
    format!(
        "Circuits of {} seeds share {mean:.2} of their edges (mean Jaccard index; {least:.2} at the least), {always} edges are in all; of other items this says nothing",
        seeds.len()
    )
}
