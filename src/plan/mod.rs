//! What an experiment means: every name resolved, every mistake found before anything runs. The only validator.

mod cells;
mod edits;
mod items;

pub use cells::{Cell, Sweep};
pub use items::{Answers, Item};

use crate::hook::Edit;
use crate::metric::Metric;
use crate::model::load::Loaded;
use crate::model::{Dims, Model};
use crate::site::Site;
use crate::spec::{Ablation, AllSites, Axis, Direction, Experiment, Method, Sites, Weighting};
use std::fmt;

/// An experiment that can be run without a mistake of the user's left in it.
pub struct Plan {
    /// What was asked, with every default.
    pub experiment: Experiment,
    /// The items, as tokens.
    pub items: Vec<Item>,
    /// The methods, resolved.
    pub steps: Vec<Step>,
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
}

/// Something wrong, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// The field: `methods[0].over`.
    pub at: String,
    /// What was found, what was expected, what to do.
    pub what: String,
}

/// Everything that is wrong with an experiment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlanError(pub Vec<Problem>);

impl fmt::Display for PlanError {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let lines: Vec<String> = self.0.iter().map(|problem| format!("{}: {}", problem.at, problem.what)).collect();
        out.write_str(&lines.join("\n"))
    }
}

impl std::error::Error for PlanError {}

/// Collects problems while resolving goes on.
#[derive(Default)]
pub(crate) struct Problems(Vec<Problem>);

impl Problems {
    pub(crate) fn add(&mut self, at: &str, what: impl Into<String>) {
        self.0.push(Problem { at: at.to_string(), what: what.into() });
    }

    fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// What names are resolved against.
pub(crate) struct Known<'a> {
    pub(crate) model: &'a dyn Model,
    pub(crate) family: &'a str,
    pub(crate) sites: Vec<Site>,
    pub(crate) items: &'a [Item],
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
}

impl Plan {
    /// Resolves an experiment, or says everything that is wrong with it.
    pub fn new(experiment: &Experiment, loaded: &Loaded) -> Result<Self, PlanError> {
        let mut problems = Problems::default();
        let items = items::resolve(experiment, loaded, &mut problems);
        check_statistics(experiment, &mut problems);
        let model = loaded.model.as_ref();
        let known = Known { model, family: &loaded.family, sites: model.sites(), items: &items };
        let steps = experiment.methods.iter().enumerate();
        let steps: Vec<Option<Step>> =
            steps.map(|(index, method)| step(index, method, experiment, &known, &mut problems)).collect();
        if experiment.methods.is_empty() {
            problems.add(
                "methods",
                "empty; name at least one, for instance Patch(sites: [\"hook_resid_pre\"], over: [Layer, Position])",
            );
        }
        match problems.is_empty() {
            true => Ok(Plan { experiment: experiment.clone(), items, steps: steps.into_iter().flatten().collect() }),
            false => Err(PlanError(problems.0)),
        }
    }

    /// What is read from the logits.
    pub fn metric(&self) -> Metric {
        self.experiment.metric
    }
}

fn check_statistics(experiment: &Experiment, problems: &mut Problems) {
    let statistics = experiment.statistics;
    if !(statistics.level > 0.0 && statistics.level < 1.0) {
        problems.add("statistics.level", format!("{} is not between 0 and 1", statistics.level));
    }
    if statistics.resamples == 0 || statistics.permutations == 0 {
        problems.add("statistics", "resamples and permutations must be above 0");
    }
}

fn step(
    index: usize,
    method: &Method,
    experiment: &Experiment,
    known: &Known,
    problems: &mut Problems,
) -> Option<Step> {
    let at = format!("methods[{index}]");
    check_needs(&at, method, known, problems);
    match method {
        Method::Record { sites, gradients } => {
            let gradients = all_sites(&format!("{at}.gradients"), gradients, known, problems);
            Some(Step::Record { sites: all_sites(&format!("{at}.sites"), sites, known, problems), gradients })
        }
        Method::LogitLens { sites } => {
            Some(Step::LogitLens(lens_sites(&format!("{at}.sites"), sites.as_ref(), known, problems)))
        }
        Method::DirectLogitAttribution => {
            check_attribution(&at, experiment.metric, known, problems);
            Some(Step::DirectLogitAttribution)
        }
        Method::Attention { weighting } => {
            if !known.items.is_empty() && known.length().is_none() {
                problems.add(&at, "patterns are averaged over items, which needs prompts of one length; choose words of equally many tokens");
            }
            Some(Step::Attention(*weighting))
        }
        Method::Patch { sites, over, direction, only } => {
            Some(Step::Patch(cells::resolve(&at, sites, over, only, known, problems)?, *direction))
        }
        Method::Ablate { sites, over, with, only } => {
            check_ablation(&at, *with, known, problems);
            Some(Step::Ablate(cells::resolve(&at, sites, over, only, known, problems)?, *with))
        }
        Method::Generate { tokens, edits, temperature } => {
            check_generation(&at, *tokens, *temperature, known, problems);
            let edits = edits::resolve(&at, edits, known, problems);
            Some(Step::Generate { tokens: *tokens, edits, temperature: *temperature })
        }
    }
}

/// Answers and corrupted twins, where the method needs them.
fn check_needs(at: &str, method: &Method, known: &Known, problems: &mut Problems) {
    let contrast = |edits: &[crate::spec::EditSpec]| {
        edits.iter().any(|edit| matches!(edit.change, crate::spec::ChangeSpec::AddContrast(_)))
    };
    let needs = match method {
        Method::Record { gradients, .. } => *gradients != Sites::Named(Vec::new()),
        Method::Attention { .. } => false,
        Method::Generate { edits, .. } => contrast(edits),
        _ => true,
    };
    if needs && known.items.iter().any(|item| item.answers.is_none()) {
        problems.add(at, "needs prompts in pairs with answers; write data as Pairs, Templates, Csv or Jsonl");
    }
}

fn check_attribution(at: &str, metric: Metric, known: &Known, problems: &mut Problems) {
    if !known.model.is_causal() {
        problems.add(at, "the head of an encoder is not linear, so its logits do not split into parts");
    }
    if metric != Metric::LogitDiff {
        problems.add(at, format!("only a logit difference splits into parts; `metric` is {metric}"));
    }
}

fn check_ablation(at: &str, with: Ablation, known: &Known, problems: &mut Problems) {
    if matches!(with, Ablation::MeanPerPosition | Ablation::Resample) && known.length().is_none() {
        problems.add(
            &format!("{at}.with"),
            format!("{with:?} needs prompts of one length; use Mean or Zero, or split the data"),
        );
    }
    if with == Ablation::Resample && known.items.len() < 2 {
        problems.add(&format!("{at}.with"), "Resample needs at least two items");
    }
}

fn check_generation(at: &str, tokens: usize, temperature: f64, known: &Known, problems: &mut Problems) {
    if !known.model.is_causal() {
        problems.add(at, "an encoder cannot continue a text");
    }
    let longest = known.items.iter().map(|item| item.clean.len()).max().unwrap_or(0);
    let context = known.dims().context;
    if longest + tokens > context || tokens == 0 {
        let most = context.saturating_sub(longest);
        problems.add(
            &format!("{at}.tokens"),
            format!("{tokens} tokens after a prompt of {longest}; the model's {context} positions leave 1 to {most}"),
        );
    }
    if !(temperature >= 0.0 && temperature.is_finite()) {
        problems.add(&format!("{at}.temperature"), "must be 0 or above");
    }
}

/// Groups of sites that a sweep treats alike: a name without layer is one group.
pub(crate) fn site_groups(at: &str, sites: &Sites, known: &Known, problems: &mut Problems) -> Vec<(String, Vec<Site>)> {
    match sites {
        Sites::All(AllSites::All) => {
            let mut groups: Vec<(String, Vec<Site>)> = Vec::new();
            for site in &known.sites {
                match groups.iter_mut().find(|(kind, _)| kind == site.kind()) {
                    Some((_, group)) => group.push(*site),
                    None => groups.push((site.kind().to_string(), vec![*site])),
                }
            }
            groups
        }
        Sites::Named(names) => names
            .iter()
            .enumerate()
            .filter_map(|(index, name)| Some((name.clone(), named(&format!("{at}[{index}]"), name, known, problems)?)))
            .collect(),
    }
}

/// The sites that a name stands for in this model.
pub(crate) fn named(at: &str, name: &str, known: &Known, problems: &mut Problems) -> Option<Vec<Site>> {
    let of_kind = Site::of_kind(name, known.dims().layers);
    let sites = if of_kind.is_empty() { name.parse().map(|site| vec![site]).unwrap_or_default() } else { of_kind };
    let sites: Vec<Site> = sites.into_iter().filter(|site| known.sites.contains(site)).collect();
    if sites.is_empty() {
        problems.add(
            at,
            format!("{} has no site {name:?}{}; `patchclamp sites` lists them", known.family, near(name, known)),
        );
        return None;
    }
    Some(sites)
}

/// A site of the model with a similar name, as a hint.
fn near(name: &str, known: &Known) -> String {
    let tail = name.rsplit('.').next().unwrap_or(name).trim_start_matches("hook_");
    let found = known.sites.iter().find(|site| !tail.is_empty() && site.kind().contains(tail));
    found.map(|site| format!("; did you mean {:?}?", site.kind())).unwrap_or_default()
}

fn all_sites(at: &str, sites: &Sites, known: &Known, problems: &mut Problems) -> Vec<Site> {
    site_groups(at, sites, known, problems).into_iter().flat_map(|(_, sites)| sites).collect()
}

/// The streams a lens reads: those named, or the one behind every block.
fn lens_sites(at: &str, sites: Option<&Sites>, known: &Known, problems: &mut Problems) -> Vec<Site> {
    let behind_blocks = || Site::of_kind(known.model.last_stream().kind(), known.dims().layers);
    let sites = sites.map_or_else(behind_blocks, |sites| all_sites(at, sites, known, problems));
    let width = |site: &Site| crate::model::shape(known.dims(), *site, 1, 1);
    if let Some(site) = sites.iter().find(|site| width(site) != [1, 1, known.dims().d_model]) {
        problems
            .add(at, format!("`{site}` is not a stream of width {}, so it cannot be unembedded", known.dims().d_model));
    }
    sites
}

/// Whether an axis is among those swept.
pub(crate) fn sweeps(over: &[Axis], axis: Axis) -> bool {
    over.contains(&axis)
}
