//! What nodes write to the stream: kept as narrow as it is made, and made as wide as the stream for few items at a time.

use crate::hook::{Activation, Record};
use crate::model::Model;
use crate::node::Node;
use crate::site::Site;
use crate::tensor::{Tensor, off_tape, widen};
use std::collections::BTreeMap;
use std::ops::Range;

/// What every node writes in one run: the input and MLPs as streams, of heads what they mix.
pub struct Written(BTreeMap<Site, Activation>);

impl Written {
    /// Where it is recorded.
    pub fn sites(model: &dyn Model) -> Vec<Site> {
        let written = |site: &Site| matches!(site, Site::ResidPre(0) | Site::Mix(_) | Site::MlpOut(_));
        model.sites().into_iter().filter(written).collect()
    }

    /// From a recording, on a tape or not.
    pub fn of(record: &Record, model: &dyn Model) -> Self {
        let state = |site: Site| (site, off_tape(record.at(site).expect("asked for by `sites`").clone()));
        Written(Written::sites(model).into_iter().map(state).collect())
    }

    /// From states at [`Written::sites`].
    pub fn from_states(states: BTreeMap<Site, Activation>) -> Self {
        Written(states)
    }

    /// The same of the positions from `first` on; a state that is the same at every position stays as it is.
    pub fn from_position(self, first: usize) -> Self {
        let later = |(site, state)| (site, from_position(state, first));
        Written(self.0.into_iter().map(later).collect())
    }

    /// What each node writes here less what it writes there.
    pub fn less(&self, other: &Written) -> Written {
        Written(self.0.iter().map(|(site, state)| (*site, state.clone() - other.0[site].clone())).collect())
    }

    /// How many positions nodes write at.
    pub fn positions(&self) -> usize {
        self.0[&Site::ResidPre(0)].dims()[2]
    }

    /// What a node writes, of a head what it mixes, `[row, 1, pos, width]`.
    pub fn of_node(&self, model: &dyn Model, node: Node) -> Activation {
        self.0[&site(node)].clone().narrow(1, part_of(model, node), 1)
    }

    /// What a node adds to the stream, `[row, 1, pos, d_model]`.
    pub fn added_by(&self, model: &dyn Model, node: Node) -> Tensor<4> {
        let state = widen(self.of_node(model, node));
        match node {
            Node::Head(layer, head) => {
                state.matmul(widen(model.block(layer).attention.out_by_head().narrow(1, head, 1)))
            }
            Node::Input | Node::Mlp(_) | Node::Neuron(..) => state,
        }
    }

    /// What all nodes add to the stream in some rows, `[row, node, pos, d_model]`, nodes in their order.
    pub fn added(&self, model: &dyn Model, rows: Range<usize>) -> Tensor<4> {
        let stream = |site: Site| part(&self.0[&site], &rows);
        let block = |layer: usize| {
            let heads = stream(Site::Mix(layer)).matmul(widen(model.block(layer).attention.out_by_head()));
            [heads, stream(Site::MlpOut(layer))]
        };
        let blocks = (0..model.dims().layers).flat_map(block);
        Tensor::cat(std::iter::once(stream(Site::ResidPre(0))).chain(blocks).collect(), 1)
    }
}

/// The positions of a state from `first` on; all of one that holds for every position.
pub fn from_position(state: Activation, first: usize) -> Activation {
    let positions = state.dims()[2];
    if positions == 1 || first == 0 { state } else { state.narrow(2, first, positions - first) }
}

/// The site of what a node writes; of a head, what it mixes.
pub fn site(node: Node) -> Site {
    match node {
        Node::Input => Site::ResidPre(0),
        Node::Head(layer, _) => Site::Mix(layer),
        Node::Mlp(layer) | Node::Neuron(layer, _) => Site::MlpOut(layer),
    }
}

/// Which of the heads of that site a node is.
pub fn part_of(model: &dyn Model, node: Node) -> usize {
    match node {
        Node::Head(_, head) => head,
        Node::Neuron(layer, neuron) => model.block(layer).mlp.part(neuron),
        Node::Input | Node::Mlp(_) => 0,
    }
}

/// Some rows, no narrower than f32.
pub fn part(state: &Activation, rows: &Range<usize>) -> Activation {
    widen(state.clone().narrow(0, rows.start, rows.len()))
}
