//! Circuits by what is outside them: a mark for each edge of the model, which are many where they are at positions.

use crate::circuit::{Circuit, Vertex};
use crate::node::Edge;
use std::rc::Rc;

/// The edges outside a circuit.
#[derive(Clone)]
pub struct Outside<'a> {
    /// Has every edge of the model.
    of: &'a Circuit,
    /// For each whether it is outside.
    severed: Rc<[bool]>,
    /// What is outside beside these.
    part: Option<Part>,
}

/// A part of a circuit that is taken out.
#[derive(Clone, Copy)]
enum Part {
    /// The one edge.
    Edge(Edge),
    /// All that a node sends.
    From(Vertex),
}

impl<'a> Outside<'a> {
    /// Those whose membership is not the one wanted: what is outside a circuit, or outside all the others.
    pub fn of(circuit: &'a Circuit, members: &[bool], wanted: bool) -> Self {
        Outside { of: circuit, severed: members.iter().map(|member| *member != wanted).collect(), part: None }
    }

    /// None of the edges: the whole model.
    pub fn nothing(circuit: &'a Circuit) -> Self {
        Outside { of: circuit, severed: vec![false; circuit.links().len()].into(), part: None }
    }

    /// All of them.
    pub fn everything(circuit: &'a Circuit) -> Self {
        Outside { of: circuit, severed: vec![true; circuit.links().len()].into(), part: None }
    }

    /// These, and the one edge.
    pub fn and(&self, edge: Edge) -> Self {
        Outside { part: Some(Part::Edge(edge)), ..self.clone() }
    }

    /// These, and every edge out of a node.
    pub fn and_from(&self, node: Vertex) -> Self {
        Outside { part: Some(Part::From(node)), ..self.clone() }
    }

    /// The edges themselves.
    pub fn edges(&self) -> Vec<Edge> {
        let taken = |edge: Edge| match self.part {
            None => false,
            Some(Part::Edge(part)) => edge == part,
            Some(Part::From(node)) => Vertex::of_source(edge) == node,
        };
        let links = self.of.links().zip(self.severed.iter());
        links.filter(|(link, severed)| **severed || taken(link.edge)).map(|(link, _)| link.edge).collect()
    }
}
