//! A translator of a stream, h + A h + b, as plain numbers and as a map; and how it is fitted.

use crate::method::adam::Adam;
use crate::tensor::{Setting, Tensor, from_doubles, to_floats};
use rand::SeedableRng;
use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;
use serde::{Deserialize, Serialize};

/// What is fitted, and what goes on from step to step: numbers whose size does not hang on the stream's.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct State {
    step: usize,
    width: usize,
    /// A, transposed, then b.
    values: Vec<f64>,
    adam: Adam,
    /// The loss of the first step, and of the last.
    pub losses: Option<[f64; 2]>,
}

/// What is wanted of a fit.
#[derive(Clone, Copy, Debug)]
pub struct Fit {
    /// Steps.
    pub steps: usize,
    /// How far the first one goes.
    pub rate: f64,
    /// Positions a step.
    pub batch: usize,
    /// Of all draws, and which fit this is.
    pub seed: (u64, usize),
}

/// A translator as a map.
pub struct Translator {
    /// A, transposed: `[in, out]`.
    weight: Tensor<2>,
    /// `[1, out]`.
    bias: Tensor<2>,
}

impl State {
    /// Nothing is translated.
    pub fn new(width: usize) -> Self {
        let values = vec![0.0; width * width + width];
        State { step: 0, width, adam: Adam::new(values.len()), values, losses: None }
    }

    /// The map for a stream whose numbers have this root mean square.
    pub fn translator(&self, size: f64, setting: &Setting) -> Translator {
        let (width, [own, bias]) = (self.width, self.units(size));
        let (weights, biases) = self.values.split_at(width * width);
        let times = |values: &[f64], unit: f64| values.iter().map(|value| value * unit).collect::<Vec<_>>();
        Translator {
            weight: from_doubles(times(weights, own), [width, width], setting),
            bias: from_doubles(times(biases, bias), [1, width], setting),
        }
    }

    /// What one counts for in A and in b: then a step moves a stream by a share of its size, whatever its width.
    fn units(&self, size: f64) -> [f64; 2] {
        [(self.width as f64).sqrt().recip(), size]
    }

    /// One step with a loss and its slopes by A, transposed, and by b.
    pub fn step(&mut self, fit: &Fit, size: f64, loss: f64, [weight, bias]: [&[f64]; 2]) {
        let [own, other] = self.units(size);
        let slopes = weight.iter().map(|slope| slope * own).chain(bias.iter().map(|slope| slope * other));
        let slopes: Vec<f64> = slopes.collect();
        let rate = fit.rate * (1.0 - self.step as f64 / fit.steps as f64);
        self.adam.step(&mut self.values, &slopes, rate);
        self.losses = Some([self.losses.map_or(loss, |[first, _]| first), loss]);
        self.step += 1;
    }

    /// The positions of the next step, of so many; the same wherever a run goes on.
    pub fn draw(&self, fit: &Fit, count: usize) -> Vec<usize> {
        let mut all: Vec<usize> = (0..count).collect();
        if count > fit.batch {
            let mut random = ChaCha8Rng::seed_from_u64(fit.seed.0);
            random.set_stream(((fit.seed.1 as u64) << 32) | self.step as u64);
            all.shuffle(&mut random);
            all.truncate(fit.batch);
        }
        all
    }
}

impl Translator {
    /// Of A, transposed, `[in, out]`, and b `[1, out]`.
    pub fn new(weight: Tensor<2>, bias: Tensor<2>) -> Self {
        Translator { weight, bias }
    }

    /// The same with A and b as given tensors, such as leaves of a tape.
    pub fn on(&self, lift: impl Fn(Tensor<2>) -> Tensor<2>) -> Self {
        Translator { weight: lift(self.weight.clone()), bias: lift(self.bias.clone()) }
    }

    /// A, transposed, and b.
    pub fn parts(&self) -> [&Tensor<2>; 2] {
        [&self.weight, &self.bias]
    }

    /// h + A h + b for streams `[row, pos, d_model]`.
    pub fn apply(&self, stream: Tensor<3>) -> Tensor<3> {
        let moved = stream.clone().matmul(self.weight.clone().unsqueeze());
        stream + moved + self.bias.clone().unsqueeze()
    }

    /// A, row by row of what it makes, then b.
    pub fn written(&self) -> Vec<f32> {
        [to_floats(&self.weight.clone().transpose()), to_floats(&self.bias)].concat()
    }
}
