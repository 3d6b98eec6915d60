//! Circuits: the scored edges of a model, what is chosen of them, compared, exchanged and drawn. No forward pass.

mod blocks;
mod fault;
mod graph;
mod select;

pub use blocks::{Blocks, Vertex};
pub use fault::{Fault, Faults};
pub use graph::{Circuit, Link};
pub use select::{By, Rule};

#[cfg(test)]
mod tests;
