//! What is to be done to weights, resolved.

use super::Texts;
use super::part::{Map, Part};
use crate::model::Dims;
use crate::spec::{Pairs, Source, Treatment};
use std::collections::BTreeSet;

/// One step, resolved.
#[derive(Clone, Debug)]
pub struct Step {
    /// What is done.
    pub treatment: Treatment,
    /// To which maps.
    pub parts: BTreeSet<Part>,
    /// On which texts, where it is calibrated.
    pub texts: Texts,
}

/// All steps, in order.
#[derive(Clone, Debug, Default)]
pub struct Recipe {
    /// The steps.
    pub steps: Vec<Step>,
    /// Of everything that is left to chance.
    pub seed: u64,
    /// The models merged with, once they are opened: the step, and SHA-256 of the weights.
    pub merged: Vec<(usize, String)>,
}

impl Recipe {
    /// Whether nothing is done.
    pub fn is_empty(&self) -> bool {
        self.steps.is_empty()
    }

    /// The blocks that are left of a model of so many, by the numbers that they had; none where none is taken away.
    pub fn layers(&self, count: usize) -> Option<Vec<usize>> {
        layers(self.steps.iter().map(|step| &step.treatment), count)
    }

    /// Which steps are calibrated on the very prompts that the experiment asks, in words: they are fitted to the test.
    pub fn on_own_prompts(&self, dims: &Dims) -> Option<String> {
        let told = |(index, step): (usize, &Step)| Some(format!("treat[{index}]: {}", step.own_prompts(dims)?));
        let told: Vec<String> = self.steps.iter().enumerate().filter_map(told).collect();
        (!told.is_empty()).then(|| told.join("; "))
    }
}

/// The blocks that steps leave of a model of so many; none where no step makes a student, or one that cannot be.
pub fn layers<'a>(steps: impl Iterator<Item = &'a Treatment>, count: usize) -> Option<Vec<usize>> {
    let mut left: Option<Vec<usize>> = None;
    for step in steps {
        if let Treatment::Distil(distil) = step {
            let now = left.unwrap_or_else(|| (0..count).collect());
            left = Some(
                distil.layers.of(now.len()).into_iter().map(|layer| now.get(layer).copied()).collect::<Option<_>>()?,
            );
        }
    }
    left.filter(|left| !left.is_empty())
}

impl Step {
    fn own_prompts(&self, dims: &Dims) -> Option<String> {
        let of_texts = self.treatment.calibration().is_some_and(|calibration| calibration.from == Source::Prompts);
        let inputs: usize = self.texts.rows.iter().map(Vec::len).sum();
        if let Treatment::Distil(_) = self.treatment {
            return of_texts.then(|| format!("the experiment's own prompts ({inputs} tokens)"));
        }
        let widest = self.parts.iter().map(|part| part.map.inputs(dims)).max()?;
        let texts =
            of_texts.then(|| format!("the experiment's own prompts ({inputs} inputs; the widest map reads {widest})"));
        let of_pairs = matches!(&self.treatment, Treatment::FairGptq(fair) if fair.pairs == Pairs::Prompts);
        let inputs: usize = self.texts.pairs.iter().map(|[one, _]| one.len()).sum();
        let pairs = of_pairs.then(|| format!("pairs of the experiment's own prompts ({inputs} pairs of inputs)"));
        let told: Vec<String> = texts.into_iter().chain(pairs).collect();
        (!told.is_empty()).then(|| told.join(" and "))
    }
}

impl Map {
    /// How many inputs it has.
    pub fn inputs(self, dims: &Dims) -> usize {
        match self {
            Map::AttnOut => dims.heads * dims.d_head,
            Map::MlpOut => dims.d_mlp,
            _ => dims.d_model,
        }
    }
}
