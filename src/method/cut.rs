//! Cut: a bias taken out of the model, and what is lost with it.
//!
//! *What it measures.* The bias is how much more the metric has after the clean prompts of the data than after the corrupted ones
//! (a contrast: 0 is no bias); what must be kept is the same of the prompts of `keep`, and the share of these that are answered
//! right. Items are divided into parts (`folds`, whole groups by `apart`); all others choose a cut, and the part is asked
//! with it: every figure is of items that the cut has not seen. Ways to cut: the edges on which the bias hangs most bring the
//! mean over the choosing prompts of both tasks (or zero) in place of what their source writes; so do all edges of nodes; output
//! maps of nodes (W_O of a head, W_out and bias of an MLP) are made orthogonal to the direction in which what they write differs
//! on average between clean and corrupted prompts, W ← W(I − vvᵀ), an edit of the weights; or what tells clean from
//! corrupted prompts is taken out of streams one after the other, each as the erasures before have left it, at every position. An
//! edge's score here is what the contrast changes by without it: that of the clean prompts less that of the corrupted ones. With
//! `spare: Strongest` as many edges as are cut are left alone, those that what is kept hangs on most; with `spare: Shares`
//! edges are ranked by the share of the bias that goes with them less the share by which what is kept changes, either way.
//!
//! Of every cut: the bias, what is kept, and the loss (nats a token, of a text in windows or of the prompts), each with the paired
//! change; the shares left; and selectivity, the share of the bias that is gone, 1 − |left|, less that by which what is kept changes,
//! |1 − left|: 1 takes the bias and nothing else, 0 takes both alike, and a bias turned round is not gone. Shares, selectivity and
//! their p are left out where the whole model's contrast may be zero. Beside each cut as many random edges or nodes of all that are not
//! spared, random directions of what the same nodes write, or random subspaces of the same rank: these lie anywhere in the
//! stream, mostly where no state does, so that few of them do anything and p says little. Parts and intervals draw whole
//! groups (`apart`, and prompts that are the same, in both tasks at once); p is the place among the random cuts, uncorrected.
//!
//! *What it cannot show.* That the bias is gone where other prompts would ask for it, or that what was not asked for is kept. Scores
//! by gradients are first-order, and edges are ranked one by one: of two that stand in for each other neither ranks high.
//! A cut that nothing is lost by may be of edges that nothing goes through: hold the bias against random cuts too. Embeddings are
//! not edited: mostly they are the unembedding too.
//!
//! *Reference.* Syed et al. 2023 and Hanna et al. 2024 (scores); Wang et al. 2023 (mean ablation of edges); Arditi et al. 2024
//! (orthogonal weights); Belrose et al. 2023 (LEACE, and concepts scrubbed stream by stream).
//!
//! *Example.* `Cut(ways: [Edges(counts: [5, 10, 20], spare: Strongest), Erase()], keep: (data: Templates(…)))`

mod ask;
mod change;
mod choose;
mod chosen;
mod directions;
mod erase;
mod tables;
mod weights;

pub use ask::{Outcomes, Said, said};
pub use change::Change;
pub use choose::{Parted, Scored, strongest};
pub use erase::{Erasers, Ranks, edits, taught};
pub use weights::{Turn, turned};

use super::circuit::apart;
use super::{Bench, Finding};
use crate::plan::Cutting;
use crate::steps::{RunError, Steps};
use ask::Asked;
use chosen::Choice;
use std::cell::OnceCell;

/// What rows of these tables name as their method.
pub const CUT: &str = "cut";

/// What stands behind the name of a way before how many are cut.
pub const COUNT: &str = ": ";

/// The model left alone.
pub const WHOLE: &str = "whole model";

/// Chooses, cuts and asks.
pub fn cut(bench: &Bench, plan: &Cutting, steps: &mut Steps) -> Result<Finding, RunError> {
    let own = apart(bench.model);
    let bench = &Bench { model: own.as_deref().unwrap_or(bench.model), ..*bench };
    let choices: Vec<Choice> =
        (0..plan.folds).map(|fold| Choice { bench, plan, fold, made: OnceCell::new() }).collect();
    let mut asked = Asked::new(plan);
    choices.iter().try_for_each(|choice| asked.ask(choice, steps))?;
    if let Err(missing) = steps.complete() {
        steps.pass_over(plan.folds);
        return Err(missing);
    }
    let found = choices.iter().map(|choice| steps.joint(0, || Ok(choice.chosen()?.found.clone())));
    let found = found.collect::<Result<_, RunError>>()?;
    Ok(tables::Told { bench, plan, asked, found }.finding())
}

/// Units of work: everything that is asked, of every model.
pub fn work(plan: &Cutting) -> usize {
    let items: usize = plan.tasks.iter().map(|task| task.items.len()).sum();
    let texts = plan.windows.as_ref().map_or(0, |windows| windows.texts.len());
    (items + texts) * plan.conditions()
}
