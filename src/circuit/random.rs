//! Circuits by chance: as many edges on ways from the input to the logits, whichever these are.

use super::Circuit;
use rand::SeedableRng;
use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;

impl Circuit {
    /// A random circuit of as many edges, or hardly more: edges are drawn until so many are left after pruning, as edges that
    /// lie on no way from the input to the logits do nothing, and some are taken out again where these are too many.
    pub fn random(&self, seed: u64) -> Self {
        let (edges, wanted) = (self.links().len(), self.size());
        let mut order: Vec<usize> = (0..edges).collect();
        order.shuffle(&mut ChaCha8Rng::seed_from_u64(seed));
        let drawn = |count: usize| {
            let mut members = vec![false; edges];
            order[..count].iter().for_each(|place| members[*place] = true);
            self.pruned(&mut members);
            members
        };
        // what more edges leave after pruning holds what fewer do
        let counts: Vec<usize> = (0..=edges).collect();
        let enough = counts.partition_point(|count| size(&drawn(*count)) < wanted).min(edges);
        self.with(&self.thinned(drawn(enough), wanted, &order))
    }

    /// Without edges, tried in this order, that can go with what then leads nowhere while as many as wanted are left: one
    /// edge drawn can make many lead somewhere.
    fn thinned(&self, mut members: Vec<bool>, wanted: usize, order: &[usize]) -> Vec<bool> {
        for place in order {
            if size(&members) <= wanted {
                break;
            }
            if members[*place] {
                let mut without = members.clone();
                without[*place] = false;
                self.pruned(&mut without);
                members = if size(&without) >= wanted { without } else { members };
            }
        }
        members
    }
}

fn size(members: &[bool]) -> usize {
    members.iter().filter(|member| **member).count()
}
