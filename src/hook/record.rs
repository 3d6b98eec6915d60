//! Reading: a hook that keeps copies.

use super::{Activation, Hook};
use crate::site::Site;
use std::collections::BTreeMap;

/// Keeps what passes at the sites it was made for.
#[derive(Clone, Default)]
pub struct Record {
    sites: Vec<Site>,
    kept: BTreeMap<Site, Activation>,
}

impl Record {
    /// A recorder of `sites`.
    pub fn of(sites: impl IntoIterator<Item = Site>) -> Self {
        let mut sites: Vec<Site> = sites.into_iter().collect();
        sites.sort_unstable();
        sites.dedup();
        Record { sites, kept: BTreeMap::new() }
    }

    /// The activation kept at `site`, `[batch, head, pos, width]`.
    pub fn at(&self, site: Site) -> Option<&Activation> {
        self.kept.get(&site)
    }

    /// What was kept.
    pub fn into_kept(self) -> BTreeMap<Site, Activation> {
        self.kept
    }

    /// Everything kept, in the order of the forward pass's sites.
    pub fn kept(&self) -> &BTreeMap<Site, Activation> {
        &self.kept
    }
}

impl Hook for Record {
    fn visit(&mut self, site: Site, act: Activation) -> Activation {
        self.kept.insert(site, act.clone());
        act
    }
    fn wants(&self, site: Site) -> bool {
        self.sites.binary_search(&site).is_ok()
    }
    fn asks(&self) -> Vec<Site> {
        self.sites.clone()
    }
}
