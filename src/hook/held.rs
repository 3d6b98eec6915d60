//! Holding: a hook under which some sites keep their values and pass no gradient back.

use super::{Activation, Hook};
use crate::site::Site;

/// Sites that count as constants on the way back; the forward pass is as it was, to the bit.
#[derive(Clone, Default)]
pub struct Held(Vec<Site>);

impl Held {
    /// These sites.
    pub fn at(sites: impl IntoIterator<Item = Site>) -> Self {
        Held(sites.into_iter().collect())
    }
}

impl Hook for Held {
    fn visit(&mut self, _: Site, act: Activation) -> Activation {
        act.detach()
    }
    fn wants(&self, site: Site) -> bool {
        self.0.contains(&site)
    }
    fn asks(&self) -> Vec<Site> {
        self.0.clone()
    }
}
