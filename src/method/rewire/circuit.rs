//! A circuit in the making: every batch of items with the state that it is in.

use super::{Batch, Change, State, Trials, Wiring};
use crate::circuit::Blocks;
use crate::method::Bench;
use crate::method::circuit::Evaluation;
use crate::model::HookError;
use crate::node::{Edge, Node, Port};
use crate::spec::{Judge, Stand};

/// The run of a circuit on all items of a bench, kept open for trials.
pub struct Rewired<'a> {
    bench: &'a Bench<'a>,
    batches: Vec<Batch<'a>>,
    states: Vec<State>,
    wiring: Wiring,
    values: Vec<f64>,
}

impl<'a> Rewired<'a> {
    /// The whole model, with nothing decided; in the model of `bench` no heads share keys or values.
    pub fn whole(bench: &'a Bench, blocks: Blocks, (judge, stand): (Judge, Stand)) -> Result<Self, HookError> {
        Rewired::on(&bench.batches(bench.rows), blocks, judge, &Evaluation::new(bench, stand)?)
    }

    /// The same on some batches of items, each of one length; the others have no values.
    pub fn on(
        batches: &[Vec<usize>],
        blocks: Blocks,
        judge: Judge,
        evaluation: &Evaluation<'a>,
    ) -> Result<Self, HookError> {
        let bench = evaluation.bench();
        let record = |items: &Vec<usize>| Batch::record(evaluation, judge, items);
        let batches: Vec<Batch> = batches.iter().map(record).collect::<Result<_, _>>()?;
        let states = batches.iter().map(|_| State::default()).collect();
        let whole: Vec<Vec<f64>> = batches.iter().map(|batch| batch.whole.clone()).collect();
        let mut circuit = Rewired { bench, batches, states, wiring: Wiring::whole(blocks), values: Vec::new() };
        circuit.values = circuit.by_item(&whole);
        Ok(circuit)
    }

    /// Which edges are left.
    pub fn wiring(&self) -> &Wiring {
        &self.wiring
    }

    /// What the circuit is judged at, an item each.
    pub fn values(&self) -> &[f64] {
        &self.values
    }

    /// Trials at a port behind which all is decided, and whose node is heard.
    pub fn trials(&self, port: Port) -> Trials<'_, 'a> {
        Trials::new(&self.batches, &self.states, &self.wiring, port)
    }

    /// What the circuit, in which all is decided, is judged at when everything that a node writes is ablated, an item each.
    pub fn without(&self, node: Node) -> Vec<f64> {
        let down = self.wiring.behind_node(node);
        let of = |(batch, state): (&Batch, &State)| {
            let still = state.still(batch, &down);
            state.run(batch, &down, &still, Change::Writes(node, state.ablated(batch, node))).values
        };
        self.by_item(&self.batches.iter().zip(&self.states).map(of).collect::<Vec<_>>())
    }

    /// Leaves a port, behind which all is decided, the edges that `keeps` says. What runs hangs on what is decided alone, so
    /// that a search that was broken off goes on with the same bits.
    pub fn settle(&mut self, port: Port, keeps: impl Fn(Node) -> bool) {
        let (kept, out): (Vec<Node>, Vec<Node>) = self.wiring.parents(port).into_iter().partition(|node| keeps(*node));
        if self.wiring.is_heard(port) && !out.is_empty() {
            let mut trials = self.trials(port);
            trials.take_out(&out);
            let runs = trials.settled();
            let values: Vec<_> = self.states.iter_mut().zip(runs).map(|(state, run)| state.settle(run)).collect();
            self.values = self.by_item(&values);
        }
        self.wiring.decide(port, kept.into_iter().collect());
    }

    /// The same for every port, from the logits down.
    pub fn settle_all(&mut self, blocks: &Blocks, keeps: impl Fn(Edge) -> bool) {
        for port in Wiring::ports(blocks) {
            self.settle(port, |from| keeps(Edge::new(from, port)));
        }
    }

    /// Values of batches in the order of the bench's items.
    pub fn by_item(&self, values: &[Vec<f64>]) -> Vec<f64> {
        let mut all = vec![0.0; self.bench.items.len()];
        for (batch, values) in self.batches.iter().zip(values) {
            batch.items.iter().zip(values).for_each(|(item, value)| all[*item] = *value);
        }
        all
    }
}
