//! Features: their pairs as tokens.

use super::items::{self, Item};
use super::{Problems, problem::Problem};
use crate::model::load::Loaded;
use crate::spec::{self, Control, Experiment, Method};

/// A feature, by pairs of prompts of which the clean one has it.
#[derive(Clone, Debug, PartialEq)]
pub struct Feature {
    /// What it is called.
    pub name: String,
    /// The pairs, at least one of which differs.
    pub items: Vec<Item>,
    /// How many directions of every stream stand for it.
    pub dimensions: usize,
}

/// The features of an experiment, as far as nothing is wrong with them.
pub(super) fn resolve(experiment: &Experiment, loaded: &Loaded, problems: &mut Problems) -> Vec<Feature> {
    if !experiment.features.is_empty() && !experiment.methods.iter().any(Method::reads_features) {
        problems.add(
            "features",
            "are told of circuits and by probes, and no method does either; add for instance `Circuit(select: TopN(40))` or `Probe(of: Feature(\"gender\"))`",
        );
    }
    let features = experiment.features.iter().enumerate();
    features.map(|(index, feature)| resolved(index, feature, experiment, loaded, problems)).collect()
}

fn resolved(
    index: usize,
    feature: &spec::Feature,
    experiment: &Experiment,
    loaded: &Loaded,
    problems: &mut Problems,
) -> Feature {
    let at = format!("features[{index}]");
    if feature.name.trim().is_empty() {
        problems.add(&format!("{at}.name"), "is empty; write what prompts differ in, for instance \"gender\"");
    }
    if experiment.features[..index].iter().any(|earlier| earlier.name == feature.name) {
        problems.add(&format!("{at}.name"), format!("{:?} is the name of an earlier feature too", feature.name));
    }
    let width = loaded.model.dims().d_model;
    if feature.dimensions == 0 || feature.dimensions > width {
        let what = format!("{} directions; a stream of this model has 1 to {width}", feature.dimensions);
        problems.add(&format!("{at}.dimensions"), what);
    }
    let own = Experiment { data: feature.data.clone(), control: Control::None, ..experiment.clone() };
    let mut found = Problems::default();
    let items = items::resolve(&own, loaded, &mut found).items;
    let wrong = found.into_result().err().map_or(Vec::new(), |error| error.0);
    wrong.iter().for_each(|Problem { at: place, what }| problems.add(&format!("{at}.{place}"), what));
    if wrong.is_empty() && items.iter().all(|item| item.clean == item.corrupt) {
        let what =
            "no pair's prompts differ; a feature needs pairs, of which the clean prompt has it and the other has not";
        problems.add(&format!("{at}.data"), what);
    }
    Feature { name: feature.name.clone(), items, dimensions: feature.dimensions }
}
