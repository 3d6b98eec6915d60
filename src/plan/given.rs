//! Circuits from files: whether one is of this model, and what of it is to be run.

use super::circuit::{blocks, check_draws, check_size, choice};
use super::{Known, Problems, Size, places};
use crate::circuit::exchange::{self, Facts};
use crate::circuit::{Blocks, By, Circuit, Link, Meaning, Rule};
use crate::spec::{self, Ranking, Select, Stand};
use std::path::Path;

/// What is asked of a circuit's file.
pub(super) struct Asked<'a> {
    /// Where it is.
    pub file: &'a Path,
    /// Which edges are kept, if not those that it says are in.
    pub select: Option<Select>,
    /// What of a score counts.
    pub by: Ranking,
    /// What edges outside bring.
    pub ablate: Stand,
    /// Draws of random circuits.
    pub random: usize,
}

/// A circuit from a file, to be run.
#[derive(Clone, Debug)]
pub struct Given {
    /// The file, as errors and facts call it.
    pub file: String,
    /// Every edge of the model; those without a score in the file have 0, and are outside.
    pub circuit: Circuit,
    /// How many of them have one.
    pub scored: usize,
    /// What the file says of it.
    pub facts: Facts,
    /// How edges are chosen, and how many, if not as the file says.
    pub choice: Option<(Rule, Size)>,
    /// The order of scores that has the edges of most use first, where all have one and somebody says what they are.
    pub curve: Option<By>,
    /// What edges outside bring.
    pub stand: Stand,
    /// Random circuits that it is held against.
    pub random: usize,
}

/// The circuit, or what is wrong with it.
pub(super) fn resolve(at: &str, asked: &Asked, known: &Known, problems: &mut Problems) -> Option<Given> {
    let before = problems.count();
    let blocks = blocks(at, asked.ablate, known, problems)?;
    // constants would have to be fitted to every draw
    let random = if matches!(asked.ablate, Stand::Optimal { .. }) { 0 } else { asked.random };
    check_draws(&format!("{at}.random_circuits"), random, problems);
    let place = format!("{at}.file");
    let file = asked.file.display().to_string();
    let found = read(asked.file, &file, &blocks, known).map_err(|why| problems.add(&place, why)).ok()?;
    let exchange::File { circuit, facts } = found;
    let blocks = circuit.blocks().clone();
    let (scored, meaning) = (circuit.links().len(), Meaning::of(&facts));
    let order = match asked.by {
        Ranking::Size => Some(By::Size),
        Ranking::Sign => meaning.supporting(),
    };
    if order.is_none() {
        let what = "Sign needs to know whether a positive score supports the answer, and the file does not say it by the fact \"sign\"; use Size";
        problems.add(&format!("{at}.by"), what);
    }
    if asked.select.is_none() && circuit.size() == 0 {
        problems.add(
            &place,
            format!(
                "{file}: none of the {scored} edges is in the circuit; choose some, for instance by `select: TopN({})`",
                scored.min(40)
            ),
        );
    }
    let chosen = asked.select.zip(order).map(|(select, by)| choice(select, by));
    if let Some((_, size)) = chosen {
        check_size(&format!("{at}.select"), size, scored, problems);
    }
    let curve = meaning.supporting().filter(|_| scored == blocks.count());
    let circuit = whole(circuit, blocks);
    let given = Given { file, circuit, scored, facts, choice: chosen, curve, stand: asked.ablate, random };
    (problems.count() == before).then_some(given)
}

/// The file, if it is of this model, in which any neurons may be nodes of their own.
fn read(path: &Path, file: &str, blocks: &Blocks, known: &Known) -> Result<exchange::File, String> {
    let text = spec::text(path).map_err(|error| error.to_string())?;
    let found = exchange::read(file, &text).map_err(|error| error.to_string())?;
    let (neurons, last) = (found.circuit.blocks().neurons(), known.dims().d_mlp - 1);
    if let Some((layer, neuron)) = neurons.iter().find(|(_, neuron)| *neuron > last) {
        return Err(format!(
            "{file}: neuron {neuron} of layer {layer} does not exist; {} has neurons 0 to {last}",
            known.family
        ));
    }
    let positions = found.circuit.blocks().positions();
    positions.map_or(Ok(()), |count| places::check_file(file, count, known))?;
    let own = blocks.with_neurons(neurons.iter().copied()).at_positions(positions);
    found.of(file, &own).map_err(|error| error.to_string())
}

/// The circuit with all edges of its model.
fn whole(circuit: Circuit, blocks: Blocks) -> Circuit {
    let absent = |edge| Link { edge, score: 0.0, interval: None, in_circuit: false };
    let links = blocks.edges().into_iter().map(|edge| circuit.link(edge).copied().unwrap_or_else(|| absent(edge)));
    Circuit::new(blocks, links).expect("the model's own edges, once each")
}
