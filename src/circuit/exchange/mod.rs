//! Circuits in files: this program's JSON, the published JSON of EAP-IG and MIB, GraphML and DOT.

mod error;
mod graphs;
mod json;
mod published;

pub use error::ExchangeError;
pub use json::{File, read, write};

use super::{Blocks, Link};
use std::collections::BTreeMap;

/// Facts of a circuit, name and value: model, metric, how it was scored and chosen.
pub type Facts = BTreeMap<String, String>;

/// What a file says of edges, each by the name it has there.
struct Read {
    blocks: Blocks,
    facts: Facts,
    /// Neurons that are nodes of their own.
    neurons: Vec<String>,
    nodes: Vec<String>,
    edges: Vec<(String, Result<Link, String>)>,
}

/// More nodes than any model has: a file that asks for more is wrong, and must not take memory for them.
const MOST_NODES: usize = 1 << 20;
