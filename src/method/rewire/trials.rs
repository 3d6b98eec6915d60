//! Trials at one port: what a circuit is judged at with some more of the port's edges out.

use super::{Batch, Down, Run, State};
use crate::hook::Activation;
use crate::node::{Node, Port};
use crate::tensor::Tensor;
use std::collections::BTreeMap;

/// A port, with what hears of it, in every batch of items.
pub struct Trials<'s, 'a> {
    batches: &'s [Batch<'a>],
    states: &'s [State],
    down: Down,
    still: Vec<BTreeMap<Port, Tensor<4>>>,
    /// What the port reads, with the edges out that are out for good.
    reads: Vec<Activation>,
}

impl<'s, 'a> Trials<'s, 'a> {
    /// At the port that `down` begins with.
    pub fn new(batches: &'s [Batch<'a>], states: &'s [State], down: Down) -> Self {
        let both = || batches.iter().zip(states);
        let still = both().map(|(batch, state)| state.still(batch, &down)).collect();
        let reads = both().map(|(batch, state)| state.read(batch, down.port)).collect();
        Trials { batches, states, down, still, reads }
    }

    /// How many trials fit into one run of at most `rows` rows.
    pub fn most(&self, rows: usize) -> usize {
        let items = self.batches.iter().map(|batch| batch.items.len()).max().unwrap_or(1);
        (rows / items).max(1)
    }

    /// With the first of the edges from `nodes` out, with the first two, and so on: `[trial][batch][item of the batch]`.
    pub fn without_first(&self, nodes: &[Node]) -> Vec<Vec<Vec<f64>>> {
        self.values(nodes.len(), |at| {
            let mut read = self.reads[at].clone();
            let next = |node: &Node| {
                read = read.clone() + self.ablated(at, *node);
                read.clone()
            };
            nodes.iter().map(next).collect()
        })
    }

    /// With one of the edges from `nodes` out at a time, likewise.
    pub fn without_each(&self, nodes: &[Node]) -> Vec<Vec<Vec<f64>>> {
        let one = |at: usize, node: &Node| self.reads[at].clone() + self.ablated(at, *node);
        self.values(nodes.len(), |at| nodes.iter().map(|node| one(at, node)).collect())
    }

    /// Takes edges out for good.
    pub fn take_out(&mut self, nodes: &[Node]) {
        for at in 0..self.reads.len() {
            self.reads[at] = nodes.iter().fold(self.reads[at].clone(), |read, node| read + self.ablated(at, *node));
        }
    }

    /// The runs with what is out, a batch each.
    pub fn settled(&self) -> Vec<Run> {
        (0..self.batches.len()).map(|at| self.run(at, self.reads[at].clone())).collect()
    }

    fn ablated(&self, at: usize, node: Node) -> Activation {
        self.states[at].ablated(&self.batches[at], node)
    }

    fn run(&self, at: usize, read: Activation) -> Run {
        self.states[at].run(&self.batches[at], &self.down, &self.still[at], read)
    }

    /// What rows are judged at; `reads` gives what the port reads in a batch, trial by trial.
    fn values(&self, trials: usize, reads: impl Fn(usize) -> Vec<Activation>) -> Vec<Vec<Vec<f64>>> {
        let mut values = vec![Vec::new(); trials];
        for (at, batch) in self.batches.iter().enumerate() {
            let found = self.run(at, Tensor::cat(reads(at), 0)).values;
            let of_trials = found.chunks_exact(batch.items.len());
            values.iter_mut().zip(of_trials).for_each(|(values, found)| values.push(found.to_vec()));
        }
        values
    }
}
