//! Whether samples can be split: what every split must leave to learn from, and control labels that can be learnt.

use patchclamp_probes::decode::{DecodeError, Design, Labels, Split, control};

/// Control labels that selectivity is the mean over.
const CONTROLS: usize = 5;

/// The field that is at fault, and why.
pub(super) type Fault = (&'static str, String);

pub(super) fn too_few(classes: &[String], samples: usize) -> String {
    match classes {
        [] => "there is no prompt to probe".into(),
        [one] => format!("all {samples} prompts are {one:?}; a probe needs two classes at least"),
        several => format!("{samples} prompts of {} classes are too few", several.len()),
    }
}

pub(super) fn folds(error: DecodeError) -> Fault {
    ("folds", error.to_string())
}

/// Every class must be learnt from in every split.
pub(super) fn seen(labels: &Labels, classes: &[String], splits: &[Split]) -> Result<(), Fault> {
    let missing = |split: &Split| labels.counts(&split.train).iter().position(|count| *count == 0);
    match splits.iter().find_map(missing) {
        Some(class) => Err((
            "apart",
            format!(
                "{:?} stands in one group only, so what is held out leaves nothing to learn it from; give it more words, or write apart: Items or apart: Label(\"template\")",
                classes[class]
            ),
        )),
        None => enough(labels, splits),
    }
}

/// No probe is fitted to as many prompts as there are classes.
fn enough(labels: &Labels, splits: &[Split]) -> Result<(), Fault> {
    match splits.iter().map(|split| split.train.len()).find(|items| *items <= labels.classes()) {
        Some(items) => {
            let classes = labels.classes();
            Err((
                "folds",
                format!("a split leaves {items} prompts to learn {classes} classes from; give it more prompts"),
            ))
        }
        None => Ok(()),
    }
}

/// The same within what is learnt from, where penalties are chosen.
pub(super) fn check_inner(
    labels: &Labels,
    splits: &[Split],
    design: Design,
    folds: usize,
    seed: u64,
) -> Result<(), Fault> {
    let choosable = |split: &Split| {
        let inner = design.splits(labels.of(), &split.train, folds, seed);
        inner.is_ok_and(|inner| inner.iter().all(|split| labels.counts(&split.train).iter().all(|count| *count > 0)))
    };
    match splits.iter().all(choosable) {
        true => Ok(()),
        false => Err((
            "penalties",
            "there are too few groups to choose a penalty within what is learnt from; write one, for instance penalties: [1]".into(),
        )),
    }
}

/// Control labels that can be learnt in every split; none where types are too few.
pub(super) fn controls(labels: &Labels, words: &[usize], splits: &[Split], seed: u64) -> Vec<Labels> {
    let drawn = (0..10 * CONTROLS as u64).filter_map(|draw| control(labels, words, seed.wrapping_add(draw)).ok());
    let learnable =
        |control: &Labels| splits.iter().all(|split| control.counts(&split.train).iter().all(|count| *count > 0));
    drawn.filter(learnable).take(CONTROLS).collect()
}
