//! The methods, resolved.

use super::{Acdc, Attribution, Circuits, Cuts, Das, Given, Paths, Pruning, Scope, Sweep, Tracing, TunedLens};
use crate::circuit::Blocks;
use crate::hook::Edit;
use crate::site::Site;
use crate::spec::{Ablation, Direction, Mediators, Weighting};

/// A method with every name resolved.
pub enum Step {
    /// States and gradients.
    Record {
        /// Where states are kept.
        sites: Vec<Site>,
        /// Where gradients are kept.
        gradients: Vec<Site>,
    },
    /// The answer read from streams.
    LogitLens(Vec<Site>),
    /// The logit difference split up.
    DirectLogitAttribution,
    /// Attention patterns.
    Attention(Weighting),
    /// Activation patching.
    Patch(Sweep, Direction),
    /// Attribution patching.
    AttributionPatch(Attribution),
    /// Ablation.
    Ablate(Sweep, Ablation),
    /// Generation.
    Generate {
        /// How many tokens.
        tokens: usize,
        /// What is changed in every pass.
        edits: Vec<Edit>,
        /// Of the draw; 0 takes the most probable token.
        temperature: f64,
    },
    /// Causal mediation.
    Mediate(Mediators, Sweep),
    /// Causal tracing.
    Trace(Tracing),
    /// Path patching.
    PathPatch(Paths),
    /// Edges scored, chosen and run.
    Circuit(Circuits),
    /// Masks of edges learned.
    EdgePruning(Pruning),
    /// Edges taken out by trial.
    Acdc(Acdc),
    /// A circuit from a file, run.
    EvaluateCircuit(Given),
    /// Attention knockout.
    Knockout(Cuts),
    /// States read in another prompt.
    Patchscope(Scope),
    /// Directions learned.
    Das(Das),
    /// Translators learned.
    TunedLens(TunedLens),
}

impl Step {
    /// The edges among which the method finds circuits, where it does.
    pub fn blocks(&self) -> Option<&Blocks> {
        match self {
            Step::Circuit(circuits) => Some(&circuits.blocks),
            Step::Acdc(acdc) => Some(&acdc.blocks),
            Step::EdgePruning(pruning) => Some(&pruning.blocks),
            Step::EvaluateCircuit(given) => Some(given.circuit.blocks()),
            _ => None,
        }
    }
}
