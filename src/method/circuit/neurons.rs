//! Neurons as nodes: which are chosen, and the model in which they stand apart.

use crate::circuit::Blocks;
use crate::method::Bench;
use crate::method::attribution_patch::estimates;
use crate::method::summary::mean;
use crate::model::Model;
use crate::node::Node;
use crate::plan::Circuits;
use crate::steps::{RunError, Steps};

/// The model in which the neurons of these blocks read and write apart from the rest of their MLPs; none where MLPs are whole.
pub fn parted(model: &dyn Model, blocks: &Blocks) -> Option<Box<dyn Model>> {
    (!blocks.neurons().is_empty()).then(|| model.parted(blocks.neurons()))
}

/// The plan with the neurons that it leaves to be chosen, and what is to be known of its neurons.
pub fn chosen(
    bench: &Bench,
    plan: &Circuits,
    steps: &mut Steps,
) -> Result<(Circuits, Vec<(String, String)>), RunError> {
    let fact = |what: String| vec![("neurons".to_string(), what)];
    let node = |(layer, neuron): &(usize, usize)| Node::Neuron(*layer, *neuron).to_string();
    let Some(top) = &plan.top else {
        let names: Vec<String> = plan.blocks.neurons().iter().map(node).collect();
        let facts = if names.is_empty() { Vec::new() } else { fact(names.join(", ")) };
        return Ok((plan.clone(), facts));
    };
    let effects = estimates(bench, &top.by, steps)?.effects;
    let cells = top.by.sweep.cells.iter().zip(&effects);
    let means = cells.filter_map(|(cell, effects)| Some(((cell.layer?, cell.neuron?), mean(effects))));
    let mut ranked: Vec<((usize, usize), f64)> = means.collect();
    // a stable sort: of equals the first in the order of the stream
    ranked.sort_by(|a, b| b.1.abs().total_cmp(&a.1.abs()));
    ranked.truncate(top.count);
    let named: Vec<String> = ranked.iter().map(|(neuron, mean)| format!("{} ({mean:.4})", node(neuron))).collect();
    let blocks = plan.blocks.with_neurons(ranked.into_iter().map(|(neuron, _)| neuron));
    let how =
        format!("the {} of largest mean {}, chosen by these same items: {}", top.count, top.by.score, named.join(", "));
    Ok((Circuits { blocks, top: None, ..plan.clone() }, fact(how)))
}
