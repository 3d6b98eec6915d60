//! The smallest circuit that is faithful enough, found by bisection, and what it leaves out in few words.

use super::{Circuit, Rule};
use crate::node::Node;
use std::collections::BTreeSet;

/// Neurons that are named one by one; more are counted.
const NAMED: usize = 6;

/// A circuit that is faithful enough where one edge fewer chosen is not.
#[derive(Clone, Debug)]
pub struct Smallest {
    /// The circuit, pruned.
    pub circuit: Circuit,
    /// Edges chosen before pruning.
    pub chosen: usize,
    /// What it has.
    pub faithfulness: f64,
    /// Edges chosen and faithfulness of every circuit tried, by size.
    pub tried: Vec<(usize, f64)>,
}

impl Smallest {
    /// Whether more edges always did at least as well among those tried. Where they did not, bisection may have passed by
    /// a circuit that is smaller still.
    pub fn is_certain(&self) -> bool {
        self.tried.is_sorted_by(|few, many| few.1 <= many.1)
    }
}

impl Circuit {
    /// The smallest circuit under `rule` whose `faithfulness` is at least `least`; `None` where all edges have less.
    ///
    /// Bisection: about log2 of the edges many circuits are tried. It takes for granted that faithfulness rises with
    /// size, which [`Smallest::is_certain`] holds against what was tried.
    ///
    /// # Errors
    /// The first of `faithfulness`.
    pub fn smallest<E>(
        &self,
        rule: Rule,
        least: f64,
        mut faithfulness: impl FnMut(&Self) -> Result<f64, E>,
    ) -> Result<Option<Smallest>, E> {
        let mut tried = Vec::new();
        let mut best = None;
        let (mut below, mut enough) = (None, self.links().len());
        let mut next = Some(enough);
        while let Some(chosen) = next {
            let circuit = self.select(rule, chosen).prune();
            let value = faithfulness(&circuit)?;
            tried.push((chosen, value));
            match value >= least {
                true => (best, enough) = (Some((circuit, chosen, value)), chosen),
                false => below = Some(chosen),
            }
            next = between(below, enough).filter(|_| best.is_some());
        }
        tried.sort_by_key(|(chosen, _)| *chosen);
        Ok(best.map(|(circuit, chosen, faithfulness)| Smallest { circuit, chosen, faithfulness, tried }))
    }

    /// What the circuit leaves out, in as few words as there are: by layer the heads that are gone, or those that stay.
    pub fn left_out(&self) -> String {
        let vertices = self.vertices();
        let (all, edges) = (self.blocks.vertices().len(), self.blocks.count());
        let held: BTreeSet<Node> = vertices.iter().filter_map(|vertex| vertex.node()).collect();
        let mut parts = self.heads_gone(&held);
        let gone = |layer: &usize| !held.contains(&Node::Mlp(*layer));
        let mlps: BTreeSet<usize> = (0..self.blocks.layers).filter(gone).collect();
        if !mlps.is_empty() {
            parts.push(format!("{} {}", if mlps.len() == 1 { "MLP" } else { "MLPs" }, ranges(&mlps)));
        }
        let neurons = self.blocks.neurons().iter().map(|(layer, neuron)| Node::Neuron(*layer, *neuron));
        let gone: Vec<_> = neurons.filter(|neuron| !held.contains(neuron)).collect();
        match gone.as_slice() {
            [] => {}
            [one] => parts.push(format!("neuron {one}")),
            some if some.len() <= NAMED => {
                parts.push(format!("neurons {}", some.iter().map(Node::to_string).collect::<Vec<_>>().join(", ")));
            }
            some => parts.push(format!("{} of {} neurons", some.len(), self.blocks.neurons().len())),
        }
        let everywhere = if self.blocks.positions().is_some() { ", at every position" } else { "" };
        let parts = if parts.is_empty() { String::new() } else { format!("{everywhere}: {}", parts.join("; ")) };
        let kept = self.size();
        format!("{} of {edges} edges and {} of {all} nodes are left out{parts}", edges - kept, all - vertices.len())
    }

    /// A phrase for each run of layers that lack the same heads.
    fn heads_gone(&self, held: &BTreeSet<Node>) -> Vec<String> {
        let stay = |layer: usize| -> BTreeSet<usize> {
            held.iter().filter(|node| node.layer() == Some(layer)).filter_map(|node| node.head()).collect()
        };
        let kept: Vec<_> = (0..self.blocks.layers).map(|layer| (layer, stay(layer))).collect();
        kept.chunk_by(|a, b| a.1 == b.1).filter_map(|run| self.phrase(run[0].0, run.len(), &run[0].1)).collect()
    }

    fn phrase(&self, first: usize, layers: usize, kept: &BTreeSet<usize>) -> Option<String> {
        let gone: BTreeSet<usize> = (0..self.blocks.heads).filter(|head| !kept.contains(head)).collect();
        let layers = match layers {
            1 => format!("layer {first}"),
            _ => format!("layers {first}–{}", first + layers - 1),
        };
        let (gone, kept) = (ranges(&gone), ranges(kept));
        let heads = |list: &str| if list.contains([',', '–']) { "heads" } else { "head" };
        match (gone.is_empty(), kept.is_empty()) {
            (true, _) => None,
            (_, true) => Some(format!("all heads of {layers}")),
            _ if kept.len() + "but ".len() < gone.len() => Some(format!("{layers} heads but {kept}")),
            _ => Some(format!("{layers} {} {gone}", heads(&gone))),
        }
    }
}

/// What to try next: none where `enough` is one above `below`, or nothing.
fn between(below: Option<usize>, enough: usize) -> Option<usize> {
    match below {
        None if enough == 0 => None,
        None => Some(enough / 2),
        Some(below) if enough > below + 1 => Some(usize::midpoint(below, enough)),
        Some(_) => None,
    }
}

/// `0, 3–8, 10`.
fn ranges(numbers: &BTreeSet<usize>) -> String {
    let numbers: Vec<usize> = numbers.iter().copied().collect();
    let runs = numbers.chunk_by(|a, b| a + 1 == *b).map(|run| match run {
        [one] => one.to_string(),
        [one, two] => format!("{one}, {two}"),
        _ => format!("{}–{}", run[0], run[run.len() - 1]),
    });
    runs.collect::<Vec<_>>().join(", ")
}
