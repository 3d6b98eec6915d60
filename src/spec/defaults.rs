//! What methods take where nobody says it.

use super::{Axis, Direction, Role, Sites, Spot};

/// Meng et al. 2022: block outputs, and what MLPs and attention write.
pub(super) fn restored() -> Sites {
    Sites::Named(["hook_resid_post", "hook_mlp_out", "hook_attn_out"].map(String::from).to_vec())
}

/// Enough for a mask to go the way from kept to pruned several times over.
pub(super) fn fitted() -> usize {
    300
}

pub(super) fn rate() -> f64 {
    0.1
}

pub(super) fn three() -> usize {
    3
}

/// A score is what the metric changes by when the place is ablated.
pub(super) fn noise() -> Direction {
    Direction::Noise
}

/// Copies and layers of a window in Meng et al. 2022.
pub(super) fn ten() -> usize {
    10
}

pub(super) fn at_answer() -> Vec<Spot> {
    vec![Spot::Role(Role::Answer)]
}

pub(super) fn one() -> usize {
    1
}

pub(super) fn eight() -> usize {
    8
}

pub(super) fn five() -> usize {
    5
}

/// With the circuits, draws of a null that cost a pass each.
pub(super) fn twenty() -> usize {
    20
}

pub(super) fn thirty_two() -> usize {
    32
}

/// Draws of a null, so that the least p is 0.01.
pub(super) fn ninety_nine() -> usize {
    99
}

/// The stream behind every block.
pub(super) fn streams() -> Sites {
    Sites::Named(vec!["hook_resid_post".into()])
}

pub(super) fn over_layers() -> Vec<Axis> {
    vec![Axis::Layer]
}

pub(super) fn no_sites() -> Sites {
    Sites::Named(Vec::new())
}
