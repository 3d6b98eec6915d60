//! What is told of a classifier, each a number that counts give.

use crate::plan::Classifying;
use patchclamp_probes::fairness::{Counts, Standing, distance_to_optimum};
use patchclamp_probes::{pearson, slope};
use std::sync::Arc;

/// The groups whose rates are held against each other.
pub(super) const GROUPS: [usize; 2] = [0, 1];

/// A number that counts give; none where they say nothing.
pub(super) type Of = Arc<dyn Fn(&Counts) -> Option<f64> + Send + Sync>;

/// A figure: what it is called, and how counts give it.
#[derive(Clone)]
pub(super) struct Rate {
    pub(super) name: String,
    pub(super) of: Of,
    /// The group whose texts alone it is of.
    pub(super) group: Option<usize>,
    /// Whether it is the share of texts that are right.
    pub(super) is_accuracy: bool,
}

impl Rate {
    fn new(name: impl Into<String>, of: impl Fn(&Counts) -> Option<f64> + Send + Sync + 'static) -> Self {
        Rate { name: name.into(), of: Arc::new(of), group: None, is_accuracy: false }
    }

    fn accuracy(name: impl Into<String>, of: impl Fn(&Counts) -> Option<f64> + Send + Sync + 'static) -> Self {
        Rate { is_accuracy: true, ..Rate::new(name, of) }
    }

    /// Accuracy in a group.
    fn of_group(plan: &Classifying, group: usize) -> Self {
        let name = format!("accuracy, {}", plan.groups[group]);
        Rate { group: Some(group), ..Rate::accuracy(name, move |counts| counts.accuracy(group)) }
    }

    /// The gap of a class.
    pub(super) fn gap(class: usize) -> Self {
        Rate::new("gap", move |counts| counts.gap(class, GROUPS))
    }
}

/// Figures over all classes.
pub(super) fn overall(plan: &Classifying) -> Vec<Rate> {
    let shares = Arc::new(shares(plan));
    let others = shares.clone();
    vec![
        Rate::accuracy("accuracy", Counts::overall_accuracy),
        Rate::of_group(plan, 0),
        Rate::of_group(plan, 1),
        Rate::new("accuracy, worst group", Counts::worst_group),
        Rate::new("worst class and group", Counts::worst_class_and_group),
        Rate::new("gap, root mean square", |counts| counts.rms_gap(GROUPS)),
        Rate::new("gap by share: Pearson", move |counts| by_share(counts, &shares, pearson)),
        Rate::new("gap by share: slope", move |counts| by_share(counts, &others, |gaps, shares| slope(shares, gaps))),
        Rate::new("demographic parity, largest", |counts| counts.most(Counts::demographic_parity)),
        Rate::new("equal opportunity, largest", |counts| counts.most(Counts::equal_opportunity)),
        Rate::new("equalised odds, largest", |counts| counts.most(Counts::equalised_odds)),
        Rate::new("equalised odds, mean", |counts| counts.mean(Counts::mean_odds)),
        Rate::new("DTO, to (1, 1)", |counts| standing(counts).map(distance_to_optimum)),
    ]
}

/// How gaps go with shares.
fn by_share(counts: &Counts, shares: &[f64], of: impl Fn(&[f64], &[f64]) -> Option<f64>) -> Option<f64> {
    let both = (0..shares.len()).filter_map(|class| Some((counts.gap(class, GROUPS)?, shares[class])));
    let (gaps, shares): (Vec<f64>, Vec<f64>) = both.unzip();
    of(&gaps, &shares)
}

/// Accuracy, and one less the root mean square of the gaps.
pub(super) fn standing(counts: &Counts) -> Option<Standing> {
    Some(Standing { performance: counts.overall_accuracy()?, fairness: 1.0 - counts.rms_gap(GROUPS)? })
}

/// The first group's share of each class among all texts.
pub(super) fn shares(plan: &Classifying) -> Vec<f64> {
    let share = |class: usize| {
        let own: Vec<usize> = (0..plan.group.len()).filter(|item| plan.labels.of()[*item] == class).collect();
        own.iter().filter(|item| plan.group[**item] == 0).count() as f64 / own.len() as f64
    };
    (0..plan.classes.len()).map(share).collect()
}
