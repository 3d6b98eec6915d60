//! Training: next-token cross-entropy, AdamW, on the same forward pass that experiments run.

use super::batches::Batches;
use super::recipe::Training;
use crate::model::decoder::Decoder;
use crate::model::{Model, OnTape, Pass, Visitor};
use crate::tensor::{
    AdamW, AdamWConfig, Backend, Gradients, SimpleOptimizer, Tensor, activation, backward, from_ints, to_floats,
};
use crate::text::Tokens;
use std::collections::BTreeMap;

type State<const D: usize> = <AdamW as SimpleOptimizer<Backend>>::State<D>;

/// Trains a model; `report` hears the loss (nats a token) of every step.
pub fn fit(decoder: &mut Decoder, batches: &mut Batches, training: &Training, mut report: impl FnMut(usize, f32)) {
    let mut optimiser = Optimiser::new(training.weight_decay);
    for step in 0..training.steps {
        let mut taped = decoder.clone();
        taped.visit(&mut OnTape);
        let mut leaves = Leaves::default();
        taped.visit(&mut leaves);
        let loss = loss(&taped, batches.take(training.rows));
        let gradients = backward(&loss);
        report(step, to_floats(&loss)[0]);
        decoder.visit(&mut Update {
            optimiser: &mut optimiser,
            leaves: &leaves,
            gradients: &gradients,
            rate: training.rate(step),
        });
    }
}

/// Mean cross-entropy of every next token, nats.
fn loss(model: &Decoder, rows: Vec<Vec<u32>>) -> Tensor<1> {
    let targets: Vec<i32> = rows.iter().flat_map(|row| &row[1..]).map(|id| *id as i32).collect();
    let inputs = Tokens::new(rows.into_iter().map(|row| row[..row.len() - 1].to_vec()).collect());
    let logits = model.pass(&Pass::whole(&inputs), &mut ());
    let [batch, pos, vocabulary] = logits.dims();
    let targets = from_ints(targets, [batch * pos, 1], &model.device());
    let log_probs = activation::log_softmax(logits.reshape([batch * pos, vocabulary]), 1);
    log_probs.gather(1, targets).mean().neg()
}

/// The weights on the tape, to ask for their gradients.
#[derive(Default)]
struct Leaves {
    matrices: BTreeMap<String, Tensor<2>>,
    vectors: BTreeMap<String, Tensor<1>>,
}

impl Visitor for Leaves {
    fn matrix(&mut self, name: &str, weight: &mut Tensor<2>) {
        *weight = weight.clone().require_grad();
        self.matrices.insert(name.to_string(), weight.clone());
    }
    fn vector(&mut self, name: &str, weight: &mut Tensor<1>) {
        *weight = weight.clone().require_grad();
        self.vectors.insert(name.to_string(), weight.clone());
    }
}

/// AdamW with β₂ = 0.98, which small batches want shorter than 0.999; biases and norms do not decay.
struct Optimiser {
    decaying: AdamW,
    plain: AdamW,
    matrices: BTreeMap<String, State<2>>,
    vectors: BTreeMap<String, State<1>>,
}

impl Optimiser {
    fn new(weight_decay: f32) -> Self {
        let config = || AdamWConfig::new().with_beta_2(0.98).with_epsilon(1e-8);
        let decaying = config().with_weight_decay(weight_decay).build();
        let plain = config().with_weight_decay(0.0).build();
        Optimiser { decaying, plain, matrices: BTreeMap::new(), vectors: BTreeMap::new() }
    }
}

/// One update of every weight.
struct Update<'a> {
    optimiser: &'a mut Optimiser,
    leaves: &'a Leaves,
    gradients: &'a Gradients,
    rate: f64,
}

impl Visitor for Update<'_> {
    fn matrix(&mut self, name: &str, weight: &mut Tensor<2>) {
        let Some(gradient) = self.leaves.matrices[name].grad(self.gradients) else { return };
        let state = self.optimiser.matrices.remove(name);
        let (updated, state) = self.optimiser.decaying.step(self.rate, weight.clone(), gradient, state);
        *weight = updated;
        self.optimiser.matrices.extend(state.map(|state| (name.to_string(), state)));
    }
    fn vector(&mut self, name: &str, weight: &mut Tensor<1>) {
        let Some(gradient) = self.leaves.vectors[name].grad(self.gradients) else { return };
        let state = self.optimiser.vectors.remove(name);
        let (updated, state) = self.optimiser.plain.step(self.rate, weight.clone(), gradient, state);
        *weight = updated;
        self.optimiser.vectors.extend(state.map(|state| (name.to_string(), state)));
    }
}
