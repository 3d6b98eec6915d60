//! Positions that are nodes of a circuit: whether a position is the same place in every prompt.

use super::{Known, Problems, Step};
use crate::circuit::{Blocks, Heard, Places};
use crate::spec::Positions;
use std::collections::BTreeSet;

/// Blocks with nodes at each position, where that is asked for, or what is wrong with it.
pub(super) fn resolve(
    at: &str,
    positions: Positions,
    blocks: &Blocks,
    known: &Known,
    problems: &mut Problems,
) -> Blocks {
    if positions == Positions::Together {
        return blocks.clone();
    }
    match places(known) {
        Ok(places) => blocks.at_positions(Some(places)),
        Err(why) => {
            let remedy = "split the data by length, choose words of as many tokens each, or leave nodes at all positions `Together`";
            problems.add(
                &format!("{at}.positions"),
                format!("Each needs prompts whose positions mean the same: {why}; {remedy}"),
            );
            blocks.clone()
        }
    }
}

/// Whether edges of a file are at the positions of these prompts: so many, the last of them that of the answer.
pub(super) fn check_file(file: &str, found: Places, known: &Known) -> Result<(), String> {
    let here = places(known).map_err(|why| {
        format!("{file}: its edges are at positions, which must mean the same in all prompts: {why}; split the data by length")
    })?;
    match found == here {
        true => Ok(()),
        false => Err(format!(
            "{file}: its edges are those of another prompt: {found}, and here are {here}; answers are here read at position {}, there at {}",
            here.answer, found.answer
        )),
    }
}

/// The positions of all prompts, if these have one length and answers are read at one position.
fn places(known: &Known) -> Result<Places, String> {
    let answers = known.items.iter().filter_map(|item| item.answers.as_ref()).map(|answers| answers.at);
    let lengths = known.items.iter().map(|item| item.clean.len());
    let [answers, lengths]: [BTreeSet<usize>; 2] = [answers.collect(), lengths.collect()];
    let several = |values: &BTreeSet<usize>| known.complete && values.len() > 1;
    let span = |values: &BTreeSet<usize>| match (values.first(), values.last()) {
        (Some(least), Some(most)) => format!("{least} to {most}"),
        _ => String::new(),
    };
    match answers.last() {
        _ if several(&lengths) => Err(format!("these have {} tokens", span(&lengths))),
        _ if several(&answers) => Err(format!("answers are read at positions {}", span(&answers))),
        Some(answer) if !known.model.is_causal() => {
            let count = lengths.last().copied().unwrap_or(1);
            Ok(Places { count, answer: *answer, heard: Heard::Everywhere })
        }
        // what is missing is said of the items
        answer => Ok(Places::causal(answer.map_or(1, |answer| answer + 1))),
    }
}

/// The true circuit has edges of all positions, which none at positions can be held against.
pub(super) fn check_truth(is_known: bool, steps: &[Step], problems: &mut Problems) {
    if is_known && steps.iter().filter_map(Step::blocks).any(|blocks| blocks.positions().is_some()) {
        let what = "edges of the true circuit are of all positions, and those of a method here are at each; leave its `positions` Together, or leave out `truth`";
        problems.add("truth", what);
    }
}
