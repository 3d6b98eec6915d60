//! Circuits run: the metric when every edge outside a circuit brings an ablated output.

use super::constants::Constants;
use crate::hook::{Ablated, Activation, Severed};
use crate::method::stand_in::StandIns;
use crate::method::{Bench, Side};
use crate::model::{HookError, Model, Pass, run};
use crate::node::Edge;
use crate::site::Site;
use crate::spec::Stand;
use std::borrow::Borrow;
use std::collections::BTreeMap;

/// What edges outside a circuit bring, batch by batch.
pub struct Evaluation<'a> {
    stand_ins: StandIns<'a>,
    /// What was fitted to circuits.
    constants: Option<Constants>,
}

impl<'a> Evaluation<'a> {
    /// On the items of a bench, in whose model no heads share keys or values.
    pub fn new(bench: &'a Bench<'a>, stand: Stand) -> Result<Self, HookError> {
        Ok(Evaluation { stand_ins: StandIns::new(bench, stand)?, constants: None })
    }

    /// Makes ready for these circuits, each given by the edges outside it: where constants are fitted to circuits they are.
    pub fn prepare(&mut self, outside: impl IntoIterator<Item: Borrow<Vec<Edge>>>) -> Result<(), HookError> {
        if let Stand::Optimal { steps, learning_rate } = self.stand() {
            self.constants = Some(Constants::fit(self.bench(), outside, (steps, learning_rate))?);
        }
        Ok(())
    }

    /// The items and the model.
    pub fn bench(&self) -> &'a Bench<'a> {
        self.stand_ins.bench()
    }

    /// What edges outside a circuit bring.
    pub fn stand(&self) -> Stand {
        self.stand_ins.stand()
    }

    /// The metric of items of one length under circuits, `[circuit][item]`; each is given by the edges outside it.
    pub fn values(
        &self,
        items: &[usize],
        outside: impl IntoIterator<Item: Borrow<Vec<Edge>>>,
    ) -> Result<Vec<Vec<f64>>, HookError> {
        self.values_as(self.bench(), items, outside)
    }

    /// The same by the answers of another bench with the same prompts.
    pub fn values_as(
        &self,
        bench: &Bench,
        items: &[usize],
        outside: impl IntoIterator<Item: Borrow<Vec<Edge>>>,
    ) -> Result<Vec<Vec<f64>>, HookError> {
        let (ablated, tokens) = (self.ablated(items)?, self.bench().tokens(items, Side::Clean));
        let value = |severed: &Vec<Edge>| -> Result<Vec<f64>, HookError> {
            let own =
                self.constants.as_ref().map(|constants| brought(constants.of(severed, items), self.bench().model));
            let mut hook = Severed::new(own.as_ref().unwrap_or(&ablated), severed.iter().copied());
            let pass = Pass::whole(&tokens).reading(bench.read(items));
            Ok(bench.values(&run(bench.model, &pass, &mut hook)?, items))
        };
        outside.into_iter().map(|severed| value(severed.borrow())).collect()
    }

    /// What edges outside a circuit bring, of items of one length.
    pub fn ablated(&self, items: &[usize]) -> Result<Ablated, HookError> {
        Ok(brought(self.stand_ins.states(items)?, self.bench().model))
    }
}

/// States as what severed edges of a model bring; on a tape where both are.
pub fn brought(states: BTreeMap<Site, Activation>, model: &dyn Model) -> Ablated {
    let outs = (0..model.dims().layers).map(|layer| model.block(layer).attention.out.weight.clone()).collect();
    let neurons = (0..model.dims().layers).map(|layer| model.block(layer).mlp.apart.clone()).collect();
    Ablated { states, outs, neurons, last: model.last_stream() }
}
