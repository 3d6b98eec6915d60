//! Where everything goes: the layer of each variable, its directions in the stream, and who writes them.

use super::variable::{Id, Step, Variable};
use crate::circuit::Blocks;
use crate::node::{Flow, Node};
use crate::program::{Encoding, Value};
use std::ops::Range;

/// The direction of the boundary token, the first of the stream.
pub const BOUNDARY: usize = 0;

/// Places of a program's variables.
pub struct Layout {
    /// Layers and heads.
    pub blocks: Blocks,
    /// How wide the stream is.
    pub width: usize,
    /// The answer.
    pub answer: Id,
    /// Of each variable the node that writes it.
    pub writers: Vec<Node>,
    /// Of each variable its directions.
    directions: Vec<Range<usize>>,
}

impl Layout {
    /// Every variable as early as can be.
    pub fn new(variables: &[Variable]) -> Self {
        let (mut writers, mut heads, mut layers): (Vec<Node>, Vec<usize>, usize) = (Vec::new(), Vec::new(), 1);
        for variable in variables {
            let reads = variable.step.sources().into_iter().map(|source| time(writers[source])).max().unwrap_or(0);
            let writer = match &variable.step {
                Step::Tokens | Step::Indices => Node::Input,
                Step::Attend(_) => {
                    let layer = reads.div_ceil(2);
                    heads.resize(heads.len().max(layer + 1), 0);
                    heads[layer] += 1;
                    Node::Head(layer, heads[layer] - 1)
                }
                _ => Node::Mlp(reads / 2),
            };
            layers = layers.max(writer.layer().map_or(0, |layer| layer + 1));
            writers.push(writer);
        }
        let heads = heads.into_iter().max().unwrap_or(1);
        let mut width = BOUNDARY + 1;
        let mut directions = Vec::new();
        for variable in variables {
            let count = if variable.encoding == Encoding::Numerical { 1 } else { variable.values.len() };
            directions.push(width..width + count);
            width += count;
        }
        let answer = variables.iter().rposition(|variable| variable.live).expect("a program has an answer");
        Layout { blocks: Blocks::new(layers, heads, Flow::Sequential), width, answer, writers, directions }
    }

    /// The directions of a variable, in the order of its values; of a number there is one.
    pub fn directions(&self, id: Id) -> Range<usize> {
        self.directions[id].clone()
    }

    /// The direction that says that a variable has this value, and how long it is then.
    pub fn writing(&self, variables: &[Variable], id: Id, value: Value) -> (usize, f64) {
        let directions = self.directions(id);
        match variables[id].encoding {
            Encoding::Numerical => (directions.start, value.number()),
            Encoding::Categorical => {
                let place = variables[id].values.binary_search(&value).expect("one of its values");
                (directions.start + place, 1.0)
            }
        }
    }

    /// Who writes a direction.
    pub fn writer(&self, direction: usize) -> Node {
        let of = self.directions.iter().position(|directions| directions.contains(&direction));
        of.map_or(Node::Input, |id| self.writers[id])
    }
}

/// When a node writes, counted in half blocks from the input's 0 on.
fn time(node: Node) -> usize {
    match node {
        Node::Input => 0,
        Node::Head(layer, _) => 2 * layer + 1,
        Node::Mlp(layer) | Node::Neuron(layer, _) => 2 * layer + 2,
    }
}
