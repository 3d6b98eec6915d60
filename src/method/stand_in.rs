//! What stands in for what nodes write, where an edge is ablated: batch by batch, and never recorded twice.

use super::ablate::{means, states};
use super::score::Written;
use super::{Bench, Side};
use crate::hook::Activation;
use crate::model::HookError;
use crate::site::Site;
use crate::spec::{Ablation, Stand};
use std::collections::BTreeMap;

/// The stand-ins for the items of a bench.
pub struct StandIns<'a> {
    bench: &'a Bench<'a>,
    stand: Stand,
    /// The same for every batch.
    means: Option<BTreeMap<Site, Activation>>,
}

impl<'a> StandIns<'a> {
    /// On the items of a bench; optimal constants begin at the means.
    pub fn new(bench: &'a Bench<'a>, stand: Stand) -> Result<Self, HookError> {
        let sites = Written::sites(bench.model);
        let means = match stand {
            Stand::Corrupted | Stand::Zero => None,
            Stand::Mean | Stand::Optimal { .. } => Some(means(bench, &sites, Ablation::Mean)?),
            Stand::MeanPerPosition => Some(means(bench, &sites, Ablation::MeanPerPosition)?),
        };
        Ok(StandIns { bench, stand, means })
    }

    /// Where means over other items stand in.
    pub fn given(bench: &'a Bench<'a>, means: BTreeMap<Site, Activation>) -> Self {
        StandIns { bench, stand: Stand::Mean, means: Some(means) }
    }

    /// What they are.
    pub fn stand(&self) -> Stand {
        self.stand
    }

    /// The items and the model.
    pub fn bench(&self) -> &'a Bench<'a> {
        self.bench
    }

    /// The stand-ins for items of one length; what is the same for all items or positions is there once.
    pub fn states(&self, items: &[usize]) -> Result<BTreeMap<Site, Activation>, HookError> {
        let sites = Written::sites(self.bench.model);
        Ok(match (&self.means, self.stand) {
            (Some(means), _) => means.clone(),
            (None, Stand::Zero) => {
                let like = states(self.bench, &items[..1], Side::Clean, &sites)?;
                like.into_iter().map(|(site, state)| (site, state.zeros_like())).collect()
            }
            (None, _) => states(self.bench, items, Side::Corrupt, &sites)?,
        })
    }
}
