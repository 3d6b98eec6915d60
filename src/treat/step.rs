//! A step taken: its mathematics called for each map, and what it did noted.

use super::dice::{Dice, chance};
use super::gptq::{Making, gptq};
use super::grid::Grid;
use super::hessian::Moments;
use super::ledger::Note;
use super::part::{Part, change, inventory};
use super::{
    Diverged, Heard, Lesson, Matrix, Taking, Texts, awq, distil, fair, nf4, prune, sample, sparse_gpt, structure, walk,
};
use crate::model::Model;
use crate::spec::{Distil, Rounding, Source, Treatment, Within};
use rand_chacha::ChaCha8Rng;

/// Bits of a weight that was trained, in f32.
const TRAINED: f64 = 32.0;

impl Taking<'_> {
    /// A step that needs no texts.
    pub(super) fn plain(&mut self, model: &mut dyn Model) {
        let parts = self.step.parts.clone();
        change(model, &parts, &mut |part, weights| {
            self.note(part, [weights.nrows(), weights.ncols()]);
            self.treated(&self.step.treatment, part, weights)
        });
    }

    /// One that does.
    pub(super) fn calibrated(&mut self, model: &mut dyn Model) {
        let parts = self.step.parts.clone();
        let texts = self.texts(model);
        walk::walk(model, &texts, &parts, &mut |maps, moments| {
            let changed = self.weighed(&self.step.treatment, &maps, moments);
            for ((part, was), is) in maps.iter().zip(&changed) {
                self.note(*part, [was.nrows(), was.ncols()]);
                let output = Some([moments.output(&(was - is)), moments.output(was)]);
                self.notes.entry(*part).and_modify(|note| note.output = output);
            }
            changed
        });
    }

    /// The texts of the step; those that the model says itself it says now.
    fn texts(&self, model: &dyn Model) -> Texts {
        let mut texts = self.step.texts.clone();
        if let Some(calibration) = self.step.treatment.calibration()
            && calibration.from == Source::Sampled
        {
            let shape = [calibration.rows, calibration.length];
            texts.rows = sample::sample(model, shape, texts.begin, calibration.seed);
        }
        texts
    }

    /// One that makes a student of the model, all of whose maps are new.
    pub(super) fn distilled(
        &mut self,
        model: &mut dyn Model,
        how: &Distil,
        heard: &mut Heard,
    ) -> Result<Lesson, Diverged> {
        let texts = self.texts(model);
        let lesson = distil::distil(model, how, &texts, heard)?;
        self.notes.clear();
        inventory(model).into_iter().for_each(|part| self.note(part, [1, 1]));
        Ok(lesson)
    }

    /// One that draws weights to those of another model.
    pub(super) fn merged(&mut self, model: &mut dyn Model, other: &dyn Model, weight: f64) {
        structure::merge(model, other, weight);
        if weight != 0.0 {
            inventory(model).into_iter().for_each(|part| self.note(part, [1, 1]));
        }
    }

    /// A step that takes whole heads or blocks out.
    pub(super) fn take_out(&mut self, model: &mut dyn Model) {
        let chance = |draw| chance(self.recipe.seed, draw, &self.number.to_string());
        for part in structure::take_out(model, &self.step.treatment, chance) {
            self.note(part, [1, 1]);
        }
    }

    fn treated(&self, treatment: &Treatment, part: Part, weights: Matrix) -> Matrix {
        match treatment {
            Treatment::Round(round) => {
                let grid = Grid { bits: round.bits, scheme: round.scheme, per: round.per };
                grid.round(weights, &self.dice(round.rounding, round.draw, part))
            }
            Treatment::Nf4(how) => nf4::round(weights, how, &self.dice(how.rounding, how.draw, part)),
            Treatment::Magnitude(mask) => prune::by_magnitude(weights, mask.sparsity, mask.within),
            Treatment::RandomMask(mask) => {
                prune::by_chance(weights, mask.sparsity, mask.within, self.chance(mask.draw, part))
            }
            Treatment::Matched(matched) => {
                let (would, even) = (self.treated(&matched.step, part, weights.clone()), vec![1.0; weights.ncols()]);
                prune::as_much(weights, &would, &even, within(&matched.step), self.chance(matched.draw, part))
            }
            _ => weights,
        }
    }

    fn weighed(&self, treatment: &Treatment, maps: &[(Part, Matrix)], moments: &Moments) -> Vec<Matrix> {
        let each = |treated: &dyn Fn(Part, Matrix) -> Matrix| {
            maps.iter().map(|(part, weights)| treated(*part, weights.clone())).collect()
        };
        match treatment {
            Treatment::Gptq(how) => each(&|part, weights| {
                let grid = Grid { bits: how.bits, scheme: how.scheme, per: how.per };
                let making = Making { grid, act_order: how.act_order, damping: how.damping };
                gptq(weights, moments.hessian(), &making, &self.dice(how.rounding, how.draw, part))
            }),
            Treatment::FairGptq(how) => each(&|part, weights| {
                let grid = Grid { bits: how.bits, scheme: how.scheme, per: how.per };
                let making = Making { grid, act_order: how.act_order, damping: how.damping };
                fair::fair_gptq(weights, moments, how.alpha, &making, &self.dice(how.rounding, how.draw, part))
            }),
            Treatment::Awq(how) => {
                let grid = Grid { bits: how.bits, scheme: how.scheme, per: how.per };
                let with_dice =
                    |(part, weights): &(Part, Matrix)| (weights.clone(), self.dice(how.rounding, how.draw, *part));
                awq::awq(maps.iter().map(with_dice).collect(), moments, &grid)
            }
            Treatment::Wanda(how) => {
                let norms = moments.norms();
                each(&|_, weights| prune::by_inputs(weights, &norms, how.sparsity))
            }
            Treatment::SparseGpt(how) => each(&|_, weights| {
                sparse_gpt::sparse_gpt(weights, moments.hessian(), how.sparsity, how.damping, how.block)
            }),
            Treatment::Matched(matched) => {
                let (would, norms) = (self.weighed(&matched.step, maps, moments), moments.norms());
                let chosen = |((part, weights), would): (&(Part, Matrix), &Matrix)| {
                    let random = self.chance(matched.draw, *part);
                    prune::as_much(weights.clone(), would, &norms, within(&matched.step), random)
                };
                maps.iter().zip(&would).map(chosen).collect()
            }
            _ => each(&|_, weights| weights),
        }
    }

    fn chance(&self, draw: u64, part: Part) -> ChaCha8Rng {
        chance(self.recipe.seed, draw, &self.name(part))
    }

    fn dice(&self, rounding: Rounding, draw: u64, part: Part) -> Dice {
        Dice::new(rounding, self.recipe.seed, draw, &self.name(part))
    }

    /// What chance hangs on: the same map has other draws in another step.
    fn name(&self, part: Part) -> String {
        format!("{} {part}", self.number)
    }

    fn note(&mut self, part: Part, shape: [usize; 2]) {
        let new = || Note { width: self.width, pruned: false, output: None };
        let note = self.notes.entry(part).or_insert_with(new);
        let grid = |bits, scheme, per| Grid { bits, scheme, per }.width(shape);
        match &self.step.treatment {
            Treatment::Round(how) => note.width = grid(how.bits, how.scheme, how.per),
            Treatment::Gptq(how) => note.width = grid(how.bits, how.scheme, how.per),
            Treatment::FairGptq(how) => note.width = grid(how.bits, how.scheme, how.per),
            Treatment::Awq(how) => note.width = grid(how.bits, how.scheme, how.per),
            Treatment::Nf4(how) => note.width = nf4::width(how),
            // what made up for those that went left the levels
            Treatment::SparseGpt(_) => (note.width, note.pruned) = (self.width, true),
            Treatment::Merge(_) => (note.width, note.pruned) = (self.width, false),
            // what was trained fits into no fewer; without a step it is what it was
            Treatment::Distil(how) if how.steps > 0 => (note.width, note.pruned) = (self.width.max(TRAINED), false),
            Treatment::Distil(_) => (note.width, note.pruned) = (self.width, false),
            _ => note.pruned = true,
        }
    }
}

/// Among which weights a pruning chooses.
fn within(step: &Treatment) -> Within {
    match step {
        Treatment::Magnitude(mask) => mask.within,
        Treatment::Wanda(_) => Within::Row,
        _ => Within::Tensor,
    }
}
