//! The model with every edge severed by a share, on a tape: what that costs, and the slope by each share.

use crate::hook::{Ablated, Severed, site_of};
use crate::method::circuit::{Evaluation, brought};
use crate::method::score::{Order, batches};
use crate::method::{Bench, Side, divergence};
use crate::model::{HookError, Model, Pass, Read, run};
use crate::site::Site;
use crate::spec::{Judge, Stand};
use crate::tensor::{Tensor, backward, from_doubles, off_tape, on_tape, to_doubles};
use std::collections::BTreeMap;

/// Items whose edges are severed by shares, with all that stays the same from pass to pass.
pub struct Masked<'a> {
    bench: &'a Bench<'a>,
    order: &'a Order,
    taped: Box<dyn Model>,
    judge: Judge,
    batches: Vec<Batch>,
    /// Where ports read, and their numbers.
    readers: BTreeMap<Site, Vec<usize>>,
}

/// Items that are run together.
struct Batch {
    items: Vec<usize>,
    ablated: Ablated,
    /// ln p of every token after the whole model, `[item, 1, vocabulary]`, where that is what is judged by.
    whole: Option<Tensor<3>>,
}

impl<'a> Masked<'a> {
    /// On the items of a bench, in whose model no heads share keys or values.
    pub fn new(bench: &'a Bench<'a>, order: &'a Order, (judge, stand): (Judge, Stand)) -> Result<Self, HookError> {
        let (evaluation, taped) = (Evaluation::new(bench, stand)?, bench.model.on_tape());
        let batch = |items: Vec<usize>| {
            let whole = if judge == Judge::Divergence { Some(divergence::whole(bench, &items)?) } else { None };
            let states = evaluation.ablated(&items)?.states;
            let states = states.into_iter().map(|(site, state)| (site, on_tape(state))).collect();
            Ok(Batch { ablated: brought(states, taped.as_ref()), whole, items })
        };
        let batches = batches(bench).into_iter().map(batch).collect::<Result<_, HookError>>()?;
        let mut readers: BTreeMap<Site, Vec<usize>> = BTreeMap::new();
        for (number, port) in order.ports.iter().enumerate() {
            readers.entry(site_of(*port).unwrap_or(bench.model.last_stream())).or_default().push(number);
        }
        Ok(Masked { bench, order, taped, judge, batches, readers })
    }

    /// The mean loss over items with every edge severed by its share, in order, and its slope by each share.
    pub fn cost(&self, shares: &[f64]) -> Result<(f64, Vec<f64>), HookError> {
        let (mut loss, mut slopes) = (0.0, vec![0.0; shares.len()]);
        let count = self.bench.items.len() as f64;
        for batch in &self.batches {
            let (found, by_edge) = self.of(batch, shares)?;
            loss += found / count;
            slopes.iter_mut().zip(by_edge).for_each(|(slope, found)| *slope += found / count);
        }
        Ok((loss, slopes))
    }

    /// The sums of one batch.
    fn of(&self, batch: &Batch, shares: &[f64]) -> Result<(f64, Vec<f64>), HookError> {
        let tokens = self.bench.tokens(&batch.items, Side::Clean);
        let leaves = self.leaves(shares);
        let mut hook = Severed::by_shares(&batch.ablated, leaves.clone());
        let pass = Pass::whole(&tokens).reading(self.read(&batch.items));
        let loss = self.loss(batch, run(self.taped.as_ref(), &pass, &mut hook)?);
        let gradients = backward(&loss);
        let mut slopes = vec![0.0; shares.len()];
        for (site, leaf) in &leaves {
            let Some(found) = leaf.grad(&gradients) else { continue };
            self.edges(site).into_iter().zip(to_doubles(&found)).for_each(|(edge, slope)| slopes[edge] = slope);
        }
        Ok((to_doubles(&off_tape(loss))[0], slopes))
    }

    /// What a pass reads: all logits where distributions are compared.
    fn read(&self, items: &[usize]) -> Read {
        match self.judge {
            Judge::Divergence => divergence::read(self.bench, items),
            Judge::Metric => self.bench.read(items),
        }
    }

    /// The sum over items.
    fn loss(&self, batch: &Batch, logits: Tensor<3>) -> Tensor<1> {
        match &batch.whole {
            None => -self.bench.total(&logits, &batch.items),
            Some(whole) => divergence::total(whole, logits),
        }
    }

    /// Shares as leaves where ports read, `[1, port, node]`.
    fn leaves(&self, shares: &[f64]) -> BTreeMap<Site, Tensor<3>> {
        let setting = self.bench.model.setting();
        let leaf = |(site, ports): (&Site, &Vec<usize>)| {
            let values = self.edges(site).into_iter().map(|edge| shares[edge]).collect();
            let shape = [1, ports.len(), self.order.reads(ports[0])];
            (*site, on_tape(from_doubles(values, shape, &setting)).require_grad())
        };
        self.readers.iter().map(leaf).collect()
    }

    /// The edges into the ports at a site, port by port.
    fn edges(&self, site: &Site) -> Vec<usize> {
        let of =
            |port: &usize| (0..self.order.reads(*port)).map(|node| self.order.edge(node, *port)).collect::<Vec<_>>();
        self.readers[site].iter().flat_map(of).collect()
    }
}
