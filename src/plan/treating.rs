//! Treatments of the weights: maps, levels and texts, resolved and checked.

mod distilling;
mod texts;

pub(super) use distilling::student;

use super::{Known, Problems};
use crate::model::parts::block::Wiring;
use crate::spec::{Experiment, Heads, Parts, Per, Sparsity, Treatment};
use crate::treat::{Map, Part, Recipe, Step, inventory, layers};
use std::collections::BTreeSet;

/// Bits that weights can be rounded to: fewer are a sign, more change next to nothing.
const BITS: std::ops::RangeInclusive<u32> = 2..=8;

/// The steps, or what is wrong with them.
pub(super) fn resolve(experiment: &Experiment, known: &Known, problems: &mut Problems) -> Recipe {
    if experiment.treat.is_empty() {
        return Recipe::default();
    }
    // each step has to do with what those before it leave; weights are shared
    let (mut shape, mut steps) = (known.model.parted(&[]), Vec::new());
    for (index, treatment) in experiment.treat.iter().enumerate() {
        let (model, sites) = (shape.as_ref(), Vec::new());
        let known = Known { model, sites, ..*known };
        let mut all = inventory(model);
        // processing gives a tied model an unembedding of its own, and weights are treated before they are processed
        all.retain(|part| !(part.map == Map::Unembed && known.loaded.tied));
        let at = format!("treat[{index}]");
        let mut checking = Checking { at, experiment, known: &known, all: &all, problems: &mut *problems };
        let parts = checking.parts(treatment);
        checking.numbers(treatment, &parts);
        checking.structure(treatment);
        checking.chance(treatment);
        checking.behind(treatment, &experiment.treat[..index]);
        let texts = checking.texts(treatment);
        steps.push(Step { treatment: treatment.clone(), parts, texts });
        if let Some(layers) = layers(std::iter::once(treatment), model.dims().layers) {
            shape.keep_layers(&layers);
        }
    }
    Recipe { steps, seed: experiment.seed, merged: Vec::new() }
}

/// A step as it is checked.
struct Checking<'a, 'b> {
    at: String,
    experiment: &'a Experiment,
    known: &'a Known<'b>,
    all: &'a BTreeSet<Part>,
    problems: &'a mut Problems,
}

impl Checking<'_, '_> {
    fn add(&mut self, field: &str, what: impl Into<String>) {
        self.problems.add(&format!("{}.{field}", self.at), what);
    }

    /// The maps that a step is for.
    fn parts(&mut self, treatment: &Treatment) -> BTreeSet<Part> {
        let Some(only) = treatment.only() else { return BTreeSet::new() };
        if let Some(layers) = &only.layers {
            self.layers("only.layers", layers);
        }
        let maps = self.maps(only);
        let chosen = |part: &&Part| match (part.layer, &only.layers) {
            (Some(layer), Some(layers)) => layers.contains(&layer),
            _ => true,
        };
        let parts: BTreeSet<Part> =
            self.all.iter().filter(|part| maps.contains(&part.map)).filter(chosen).copied().collect();
        if treatment.calibration().is_some() && parts.iter().any(|part| part.layer.is_none()) {
            let what = "is calibrated by what the maps of blocks read, and `embed` and `unembed` stand outside them; round those in a step of their own, for instance Round(bits: 8, only: (parts: [\"embed\"]))";
            self.add("only.parts", what);
        }
        parts
    }

    fn maps(&mut self, only: &Parts) -> BTreeSet<Map> {
        let there: BTreeSet<Map> = self.all.iter().map(|part| part.map).collect();
        let Some(names) = &only.parts else {
            return there.into_iter().filter(|map| map.is_of_block()).collect();
        };
        let mut maps = BTreeSet::new();
        for (index, name) in names.iter().enumerate() {
            let own: Vec<Map> = Map::named(name).into_iter().filter(|map| there.contains(map)).collect();
            if own.is_empty() {
                let names = there.iter().map(|map| map.name()).collect::<Vec<_>>().join(", ");
                let tied = if name == "unembed" { "; it reads its answers with the embedding" } else { "" };
                let family = self.known.family;
                self.add(&format!("only.parts[{index}]"), format!("there is no {name:?}; {family} has {names}{tied}"));
            }
            maps.extend(own);
        }
        if names.is_empty() {
            self.add("only.parts", "names no map; leave it out for all of them");
        }
        maps
    }

    fn layers(&mut self, field: &str, layers: &[usize]) {
        let count = self.known.dims().layers;
        if layers.is_empty() {
            self.add(field, "names no layer, so that nothing would be done; leave the step out, or name some");
        }
        for layer in layers.iter().filter(|layer| **layer >= count) {
            let family = self.known.family;
            self.add(field, format!("layer {layer} does not exist; {family} has layers 0 to {}", count - 1));
        }
    }

    fn numbers(&mut self, treatment: &Treatment, parts: &BTreeSet<Part>) {
        match treatment {
            Treatment::Round(how) => self.grid(how.bits, how.per),
            Treatment::Gptq(how) => {
                self.grid(how.bits, how.per);
                self.at_least_zero("damping", how.damping);
            }
            Treatment::FairGptq(how) => {
                self.grid(how.bits, how.per);
                self.at_least_zero("damping", how.damping);
                self.at_least_zero("alpha", how.alpha);
            }
            Treatment::Awq(how) => self.grid(how.bits, how.per),
            Treatment::Nf4(how) => self.positive("block", how.block),
            Treatment::Magnitude(how) | Treatment::RandomMask(how) => self.sparsity(how.sparsity, parts),
            Treatment::Wanda(how) => self.sparsity(how.sparsity, parts),
            Treatment::SparseGpt(how) => {
                self.sparsity(how.sparsity, parts);
                self.at_least_zero("damping", how.damping);
                self.positive("block", how.block);
            }
            Treatment::Merge(how) if !(0.0..=1.0).contains(&how.weight) => {
                self.add("weight", format!("{} is not between 0 and 1", how.weight));
            }
            Treatment::Matched(matched) => self.matched(&matched.step, parts),
            Treatment::Distil(distil) => self.student(distil),
            Treatment::RandomHeads(which) | Treatment::RandomLayers(which) => self.positive("count", which.count),
            Treatment::PruneHeads(_) | Treatment::PruneLayers(_) | Treatment::Merge(_) => {}
        }
    }

    /// What is merged has the shape of the checkpoint, which a student has not.
    fn behind(&mut self, treatment: &Treatment, before: &[Treatment]) {
        let students = before.iter().any(|step| matches!(step, Treatment::Distil(_)));
        if students && matches!(treatment, Treatment::Merge(_)) {
            self.add("with", "stands behind Distil; write the student with `patchclamp treat`, and merge that");
        }
    }

    /// What a random mask takes as much as.
    fn matched(&mut self, step: &Treatment, parts: &BTreeSet<Part>) {
        match step {
            Treatment::Magnitude(_) | Treatment::Wanda(_) | Treatment::SparseGpt(_) => self.numbers(step, parts),
            _ => self.add("step", "is no pruning of single weights; write Magnitude, Wanda or SparseGpt"),
        }
    }

    /// Draws are told apart only where something is drawn.
    fn chance(&mut self, treatment: &Treatment) {
        let step = match treatment {
            Treatment::Matched(matched) => &matched.step,
            step => step,
        };
        let remedy = match step {
            Treatment::Magnitude(_) => "leave it out, or write RandomMask",
            _ => "leave it out, or write rounding: Stochastic",
        };
        if let Some(draw) = step.idle_draw() {
            self.add("draw", format!("{draw} would change nothing, as nothing is left to chance; {remedy}"));
        }
    }

    fn grid(&mut self, bits: u32, per: Per) {
        if !BITS.contains(&bits) {
            self.add("bits", format!("{bits} is not between {} and {}", BITS.start(), BITS.end()));
        }
        if per == Per::Group(0) {
            self.add("per", "Group(0) has no weights; write for instance Group(128)");
        }
    }

    fn positive(&mut self, field: &str, count: usize) {
        if count == 0 {
            self.add(field, "0 is too few; it must be at least 1");
        }
    }

    fn at_least_zero(&mut self, field: &str, value: f64) {
        if !(value.is_finite() && value >= 0.0) {
            self.add(field, format!("{value} is no number from 0 on"));
        }
    }

    fn sparsity(&mut self, sparsity: Sparsity, parts: &BTreeSet<Part>) {
        match sparsity {
            Sparsity::Share(share) if !(0.0..=1.0).contains(&share) => {
                self.add("sparsity", format!("{share} is not between 0 and 1"));
            }
            Sparsity::Of(zeros, of) if of == 0 || zeros > of => {
                self.add("sparsity", format!("\"{zeros}:{of}\" asks for {zeros} zeros in {of} weights"));
            }
            Sparsity::Of(_, of) => {
                let inputs = |part: &Part| part.map.inputs(self.known.dims());
                let uneven = parts.iter().find(|part| !inputs(part).is_multiple_of(of));
                if let Some((part, inputs)) = uneven.map(|part| (*part, inputs(part))) {
                    let what = format!(
                        "{part} has {inputs} inputs, which are no whole number of {of} neighbours; leave it out by `only`, or write a share"
                    );
                    self.add("sparsity", what);
                }
            }
            Sparsity::Share(_) => {}
        }
    }

    fn structure(&mut self, treatment: &Treatment) {
        let (layers, heads) = (self.known.dims().layers, self.known.dims().heads);
        match treatment {
            Treatment::PruneLayers(gone) => {
                self.layers("PruneLayers", gone);
                self.lets_through("PruneLayers");
            }
            Treatment::RandomLayers(which) => {
                self.at_most("count", which.count, layers, "layers");
                self.lets_through("RandomLayers");
            }
            Treatment::RandomHeads(which) => self.at_most("count", which.count, layers * heads, "heads"),
            Treatment::PruneHeads(Heads::These(gone)) if gone.is_empty() => {
                self.add(
                    "PruneHeads",
                    "names no head, so that nothing would be done; leave the step out, or name some",
                );
            }
            Treatment::PruneHeads(Heads::These(gone)) => {
                self.layers("PruneHeads", &gone.iter().map(|(layer, _)| *layer).collect::<Vec<_>>());
                for (_, head) in gone.iter().filter(|(_, head)| *head >= heads) {
                    let family = self.known.family;
                    let what = format!("head {head} does not exist; {family} has heads 0 to {}", heads - 1);
                    self.add("PruneHeads", what);
                }
            }
            Treatment::PruneHeads(Heads::Smallest(count)) => {
                self.positive("PruneHeads", *count);
                self.at_most("PruneHeads", *count, layers * heads, "heads");
            }
            _ => {}
        }
    }

    fn at_most(&mut self, field: &str, count: usize, all: usize, what: &str) {
        if count > all {
            self.add(field, format!("{count} {what} are more than there are: {all}"));
        }
    }

    /// A block that writes nothing lets the stream through, unless a norm stands behind it.
    fn lets_through(&mut self, field: &str) {
        if (0..self.known.dims().layers).any(|layer| self.known.model.block(layer).wiring == Wiring::Behind) {
            let what = "norms stand behind the stream of this model, so no block lets it through as it is; prune heads or weights instead";
            self.add(field, what);
        }
    }
}
