//! ACDC: edges taken out one after the other, from the logits down, each for good where little is lost by it.
//!
//! *What it measures.* Ports are gone through in the reverse order of the pass, and of each the edges into it, later senders
//! first. An edge is made to bring an ablated output, the circuit so far is run, and where Δ = M(new) − M(so far) is below
//! the threshold it stays out. M is the Kullback–Leibler divergence of the next token after the circuit from that after the
//! whole model, or the metric times −1, the mean over items. A port that nothing hears any longer loses its edges without
//! a run, as no run could tell. What is left is the circuit. Each Δ is given as the score of its edge (of the metric, as its change), with a
//! bootstrap interval over items and the share of draws in which the edge would have stayed, both given the decisions
//! before it; the search is done again on random halves of the items, and the two circuits are compared.
//!
//! *What it cannot show.* Anything of other orders of trial: of two edges that can stand in for each other the one tried
//! first goes, and the other then seems needed. Losses below the threshold add up over thousands of edges. A threshold has the unit of M
//! and means something else in another model.
//!
//! *Reference.* Conmy et al. 2023, "Towards Automated Circuit Discovery for Mechanistic Interpretability".
//!
//! *Example.* `Acdc(threshold: 0.01)`, `Acdc(threshold: [0.01, 0.1], judge: Metric, ablate: Zero)`

mod search;
mod tables;

pub use search::{Decided, Decision, search};

use super::circuit::{apart, joint, runs};
use super::{Bench, Finding, Summary};
use crate::plan::{Acdc, Item};
use crate::steps::{RunError, Steps};
use rand::SeedableRng;
use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;
use tables::Search;

/// Searches at every threshold, on all items and on both halves, and runs what is found.
pub fn acdc(bench: &Bench, plan: &Acdc, steps: &mut Steps) -> Result<Finding, RunError> {
    let own = apart(bench.model);
    let bench = &Bench { model: own.as_deref().unwrap_or(bench.model), ..*bench };
    let halves = halves(bench);
    let mut searches = Vec::new();
    for threshold in &plan.thresholds {
        let whole = search(bench, plan, *threshold, steps)?;
        let mut of_halves = Vec::new();
        for items in &halves {
            of_halves.push(search(&Bench { items, ..*bench }, plan, *threshold, steps)?);
        }
        searches.push((*threshold, whole, of_halves));
    }
    if let Err(elsewhere) = steps.complete() {
        steps.pass_over(plan.thresholds.len() * joint(bench));
        return Err(elsewhere);
    }
    let mut finding = Finding::default();
    let mut curve = Vec::new();
    for (threshold, whole, of_halves) in searches {
        let all = "a search is whole where no step is missing";
        let of_halves = of_halves.into_iter().map(|half| half.expect(all)).collect();
        let search = Search { bench, plan, threshold, whole: whole.expect(all), halves: of_halves };
        let told = search.found().run(bench, plan.stand, steps)?;
        curve.push(search.point(&told));
        finding.tables.extend(told.tables);
        finding.items.extend(told.items);
        finding.circuits.extend(told.circuits);
        finding.portraits.extend(told.portraits);
    }
    finding.tables.extend(tables::thresholds(bench, plan, curve));
    Ok(finding)
}

/// Units of work: an edge for an item in every search, and the runs of what is found.
pub fn work(bench: &Bench, plan: &Acdc) -> usize {
    let items = bench.items.len();
    let searched = items + halves(bench).iter().map(Vec::len).sum::<usize>();
    plan.thresholds.len() * (searched * plan.blocks.edges().len() + items * runs(None))
}

/// Two random halves of the observations, which share no item; none where there is only one.
fn halves(bench: &Bench) -> Vec<Vec<Item>> {
    let groups = Summary::new(bench).groups();
    let mut order: Vec<usize> = (0..groups.iter().max().map_or(0, |last| last + 1)).collect();
    if order.len() < 2 {
        return Vec::new();
    }
    order.shuffle(&mut ChaCha8Rng::seed_from_u64(bench.seed));
    let (one, other) = order.split_at(order.len() / 2);
    let of = |half: &[usize]| {
        let own = bench.items.iter().zip(&groups).filter(|(_, group)| half.contains(group));
        own.map(|(item, _)| item.clone()).collect()
    };
    vec![of(one), of(other)]
}
