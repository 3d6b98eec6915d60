//! Circuits of one model held against each other: what they share, what only one has, how their scores agree.

use super::{Blocks, Circuit, Link, Vertex};
use crate::node::Edge;
use patchclamp_probes::{pearson, spearman};
use petgraph::algo::has_path_connecting;
use petgraph::graph::NodeIndex;
use petgraph::visit::EdgeFiltered;

/// Circuits of models with different edges.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("circuits of different models cannot be compared: one is of {left}, the other of {right}")]
pub struct Different {
    /// The one.
    pub left: Blocks,
    /// The other.
    pub right: Blocks,
}

/// The scores of the edges that two circuits both have, held against each other.
#[derive(Clone, Debug, PartialEq)]
pub struct Alignment {
    /// Edge and both scores, left and right, in the order of edges.
    pub scores: Vec<(Edge, f64, f64)>,
    /// Rank correlation of the scores; `None` for fewer than two edges or equal scores.
    pub spearman: Option<f64>,
    /// Correlation of the scores, likewise.
    pub pearson: Option<f64>,
}

impl Alignment {
    /// Each edge with its right score less its left, the largest difference first.
    pub fn differences(&self) -> Vec<(Edge, f64)> {
        let mut found: Vec<_> = self.scores.iter().map(|(edge, left, right)| (*edge, right - left)).collect();
        found.sort_by(|a, b| b.1.abs().total_cmp(&a.1.abs()));
        found
    }
}

impl Circuit {
    /// The edges in both circuits.
    ///
    /// # Errors
    /// Where they are of different models; so for all that follow.
    pub fn intersect(&self, other: &Self) -> Result<Self, Different> {
        self.joined(other, |here, there| here && there)
    }

    /// The edges of this circuit that the other lacks.
    ///
    /// # Errors
    /// Where they are of different models.
    pub fn subtract(&self, other: &Self) -> Result<Self, Different> {
        self.joined(other, |here, there| here && !there)
    }

    /// The edges of this circuit that the other lacks and goes round: what they begin at still reaches what they enter there,
    /// by another port or through other nodes. None are told of circuits by positions, where heads carry between these.
    ///
    /// # Errors
    /// Where they are of different models.
    pub fn rerouted(&self, other: &Self) -> Result<Vec<Edge>, Different> {
        let lost = self.subtract(other)?;
        let held = EdgeFiltered::from_fn(&other.graph, |edge| edge.weight().in_circuit);
        let place = |vertex: Vertex| NodeIndex::new(self.blocks.place(vertex));
        let ends = |edge: Edge| (place(Vertex::of_source(edge)), place(Vertex::of_end(edge)));
        let round = |edge: &Edge| {
            let (from, to) = ends(*edge);
            edge.position.is_none() && has_path_connecting(&held, from, to, None)
        };
        Ok(lost.edges().map(|link| link.edge).filter(round).collect())
    }

    /// The edges in either circuit.
    ///
    /// # Errors
    /// Where they are of different models.
    pub fn union(&self, other: &Self) -> Result<Self, Different> {
        self.joined(other, |here, there| here || there)
    }

    /// Edges in both over edges in either, 0 to 1; two circuits without edges are the same: 1.
    ///
    /// # Errors
    /// Where they are of different models.
    pub fn jaccard(&self, other: &Self) -> Result<f64, Different> {
        let (both, either) = (self.intersect(other)?.size(), self.union(other)?.size());
        Ok(if either == 0 { 1.0 } else { both as f64 / either as f64 })
    }

    /// The scores of all edges that were scored in both, in the circuits or not.
    ///
    /// # Errors
    /// Where they are of different models.
    pub fn align(&self, other: &Self) -> Result<Alignment, Different> {
        self.comparable(other)?;
        let both = |link: &Link| other.link(link.edge).map(|there| (link.edge, link.score, there.score));
        let scores: Vec<_> = self.links().filter_map(both).collect();
        let left: Vec<f64> = scores.iter().map(|(_, left, _)| *left).collect();
        let right: Vec<f64> = scores.iter().map(|(_, _, right)| *right).collect();
        Ok(Alignment { spearman: spearman(&left, &right), pearson: pearson(&left, &right), scores })
    }

    /// All edges of both with the scores of this one, or else of the other; `keep` says what is in the circuit.
    fn joined(&self, other: &Self, keep: impl Fn(bool, bool) -> bool) -> Result<Self, Different> {
        self.comparable(other)?;
        let alone = other.links().filter(|link| self.link(link.edge).is_none());
        let choose =
            |link: &Link| Link { in_circuit: keep(self.contains(link.edge), other.contains(link.edge)), ..*link };
        let links = self.links().chain(alone).map(choose);
        Ok(Self::new(self.blocks.clone(), links).expect("edges of circuits are right, and each is taken once"))
    }

    /// Whether both are of models with the same edges.
    fn comparable(&self, other: &Self) -> Result<(), Different> {
        match self.blocks == other.blocks {
            true => Ok(()),
            false => Err(Different { left: self.blocks.clone(), right: other.blocks.clone() }),
        }
    }
}
