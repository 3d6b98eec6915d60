//! Probes and erasers in models: what is told and what is used, against other implementations, by laws, and where it is known.

#[path = "../common/mod.rs"]
mod common;
mod laws;
mod mistakes;
mod parity;
mod planted;
