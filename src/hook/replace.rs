//! Replacing: single units of single rows given other values, many at once.

use super::{Activation, Hook};
use crate::site::Site;
use crate::tensor::{Bool, Tensor};
use std::collections::BTreeMap;

/// Puts other values where a mask says so: unlike edits of neurons one by one it costs the same for any number of them, and
/// every row may have units of its own.
#[derive(Default)]
pub struct Replace {
    sites: BTreeMap<Site, (Tensor<4, Bool>, Activation)>,
}

impl Replace {
    /// By site the mask `[row or 1, head, 1, width]` and what stands where it is true, each axis full or 1.
    pub fn new(sites: BTreeMap<Site, (Tensor<4, Bool>, Activation)>) -> Self {
        Replace { sites }
    }
}

impl Hook for Replace {
    fn visit(&mut self, site: Site, act: Activation) -> Activation {
        let (mask, value) = &self.sites[&site];
        let dims = act.dims();
        act.mask_where(mask.clone().expand(dims), value.clone().expand(dims))
    }
    fn wants(&self, site: Site) -> bool {
        self.sites.contains_key(&site)
    }
    fn asks(&self) -> Vec<Site> {
        self.sites.keys().copied().collect()
    }
}
