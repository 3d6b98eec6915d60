//! Neurons that are nodes of a circuit: named, or how they are chosen.

use super::attribution::Attribution;
use super::{Known, Problems, cells};
use crate::circuit::Blocks;
use crate::node::Node;
use crate::spec::{Axis, Direction, Estimate, Neurons, Only, Score, Sites};

/// The most neurons: each is a node with an edge from and to nearly every other, and what it writes is as wide as the stream.
const MOST: usize = 256;

/// Neurons that are chosen on the items, before edges are scored.
#[derive(Clone, Debug, PartialEq)]
pub struct Top {
    /// How many.
    pub count: usize,
    /// What they are chosen by: those of largest mean estimate, whatever its sign.
    pub by: Attribution,
}

/// Blocks with the neurons that are named, and how others are chosen.
pub(super) fn resolve(
    at: &str,
    (neurons, score): (&Neurons, Score),
    blocks: &Blocks,
    known: &Known,
    problems: &mut Problems,
) -> (Blocks, Option<Top>) {
    let at = format!("{at}.neurons");
    match neurons {
        Neurons::None => (blocks.clone(), None),
        Neurons::Named(names) => (blocks.with_neurons(named(&at, names, known, problems)), None),
        Neurons::Top(count) => {
            let all = known.dims().layers * known.dims().d_mlp;
            if *count == 0 || *count > all {
                problems.add(&at, format!("{count} neurons; {} has 1 to {all} to choose from", known.family));
            }
            check_count(&at, *count, problems);
            (blocks.clone(), top(&at, *count, score, known, problems))
        }
    }
}

fn check_count(at: &str, count: usize, problems: &mut Problems) {
    if count > MOST {
        let what = format!(
            "{count} neurons; {MOST} are the most: each has an edge from and to nearly every node, and circuits of so many parts are read by nobody; take the strongest, or whole MLPs"
        );
        problems.add(at, what);
    }
}

/// Neurons by their names, layer and neuron each.
fn named(at: &str, names: &[String], known: &Known, problems: &mut Problems) -> Vec<(usize, usize)> {
    if names.is_empty() {
        problems.add(at, "is empty; name at least one, for instance [\"m3.n17\"], or write Top(20)");
    }
    check_count(at, names.len(), problems);
    cells::check_once(at, names, problems);
    let sizes = known.dims();
    let mut found = Vec::new();
    for (index, name) in names.iter().enumerate() {
        let at = format!("{at}[{index}]");
        let Ok(Node::Neuron(layer, neuron)) = name.parse() else {
            problems.add(&at, format!("{name:?} is no neuron; write m3.n17 for neuron 17 of the MLP of layer 3"));
            continue;
        };
        for (what, index, count) in [("layer", layer, sizes.layers), ("neuron", neuron, sizes.d_mlp)] {
            if index >= count {
                let last = count - 1;
                problems.add(&at, format!("{what} {index} does not exist; {} has {what}s 0 to {last}", known.family));
            }
        }
        found.push((layer, neuron));
    }
    found
}

/// The strongest by what patching each would do, estimated from gradients that are taken where those of the edges are.
fn top(at: &str, count: usize, score: Score, known: &Known, problems: &mut Problems) -> Option<Top> {
    let sites = Sites::Named(vec!["mlp.hook_post".into()]);
    let sweep = cells::resolve(at, &sites, &[Axis::Layer, Axis::Neuron], &Only::default(), known, problems)?;
    let score = match score {
        Score::EapIg { steps } | Score::EapIgActivations { steps } => Estimate::AtPIg { steps },
        _ => Estimate::AtP,
    };
    Some(Top { count, by: Attribution { sweep, score, direction: Direction::Noise } })
}
