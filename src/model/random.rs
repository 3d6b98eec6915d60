//! A model's twin with fresh weights of the same shapes: what wiring and tokens bring along before anything is learned.
//!
//! Weights begin as GPT-2's do (Radford et al. 2019), whose deviation is the `initializer_range` of all families here:
//! matrices are drawn with a standard deviation of 0.02, those that write to the stream with that over √(2 · layers),
//! biases are zero, the weights of norms one.

use super::{Model, Visitor};
use crate::tensor::{Setting, Tensor, from_doubles};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rand_distr::StandardNormal;

/// The standard deviation of weights before training.
const DEVIATION: f64 = 0.02;

/// The twin of a model by this seed: of its sizes, in its setting, without what it has learned.
pub fn twin(model: &dyn Model, seed: u64) -> Box<dyn Model> {
    let mut twin = model.parted(&[]);
    redraw(twin.as_mut(), seed);
    twin
}

/// Takes from a model what it has learned: its weights are drawn by this seed.
pub fn redraw(model: &mut dyn Model, seed: u64) {
    let writing = DEVIATION / (2.0 * model.dims().layers as f64).sqrt();
    let setting = model.setting();
    model.visit(&mut Fresh { random: ChaCha8Rng::seed_from_u64(seed), setting, writing });
}

/// Draws every weight anew, in the order in which they come.
struct Fresh {
    random: ChaCha8Rng,
    setting: Setting,
    /// The deviation of what writes to the stream.
    writing: f64,
}

impl Visitor for Fresh {
    fn matrix(&mut self, name: &str, weight: &mut Tensor<2>) {
        let writes = [".attn.out.weight", ".mlp.out.weight"].iter().any(|end| name.ends_with(end));
        let deviation = if writes { self.writing } else { DEVIATION };
        let [rows, columns] = weight.dims();
        let draws = (0..rows * columns).map(|_| deviation * self.random.sample::<f64, _>(StandardNormal));
        *weight = from_doubles(draws.collect(), [rows, columns], &self.setting);
    }

    fn vector(&mut self, name: &str, weight: &mut Tensor<1>) {
        // the only vectors that are no biases are the weights of norms
        *weight = if name.ends_with(".weight") { weight.ones_like() } else { weight.zeros_like() };
    }
}
