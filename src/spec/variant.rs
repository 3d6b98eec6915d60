//! What an experiment is held against: itself with another model, other prompts or another metric.

use super::{Control, Data, Experiment, Method, ModelSpec, Statistics, Treatment};
use crate::metric::Metric;
use crate::model::process::Processing;
use serde::{Deserialize, Serialize};

/// An experiment that differs from another in what is given here.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Variant {
    /// What it is called; its run stands in the folder `against/NAME`.
    pub name: String,
    /// Another model.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub model: Option<ModelSpec>,
    /// Its weights treated otherwise.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub treat: Option<Vec<Treatment>>,
    /// How many twins of its treatment say what chance alone changes: rounded by chance, or with any weights set to zero.
    #[serde(default, skip_serializing_if = "none")]
    pub twins: usize,
    /// Other steps of weight processing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub process: Option<Vec<Processing>>,
    /// Other prompts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub data: Option<Data>,
    /// Shuffled answers, or answers that are not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub control: Option<Control>,
    /// Another metric.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub metric: Option<Metric>,
    /// Other draws.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seed: Option<u64>,
}

impl Variant {
    /// Whether it differs in nothing.
    pub fn is_same(&self) -> bool {
        let Variant { name: _, model, treat, twins: _, process, data, control, metric, seed } = self;
        model.is_none()
            && treat.is_none()
            && process.is_none()
            && data.is_none()
            && control.is_none()
            && metric.is_none()
            && seed.is_none()
    }
}

impl Variant {
    /// Whether it asks other prompts, or another thing of them, so that no item of the two is one.
    pub fn asks_otherwise(&self) -> bool {
        self.data.is_some() || self.seed.is_some() || self.metric.is_some()
    }
}

impl Experiment {
    /// The experiment that a variant of this one is; it is held against nothing itself, has no model beside its own, and cuts
    /// nothing.
    pub fn varied(&self, variant: &Variant) -> Experiment {
        let Variant { name, model, treat, twins: _, process, data, control, metric, seed } = variant.clone();
        Experiment {
            question: format!("{} ({name})", self.question),
            model: model.unwrap_or_else(|| self.model.clone()),
            treat: treat.unwrap_or_else(|| self.treat.clone()),
            process: process.unwrap_or_else(|| self.process.clone()),
            data: data.unwrap_or_else(|| self.data.clone()),
            control: control.unwrap_or(self.control),
            metric: metric.unwrap_or(self.metric),
            seed: seed.unwrap_or(self.seed),
            methods: self.methods.iter().filter(|method| !method.is_left_out()).cloned().collect(),
            against: Vec::new(),
            ..self.clone()
        }
    }

    /// The experiment that a twin of a variant's treatment is: measures alone, whose intervals nobody reads.
    pub fn twin(&self, variant: &Variant, number: usize) -> Experiment {
        let varied = self.varied(variant);
        let measures = |method: &&Method| matches!(method, Method::Measure(_));
        Experiment {
            treat: varied.treat.iter().map(|step| step.twin(number as u64)).collect(),
            methods: varied.methods.iter().filter(measures).cloned().collect(),
            features: Vec::new(),
            truth: None,
            statistics: Statistics { resamples: 1, permutations: 1, ..varied.statistics },
            ..varied
        }
    }
}

fn none(count: &usize) -> bool {
    *count == 0
}
