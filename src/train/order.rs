//! Which things a batch is of: all of them in random order, and all of them again in another.

use rand::SeedableRng;
use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;

/// An endless supply of batches of numbers from 0 on.
pub struct Order {
    all: Vec<usize>,
    rows: usize,
    left: Vec<usize>,
    random: ChaCha8Rng,
}

impl Order {
    /// Of these numbers, of which there is at least one, so many a batch; the last batch of a round may have fewer.
    pub fn new(all: Vec<usize>, rows: usize, seed: u64) -> Self {
        Order { all, rows: rows.max(1), left: Vec::new(), random: ChaCha8Rng::seed_from_u64(seed) }
    }

    /// Batches of a round.
    pub fn batches(&self) -> usize {
        self.all.len().div_ceil(self.rows)
    }

    /// The next batch.
    pub fn take(&mut self) -> Vec<usize> {
        if self.left.is_empty() {
            self.left.clone_from(&self.all);
            self.left.shuffle(&mut self.random);
        }
        self.left.split_off(self.left.len().saturating_sub(self.rows))
    }
}
