//! A cut as it is made: a hook, or other weights.

use super::weights::{Turn, turned};
use crate::hook::{Ablated, Edit, Edits, Hook, Severed};
use crate::model::Model;
use crate::node::Edge;
use std::rc::Rc;

/// A cut model, as what it differs in from the whole one.
#[derive(Clone)]
pub enum Change {
    /// Edges bring something else.
    Edges(Rc<Ablated>, Vec<Edge>),
    /// States are mapped.
    States(Vec<Edit>),
    /// Nodes no longer write along directions.
    Weights(Vec<Turn>),
}

impl Change {
    /// The hook of a pass.
    pub fn hook(&self) -> Box<dyn Hook + '_> {
        match self {
            Change::Edges(ablated, edges) => Box::new(Severed::new(ablated, edges.iter().copied())),
            Change::States(edits) => Box::new(Edits::new(edits.clone())),
            Change::Weights(_) => Box::new(()),
        }
    }

    /// The model with other weights, where these are what differs.
    pub fn model(&self, model: &dyn Model) -> Option<Box<dyn Model>> {
        match self {
            Change::Weights(turns) => Some(turned(model, turns)),
            Change::Edges(..) | Change::States(_) => None,
        }
    }
}
