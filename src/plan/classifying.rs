//! Classifying: texts with their classes and groups, what is trained, and what is learned from and tested on.

use super::held_out::{self, Parts};
use super::probing::{INNER, check_counts, check_penalties};
use super::sites::lens_sites;
use super::{Known, Problems};
use crate::site::Site;
use crate::spec::{Classify, Experiment, Pooled, Train, Whole};
use indexmap::{IndexMap, IndexSet};
use patchclamp_probes::decode::{Design, Labels};
use std::collections::{BTreeMap, BTreeSet};

/// A head to be learned, with every name resolved.
#[derive(Clone, Debug, PartialEq)]
pub struct Classifying {
    /// The streams.
    pub sites: Vec<Site>,
    /// Names of the classes.
    pub classes: Vec<String>,
    /// The class of each item.
    pub labels: Labels,
    /// Names of the two groups.
    pub groups: Vec<String>,
    /// The group of each item.
    pub group: Vec<usize>,
    /// What never stands on both sides, by item.
    pub apart: Vec<usize>,
    /// What is trained.
    pub train: Train,
    /// How the states of a text become one.
    pub pooled: Pooled,
    /// Penalties to choose from.
    pub penalties: Vec<f64>,
    /// Draws of groups by chance.
    pub shuffles: usize,
    /// What is learned from, and what tested on.
    pub parts: Parts,
}

/// The head, or what is wrong with it.
pub(super) fn resolve(
    at: &str,
    asked: &Classify,
    experiment: &Experiment,
    known: &Known,
    problems: &mut Problems,
) -> Option<Classifying> {
    let before = problems.count();
    let field = |name: &str| format!("{at}.{name}");
    check_penalties(&field("penalties"), &asked.penalties, problems);
    check_counts(at, &[("shuffles", asked.shuffles)], problems);
    let sites = match (&asked.train, &asked.sites) {
        (Train::Whole(_), None) => vec![known.model.last_stream()],
        (_, sites) => lens_sites(&field("sites"), sites.as_ref(), known, problems),
    };
    if let Train::Whole(whole) = &asked.train {
        check_training(&field("train"), whole, experiment, problems);
    }
    let (classes, of) = values(&field("label"), &asked.label, known, problems)?;
    let groups = values(&field("group"), &asked.group, known, problems)?;
    let (groups, group) = ordered(&field("first"), groups, asked.first.as_deref(), problems);
    if groups.len() != 2 {
        problems.add(&field("group"), format!("gaps are between two groups, and {:?} has {groups:?}", asked.group));
    }
    let parts = held_out::resolve(&field("held_out"), &asked.held_out, experiment.seed, known, problems)?;
    if problems.count() > before || !known.complete {
        return None;
    }
    let apart = held_out::group_of(known.items, &asked.held_out.apart);
    let labels = Labels::new(of, classes.len())
        .map_err(|_| {
            problems.add(
                &field("label"),
                format!("{:?} has {} values; two at least are classes", asked.label, classes.len()),
            )
        })
        .ok()?;
    let plan = Classifying {
        sites,
        classes,
        labels,
        groups,
        group,
        apart,
        train: asked.train.clone(),
        pooled: asked.pooled,
        penalties: asked.penalties.clone(),
        shuffles: asked.shuffles,
        parts,
    };
    check_learnable(&plan, experiment.seed).map_err(|(name, what)| problems.add(&field(name), what)).ok()?;
    Some(plan)
}

/// Values of a label by their names in order, and that of each item.
fn values(at: &str, name: &str, known: &Known, problems: &mut Problems) -> Option<(Vec<String>, Vec<usize>)> {
    let found: Option<Vec<&String>> = known.items.iter().map(|item| item.labels.get(name)).collect();
    let Some(found) = found else {
        let there: Vec<&String> = known.items.first().map_or(Vec::new(), |item| item.labels.keys().collect());
        problems.add(at, format!("not every item has a label {name:?}; the first has {there:?}"));
        return None;
    };
    let names: IndexSet<&String> = found.iter().copied().collect::<BTreeSet<_>>().into_iter().collect();
    let of = found.iter().filter_map(|value| names.get_index_of(*value)).collect();
    Some((names.into_iter().cloned().collect(), of))
}

/// The groups with the one that is named first.
fn ordered(
    at: &str,
    (names, of): (Vec<String>, Vec<usize>),
    first: Option<&str>,
    problems: &mut Problems,
) -> (Vec<String>, Vec<usize>) {
    match first.map(|first| names.iter().position(|name| name == first)) {
        Some(None) => {
            problems.add(at, format!("{:?} is no group; there are {names:?}", first.unwrap_or_default()));
            (names, of)
        }
        Some(Some(1)) if names.len() == 2 => {
            (names.into_iter().rev().collect(), of.into_iter().map(|group| 1 - group).collect())
        }
        _ => (names, of),
    }
}

fn check_training(at: &str, whole: &Whole, experiment: &Experiment, problems: &mut Problems) {
    let counts = [("epochs", whole.epochs), ("rows", whole.rows)];
    check_counts(at, &counts, problems);
    for (name, _) in counts.iter().filter(|(_, count)| *count == 0) {
        problems.add(&format!("{at}.{name}"), "0 is too few; it must be at least 1");
    }
    if !(whole.rate.is_finite() && whole.rate > 0.0) {
        problems.add(&format!("{at}.rate"), format!("{} is no number above 0", whole.rate));
    }
    if !(whole.weight_decay.is_finite() && whole.weight_decay >= 0.0) {
        problems.add(&format!("{at}.weight_decay"), format!("{} is no number from 0 on", whole.weight_decay));
    }
    if experiment.precision.is_half() {
        let what = format!(
            "steps of training are too small for the numbers of {}; write precision: F32",
            experiment.precision
        );
        problems.add(at, what);
    }
}

impl Classifying {
    /// The texts that are tested on, by their place among them, in clusters: what never stands on both sides is drawn together.
    pub fn clusters(&self) -> Vec<Vec<usize>> {
        let mut found: IndexMap<usize, Vec<usize>> = IndexMap::new();
        for (place, item) in self.parts.test.iter().enumerate() {
            found.entry(self.apart[*item]).or_default().push(place);
        }
        found.into_values().collect()
    }

    /// Among which of them groups are exchanged: clusters of the same classes, where all of a cluster are of one group, else single
    /// texts of a class.
    pub fn exchangeable(&self) -> Vec<Vec<Vec<usize>>> {
        let of = |values: &[usize], place: &usize| values[self.parts.test[*place]];
        let (clusters, mut found) = (self.clusters(), BTreeMap::<BTreeSet<usize>, Vec<Vec<usize>>>::new());
        let of_one = |unit: &Vec<usize>| unit.iter().all(|place| of(&self.group, place) == of(&self.group, &unit[0]));
        let single = || (0..self.parts.test.len()).map(|place| vec![place]).collect();
        for unit in if clusters.iter().all(of_one) { clusters } else { single() } {
            let classes = unit.iter().map(|place| of(self.labels.of(), place)).collect();
            found.entry(classes).or_default().push(unit);
        }
        found.into_values().collect()
    }

    /// Why what is told of texts cannot be held against what another model tells of them; none where it can.
    pub fn unlike(&self, other: &Classifying) -> Option<String> {
        let same = (&self.classes, &self.labels) == (&other.classes, &other.labels);
        if !same || (&self.groups, &self.group) != (&other.groups, &other.group) {
            return Some("its texts have other classes or groups than the experiment's own, so what is told of them cannot be held against each other text by text; change the model, its treatment or what is left of the texts, not which texts there are".into());
        }
        let apart = self.parts != other.parts;
        apart.then(|| "other texts are held out than in the experiment itself; leave its `seed` as it is".to_string())
    }
}

/// Every class must be learned from, also in every inner fold where penalties are chosen.
fn check_learnable(plan: &Classifying, seed: u64) -> Result<(), (&'static str, String)> {
    let fit = &plan.parts.fit;
    if let Some(class) = plan.labels.counts(fit).iter().position(|count| *count == 0) {
        let what =
            format!("{:?} has no item among those learned from; give it more, or hold fewer out", plan.classes[class]);
        return Err(("held_out", what));
    }
    if plan.penalties.len() == 1 || plan.train != Train::Head {
        return Ok(());
    }
    let inner = Design::Groups(&plan.apart).splits(plan.labels.of(), fit, INNER, seed);
    let whole = |train: &[usize]| plan.labels.counts(train).iter().all(|count| *count > 0);
    match inner.is_ok_and(|inner| inner.iter().all(|split| whole(&split.train))) {
        true => Ok(()),
        false => Err((
            "penalties",
            "a class has too few items to choose a penalty within what is learned from; write one, for instance penalties: [10]".into(),
        )),
    }
}
