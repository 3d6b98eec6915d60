//! Other models that an experiment works with beside its own.

use crate::model::load::Loaded;
use crate::spec::ModelSpec;
use std::rc::Rc;

/// A model that a method names, with all that came with it.
#[derive(Clone)]
pub struct Guest {
    /// As it is named.
    pub spec: ModelSpec,
    /// In the setting of the experiment's own model.
    pub loaded: Rc<Loaded>,
}
