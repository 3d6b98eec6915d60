//! What methods take where nobody says it.

use super::{Axis, Direction, Per, Role, Sites, Spot};

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

/// Where a sequence has its state, where nobody says it.
pub(super) fn answer() -> Spot {
    Spot::Role(Role::Answer)
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

pub(super) fn one_dimension() -> Vec<usize> {
    vec![1]
}

/// Of a direction, whose numbers are small as it has length 1.
pub(super) fn small_rate() -> f64 {
    0.02
}

/// Of a translator, which has as many numbers as the stream is wide, squared.
pub(super) fn translator_rate() -> f64 {
    0.002
}

/// Weights that share a scale (Dettmers et al. 2023).
pub(super) fn block_of_64() -> usize {
    64
}

/// Inputs among which weights are pruned together (Frantar & Alistarh 2023).
pub(super) fn block_of_128() -> usize {
    128
}

pub(super) fn yes() -> bool {
    true
}

/// Of the mean of the diagonal (Frantar et al. 2023).
pub(super) fn damping() -> f64 {
    0.01
}

/// Groups of Proskurina, Metzler & Velcin 2025, and of Lin et al. 2024.
pub(super) fn hundred_and_twenty_eight() -> Per {
    Per::Group(128)
}

/// Of Proskurina, Metzler & Velcin 2025.
pub(super) fn tenth_of_bias() -> f64 {
    0.1
}

pub(super) fn half_weight() -> f64 {
    0.5
}

/// Texts of Frantar et al. 2023.
pub(super) fn rows_of_calibration() -> usize {
    128
}

/// Longer ones would say more of long texts; the built-in model has no more positions.
pub(super) fn sixty_four() -> usize {
    64
}

pub(super) fn sixteen() -> usize {
    16
}

/// Updates of a small student; one of a large model wants many times as many.
pub(super) fn five_hundred() -> usize {
    500
}

/// Of Sanh et al. 2019.
pub(super) fn student_rate() -> f64 {
    5e-4
}

pub(super) fn hundredth_of_decay() -> f64 {
    0.01
}

/// The temperature of Sanh et al. 2019.
pub(super) fn two() -> f64 {
    2.0
}

/// 2 beside a divergence that counts 5 (Sanh et al. 2019).
pub(super) fn share_of_entropy() -> f64 {
    0.4
}

/// 1 beside a divergence that counts 5 (Sanh et al. 2019).
pub(super) fn share_of_cosine() -> f64 {
    0.2
}
