//! The true circuit of a compiled program: who writes what is read, where it leads to the answer.

use super::layout::Layout;
use super::parts::Parts;
use super::variable::Variable;
use crate::circuit::{Circuit, Link};
use crate::node::{Edge, Port};
use std::collections::BTreeSet;

/// Every edge of the model: with score 1, and in the circuit, those that bring a direction which is read there for something
/// that leads to the answer; with 0 the others.
pub fn truth(variables: &[Variable], layout: &Layout, parts: &Parts) -> Circuit {
    let known: BTreeSet<Edge> = reads(variables, layout, parts).into_iter().collect();
    let link = |edge: Edge| {
        let in_circuit = known.contains(&edge);
        Link { edge, score: f64::from(u8::from(in_circuit)), interval: None, in_circuit }
    };
    Circuit::new(layout.blocks.clone(), layout.blocks.edges().into_iter().map(link)).expect("the model's own edges")
}

/// From the writer of every direction that is read on the way to the answer to where it is read.
fn reads(variables: &[Variable], layout: &Layout, parts: &Parts) -> Vec<Edge> {
    let mut edges = Vec::new();
    let mut read = |direction: usize, to: Port| edges.push(Edge::new(layout.writer(direction), to));
    for head in parts.heads.iter().filter(|head| variables[head.makes].live) {
        let (layer, index) = head.at;
        let ports = [Port::Query(layer, index), Port::Key(layer, index), Port::Value(layer, index)];
        for (port, weights) in ports.into_iter().zip(&head.reads) {
            weights.iter().for_each(|(direction, ..)| read(*direction, port));
        }
    }
    for neuron in parts.neurons.iter().filter(|neuron| variables[neuron.makes].live) {
        neuron.reads.iter().for_each(|(direction, _)| read(*direction, Port::Mlp(neuron.layer)));
    }
    layout.directions(layout.answer).for_each(|direction| read(direction, Port::Logits));
    edges
}
