//! Whether items of one kind give the circuit that items of the other kinds give: templates held against each other.
//!
//! **What it measures.** Groups of items are parted by what they have in common, for instance their template. The circuit of
//! each part is chosen from the part's mean scores, and held by the Jaccard index against the circuit of all other parts,
//! with which it shares no item. Small parts give noisy scores, so the same is done with random parts of as many groups: a
//! part that agrees less than nearly all of these has a circuit of its own.
//!
//! **What it cannot show.** What it is about a kind that makes the circuit another one. Parts of one or two groups say little,
//! whatever they say.
//!
//! **Reference.** That circuits differ between prompts of one task: Haklay et al. 2025, *Position-aware automatic circuit
//! discovery*; the test is a permutation test of which groups are in the part (Good 2005, *Permutation, parametric and
//! bootstrap tests of hypotheses*).
//!
//! **Example.** `circuit.parts(&items, &[vec![0, 1], vec![2, 3]], &how)`

use super::held::Held;
use super::resample::Groups;
use super::{Circuit, Items, ItemsError, Resampling};
use rand::{SeedableRng, seq::SliceRandom};
use rand_chacha::ChaCha8Rng;
use rayon::prelude::*;

/// A part of the items, and all others.
#[derive(Clone, Debug, PartialEq)]
pub struct Part {
    /// How many groups of items the part has.
    pub groups: usize,
    /// The Jaccard index of its circuit with that of all others.
    pub agreement: f64,
    /// The same of random parts of as many groups.
    pub chance: Vec<f64>,
}

impl Part {
    /// How rarely random parts agree as little: (1 + those that do) / (1 + all).
    pub fn p(&self) -> f64 {
        let as_little = self.chance.iter().filter(|random| **random <= self.agreement).count();
        (1 + as_little) as f64 / (1 + self.chance.len()) as f64
    }
}

impl Circuit {
    /// Each part of the groups of items, given by numbers of groups, held against all other groups, and as many random parts
    /// as `how` has halves.
    ///
    /// # Errors
    /// Where the items do not go with the circuit's edges.
    ///
    /// # Panics
    /// If a part is empty or has all groups, or a group does not exist.
    pub fn parts(&self, items: &Items, parts: &[Vec<usize>], how: &Resampling) -> Result<Vec<Part>, ItemsError> {
        let groups = self.groups(items)?;
        let all = parts.par_iter().enumerate().map(|(number, part)| {
            assert!(!part.is_empty() && part.len() < groups.count(), "some groups in a part, and some outside");
            let chance = random_parts(groups.count(), part.len(), how, number as u64);
            Part {
                groups: part.len(),
                agreement: self.apart(&groups, part, how),
                chance: chance.iter().map(|part| self.apart(&groups, part, how)).collect(),
            }
        });
        Ok(all.collect())
    }

    /// The Jaccard index of the circuit of a part with that of the other groups.
    fn apart(&self, groups: &Groups, part: &[usize], how: &Resampling) -> f64 {
        let others: Vec<usize> = (0..groups.count()).filter(|group| !part.contains(group)).collect();
        let circuit = |of: &[usize]| Held::of(&self.drawn(&groups.mean(of), how));
        circuit(part).jaccard(&circuit(&others))
    }
}

/// Random parts of so many groups.
fn random_parts(count: usize, size: usize, how: &Resampling, number: u64) -> Vec<Vec<usize>> {
    let mut random = ChaCha8Rng::seed_from_u64(how.seed.wrapping_add(number) ^ 0x70_61_72_74); // "part"
    let mut groups: Vec<usize> = (0..count).collect();
    let draw = |_| {
        groups.shuffle(&mut random);
        groups[..size].to_vec()
    };
    (0..how.halves).map(draw).collect()
}
