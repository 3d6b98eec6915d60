//! AdamW over the weights that a learner shows, each by its name.

use crate::model::Visitor;
use crate::tensor::{AdamW, AdamWConfig, Backend, Gradients, SimpleOptimizer, Tensor};
use std::collections::BTreeMap;

type State<const D: usize> = <AdamW as SimpleOptimizer<Backend>>::State<D>;

/// The weights on the tape, to ask for their gradients.
pub(super) struct Leaves<'a> {
    chosen: &'a dyn Fn(&str) -> bool,
    matrices: BTreeMap<String, Tensor<2>>,
    vectors: BTreeMap<String, Tensor<1>>,
}

impl<'a> Leaves<'a> {
    /// Of weights whose names are chosen.
    pub(super) fn of(chosen: &'a dyn Fn(&str) -> bool) -> Self {
        Leaves { chosen, matrices: BTreeMap::new(), vectors: BTreeMap::new() }
    }
}

impl Visitor for Leaves<'_> {
    fn matrix(&mut self, name: &str, weight: &mut Tensor<2>) {
        if (self.chosen)(name) {
            *weight = weight.clone().require_grad();
            self.matrices.insert(name.to_string(), weight.clone());
        }
    }
    fn vector(&mut self, name: &str, weight: &mut Tensor<1>) {
        if (self.chosen)(name) {
            *weight = weight.clone().require_grad();
            self.vectors.insert(name.to_string(), weight.clone());
        }
    }
}

/// AdamW with β₂ = 0.98, which small batches want shorter than 0.999; biases and norms do not decay.
pub(super) struct Optimiser {
    decaying: AdamW,
    plain: AdamW,
    matrices: BTreeMap<String, State<2>>,
    vectors: BTreeMap<String, State<1>>,
}

impl Optimiser {
    pub(super) fn new(weight_decay: f32) -> Self {
        let config = || AdamWConfig::new().with_beta_2(0.98).with_epsilon(1e-8);
        let decaying = config().with_weight_decay(weight_decay).build();
        let plain = config().with_weight_decay(0.0).build();
        Optimiser { decaying, plain, matrices: BTreeMap::new(), vectors: BTreeMap::new() }
    }
}

/// One update of every weight that the loss hangs on.
pub(super) struct Update<'a> {
    pub(super) optimiser: &'a mut Optimiser,
    pub(super) leaves: &'a Leaves<'a>,
    pub(super) gradients: &'a Gradients,
    pub(super) rate: f64,
}

impl Visitor for Update<'_> {
    fn matrix(&mut self, name: &str, weight: &mut Tensor<2>) {
        let leaf = self.leaves.matrices.get(name);
        let Some(gradient) = leaf.and_then(|leaf| leaf.grad(self.gradients)) else { return };
        let state = self.optimiser.matrices.remove(name);
        let (updated, state) = self.optimiser.decaying.step(self.rate, weight.clone(), gradient, state);
        *weight = updated;
        self.optimiser.matrices.extend(state.map(|state| (name.to_string(), state)));
    }
    fn vector(&mut self, name: &str, weight: &mut Tensor<1>) {
        let leaf = self.leaves.vectors.get(name);
        let Some(gradient) = leaf.and_then(|leaf| leaf.grad(self.gradients)) else { return };
        let state = self.optimiser.vectors.remove(name);
        let (updated, state) = self.optimiser.plain.step(self.rate, weight.clone(), gradient, state);
        *weight = updated;
        self.optimiser.vectors.extend(state.map(|state| (name.to_string(), state)));
    }
}
