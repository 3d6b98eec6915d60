//! Laws: identities that hold whatever the weights are, on models of every family with random weights.

mod carry;
mod causal;
#[path = "../common/mod.rs"]
mod common;
mod cuts;
mod edits;
mod explain;
mod gradients;
mod kernels;
mod memory;
mod methods;
mod passes;
mod portraits;
mod precision;
mod seam;
mod sets;
mod spellings;
mod sweeps;
mod twin;
mod weights;
