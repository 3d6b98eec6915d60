//! Causal mediation and tracing: agreement with others, and what is said of mistakes. Their laws stand with the others.

#[path = "../common/mod.rs"]
mod common;
mod mistakes;
mod parity;
