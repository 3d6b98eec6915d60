//! The true circuit of an experiment, where it names one.

use super::{Known, Problems};
use crate::circuit::{Blocks, Circuit, exchange};
use crate::compile::compile;
use crate::spec::{self, Experiment, Method, ModelSpec, Truth};
use std::path::Path;

/// The true circuit, or what is wrong with it.
pub(super) fn resolve(experiment: &Experiment, known: &Known, problems: &mut Problems) -> Option<Circuit> {
    let truth = experiment.truth.as_ref()?;
    if !experiment.methods.iter().any(Method::finds_circuits) {
        problems.add("truth", "no method here finds a circuit; add one, for instance Circuit(select: TopN(10))");
    }
    let flow = known.model.flow()?; // the methods say that there are no edges
    let blocks = Blocks::new(known.dims().layers, known.dims().heads, flow);
    let found = match (truth, &experiment.model) {
        (Truth::Own, ModelSpec::Compiled(task)) => {
            compile(task).map(|compiled| compiled.truth).map_err(|e| e.to_string())
        }
        (Truth::Own, _) => {
            Err("Own is the circuit of a compiled program, which this model is not; write File(\"circuit.json\")"
                .into())
        }
        (Truth::File(path), _) => of_file(path, &blocks),
    };
    let checked = found.and_then(|circuit| {
        let (known, all) = (circuit.size(), blocks.edges().len());
        match (1..all).contains(&known) {
            true => Ok(circuit),
            false => Err(format!("{known} of {all} edges are in the true circuit; some must be, and some not")),
        }
    });
    checked.map_err(|why| problems.add("truth", why)).ok()
}

fn of_file(path: &Path, blocks: &Blocks) -> Result<Circuit, String> {
    let name = path.display().to_string();
    let text = spec::text(path).map_err(|error| error.to_string())?;
    let file =
        exchange::read(&name, &text).and_then(|file| file.of(&name, blocks)).map_err(|error| error.to_string())?;
    Ok(file.circuit)
}
