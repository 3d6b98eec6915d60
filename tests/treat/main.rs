//! Treatments of the weights: formulas on small cases, parity with plain numpy, and what must hold of every model.

#[path = "../common/mod.rs"]
mod common;

mod calibrated;
mod distil;
mod formulas;
mod mistakes;
mod parity;
mod saved;
mod structure;
mod whole;

use common::{experiment, golden, question, random_pairs};
use patchclamp::builtin;
use patchclamp::model::Model;
use patchclamp::model::load::{self, Fresh, Loaded};
use patchclamp::plan::Plan;
use patchclamp::treat::{self, Ledger, Matrix, Part, inventory, part};

/// A golden model as it is built.
fn fresh(case: &str) -> Fresh {
    load::fresh(&golden(case), &common::device()).unwrap()
}

/// The built-in model as it is built.
fn organism() -> Fresh {
    builtin::fresh("organism", &common::device()).unwrap()
}

/// Prompts of several lengths, for any golden model.
fn pairs() -> String {
    random_pairs(&[4, 6, 6, 5], Some(2)) // where encoders without a mask token answer
}

/// A plan of steps, on pairs of random prompts.
fn planned(treat: &str, fresh: Fresh) -> Plan {
    let loaded = fresh.finish(&[]).unwrap();
    let text = question(&pairs(), "LogitLens()", &format!("treat: [{treat}]"));
    Plan::new(&experiment(&text), &loaded).unwrap_or_else(|error| panic!("{treat}: {error}"))
}

/// A model after steps, and what they did.
fn treated(treat: &str, open: impl Fn() -> Fresh) -> (Loaded, Ledger) {
    let (plan, mut model) = (planned(treat, open()), open());
    let width = model.width;
    let ledger = treat::apply(model.model(), &plan.recipe, &[], width).unwrap();
    (model.finish(&[]).unwrap(), ledger)
}

/// All maps of a model.
fn maps(model: &dyn Model) -> Vec<(Part, Matrix)> {
    part::read(model, &inventory(model))
}

/// The same without embedding and unembedding.
fn of_blocks(model: &dyn Model) -> Vec<(Part, Matrix)> {
    maps(model).into_iter().filter(|(part, _)| part.layer.is_some()).collect()
}
