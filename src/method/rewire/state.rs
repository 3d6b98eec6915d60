//! The run of a circuit that is decided on from the logits down, and trials of what changes it.

use super::{Batch, Down, Judged};
use crate::hook::Activation;
use crate::model::parts::Seam;
use crate::model::{Context, Pass};
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

/// What is tried, `[row, 1, pos, d_model]`; rows are the items over and over.
pub enum Change {
    /// A port reads this.
    Reads(Port, Activation),
    /// What a node writes changes by this.
    Writes(Node, Activation),
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

    /// The same where it matters: of the logits, and of an MLP that they alone hear, where they are read.
    pub fn heard(&self, batch: &Batch, down: &Down, port: Port) -> Activation {
        let read = self.read(batch, port);
        match port {
            Port::Logits => batch.at_read(read),
            Port::Mlp(_) | Port::Neuron(..) if port.node().is_some_and(|node| down.last.contains(&node)) => {
                batch.at_read(read)
            }
            _ => read,
        }
    }

    fn made(&self, batch: &Batch, node: Node) -> Activation {
        self.makes.get(&node).cloned().unwrap_or_else(|| batch.made(node))
    }

    /// What a port reads more once its edge from `node` is ablated, `[item, 1, pos, d_model]`.
    pub fn ablated(&self, batch: &Batch, node: Node) -> Activation {
        let change = batch.ablated(node);
        match self.makes.get(&node) {
            Some(now) => batch.sum(change, -added(batch, node, batch.sum(now.clone(), -batch.made(node)))),
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

    /// Runs what hears of a change, a port that reads or a node that writes something else: `[row, 1, pos, d_model]`.
    pub fn run(&self, batch: &Batch, down: &Down, still: &BTreeMap<Port, Tensor<4>>, change: Change) -> Run {
        let pass = Pass { first: batch.first, ..Pass::whole(&batch.tokens) };
        let context = batch.bench.model.context(&pass);
        let mut changed = State::default();
        let mut changes: BTreeMap<Node, Activation> = BTreeMap::new();
        let rows = match change {
            Change::Reads(port, read) => changed.reads.entry(port).or_insert(read).dims()[0],
            Change::Writes(node, by) => changes.entry(node).or_insert(by).dims()[0],
        };
        let times = rows / batch.items.len();
        let heard = |port: Port, from: &[Node], changes: &BTreeMap<Node, Activation>| {
            let read = tile(self.heard(batch, down, port), times);
            from.iter().fold(read, |read, node| batch.sum(read, changes[node].clone()))
        };
        for (node, ports) in &down.nodes {
            for (port, from) in ports.iter().filter(|(_, from)| !from.is_empty()) {
                changed.reads.insert(*port, heard(*port, from, &changes));
            }
            let made = make(batch, *node, &changed.reads, still, &context);
            let change = batch.sum(made.clone(), -tile(self.made(batch, *node), times));
            changes.insert(*node, added(batch, *node, change));
            changed.makes.insert(*node, made);
        }
        if !down.logits.is_empty() {
            changed.reads.insert(Port::Logits, heard(Port::Logits, &down.logits, &changes));
        }
        let stream = changed.reads.get(&Port::Logits).cloned();
        let stream = stream.unwrap_or_else(|| tile(self.heard(batch, down, Port::Logits), times));
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
        Port::Mlp(_) | Port::Neuron(..) | Port::Logits => unreachable!("no port of a head"),
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
        Node::Mlp(layer) => mlp(batch, layer, None, &reads[&Port::Mlp(layer)]),
        Node::Neuron(layer, neuron) => mlp(batch, layer, Some(neuron), &reads[&Port::Neuron(layer, neuron)]),
        Node::Input => unreachable!("the input reads nothing"),
    }
}

/// What a neuron, or the rest of an MLP, makes of what it reads.
fn mlp(batch: &Batch, layer: usize, neuron: Option<usize>, read: &Activation) -> Activation {
    let block = batch.bench.model.block(layer);
    let read = block.norm2.apply(read.clone()).squeeze_dim(1);
    block.mlp.of_part(neuron, read, &mut Seam::new(&mut (), layer)).unsqueeze_dim(1)
}

/// What a change of what a node makes adds to the stream, `[row, 1, pos, d_model]`.
fn added(batch: &Batch, node: Node, change: Activation) -> Activation {
    match node {
        Node::Head(layer, head) => {
            let out = batch.bench.model.block(layer).attention.out_by_head().narrow(1, head, 1);
            widen(change).matmul(widen(out))
        }
        Node::Input | Node::Mlp(_) | Node::Neuron(..) => change,
    }
}

/// The number of every row whose last stream, where it is read, is this.
fn judged(batch: &Batch, stream: Activation) -> Vec<f64> {
    let items = batch.items.repeat(stream.dims()[0] / batch.items.len());
    let read = Judged::read(batch.judge, batch.bench, &items);
    let logits = batch.bench.model.read_out(stream.squeeze_dim(1), &read);
    batch.judged.values(batch.bench, &logits, &items)
}
