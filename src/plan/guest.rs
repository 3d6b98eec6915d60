//! Other models that an experiment works with beside its own.

use crate::model::load::Loaded;
use crate::spec::ModelSpec;
use std::rc::Rc;

/// How a method names another model.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Named {
    /// As models are named.
    Model(ModelSpec),
    /// By the variant of `against` that it is of.
    Variant(String),
}

/// A model that a method names, with all that came with it.
#[derive(Clone)]
pub struct Guest {
    /// As it is named.
    pub named: Named,
    /// In the setting of the experiment's own model.
    pub loaded: Rc<Loaded>,
}
