//! Differentiating: a hook whose leaves have the gradients of the sites.

use super::{Activation, Hook};
use crate::site::Site;
use crate::tensor::{Gradients, on_tape};
use std::collections::BTreeMap;

/// Adds a zero leaf at each of its sites: the gradient of the leaf is the gradient at the site.
///
/// Needs a model on a tape ([`crate::model::Model::on_tape`]).
#[derive(Default)]
pub struct Differentiate {
    sites: Vec<Site>,
    leaves: BTreeMap<Site, Activation>,
}

impl Differentiate {
    /// Gradients at `sites`.
    pub fn at(sites: impl IntoIterator<Item = Site>) -> Self {
        Differentiate {
            sites: sites.into_iter().collect::<std::collections::BTreeSet<_>>().into_iter().collect(),
            leaves: BTreeMap::new(),
        }
    }

    /// The gradient at each site, `[batch, head, pos, width]`; zero where the outcome does not depend on it.
    pub fn gradients(&self, gradients: &Gradients) -> BTreeMap<Site, Activation> {
        let at = |leaf: &Activation| leaf.grad(gradients).unwrap_or_else(|| leaf.clone().inner());
        self.leaves.iter().map(|(site, leaf)| (*site, at(leaf))).collect()
    }
}

impl Hook for Differentiate {
    fn visit(&mut self, site: Site, act: Activation) -> Activation {
        let leaf = on_tape(act.clone().inner().zeros_like()).require_grad();
        self.leaves.insert(site, leaf.clone());
        act + leaf
    }
    fn wants(&self, site: Site) -> bool {
        self.sites.binary_search(&site).is_ok()
    }
    fn asks(&self) -> Vec<Site> {
        self.sites.clone()
    }
}
