//! The run of a circuit that is decided on from the logits down, and trials of what changes it.

use super::{Batch, Down, Judged};
use crate::hook::Activation;
use crate::model::parts::Seam;
use crate::model::{Context, Pass, at_positions};
use crate::node::{Node, Port};
use crate::tensor::{Tensor, widen};
use std::collections::BTreeMap;

/// What is no longer as in the clean run: what ports read, `[item, 1, pos, d_model]`, and what nodes make, of heads what they
/// mix.
#[derive(Default)]
pub struct State {
    reads: BTreeMap<Port, Activation>,
    makes: BTreeMap<Node, Activation>,
}

/// A trial: rows are the items over and over, each time with something else at the port.
pub struct Run {
    changed: State,
    /// What circuits are judged by, a row each.
    pub values: Vec<f64>,
}

impl State {
    /// What a port reads.
    pub fn read(&self, batch: &Batch, port: Port) -> Activation {
        self.reads.get(&port).cloned().unwrap_or_else(|| batch.read(port))
    }

    fn made(&self, batch: &Batch, node: Node) -> Activation {
        self.makes.get(&node).cloned().unwrap_or_else(|| batch.made(node))
    }

    /// What a port reads more once its edge from `node` is ablated, `[item, 1, pos, d_model]`.
    pub fn ablated(&self, batch: &Batch, node: Node) -> Activation {
        let change = batch.ablated(node);
        match self.makes.get(&node) {
            Some(now) => change - added(batch, node, now.clone() - batch.made(node)),
            None => change,
        }
    }

    /// Goes on from a trial of one row an item.
    pub fn settle(&mut self, run: Run) -> Vec<f64> {
        self.reads.extend(run.changed.reads);
        self.makes.extend(run.changed.makes);
        run.values
    }

    /// Queries, keys and values of heads that hear of a change through other ports than these.
    pub fn still(&self, batch: &Batch, down: &Down) -> BTreeMap<Port, Tensor<4>> {
        let mut still = BTreeMap::new();
        for (node, heard) in &down.nodes {
            let Node::Head(layer, head) = *node else { continue };
            let quiet = |port: &Port| heard.iter().all(|(other, _)| other != port);
            for port in ports(layer, head).into_iter().filter(quiet) {
                still.insert(port, projected(batch, port, self.read(batch, port)));
            }
        }
        still
    }

    /// Runs what hears of the change at the port that `down` begins with when it reads `read`, `[row, 1, pos, d_model]`.
    pub fn run(&self, batch: &Batch, down: &Down, still: &BTreeMap<Port, Tensor<4>>, read: Activation) -> Run {
        let pass = Pass { first: batch.first, ..Pass::whole(&batch.tokens) };
        let context = batch.bench.model.context(&pass);
        let times = read.dims()[0] / batch.items.len();
        let mut changed = State::default();
        let mut changes: BTreeMap<Node, Activation> = BTreeMap::new();
        changed.reads.insert(down.port, read);
        let heard = |port: Port, from: &[Node], changes: &BTreeMap<Node, Activation>| {
            from.iter().fold(tile(self.read(batch, port), times), |read, node| read + changes[node].clone())
        };
        for (node, ports) in &down.nodes {
            for (port, from) in ports.iter().filter(|(_, from)| !from.is_empty()) {
                changed.reads.insert(*port, heard(*port, from, &changes));
            }
            let made = make(batch, *node, &changed.reads, still, &context);
            let change = made.clone() - tile(self.made(batch, *node), times);
            changes.insert(*node, added(batch, *node, change));
            changed.makes.insert(*node, made);
        }
        if !down.logits.is_empty() {
            changed.reads.insert(Port::Logits, heard(Port::Logits, &down.logits, &changes));
        }
        let stream = changed.reads.get(&Port::Logits).cloned();
        let stream = stream.unwrap_or_else(|| tile(self.read(batch, Port::Logits), times));
        Run { values: judged(batch, stream), changed }
    }
}

/// The items of a state, so many times over.
pub(super) fn tile(state: Activation, times: usize) -> Activation {
    if times == 1 { state } else { Tensor::cat(vec![state; times], 0) }
}

fn ports(layer: usize, head: usize) -> [Port; 3] {
    [Port::Query(layer, head), Port::Key(layer, head), Port::Value(layer, head)]
}

/// What a head asks, offers or brings of what its port reads, `[row, 1, pos, d_head]`.
fn projected(batch: &Batch, port: Port, read: Activation) -> Tensor<4> {
    let (layer, head, kind) = match port {
        Port::Query(layer, head) => (layer, head, 0),
        Port::Key(layer, head) => (layer, head, 1),
        Port::Value(layer, head) => (layer, head, 2),
        Port::Mlp(_) | Port::Logits => unreachable!("no port of a head"),
    };
    let block = batch.bench.model.block(layer);
    block.attention.of_head(kind, head, block.norm1.apply(read))
}

/// What a node makes of what its ports read, or of what they still hold.
fn make(
    batch: &Batch,
    node: Node,
    reads: &BTreeMap<Port, Activation>,
    still: &BTreeMap<Port, Tensor<4>>,
    context: &Context,
) -> Activation {
    match node {
        Node::Head(layer, head) => {
            let rows = ports(layer, head).iter().find_map(|port| reads.get(port)).map_or(0, |read| read.dims()[0]);
            let times = rows / batch.items.len();
            let own = ports(layer, head).map(|port| match reads.get(&port) {
                Some(read) => projected(batch, port, read.clone()),
                None => tile(still[&port].clone(), times),
            });
            let attention = &batch.bench.model.block(layer).attention;
            attention.mixed(own, batch.earlier(layer, head, times), (layer, context))
        }
        Node::Mlp(layer) => {
            let block = batch.bench.model.block(layer);
            let read = block.norm2.apply(reads[&Port::Mlp(layer)].clone()).squeeze_dim(1);
            block.mlp.forward(read, &mut Seam::new(&mut (), layer)).unsqueeze_dim(1)
        }
        Node::Input => unreachable!("the input reads nothing"),
    }
}

/// What a change of what a node makes adds to the stream, `[row, 1, pos, d_model]`.
fn added(batch: &Batch, node: Node, change: Activation) -> Activation {
    match node {
        Node::Head(layer, head) => {
            let out = batch.bench.model.block(layer).attention.out_by_head().narrow(1, head, 1);
            widen(change).matmul(widen(out))
        }
        Node::Input | Node::Mlp(_) => change,
    }
}

/// The number of every row whose last stream is this.
fn judged(batch: &Batch, stream: Activation) -> Vec<f64> {
    let items = batch.items.repeat(stream.dims()[0] / batch.items.len());
    let read = Judged::read(batch.judge, batch.bench, &items);
    let logits = batch.bench.model.read_out(at_positions(stream.squeeze_dim(1), &read, batch.first), &read);
    batch.judged.values(batch.bench, &logits, &items)
}
