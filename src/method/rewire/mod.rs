//! Rewiring: one edge more taken out of a circuit, with no more run again than hears of it.
//!
//! A circuit is decided on from the logits down, port by port. What stands before the port at hand is then as in the clean
//! run, and is recorded. Behind it only what the port's node reaches along edges that are left is made anew: single heads,
//! from what their own ports read, and MLPs; all else stays as it is. Exact, not an approximation: the law is that it equals
//! whole passes with the same edges severed.

mod batch;
mod circuit;
mod judge;
mod state;
mod trials;
mod wiring;

pub use batch::Batch;
pub use circuit::Rewired;
pub use judge::Judged;
pub use state::{Run, State};
pub use trials::Trials;
pub use wiring::{Down, Heard, Wiring};
