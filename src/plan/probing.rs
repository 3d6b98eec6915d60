//! What a probe reads: samples, places, and what it is held against.

use super::samples::{self, Samples};
use super::{Cell, Known, Problems, Sweep, cells, checks};
use crate::model::shape;
use crate::site::Layout;
use crate::spec::{Apart, Axis, Concept, Only, ProbeSpec, Sites, Spot, Use};

/// Folds within what is learnt from, where a penalty is chosen.
pub const INNER: usize = 3;

/// The most shuffles, twins and directions: more would not end.
const MOST_DRAWS: usize = 100_000;

/// A probe with every name resolved.
#[derive(Clone, Debug, PartialEq)]
pub struct Probing {
    /// Where.
    pub sweep: Sweep,
    /// Of what.
    pub samples: Samples,
    /// Where the states of the experiment's own items are changed, where positions are not swept; by item.
    pub positions: Vec<usize>,
    /// What that is called.
    pub of: Concept,
    /// Where a state is taken, in words.
    pub at: Spot,
    /// What is not on both sides of a split.
    pub apart: Apart,
    /// Penalties to choose from.
    pub penalties: Vec<f64>,
    /// Units of the probe with a hidden layer; 0 is none.
    pub hidden: usize,
    /// How many features sparse probes may use.
    pub sparse: Vec<usize>,
    /// Shuffles of the labels.
    pub shuffles: usize,
    /// Twins with random weights.
    pub random_models: usize,
    /// How use is seen.
    pub used: Vec<Use>,
    /// Random directions that each use is held against.
    pub random_directions: usize,
}

/// The probe, or what is wrong with it.
pub(super) fn resolve(
    at: &str,
    asked: &ProbeSpec,
    seed: u64,
    known: &Known,
    problems: &mut Problems,
) -> Option<Probing> {
    let sweep = places(at, (&asked.sites, &asked.over, &asked.only), known, problems);
    check_numbers(at, asked, problems);
    let inner = (asked.penalties.len() > 1).then_some(INNER);
    let samples = samples::Asked {
        of: &asked.of,
        at: asked.at,
        apart: &asked.apart,
        folds: asked.folds,
        everywhere: super::sweeps(&asked.over, Axis::Position),
        inner,
        seed,
    };
    let samples = samples::resolve(at, &samples, known, problems);
    let (sweep, samples) = (sweep?, samples?);
    check_sparse(at, &asked.sparse, &sweep.cells, known, problems);
    check_lengths(at, &asked.over, &samples, known, problems);
    check_use(at, asked, &samples, known, problems);
    let position = |item| super::spots::positions(asked.at, item).first().copied().unwrap_or(0);
    Some(Probing {
        positions: known.items.iter().map(position).collect(),
        sweep,
        samples,
        of: asked.of.clone(),
        at: asked.at,
        apart: asked.apart.clone(),
        penalties: asked.penalties.clone(),
        hidden: asked.hidden,
        sparse: asked.sparse.clone(),
        shuffles: asked.shuffles,
        random_models: asked.random_models,
        used: asked.used.clone(),
        random_directions: asked.random_directions,
    })
}

/// Cells whose states are vectors of one width for every prompt.
pub(super) fn places(
    at: &str,
    (sites, over, only): (&Sites, &[Axis], &Only),
    known: &Known,
    problems: &mut Problems,
) -> Option<Sweep> {
    if !only.positions.is_empty() && !super::sweeps(over, Axis::Position) {
        let what = "a state is taken at one position; write `at: 3`, or sweep over Position";
        problems.add(&format!("{at}.only.positions"), what);
    }
    let sweep = cells::resolve(at, sites, over, only, known, problems)?;
    let sites = sweep.cells.iter().flat_map(|cell| &cell.sites);
    if let Some(site) = sites.into_iter().find(|site| site.layout() == Layout::Pattern) {
        let what =
            format!("`{}` is as wide as the prompt is long, so it is no vector that a probe can read", site.kind());
        problems.add(&format!("{at}.sites"), what);
        return None;
    }
    Some(sweep)
}

/// Lengths of the samples, where positions are swept.
fn check_lengths(at: &str, over: &[Axis], samples: &Samples, known: &Known, problems: &mut Problems) {
    let Some(length) = known.length().filter(|_| super::sweeps(over, Axis::Position)) else { return };
    if let Some(item) = samples.items.iter().find(|item| item.clean.len() != length) {
        let what = format!(
            "sweeps over positions, but a prompt of the feature has {} tokens and those of `data` have {length}; choose sentences of as many tokens, or leave Position out",
            item.clean.len()
        );
        problems.add(&format!("{at}.over"), what);
    }
}

fn check_numbers(at: &str, asked: &ProbeSpec, problems: &mut Problems) {
    let field = |name: &str| format!("{at}.{name}");
    if asked.penalties.is_empty() || asked.penalties.iter().any(|penalty| !(*penalty > 0.0 && penalty.is_finite())) {
        problems.add(&field("penalties"), format!("{:?} are not numbers above 0, one at least", asked.penalties));
    }
    cells::check_once(&field("penalties"), &asked.penalties, problems);
    cells::check_once(&field("sparse"), &asked.sparse, problems);
    cells::check_once(&field("used"), &asked.used, problems);
    let draws = [
        ("shuffles", asked.shuffles),
        ("random_models", asked.random_models),
        ("random_directions", asked.random_directions),
        ("hidden", asked.hidden),
    ];
    for (name, count) in draws.into_iter().filter(|(_, count)| *count > MOST_DRAWS) {
        problems.add(&field(name), format!("{count} are too many; {MOST_DRAWS} are the most"));
    }
}

/// How many values the state of a cell has.
pub fn width(cell: &Cell, model: &dyn crate::model::Model) -> usize {
    let of = |site: &crate::site::Site| {
        let shape = shape(model.dims(), *site, 1, 1);
        let (heads, width) = match site.layout() {
            Layout::Stream => (1, shape[2]),
            _ => (shape[2], shape[3]),
        };
        let place = cell.place(*site, None);
        let count = |chosen: &Option<Vec<usize>>, all: usize| chosen.as_ref().map_or(all, Vec::len);
        count(&place.heads, heads) * count(&place.neurons, width)
    };
    cell.sites.iter().map(of).sum()
}

fn check_sparse(at: &str, sparse: &[usize], cells: &[Cell], known: &Known, problems: &mut Problems) {
    let narrowest = cells.iter().map(|cell| width(cell, known.model)).min().unwrap_or(usize::MAX);
    if let Some(count) = sparse.iter().find(|count| **count == 0 || **count > narrowest) {
        problems.add(&format!("{at}.sparse"), format!("{count} features; a state here has 1 to {narrowest}"));
    }
}

/// What the ways to see use need of the prompts.
fn check_use(at: &str, asked: &ProbeSpec, samples: &Samples, known: &Known, problems: &mut Problems) {
    if asked.used.is_empty() {
        return;
    }
    checks::paired(&format!("{at}.used"), known, problems);
    let everywhere = super::sweeps(&asked.over, Axis::Position);
    super::spots::check(&format!("{at}.at"), &[asked.at], known, problems);
    if !everywhere && known.items.iter().any(|item| super::spots::positions(asked.at, item).len() != 1) {
        problems.add(&format!("{at}.at"), format!("{:?} is not one position in every prompt of `data`", asked.at));
    }
    if asked.used.contains(&Use::Steer) && samples.classes.len() != 2 {
        let what = format!("Steer goes from one class to the other, and there are {}", samples.classes.len());
        problems.add(&format!("{at}.used"), what);
    }
}
