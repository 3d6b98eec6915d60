//! What decides between two levels: which is nearer, or chance.

use crate::spec::Rounding;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use sha2::{Digest, Sha256};

/// What decides between two levels.
#[derive(Clone, Debug)]
pub enum Dice {
    /// The nearer one; of two as near the even one.
    Nearest,
    /// Chance, the nearer one the likelier.
    Chance(Box<ChaCha8Rng>),
}

/// Chance for one map, other for every seed, draw and name.
pub fn chance(seed: u64, draw: u64, name: &str) -> ChaCha8Rng {
    ChaCha8Rng::from_seed(Sha256::digest(format!("{seed} {draw} {name}")).into())
}

impl Dice {
    /// For one map.
    pub fn new(rounding: Rounding, seed: u64, draw: u64, name: &str) -> Self {
        match rounding {
            Rounding::Nearest => Dice::Nearest,
            Rounding::Stochastic => Dice::Chance(Box::new(chance(seed, draw, name))),
        }
    }

    /// For one output of it, so that how many threads there are changes nothing.
    pub fn of(&self, output: usize) -> Self {
        let mut own = self.clone();
        if let Dice::Chance(random) = &mut own {
            random.set_stream(output as u64);
        }
        own
    }

    /// A whole number beside `x`.
    pub fn whole(&mut self, x: f64) -> f64 {
        match self {
            Dice::Nearest => x.round_ties_even(),
            Dice::Chance(random) => (x + random.random::<f64>()).floor(),
        }
    }

    /// Which of two levels `x` goes to, that it lies between.
    pub fn between(&mut self, x: f64, [low, high]: [f64; 2]) -> f64 {
        let share = if high > low { (x - low) / (high - low) } else { 0.0 };
        let up = match self {
            Dice::Nearest => share > 0.5,
            Dice::Chance(random) => random.random::<f64>() < share,
        };
        if up { high } else { low }
    }
}
