//! What probes and erasers read: places, samples, and what they are held against.

mod filed;

pub use filed::Filed;

use super::samples::{self, Samples};
use super::{Cell, Known, Problems, Sweep, cells, checks};
use crate::model::{Model, shape};
use crate::site::{Layout, Site};
use crate::spec::{Apart, Axis, Concept, EraseSpec, Erasure, Experiment, Only, ProbeSpec, Sites, Spot, Use};

/// Folds within what is learnt from, where a penalty is chosen.
pub const INNER: usize = 3;

/// The most shuffles, twins, units and directions: more would not end.
const MOST: usize = 100_000;

/// A concept in states, with every name resolved.
#[derive(Clone, Debug, PartialEq)]
pub struct Probed {
    /// Where.
    pub sweep: Sweep,
    /// Of what.
    pub samples: Samples,
    /// Where the states of the experiment's own items are changed, where positions are not swept; by item.
    pub positions: Vec<usize>,
    /// What is told.
    pub of: Concept,
    /// Where a state is taken, where positions are not swept.
    pub at: Spot,
    /// What is not on both sides of a split.
    pub apart: Apart,
}

/// A probe with every name resolved.
pub struct Probing {
    /// What is told, where.
    pub probed: Probed,
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
    /// Where the states lie, if they are not made anew.
    pub states: Option<Filed>,
}

/// Erasers with every name resolved.
#[derive(Clone, Debug, PartialEq)]
pub struct Erasing {
    /// What is taken out, where.
    pub probed: Probed,
    /// How.
    pub by: Vec<Erasure>,
    /// Of the linear probes that look for it afterwards.
    pub penalty: f64,
    /// Units of the probe with a hidden layer; 0 is none.
    pub hidden: usize,
    /// Random directions that each is held against.
    pub random_directions: usize,
}

/// What is asked for of a concept in states.
struct Asked<'a> {
    sites: &'a Sites,
    over: &'a [Axis],
    only: &'a Only,
    of: &'a Concept,
    at: Spot,
    apart: &'a Apart,
    folds: usize,
    inner: Option<usize>,
    /// The field that needs the experiment's own items, where there is one.
    runs: Option<&'static str>,
    seed: u64,
}

/// The probe, or what is wrong with it.
pub(super) fn resolve(
    at: &str,
    asked: &ProbeSpec,
    experiment: &Experiment,
    known: &Known,
    problems: &mut Problems,
) -> Option<Probing> {
    let field = |name: &str| format!("{at}.{name}");
    check_penalties(&field("penalties"), &asked.penalties, problems);
    cells::check_once(&field("sparse"), &asked.sparse, problems);
    cells::check_once(&field("used"), &asked.used, problems);
    let counts = [
        ("shuffles", asked.shuffles),
        ("random_models", asked.random_models.unwrap_or(0)),
        ("random_directions", asked.random_directions),
        ("hidden", asked.hidden),
    ];
    check_counts(at, &counts, problems);
    let ProbeSpec { sites, over, only, of, apart, folds, .. } = asked;
    let inner = (asked.penalties.len() > 1).then_some(INNER);
    let runs = (!asked.used.is_empty()).then_some("used");
    let asked_of =
        Asked { sites, over, only, of, at: asked.at, apart, folds: *folds, inner, runs, seed: experiment.seed };
    let probed = probed(at, &asked_of, known, problems)?;
    check_sparse(&field("sparse"), &asked.sparse, &probed.sweep.cells, known, problems);
    if asked.used.contains(&Use::Steer) && probed.samples.classes.len() != 2 {
        let what = format!("Steer goes from one class to the other, and there are {}", probed.samples.classes.len());
        problems.add(&field("used"), what);
    }
    let states = match &asked.states {
        Some(_) => Some(filed::resolve(&field("states"), asked, &probed, experiment, known, problems)?),
        None => None,
    };
    Some(Probing {
        probed,
        penalties: asked.penalties.clone(),
        hidden: asked.hidden,
        sparse: asked.sparse.clone(),
        shuffles: asked.shuffles,
        random_models: asked.random_models.unwrap_or(usize::from(states.is_none())),
        used: asked.used.clone(),
        random_directions: asked.random_directions,
        states,
    })
}

/// The erasers, or what is wrong with them.
pub(super) fn resolve_erasing(
    at: &str,
    asked: &EraseSpec,
    seed: u64,
    known: &Known,
    problems: &mut Problems,
) -> Option<Erasing> {
    let field = |name: &str| format!("{at}.{name}");
    check_penalties(&field("penalty"), &[asked.penalty], problems);
    check_counts(at, &[("random_directions", asked.random_directions), ("hidden", asked.hidden)], problems);
    cells::check_once(&field("by"), &asked.by, problems);
    let kinds: Vec<_> = asked.by.iter().map(std::mem::discriminant).collect();
    if asked.by.is_empty() {
        problems.add(&field("by"), "is empty; name at least one of Leace, Oracle, Mean, Inlp(rounds: 8)");
    } else if kinds.iter().enumerate().any(|(index, kind)| kinds[..index].contains(kind)) {
        problems.add(&field("by"), "has INLP twice, and their tables would have one name; write a method for each");
    }
    if asked.by.contains(&Erasure::Inlp { rounds: 0 }) {
        problems.add(&field("by"), "0 rounds of INLP take nothing out; write 1 at least");
    }
    if asked.by.contains(&Erasure::Oracle) && matches!(asked.of, Concept::Feature(_)) {
        let what =
            "Oracle needs to know the class of each item's clean prompt, which a feature does not say; leave it out";
        problems.add(&field("by"), what);
    }
    let EraseSpec { sites, over, only, of, apart, folds, .. } = asked;
    let runs = Some("by");
    let asked_of = Asked { sites, over, only, of, at: asked.at, apart, folds: *folds, inner: None, runs, seed };
    Some(Erasing {
        probed: probed(at, &asked_of, known, problems)?,
        by: asked.by.clone(),
        penalty: asked.penalty,
        hidden: asked.hidden,
        random_directions: asked.random_directions,
    })
}

fn probed(at: &str, asked: &Asked, known: &Known, problems: &mut Problems) -> Option<Probed> {
    let everywhere = super::sweeps(asked.over, Axis::Position);
    let sweep = places(at, (asked.sites, asked.over, asked.only), known, problems);
    if let Some(field) = asked.runs {
        check_runs(at, field, asked, everywhere, known, problems);
    }
    let Asked { of, apart, folds, inner, seed, .. } = *asked;
    let samples = samples::Asked { of, at: asked.at, apart, folds, everywhere, inner, seed };
    let samples = samples::resolve(at, &samples, known, problems);
    let (sweep, samples) = (sweep?, samples?);
    if asked.runs.is_some() && !everywhere && sweep.cells.iter().any(|cell| cell.sites.len() > 1) {
        let what = "runs go on from a state of one layer; sweep over Layer too, or name a layer's site";
        problems.add(&format!("{at}.over"), what);
    }
    if everywhere {
        check_lengths(&format!("{at}.over"), &samples, known, problems);
    }
    let position = |item| super::spots::positions(asked.at, item).first().copied().unwrap_or(0);
    let positions = known.items.iter().map(position).collect();
    Some(Probed { sweep, samples, positions, of: of.clone(), at: asked.at, apart: apart.clone() })
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
    let mut each = sweep.cells.iter().flat_map(|cell| &cell.sites);
    if let Some(site) = each.find(|site| site.layout() == Layout::Pattern) {
        let what =
            format!("`{}` is as wide as the prompt is long, so it is no vector that a probe can read", site.kind());
        problems.add(&format!("{at}.sites"), what);
        return None;
    }
    Some(sweep)
}

/// What runs of the experiment's own items need.
fn check_runs(at: &str, field: &str, asked: &Asked, everywhere: bool, known: &Known, problems: &mut Problems) {
    checks::paired(&format!("{at}.{field}"), known, problems);
    if everywhere {
        return;
    }
    let at = format!("{at}.at");
    super::spots::check(&at, &[asked.at], known, problems);
    if known.items.iter().any(|item| super::spots::positions(asked.at, item).len() != 1) {
        problems.add(&at, format!("{:?} is not one position in every prompt of `data`", asked.at));
    }
}

/// Lengths of the samples, where positions are swept.
fn check_lengths(at: &str, samples: &Samples, known: &Known, problems: &mut Problems) {
    let Some(length) = known.length() else { return };
    if let Some(item) = samples.items.iter().find(|item| item.clean.len() != length) {
        let what = format!(
            "sweeps over positions, but a prompt of the feature has {} tokens and those of `data` have {length}; choose sentences of as many tokens, or leave Position out",
            item.clean.len()
        );
        problems.add(at, what);
    }
}

pub(super) fn check_penalties(at: &str, penalties: &[f64], problems: &mut Problems) {
    if penalties.is_empty() || penalties.iter().any(|penalty| !(*penalty > 0.0 && penalty.is_finite())) {
        problems.add(at, format!("{penalties:?} are not numbers above 0, one at least"));
    }
    cells::check_once(at, penalties, problems);
}

pub(super) fn check_counts(at: &str, counts: &[(&str, usize)], problems: &mut Problems) {
    for (name, count) in counts.iter().filter(|(_, count)| *count > MOST) {
        problems.add(&format!("{at}.{name}"), format!("{count} are too many; {MOST} are the most"));
    }
}

/// How many values the state of a cell has.
pub fn width(cell: &Cell, model: &dyn Model) -> usize {
    let of = |site: &Site| {
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
        problems.add(at, format!("{count} values; a state here has 1 to {narrowest}"));
    }
}
