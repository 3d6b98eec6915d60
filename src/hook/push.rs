//! Pushing: states of single rows and positions moved along a direction, or what lies along it taken out.

use super::{Activation, Hook};
use crate::site::Site;
use std::collections::BTreeMap;

/// What is done to the states of one site.
pub struct Along {
    /// The direction of each row, of length 1, or 0 where nothing is taken out of it: `[row, head, 1, width]`.
    pub removed: Option<Activation>,
    /// What is added to each row: `[row, head, 1, width]`.
    pub added: Activation,
    /// 1 at positions that are changed, 0 at others: `[row, 1, pos, 1]`.
    pub at: Activation,
}

/// First takes out, then adds.
pub struct Push {
    /// Site by site.
    pub sites: BTreeMap<Site, Along>,
}

impl Hook for Push {
    fn visit(&mut self, site: Site, act: Activation) -> Activation {
        let Along { removed, added, at } = &self.sites[&site];
        let act = match removed {
            Some(unit) => {
                let along = (act.clone() * unit.clone()).sum_dim(3).sum_dim(1); // [row, 1, pos, 1]
                act - along * at.clone() * unit.clone()
            }
            None => act,
        };
        act + at.clone() * added.clone()
    }
    fn wants(&self, site: Site) -> bool {
        self.sites.contains_key(&site)
    }
    fn asks(&self) -> Vec<Site> {
        self.sites.keys().copied().collect()
    }
}
