//! What an experiment means: every name resolved, every mistake found before anything runs. The only validator.

mod answers;
mod attribution;
mod beside;
mod causal;
mod cells;
mod checks;
mod circuit;
mod classifying;
mod cutting;
mod das;
mod edits;
mod features;
mod given;
mod group;
mod guest;
mod hash;
mod held_out;
mod items;
mod knockout;
mod known;
mod localise;
mod measuring;
mod memory;
mod neurons;
mod paths;
mod places;
mod probing;
mod problem;
mod pruning;
mod record;
mod representing;
mod samples;
mod scope;
mod sites;
mod spots;
mod steer;
mod step;
mod stitching;
mod subject;
mod task;
mod treating;
mod truth;
mod tuned_lens;

pub use answers::{Answers, has_sets, orientation};
pub use attribution::Attribution;
pub use beside::{ModelPatching, WeightPatching};
pub use causal::Tracing;
pub use cells::{Cell, Sweep, sites as changed};
pub use circuit::{Acdc, Circuits, Size, rows_of_length, supporting};
pub use classifying::Classifying;
pub use cutting::{Cutting, Kind as CutKind, Of, TASKS, Trial, Way, Windows};
pub use das::Das;
pub use features::Feature;
pub use given::Given;
pub use guest::{Guest, Named};
pub use hash::{DATA_HASH, data_hash};
pub use held_out::Parts;
pub use items::Item;
pub use knockout::Cuts;
pub use localise::Localising;
pub use measuring::{Case, Kind, Measuring, Set};
pub use memory::{Load, ROWS};
pub use neurons::Top;
pub use paths::{Branch, Paths};
pub use probing::{Erasing, Filed as FiledStates, INNER, Probed, Probing, width};
pub use problem::{PlanError, Problem};
pub use pruning::Pruning;
pub use record::Filed;
pub use representing::Representing;
pub use samples::Samples;
pub use scope::{Scope, State};
pub use steer::Steering;
pub use step::Step;
pub use stitching::{Stitching, Twofold};
pub use task::{DATA, Question, Task};
pub use tuned_lens::TunedLens;

pub(crate) use known::Known;
pub(crate) use problem::Problems;

use crate::circuit::Circuit;
use crate::metric::Metric;
use crate::model::load::Loaded;
use crate::spec::{Axis, Experiment};
use crate::treat::{Ledger, Recipe};

/// An experiment that can be run without a mistake of the user's left in it.
pub struct Plan {
    /// What was asked, with every default.
    pub experiment: Experiment,
    /// The items, as tokens.
    pub items: Vec<Item>,
    /// Pairs of the data that are no item, as their prompts have different numbers of tokens.
    pub left_out: usize,
    /// What is looked for in what nodes write and read.
    pub features: Vec<Feature>,
    /// The true circuit, where the experiment names one.
    pub truth: Option<Circuit>,
    /// What is done to the weights.
    pub recipe: Recipe,
    /// What that did, once it is done.
    pub ledger: Option<Ledger>,
    /// The methods, resolved.
    pub steps: Vec<Step>,
    /// How many rows each method runs at once, and the memory that takes.
    pub loads: Vec<Load>,
}

impl Plan {
    /// Resolves an experiment, or says everything that is wrong with it.
    pub fn new(experiment: &Experiment, loaded: &Loaded) -> Result<Self, PlanError> {
        Plan::among(experiment, loaded, &[])
    }

    /// What is to be done to the weights, whatever methods there are.
    pub fn recipe(experiment: &Experiment, loaded: &Loaded) -> Result<Recipe, PlanError> {
        let mut problems = Problems::default();
        let items = items::resolve(experiment, loaded, &mut problems).items;
        let known = Known { items: &items, complete: problems.count() == 0, ..Known::of(loaded) };
        let recipe = treating::resolve(experiment, &known, &mut problems);
        problems.into_result()?;
        Ok(recipe)
    }

    /// The same where methods name other models, which must be among the guests.
    pub fn among(experiment: &Experiment, loaded: &Loaded, guests: &[Guest]) -> Result<Self, PlanError> {
        let mut problems = Problems::default();
        let items::Resolved { items, left_out } = items::resolve(experiment, loaded, &mut problems);
        let complete = problems.count() == 0;
        let features = features::resolve(experiment, loaded, &mut problems);
        let student = treating::student(experiment, loaded);
        // what methods will ask, which may have fewer blocks than what is treated
        let asked = student.as_ref().unwrap_or(loaded);
        let treated = Known { items: &items, features: &features, guests, complete, ..Known::of(loaded) };
        let known = Known { model: asked.model.as_ref(), sites: asked.model.sites(), loaded: asked, ..treated };
        checks::control(experiment.control, &known, &mut problems);
        checks::statistics(experiment.statistics, &mut problems);
        checks::against(experiment, &mut problems);
        let truth = truth::resolve(experiment, &known, &mut problems);
        let recipe = treating::resolve(experiment, &treated, &mut problems);
        let steps = step::resolve(experiment, &known, &mut problems);
        places::check_truth(truth.is_some(), &steps, &mut problems);
        problems.into_result()?;
        let mut problems = Problems::default();
        let loads = memory::loads(&steps, (asked.model.as_ref(), &items), experiment, &mut problems);
        problems.into_result()?;
        Ok(Plan {
            experiment: experiment.clone(),
            items,
            left_out,
            features,
            truth,
            recipe,
            ledger: None,
            steps,
            loads,
        })
    }

    /// What is read from the logits.
    pub fn metric(&self) -> Metric {
        self.experiment.metric
    }
}

/// Whether an axis is among those swept.
pub(crate) fn sweeps(over: &[Axis], axis: Axis) -> bool {
    over.contains(&axis)
}
