//! What spaces are made of: places, conditions, subjects, and models of what lies near what.

use super::{Item, Known, Problems, Sweep, cells, probing, spots, sweeps};
use crate::spec::{Agreement, Alignment, Axis, Distance, RepresentSpec, Spot};
use indexmap::IndexSet;
use patchclamp_probes::compare::Dissimilarities;
use std::collections::BTreeSet;

/// Conditions and prompts below which nothing can be said of how they lie.
const FEWEST: usize = 4;

/// The word for the right answer, where a label is asked for.
const ANSWER: &str = "answer";

/// The most twins: more would not end.
const MOST_TWINS: usize = 1000;

/// Spaces with every name resolved.
#[derive(Clone, Debug)]
pub struct Representing {
    /// The cells, each a space.
    pub sweep: Sweep,
    /// Where each item's state is taken, where positions are not swept.
    pub positions: Vec<usize>,
    /// The condition of each item.
    pub conditions: Vec<usize>,
    /// The fold of each item, from 0, where distances are cross-validated.
    pub folds: Vec<usize>,
    /// The subject of each item, from 0.
    pub subjects: Vec<usize>,
    /// What is predicted of the conditions, by name.
    pub models: Vec<(String, Dissimilarities)>,
    /// How far apart two conditions are.
    pub distance: Distance,
    /// How dissimilarities are held against each other.
    pub similarity: Agreement,
    /// How spaces are held against each other.
    pub alignment: Alignment,
    /// Twins with random weights.
    pub random_models: usize,
}

impl Representing {
    /// How many conditions there are.
    pub fn count(&self) -> usize {
        self.conditions.iter().max().map_or(0, |last| last + 1)
    }
}

pub(super) fn resolve(at: &str, asked: &RepresentSpec, known: &Known, problems: &mut Problems) -> Option<Representing> {
    let before = problems.count();
    let sweep = probing::places(at, (&asked.sites, &asked.over, &asked.only), known, problems);
    if sweeps(&asked.over, Axis::Neuron) {
        problems.add(&format!("{at}.over"), "a single neuron is no space; sweep over Layer, Head or Position");
    }
    numbers(at, asked, problems);
    let positions = positions(at, asked, known, problems);
    if !known.complete || problems.count() > before {
        return None;
    }
    let conditions = match &asked.conditions {
        Some(name) => values(&format!("{at}.conditions"), name, known, problems)?,
        None => (0..known.items.len()).collect(),
    };
    let subjects = match &asked.subjects {
        Some(name) => values(&format!("{at}.subjects"), name, known, problems)?,
        None => vec![0; known.items.len()],
    };
    crossed(at, asked, &conditions, &subjects, problems);
    let folds = folds(at, asked, &conditions, known, problems)?;
    let models = asked.models.iter().enumerate();
    let models = models.map(|(index, name)| {
        let at = format!("{at}.models[{index}]");
        Some((name.clone(), predicted(&at, name, &conditions, known, problems)?))
    });
    let models: Vec<Option<_>> = models.collect();
    cells::check_once(&format!("{at}.models"), &asked.models, problems);
    if problems.count() > before {
        return None;
    }
    Some(Representing {
        sweep: sweep?,
        positions,
        conditions,
        folds,
        subjects,
        models: models.into_iter().collect::<Option<_>>()?,
        distance: asked.distance,
        similarity: asked.similarity,
        alignment: asked.alignment,
        random_models: asked.random_models,
    })
}

fn numbers(at: &str, asked: &RepresentSpec, problems: &mut Problems) {
    let field = |name: &str| format!("{at}.{name}");
    match asked.alignment {
        Alignment::KernelCka { width } if !(width > 0.0 && width.is_finite()) => {
            problems.add(&field("alignment.width"), format!("{width} is not a number above 0"));
        }
        Alignment::Svcca { share } if !(share > 0.0 && share <= 1.0) => {
            problems.add(&field("alignment.share"), format!("{share} is not above 0 and at most 1"));
        }
        _ => {}
    }
    if asked.random_models > MOST_TWINS {
        let what = format!("{} are too many; {MOST_TWINS} are the most", asked.random_models);
        problems.add(&field("random_models"), what);
    }
}

/// The one position of each item.
fn positions(at: &str, asked: &RepresentSpec, known: &Known, problems: &mut Problems) -> Vec<usize> {
    if sweeps(&asked.over, Axis::Position) {
        return vec![0; known.items.len()];
    }
    let at = format!("{at}.at");
    let spot: Spot = asked.at;
    spots::check(&at, &[spot], known, problems);
    let own: Vec<Vec<usize>> = known.items.iter().map(|item| spots::positions(spot, item)).collect();
    if own.iter().any(|positions| positions.len() != 1) {
        problems.add(
            &at,
            format!("{spot:?} is not one position in every prompt; name one that is, or sweep over Position"),
        );
    }
    own.iter().map(|positions| positions.first().copied().unwrap_or(0)).collect()
}

/// What a label says of an item.
fn label(item: &Item, name: &str) -> Option<String> {
    match (item.labels.get(name), &item.answers) {
        (Some(value), _) => Some(value.clone()),
        (None, Some(answers)) if name == ANSWER => Some(format!("{:?}", answers.right)),
        _ => None,
    }
}

/// The values of a label as numbers, in the order in which they first stand.
fn values(at: &str, name: &str, known: &Known, problems: &mut Problems) -> Option<Vec<usize>> {
    let mut names = IndexSet::new();
    let found: Option<Vec<usize>> =
        known.items.iter().map(|item| Some(names.insert_full(label(item, name)?).0)).collect();
    if found.is_none() {
        let there: Vec<&String> =
            known.items.iter().flat_map(|item| item.labels.keys()).collect::<BTreeSet<_>>().into_iter().collect();
        problems.add(at, format!("not every item has a label {name:?}; there are {there:?}"));
    }
    found
}

/// Whether there are enough conditions, and every subject has all of them.
fn crossed(at: &str, asked: &RepresentSpec, conditions: &[usize], subjects: &[usize], problems: &mut Problems) {
    let count = conditions.iter().max().map_or(0, |last| last + 1);
    if count < FEWEST {
        let what = format!("{count} conditions are too few to lie any way; give {FEWEST} or more");
        problems.add(&format!("{at}.conditions"), what);
    }
    if conditions.len() < FEWEST {
        problems
            .add("data", format!("{} prompts are too few to make a space; give {FEWEST} or more", conditions.len()));
    }
    let Some(name) = &asked.subjects else { return };
    let at = format!("{at}.subjects");
    if asked.models.is_empty() {
        problems
            .add(&at, "subjects say how well a model can do, and no model is named; write `models: [\"LABEL\"]` too");
    }
    let met: BTreeSet<(usize, usize)> = subjects.iter().copied().zip(conditions.iter().copied()).collect();
    let subjects = subjects.iter().max().map_or(0, |last| last + 1);
    if subjects < 2 {
        problems.add(&at, format!("{name:?} has one value, so nothing says how far subjects agree; leave it out"));
    }
    if met.len() < subjects * count {
        let what = format!("a value of {name:?} lacks some of the {count} conditions, which all must have");
        problems.add(&at, what + "; name the conditions by another label, or leave `subjects` out");
    }
}

/// The fold of each item: one without cross-validation.
fn folds(
    at: &str,
    asked: &RepresentSpec,
    conditions: &[usize],
    known: &Known,
    problems: &mut Problems,
) -> Option<Vec<usize>> {
    let (at, crossed) = (format!("{at}.folds"), matches!(asked.distance, Distance::Crossnobis { .. }));
    let Some(name) = &asked.folds else {
        if crossed {
            problems.add(&at, "Crossnobis holds differences in one fold against those in the others; name a label whose values are the folds, for instance folds: \"template\"");
        }
        return (!crossed).then(|| vec![0; known.items.len()]);
    };
    if !crossed {
        problems.add(&at, "is read by distance: Crossnobis() alone; leave it out, or choose that distance");
        return None;
    }
    if asked.subjects.is_some() {
        problems.add(&at, "subjects have no folds of their own; leave out `subjects`, or choose another distance");
    }
    let folds = values(&at, name, known, problems)?;
    let met: BTreeSet<(usize, usize)> = folds.iter().copied().zip(conditions.iter().copied()).collect();
    let (count, of) =
        (conditions.iter().max().map_or(0, |last| last + 1), folds.iter().max().map_or(0, |last| last + 1));
    if of < 2 || met.len() < of * count {
        let what = format!(
            "{name:?} has {of} values, and each must have all of the {count} conditions, two at least; name the conditions or the folds by another label"
        );
        problems.add(&at, what);
        return None;
    }
    Some(folds)
}

/// Zero between conditions of one value of a label, one between others.
fn predicted(
    at: &str,
    name: &str,
    conditions: &[usize],
    known: &Known,
    problems: &mut Problems,
) -> Option<Dissimilarities> {
    let values = values(at, name, known, problems)?;
    let count = conditions.iter().max().map_or(0, |last| last + 1);
    let mut of = vec![None; count];
    for (condition, value) in conditions.iter().zip(&values) {
        if *of[*condition].get_or_insert(*value) != *value {
            problems.add(at, format!("{name:?} has several values in one condition, so it predicts nothing of it"));
            return None;
        }
    }
    let apart: Vec<f64> =
        (0..count).flat_map(|i| (i + 1..count).map(move |j| (i, j))).map(|(i, j)| f64::from(of[i] != of[j])).collect();
    if apart.iter().all(|far| *far == apart[0]) {
        let how = if apart[0] == 0.0 { "the same" } else { "another" };
        problems.add(at, format!("{name:?} has {how} value in every condition, so it predicts nothing"));
        return None;
    }
    Dissimilarities::new(count, apart).ok()
}
