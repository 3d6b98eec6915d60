//! Positions by their number or by what they are in a prompt.

use super::{Item, Known, Problems};
use crate::spec::{Role, Spot};

/// Where a spot is in an item, in order.
pub(super) fn positions(spot: Spot, item: &Item) -> Vec<usize> {
    let last = item.clean.len() - 1;
    match spot {
        Spot::Position(position) => vec![position],
        Spot::Role(Role::Last) => vec![last],
        Spot::Role(Role::Answer) => vec![item.answers.as_ref().map_or(last, |answers| answers.at)],
        Spot::Role(Role::Contrast) => (0..=last).filter(|at| item.clean[*at] != item.corrupt[*at]).collect(),
    }
}

/// Where several spots are in an item, each position once, in order.
pub(super) fn all(spots: &[Spot], item: &Item) -> Vec<usize> {
    let mut found: Vec<usize> = spots.iter().flat_map(|spot| positions(*spot, item)).collect();
    found.sort_unstable();
    found.dedup();
    found
}

/// What is wrong with spots in these items.
pub(super) fn check(at: &str, spots: &[Spot], known: &Known, problems: &mut Problems) {
    super::cells::check_once(at, spots, problems);
    let shortest = known.items.iter().map(|item| item.clean.len()).min().unwrap_or(usize::MAX);
    for spot in spots {
        match spot {
            Spot::Position(position) if known.complete && *position >= shortest => problems.add(
                at,
                format!("position {position} does not exist; the shortest prompt has positions 0 to {}", shortest - 1),
            ),
            Spot::Role(Role::Contrast) if known.items.iter().any(|item| item.clean == item.corrupt) => {
                problems.add(
                    at,
                    "Contrast is where the clean and the corrupted prompt differ, but in some pair they do not",
                );
            }
            _ => {}
        }
    }
}
