//! Localise: units picked by what prompts differ in, lesioned, and what that does to this task and to others.
//!
//! *What it measures.* The data and every feature are tasks: pairs of prompts of which the clean one has something. On one
//! half of a task's pairs the units with the largest Welch's t between clean and corrupted prompts are picked, of those that
//! survive the correction over all units (those of a layer's site, where so many of each are asked for); on the other half it is told how selective they are. Then they are lesioned
//! together, at every position, while the pairs of the other half are asked; halves change places, so every pair is held out
//! once. A task's score is the mean of the metric over both prompts of a pair, each asked for its own right answer. Effects
//! stand beside those of as many random units of the same sites and of units that a shuffled contrast picks, and beside fluency.
//! A unit's specificity is the share of its own task's score that a lesion takes less the share of another's: where two tasks
//! have both of their specificities above zero, they dissociate doubly.
//!
//! *What it cannot show.* That nothing else does the task: units that are not the strongest, and those that step in. A
//! task's units may be other ones at other positions. Two tasks on which the model does different things at other tokens
//! dissociate for that alone.
//!
//! *Reference.* Kanwisher, McDermott & Chun 1997; Saxe, Brett & Kanwisher 2006 (functional localisers); AlKhamissi et al.
//! 2025, "The LLM language network"; Teuber 1955 and Shallice 1988 for double dissociation; Vig et al. 2020 (neurons).
//!
//! *Example.* `Localise(units: Share(0.01), at: [Contrast], lesion: [Zero, Mean])`

mod dissociation;
mod lesions;
mod picks;
mod tables;

use super::catalogue::Catalogue;
use super::heard::{Outcomes, held_out};
use super::{Bench, Finding};
use crate::model::HookError;
use crate::plan::{Localising, Question};
use crate::spec::Ablation;
use crate::steps::{RunError, Steps};
use lesions::{Lesions, Stand};
use ndarray::Array2;
use picks::{Pick, Picker};

/// What tables are called that a figure is drawn of.
pub const LOCALISE: &str = "localise";

/// What was found before anything is lesioned.
struct Found<'a> {
    plan: &'a Localising,
    catalogue: &'a Catalogue,
    /// `[task]`, each `[question, unit]`.
    responses: Vec<Array2<f64>>,
    /// `[task][half that picks]`.
    picks: Vec<[Pick; 2]>,
}

/// One kind of lesion: what every task says under every set of units.
struct Study {
    with: Ablation,
    /// `[task]`.
    outcomes: Vec<Outcomes>,
}

/// Picks units, and lesions them.
pub fn localise(bench: &Bench, plan: &Localising, steps: &mut Steps) -> Result<Finding, RunError> {
    let catalogue = Catalogue::new(&plan.sites, bench.model.dims());
    let found = find(bench, plan, &catalogue)?;
    let mut studies = Vec::new();
    for with in &plan.lesions {
        studies.push(study(bench, &found, *with, steps)?);
    }
    steps.complete()?;
    let mut tables = tables::tables(bench, &found);
    let mut items = Vec::new();
    for study in &studies {
        let told = dissociation::told(bench, &found, study);
        tables.extend(told.tables);
        items.extend(told.items);
    }
    Ok(Finding { tables, items, ..Finding::default() })
}

/// Units of work: questions under every set, for every kind of lesion.
pub fn work(plan: &Localising) -> usize {
    let questions: usize = plan.tasks.iter().map(|task| task.questions.len()).sum();
    questions * plan.sets() * plan.lesions.len()
}

fn find<'a>(bench: &Bench, plan: &'a Localising, catalogue: &'a Catalogue) -> Result<Found<'a>, HookError> {
    let respond =
        |questions: &Vec<Question>| catalogue.responses(bench.model, &questions.iter().collect::<Vec<_>>(), bench.rows);
    let responses: Vec<Array2<f64>> =
        plan.tasks.iter().map(|task| respond(&task.questions)).collect::<Result<_, HookError>>()?;
    let picker = Picker { plan, catalogue };
    let pick = |(number, (task, responses))| {
        let seed = |stream: u64| bench.seed.wrapping_add(3 * number as u64 + stream);
        [0, 1].map(|half| picker.pick(task, responses, half, [seed(half as u64), seed(2)]))
    };
    let picks = plan.tasks.iter().zip(&responses).enumerate().map(pick).collect();
    Ok(Found { plan, catalogue, responses, picks })
}

/// All sets of units that a half picks, task by task: picked, shuffled, random.
fn sets<'a>(found: &'a Found, half: usize) -> Vec<Vec<usize>> {
    let of_task = |picks: &'a [Pick; 2]| {
        let pick = &picks[half];
        [pick.units(), pick.shuffled.clone()].into_iter().chain(pick.random.iter().cloned())
    };
    found.picks.iter().flat_map(of_task).collect()
}

fn study(bench: &Bench, found: &Found, with: Ablation, steps: &mut Steps) -> Result<Study, RunError> {
    let stand = Stand::new(bench, found.catalogue, with, &found.plan.tasks)?;
    let [first, second] = [0, 1].map(|half| Lesions { stand: &stand, sets: sets(found, half) });
    let ask = |task| held_out(bench, task, [&first, &second], steps);
    Ok(Study { with, outcomes: found.plan.tasks.iter().map(ask).collect::<Result<_, RunError>>()? })
}
