//! A circuit from a file, run on these prompts: what another tool, another model of the same shape or an earlier run found.
//!
//! *What it measures.* What the model does with the circuit alone, and without it, as [`super::circuit`] does for circuits
//! that it finds itself: faithfulness, the circuits of ten shares of the edges by the file's scores, random circuits of as
//! many edges, what each edge and node is needed for, and what the edges carry.
//!
//! *What it cannot show.* Whether the circuit would be found again: a file has scores, and not those of single items. An
//! edge that has no score in the file counts as outside.
//!
//! *Reference.* Hanna et al. 2024, "Have faith in faithfulness"; Mueller et al. 2025, "MIB: a mechanistic interpretability
//! benchmark", whose published circuits are read as they are.
//!
//! *Example.* `EvaluateCircuit(file: "circuit.json", select: TopN(200), by: Sign)`

use super::circuit::{Found, Scale, apart, counted, joint, parted, runs, tries};
use super::{Bench, Finding};
use crate::circuit::{Circuit, Meaning, SIGN};
use crate::plan::Given;
use crate::steps::{RunError, Steps};

/// Chooses, if anything is to be chosen, and runs.
pub fn evaluate_circuit(bench: &Bench, given: &Given, steps: &mut Steps) -> Result<Finding, RunError> {
    let own = apart(bench.model);
    let bench = &Bench { model: own.as_deref().unwrap_or(bench.model), ..*bench };
    let parted = parted(bench.model, given.circuit.blocks());
    let bench = &Bench { model: parted.as_deref().unwrap_or(bench.model), ..*bench };
    match chosen(bench, given, steps) {
        Err(RunError::Elsewhere) => {
            steps.pass_over(joint(bench, 0));
            Err(RunError::Elsewhere)
        }
        chosen => {
            let (circuit, facts) = chosen?;
            found(given, circuit, facts).run(bench, given.stand, steps)
        }
    }
}

/// Units of work: an item for each circuit that is run.
pub fn work(bench: &Bench, given: &Given) -> usize {
    let tried = given.choice.map_or(0, |(_, size)| tries(size, given.circuit.links().len()));
    bench.items.len() * (tried + runs(given.curve) + given.random)
}

/// The circuit as the file has it, or what is chosen by its scores, and how.
fn chosen(bench: &Bench, given: &Given, steps: &mut Steps) -> Result<(Circuit, Vec<(String, String)>), RunError> {
    let Some((rule, size)) = given.choice else {
        return Ok((given.circuit.clone(), vec![("selection".into(), "as the file has it".into())]));
    };
    let (count, facts) = counted(bench, (rule, size), given.stand, &given.circuit, steps)?;
    Ok((given.circuit.select(rule, count).prune(), facts))
}

fn found(given: &Given, circuit: Circuit, selected: Vec<(String, String)>) -> Found {
    let all = circuit.links().len();
    let scored = match given.scored {
        some if some < all => format!("{some} of {all} edges; those without are outside, and stand here with 0"),
        _ => format!("all {all} edges"),
    };
    let own = given.facts.iter().filter(|(name, _)| *name != SIGN);
    let own = own.map(|(name, value)| (format!("in the file, {name}"), value.clone()));
    let facts = [("file".to_string(), given.file.clone()), ("scored".to_string(), scored)];
    let inclusion = circuit.members().into_iter().map(|member| f64::from(u8::from(member))).collect();
    Found {
        name: "evaluate_circuit".into(),
        search: format!("from {}", given.file),
        circuit,
        inclusion,
        stability: "unknown: a file has no scores of single items to draw from".into(),
        facts: facts.into_iter().chain(selected).chain(own).collect(),
        scale: scale(given),
        curve: given.curve,
        random: given.random,
        shuffled: None,
    }
}

fn scale(given: &Given) -> Scale {
    let sign = given.facts.get(SIGN).cloned();
    Scale {
        metric: if Meaning::of(&given.facts) == Meaning::Chance { "chance".into() } else { "score".into() },
        sign: sign.unwrap_or_else(|| "the file does not say what scores are".into()),
        inclusion: "1 where the circuit holds the edge: nothing is drawn".into(),
    }
}
