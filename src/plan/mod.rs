//! What an experiment means: every name resolved, every mistake found before anything runs. The only validator.

mod answers;
mod attribution;
mod causal;
mod cells;
mod checks;
mod circuit;
mod edits;
mod features;
mod given;
mod group;
mod items;
mod knockout;
mod memory;
mod neurons;
mod paths;
mod places;
mod problem;
mod pruning;
mod scope;
mod sites;
mod spots;
mod subject;
mod truth;

pub use answers::{Answers, has_sets};
pub use attribution::Attribution;
pub use causal::Tracing;
pub use cells::{Cell, Sweep, sites as changed};
pub use circuit::{Acdc, Circuits, Size, rows_of_length, supporting};
pub use features::Feature;
pub use given::Given;
pub use items::Item;
pub use knockout::Cuts;
pub use memory::{Load, ROWS};
pub use neurons::Top;
pub use paths::{Branch, Paths};
pub use problem::{PlanError, Problem};
pub use pruning::Pruning;
pub use scope::{Scope, State};

pub(crate) use problem::Problems;

use crate::circuit::{Blocks, Circuit};
use crate::hook::Edit;
use crate::metric::Metric;
use crate::model::load::Loaded;
use crate::model::{Dims, Model};
use crate::site::Site;
use crate::spec::{Ablation, Axis, Direction, Experiment, Mediators, Method, Sites, Weighting};

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
    /// The methods, resolved.
    pub steps: Vec<Step>,
    /// How many rows each method runs at once, and the memory that takes.
    pub loads: Vec<Load>,
}

/// A method with every name resolved.
pub enum Step {
    /// States and gradients.
    Record {
        /// Where states are kept.
        sites: Vec<Site>,
        /// Where gradients are kept.
        gradients: Vec<Site>,
    },
    /// The answer read from streams.
    LogitLens(Vec<Site>),
    /// The logit difference split up.
    DirectLogitAttribution,
    /// Attention patterns.
    Attention(Weighting),
    /// Activation patching.
    Patch(Sweep, Direction),
    /// Attribution patching.
    AttributionPatch(Attribution),
    /// Ablation.
    Ablate(Sweep, Ablation),
    /// Generation.
    Generate {
        /// How many tokens.
        tokens: usize,
        /// What is changed in every pass.
        edits: Vec<Edit>,
        /// Of the draw; 0 takes the most probable token.
        temperature: f64,
    },
    /// Causal mediation.
    Mediate(Mediators, Sweep),
    /// Causal tracing.
    Trace(Tracing),
    /// Path patching.
    PathPatch(Paths),
    /// Edges scored, chosen and run.
    Circuit(Circuits),
    /// Masks of edges learned.
    EdgePruning(Pruning),
    /// Edges taken out by trial.
    Acdc(Acdc),
    /// A circuit from a file, run.
    EvaluateCircuit(Given),
    /// Attention knockout.
    Knockout(Cuts),
    /// States read in another prompt.
    Patchscope(Scope),
}

impl Step {
    /// The edges among which the method finds circuits, where it does.
    pub fn blocks(&self) -> Option<&Blocks> {
        match self {
            Step::Circuit(circuits) => Some(&circuits.blocks),
            Step::Acdc(acdc) => Some(&acdc.blocks),
            Step::EdgePruning(pruning) => Some(&pruning.blocks),
            Step::EvaluateCircuit(given) => Some(given.circuit.blocks()),
            _ => None,
        }
    }
}

/// What names are resolved against.
pub(crate) struct Known<'a> {
    pub(crate) model: &'a dyn Model,
    pub(crate) family: &'a str,
    pub(crate) loaded: &'a Loaded,
    pub(crate) sites: Vec<Site>,
    pub(crate) items: &'a [Item],
    /// Whether these are all items; where some could not be resolved, nothing is said of their number and lengths.
    pub(crate) complete: bool,
}

impl Known<'_> {
    pub(crate) fn dims(&self) -> &Dims {
        self.model.dims()
    }

    /// The length that all prompts have, if they have one.
    pub(crate) fn length(&self) -> Option<usize> {
        let first = self.items.first()?.clean.len();
        self.items.iter().all(|item| item.clean.len() == first).then_some(first)
    }

    /// Whether prompts have several lengths.
    pub(crate) fn is_uneven(&self) -> bool {
        self.complete && self.length().is_none()
    }
}

impl Plan {
    /// Resolves an experiment, or says everything that is wrong with it.
    pub fn new(experiment: &Experiment, loaded: &Loaded) -> Result<Self, PlanError> {
        let mut problems = Problems::default();
        let items::Resolved { items, left_out } = items::resolve(experiment, loaded, &mut problems);
        let model = loaded.model.as_ref();
        let complete = problems.count() == 0;
        let known = Known { model, family: &loaded.family, loaded, sites: model.sites(), items: &items, complete };
        checks::control(experiment.control, &known, &mut problems);
        checks::statistics(experiment.statistics, &mut problems);
        checks::against(experiment, &mut problems);
        let features = features::resolve(experiment, loaded, &mut problems);
        let truth = truth::resolve(experiment, &known, &mut problems);
        let steps = steps(experiment, &known, &mut problems);
        places::check_truth(truth.is_some(), &steps, &mut problems);
        problems.into_result()?;
        let mut problems = Problems::default();
        let loads = memory::loads(&steps, (model, &items), experiment, &mut problems);
        problems.into_result()?;
        Ok(Plan { experiment: experiment.clone(), items, left_out, features, truth, steps, loads })
    }

    /// What is read from the logits.
    pub fn metric(&self) -> Metric {
        self.experiment.metric
    }
}

fn steps(experiment: &Experiment, known: &Known, problems: &mut Problems) -> Vec<Step> {
    let methods = experiment.methods.iter().enumerate();
    if experiment.methods.is_empty() {
        problems.add(
            "methods",
            "is empty; name at least one, for instance Patch(sites: [\"hook_resid_pre\"], over: [Layer, Position])",
        );
    }
    methods.filter_map(|(index, method)| step(index, method, experiment, known, problems)).collect()
}

fn step(
    index: usize,
    method: &Method,
    experiment: &Experiment,
    known: &Known,
    problems: &mut Problems,
) -> Option<Step> {
    let at = format!("methods[{index}]");
    checks::needs(&at, method, known, problems);
    match method {
        Method::Record { sites: kept, gradients } => {
            let gradients = match gradients {
                Sites::Named(names) if names.is_empty() => Vec::new(),
                some => sites::all_sites(&format!("{at}.gradients"), some, known, problems),
            };
            Some(Step::Record { sites: sites::all_sites(&format!("{at}.sites"), kept, known, problems), gradients })
        }
        Method::LogitLens { sites: read } => {
            Some(Step::LogitLens(sites::lens_sites(&format!("{at}.sites"), read.as_ref(), known, problems)))
        }
        Method::DirectLogitAttribution => {
            checks::attribution(&at, experiment.metric, known, problems);
            Some(Step::DirectLogitAttribution)
        }
        Method::Attention { weighting } => {
            checks::attention(&at, known, problems);
            Some(Step::Attention(*weighting))
        }
        Method::Patch { sites, over, direction, only } => {
            Some(Step::Patch(cells::resolve(&at, sites, over, only, known, problems)?, *direction))
        }
        Method::AttributionPatch { sites, over, score, direction, only } => {
            let asked = attribution::Asked { sites, over, only, score, direction: *direction };
            attribution::resolve(&at, &asked, known, problems).map(Step::AttributionPatch)
        }
        Method::Ablate { sites, over, with, only } => {
            let sweep = cells::resolve(&at, sites, over, only, known, problems);
            checks::ablation(&at, *with, sweep.as_ref().map_or(&[], |sweep| &sweep.cells), known, problems);
            Some(Step::Ablate(sweep?, *with))
        }
        Method::Generate { tokens, edits, temperature } => {
            checks::generation(&at, *tokens, *temperature, known, problems);
            let edits = edits::resolve(&at, edits, known, problems);
            Some(Step::Generate { tokens: *tokens, edits, temperature: *temperature })
        }
        Method::Mediate { mediators, only } => {
            Some(Step::Mediate(mediators.clone(), causal::mediation(&at, mediators, only, known, problems)?))
        }
        Method::Trace { sites, window, copies, noise, facts } => {
            causal::checks(&at, [("window", *window), ("copies", *copies)], *noise, *facts, known, problems);
            let cells = causal::traced(&at, sites, *window, known, problems);
            Some(Step::Trace(Tracing { cells, window: *window, copies: *copies, noise: *noise, facts: *facts }))
        }
        Method::PathPatch { paths, senders, receivers, through, direction, at: positions } => {
            let (senders, through, direction) = (*senders, *through, *direction);
            let asked = paths::Asked { paths, senders, receivers, through, direction, at: positions };
            paths::resolve(&at, &asked, known, problems).map(Step::PathPatch)
        }
        Method::Circuit { score, neurons, positions, select, by, ablate, random_circuits, shuffled_answers } => {
            let (draws, score, positions) = ([*random_circuits, *shuffled_answers], *score, *positions);
            let asked = circuit::Asked { score, neurons, positions, select: *select, by: *by, ablate: *ablate, draws };
            circuit::resolve(&at, &asked, known, problems).map(Step::Circuit)
        }
        Method::EdgePruning { target, steps, learning_rate, judge, ablate, seeds, random_circuits } => {
            let (target, steps, learning_rate) = (*target, *steps, *learning_rate);
            let (judge, ablate, seeds, random) = (*judge, *ablate, *seeds, *random_circuits);
            let asked = pruning::Asked { target, steps, learning_rate, judge, ablate, seeds, random };
            pruning::resolve(&at, asked, known, problems).map(Step::EdgePruning)
        }
        Method::Acdc { threshold, judge, ablate, random_circuits } => {
            let asked = (threshold.values(), *judge, *ablate, *random_circuits);
            circuit::resolve_acdc(&at, asked, known, problems).map(Step::Acdc)
        }
        Method::EvaluateCircuit { file, select, by, ablate, random_circuits } => {
            let asked = given::Asked { file, select: *select, by: *by, ablate: *ablate, random: *random_circuits };
            given::resolve(&at, &asked, known, problems).map(Step::EvaluateCircuit)
        }
        Method::Knockout { from, to, window, over, only } => {
            let asked = knockout::Asked { from, to, window: *window, over, only };
            knockout::resolve(&at, &asked, known, problems).map(Step::Knockout)
        }
        Method::Patchscope { prompt, at: position, into, from, layers, tokens } => {
            let asked = scope::Asked { prompt, at: *position, into: *into, from, layers, tokens: *tokens };
            scope::resolve(&at, &asked, experiment, known, problems).map(Step::Patchscope)
        }
    }
}

/// Whether an axis is among those swept.
pub(crate) fn sweeps(over: &[Axis], axis: Axis) -> bool {
    over.contains(&axis)
}
