//! Treatments of the weights: rounded to few bits, pruned, merged, distilled, before anything is asked of the model.
//!
//! They work on the built model through [`part`], so that every family is treated alike, and results do not hang on whether a
//! checkpoint keeps queries, keys and values in one tensor. Mathematics on plain matrices stands in a file a method; [`walk`] takes
//! texts through the model for those that need its inputs; [`ledger`] keeps what was done.

pub mod awq;
pub mod dice;
mod distil;
pub mod fair;
pub mod gptq;
pub mod grid;
pub mod hessian;
pub mod ledger;
pub mod nf4;
pub mod part;
pub mod prune;
mod recipe;
mod sample;
pub mod save;
pub mod shortened;
pub mod sparse_gpt;
mod step;
pub mod structure;
pub mod walk;

pub use distil::{Diverged, Heard, Lesson};
pub use ledger::{Entry, Ledger};
pub use part::{Map, Part, inventory};
pub use recipe::{Recipe, Step, layers};
pub use walk::Texts;

use crate::model::{Model, random};
use crate::spec::{Beginning, Treatment};
use ledger::Note;
use std::collections::BTreeMap;
use std::time::Instant;

/// A map as rounding and pruning see it, `[output, input]`.
pub type Matrix = ndarray::Array2<f64>;

/// Takes every step, where weights took `width` bits so far; `others` are the models that are merged with, in order.
pub fn apply(
    model: &mut dyn Model,
    recipe: &Recipe,
    others: &[Box<dyn Model>],
    width: f64,
) -> Result<Ledger, Diverged> {
    apply_heard(model, recipe, others, width, &mut |_, _| {})
}

/// The same with somebody who hears how training goes on.
pub fn apply_heard(
    model: &mut dyn Model,
    recipe: &Recipe,
    others: &[Box<dyn Model>],
    width: f64,
    heard: &mut Heard,
) -> Result<Ledger, Diverged> {
    let began = Instant::now();
    let mut was = model.parted(&[]); // shares its weights, which are replaced and never written to
    let before = ledger::parameters(was.as_ref());
    let (mut notes, mut lessons, mut others) = (BTreeMap::new(), Vec::new(), others.iter());
    for (number, step) in recipe.steps.iter().enumerate() {
        let mut taking = Taking { recipe, number, step, notes: &mut notes, width };
        match &step.treatment {
            Treatment::Merge(merge) => {
                if let Some(other) = others.next() {
                    taking.merged(model, other.as_ref(), merge.weight);
                }
            }
            Treatment::PruneHeads(_) | Treatment::RandomHeads(_) => taking.take_out(model),
            Treatment::PruneLayers(_) | Treatment::RandomLayers(_) => taking.take_out(model),
            Treatment::Distil(how) => {
                let lesson = taking.distilled(model, how, heard)?;
                was.keep_layers(&lesson.layers); // a map is held against the one that it began as
                if how.from == Beginning::Random {
                    random::redraw(was.as_mut(), how.seed);
                }
                lessons.push(lesson);
            }
            _ if step.treatment.calibration().is_some() => taking.calibrated(model),
            _ => taking.plain(model),
        }
        let missed = step.parts.iter().find(|part| !notes.contains_key(part));
        assert!(
            missed.is_none(),
            "the plan promised {missed:?}, and the model has no such map, or no texts reached it"
        );
    }
    let seconds = began.elapsed().as_secs_f64();
    Ok(Ledger::new([was.as_ref(), &*model], &notes, width, before).after(lessons, seconds))
}

/// A step as it is taken.
struct Taking<'a> {
    recipe: &'a Recipe,
    number: usize,
    step: &'a Step,
    notes: &'a mut BTreeMap<Part, Note>,
    /// Bits of a weight that nothing was done to.
    width: f64,
}
