//! Localisers: sites, numbers of units and lesions, resolved and checked.

use super::task::{self, Task, tasks};
use super::{Known, Problems, sites};
use crate::model::shape;
use crate::site::{Layout, Site};
use crate::spec::{Ablation, Experiment, Localise, Prefers, Units};
use patchclamp_probes::unit;
use std::collections::BTreeMap;

/// The most random lesions: more would not end.
const MOST: usize = 100_000;

/// A localiser with every name resolved.
pub struct Localising {
    /// Where units are looked for.
    pub sites: Vec<Site>,
    /// How many are picked.
    pub units: Units,
    /// Which difference counts.
    pub prefers: unit::Prefers,
    /// The share of false alarms among units that may be picked.
    pub false_discoveries: f64,
    /// The data's own task, then one a feature.
    pub tasks: Vec<Task>,
    /// What is put in the place of units.
    pub lesions: Vec<Ablation>,
    /// How many random lesions each is held against.
    pub random: usize,
}

/// A localiser, or what is wrong with it.
pub(super) fn resolve(
    at: &str,
    asked: &Localise,
    experiment: &Experiment,
    known: &Known,
    problems: &mut Problems,
) -> Option<Localising> {
    let before = problems.count();
    let found = sites::all_sites(&format!("{at}.sites"), &asked.sites, known, problems);
    check_sites(at, &found, problems);
    check_numbers(at, asked, problems);
    let seed = experiment.seed;
    let spots = task::Asked { spots: ("at", &asked.at), apart: asked.apart.as_ref(), parts: None, seed };
    let tasks = if known.complete { tasks(at, &spots, known, problems) } else { Vec::new() };
    check_lesions(at, &asked.lesion, &tasks, problems);
    let prefers = match asked.prefers {
        Prefers::Clean => unit::Prefers::First,
        Prefers::Corrupted => unit::Prefers::Second,
        Prefers::Either => unit::Prefers::Either,
    };
    (problems.count() == before && known.complete).then(|| Localising {
        sites: found,
        units: asked.units,
        prefers,
        false_discoveries: asked.false_discoveries,
        tasks,
        lesions: asked.lesion.clone(),
        random: asked.random,
    })
}

fn check_sites(at: &str, found: &[Site], problems: &mut Problems) {
    if let Some(site) = found.iter().find(|site| site.layout() == Layout::Pattern) {
        let what = format!("`{}` is as wide as the prompt is long, so it has no units of its own", site.kind());
        problems.add(&format!("{at}.sites"), what);
    }
    if let Some(site) = found.iter().enumerate().find(|(index, site)| found[..*index].contains(site)).map(|(_, s)| s) {
        problems.add(&format!("{at}.sites"), format!("`{site}` stands twice"));
    }
    if found.contains(&Site::Logits) {
        problems.add(&format!("{at}.sites"), "`logits` is what the model says, and no unit inside it");
    }
}

fn check_numbers(at: &str, asked: &Localise, problems: &mut Problems) {
    match asked.units {
        Units::Count(0) | Units::CountPerLayer(0) => problems.add(&format!("{at}.units"), "0 units; pick one at least"),
        Units::Share(share) | Units::SharePerLayer(share) if !(share > 0.0 && share <= 1.0) => {
            problems.add(&format!("{at}.units"), format!("the share {share} is not above 0 and up to 1"));
        }
        _ => {}
    }
    if !(asked.false_discoveries > 0.0 && asked.false_discoveries <= 1.0) {
        let what = format!("{} is not above 0 and up to 1; 1 lets all units through", asked.false_discoveries);
        problems.add(&format!("{at}.false_discoveries"), what);
    }
    if asked.random == 0 || asked.random > MOST {
        problems.add(&format!("{at}.random"), format!("{} is not between 1 and {MOST}", asked.random));
    }
}

fn check_lesions(at: &str, lesions: &[Ablation], tasks: &[Task], problems: &mut Problems) {
    let at = format!("{at}.lesion");
    if lesions.is_empty() {
        problems.add(&at, "is empty; name at least one, for instance [Mean]");
    }
    super::cells::check_once(&at, lesions, problems);
    if lesions.contains(&Ablation::MeanPerPosition) {
        problems.add(
            &at,
            "tasks have prompts of their own, so that a position means nothing in common; write Mean, Zero or Resample",
        );
    }
    for task in tasks.iter().filter(|_| lesions.contains(&Ablation::Resample)) {
        let mut lengths: BTreeMap<usize, usize> = BTreeMap::new();
        task.questions.iter().for_each(|question| *lengths.entry(question.tokens.len()).or_default() += 1);
        if let Some((length, _)) = lengths.iter().find(|(_, count)| **count <= 2) {
            let what = format!(
                "Resample needs another pair of {length} tokens in task {:?}, as states are put in position by position; use Mean or Zero, or change the pair",
                task.name
            );
            problems.add(&at, what);
        }
    }
}

impl Localising {
    /// How many units a site has, and how wide each of its heads is.
    pub fn size(site: Site, dims: &crate::model::Dims) -> (usize, usize) {
        let shape = shape(dims, site, 1, 1);
        let width = *shape.last().expect("a site has a shape");
        (shape.iter().product(), width)
    }

    /// How many lesions every task is tried under: the picked units of each, those of its shuffled contrast, and random ones.
    pub fn sets(&self) -> usize {
        self.tasks.len() * (2 + self.random)
    }
}
