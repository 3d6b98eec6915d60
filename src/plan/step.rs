//! The methods of an experiment, each with every name resolved.

use super::{
    Acdc, Attribution, Circuits, Classifying, Cuts, Cutting, Das, Erasing, Filed, Given, Known, Localising, Measuring,
    ModelPatching, Paths, Probing, Problems, Pruning, Representing, Scope, Steering, Stitching, Sweep, Tracing,
    TunedLens, WeightPatching, attribution, beside, causal, cells, checks, circuit, classifying, cutting, das, edits,
    given, knockout, localise, measuring, paths, probing, pruning, record, representing, scope, sites, steer,
    stitching, tuned_lens,
};
use crate::circuit::Blocks;
use crate::hook::Edit;
use crate::site::Site;
use crate::spec::{Ablation, Direction, Experiment, Mediators, Method, Weighting};

/// A method with every name resolved.
// there are a few of them in a plan, each held once
#[allow(clippy::large_enum_variant)]
pub enum Step {
    /// States and gradients.
    Record {
        /// Where states are kept.
        sites: Vec<Site>,
        /// Where gradients are kept.
        gradients: Vec<Site>,
        /// How rows go to files, where they do.
        filed: Option<Filed>,
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
    /// What can be told from states.
    Probe(Box<Probing>),
    /// States without a concept.
    Erase(Box<Erasing>),
    /// How states lie, and which spaces are alike.
    Represent(Box<Representing>),
    /// Attention knockout.
    Knockout(Cuts),
    /// States read in another prompt.
    Patchscope(Scope),
    /// Units picked and lesioned.
    Localise(Localising),
    /// States moved along directions.
    Steer(Steering),
    /// Directions learned.
    Das(Das),
    /// Behavioural bias, measured.
    Measure(Measuring),
    /// Translators learned.
    TunedLens(TunedLens),
    /// Weights of another model put in.
    PatchWeights(WeightPatching),
    /// Activations of another model put in.
    PatchModels(ModelPatching),
    /// States of another model put in.
    Stitch(Box<Stitching>),
    /// A head on states, and what it does to two groups.
    Classify(Box<Classifying>),
    /// A bias cut out.
    Cut(Box<Cutting>),
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

/// Every method of an experiment, as far as nothing is wrong with it.
pub(super) fn resolve(experiment: &Experiment, known: &Known, problems: &mut Problems) -> Vec<Step> {
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
        Method::Record { sites, gradients, at: spots, shards } => {
            let asked = record::Asked { sites, gradients, spots, shards: *shards };
            record::resolve(&at, &asked, experiment, known, problems)
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
        Method::Probe(asked) => {
            probing::resolve(&at, asked, experiment, known, problems).map(Box::new).map(Step::Probe)
        }
        Method::Localise(asked) => localise::resolve(&at, asked, experiment, known, problems).map(Step::Localise),
        Method::Steer(asked) => steer::resolve(&at, asked, experiment, known, problems).map(Step::Steer),
        Method::Represent(asked) => {
            representing::resolve(&at, asked, known, problems).map(Box::new).map(Step::Represent)
        }
        Method::Erase(asked) => {
            probing::resolve_erasing(&at, asked, experiment.seed, known, problems).map(Box::new).map(Step::Erase)
        }
        Method::Knockout { from, to, window, over, only } => {
            let asked = knockout::Asked { from, to, window: *window, over, only };
            knockout::resolve(&at, &asked, known, problems).map(Step::Knockout)
        }
        Method::Patchscope { prompt, at: position, into, from, layers, tokens } => {
            let asked = scope::Asked { prompt, at: *position, into: *into, from, layers, tokens: *tokens };
            scope::resolve(&at, &asked, experiment, known, problems).map(Step::Patchscope)
        }
        Method::Measure(asked) => measuring::resolve(&at, asked, experiment, known, problems).map(Step::Measure),
        Method::Das(asked) => das::resolve(&at, asked, experiment.seed, known, problems).map(Step::Das),
        Method::TunedLens(asked) => {
            tuned_lens::resolve(&at, asked, experiment.seed, known, problems).map(Step::TunedLens)
        }
        Method::PatchWeights(asked) => beside::weights(&at, asked, experiment, known, problems).map(Step::PatchWeights),
        Method::PatchModels(asked) => beside::models(&at, asked, experiment, known, problems).map(Step::PatchModels),
        Method::Stitch(asked) => {
            stitching::resolve(&at, asked, experiment, known, problems).map(Box::new).map(Step::Stitch)
        }
        Method::Classify(asked) => {
            classifying::resolve(&at, asked, experiment, known, problems).map(Box::new).map(Step::Classify)
        }
        Method::Cut(asked) => cutting::resolve(&at, asked, experiment, known, problems).map(Box::new).map(Step::Cut),
    }
}
