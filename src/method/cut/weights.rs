//! Output maps without a direction: what a node writes has nothing along it, in any text.

use crate::model::{Model, Visitor};
use crate::node::Node;
use crate::tensor::{Setting, Tensor, from_doubles};

/// A node that no longer writes along a direction.
#[derive(Clone, Debug, PartialEq)]
pub struct Turn {
    /// A head or an MLP.
    pub node: Node,
    /// Of length 1, `[d_model]`; of length 0 nothing is taken out.
    pub direction: Vec<f64>,
}

/// A copy of a model whose nodes write nothing along these directions: W ← W(I − vvᵀ) of a head's rows of its layer's output
/// map, or of an MLP's output map and bias. What a layer's heads write together, its bias, is no head's and stays.
pub fn turned(model: &dyn Model, turns: &[Turn]) -> Box<dyn Model> {
    let mut changed = model.parted(&[]); // shares its weights, which are replaced and never written to
    changed.visit(&mut Turning { turns, d_head: model.dims().d_head });
    changed
}

struct Turning<'a> {
    turns: &'a [Turn],
    d_head: usize,
}

impl Visitor for Turning<'_> {
    fn matrix(&mut self, name: &str, weight: &mut Tensor<2>) {
        for Turn { node, direction } in self.turns {
            let [rows, width] = weight.dims();
            let (layer, first, count) = match *node {
                Node::Head(layer, head) => (format!("blocks.{layer}.attn.out.weight"), head * self.d_head, self.d_head),
                Node::Mlp(layer) => (format!("blocks.{layer}.mlp.out.weight"), 0, rows),
                Node::Input | Node::Neuron(..) => continue,
            };
            if layer == name {
                let own = without(weight.clone().narrow(0, first, count), direction);
                *weight = weight.clone().slice_assign([first..first + count, 0..width], own);
            }
        }
    }

    fn vector(&mut self, name: &str, weight: &mut Tensor<1>) {
        for Turn { node, direction } in self.turns {
            if matches!(node, Node::Mlp(layer) if format!("blocks.{layer}.mlp.out.bias") == name) {
                let width = weight.dims()[0];
                *weight = without(weight.clone().reshape([1, width]), direction).reshape([width]);
            }
        }
    }
}

/// Rows `[row, d_model]` without what lies along a direction.
fn without(rows: Tensor<2>, direction: &[f64]) -> Tensor<2> {
    let direction: Tensor<2> = from_doubles(direction.to_vec(), [direction.len(), 1], &Setting::of(&rows));
    let along = rows.clone().matmul(direction.clone());
    rows - along.matmul(direction.swap_dims(0, 1))
}
