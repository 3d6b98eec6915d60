//! Laws: identities that hold whatever the weights are, on models of every family with random weights.

#[path = "../common/mod.rs"]
mod common;
mod edits;
mod gradients;
mod memory;
mod methods;
mod passes;
mod seam;
mod sweeps;
mod weights;
