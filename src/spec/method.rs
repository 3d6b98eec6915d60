//! What may be done: the methods with their settings, and the words for these.

use super::defaults::{at_answer, fitted, no_sites, noise, one, rate, restored, ten, three, twenty};
use super::{
    Ablation, Axis, Das, Direction, EditSpec, EraseSpec, Estimate, Facts, Judge, Localise, Mediators, Neurons, Noise,
    Only, Positions, ProbeSpec, Prompt, Ranking, RepresentSpec, Score, Select, Senders, Shards, Sites, Spot, Stand,
    Steer, Target, Thresholds, Through, Weighting,
};
use serde::{Deserialize, Serialize};
use std::path::PathBuf;

/// A method with its settings.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub enum Method {
    /// Keeps states, and gradients of the metric, as tensors.
    Record {
        /// Which states.
        sites: Sites,
        /// Where the gradient of the metric is kept too.
        #[serde(default = "no_sites")]
        gradients: Sites,
        /// Positions that are kept, where states go to files; empty is all.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        at: Vec<Spot>,
        /// Whether states go to files of rows as the run goes on, and how; else all are kept in memory to the end.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        shards: Option<Shards>,
    },
    /// Reads the answer from every layer's residual stream.
    LogitLens {
        /// The streams that are read; without them the stream behind every block.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        sites: Option<Sites>,
    },
    /// Splits the logit difference among what writes to the stream.
    DirectLogitAttribution,
    /// Attention patterns.
    Attention {
        /// Probabilities, or norms of what they carry.
        #[serde(default)]
        weighting: Weighting,
    },
    /// Activation patching.
    Patch {
        /// Where.
        sites: Sites,
        /// What the sweep goes over, index by index; all of the other axes is patched at once.
        over: Vec<Axis>,
        /// Which run is patched into which.
        #[serde(default)]
        direction: Direction,
        /// Indices that the sweep keeps to.
        #[serde(default)]
        only: Only,
    },
    /// Attribution patching: what patching would do, estimated from gradients.
    AttributionPatch {
        /// Where.
        sites: Sites,
        /// What the sweep goes over, index by index; all of the other axes is patched at once.
        over: Vec<Axis>,
        /// How effects are estimated.
        #[serde(default)]
        score: Estimate,
        /// Which run is patched into which.
        #[serde(default = "noise")]
        direction: Direction,
        /// Indices that the sweep keeps to.
        #[serde(default)]
        only: Only,
    },
    /// Ablation on the clean prompts.
    Ablate {
        /// Where.
        sites: Sites,
        /// What the sweep goes over.
        over: Vec<Axis>,
        /// What is put in place.
        #[serde(default)]
        with: Ablation,
        /// Indices that the sweep keeps to.
        #[serde(default)]
        only: Only,
    },
    /// Continues the clean prompts, with and without edits.
    Generate {
        /// How many tokens.
        tokens: usize,
        /// What is changed in every pass.
        #[serde(default)]
        edits: Vec<EditSpec>,
        /// 0 takes the most probable token; above, tokens are drawn by the seed.
        #[serde(default)]
        temperature: f64,
    },
    /// Total, direct and indirect effects of the corrupted prompt, by what carries them.
    Mediate {
        /// What carries them.
        #[serde(default)]
        mediators: Mediators,
        /// Layers, heads and neurons that the sweep keeps to.
        #[serde(default)]
        only: Only,
    },
    /// Where states restored in runs with a noised subject bring the answer back.
    Trace {
        /// What is restored, position by position.
        #[serde(default = "restored")]
        sites: Sites,
        /// How many layers are restored at once, where the site is not the stream itself.
        #[serde(default = "ten")]
        window: usize,
        /// How many noised copies of a prompt are averaged.
        #[serde(default = "ten")]
        copies: usize,
        /// How strong the noise is.
        #[serde(default)]
        noise: Noise,
        /// Which facts are kept.
        #[serde(default)]
        facts: Facts,
    },
    /// Path patching.
    PathPatch {
        /// Paths, one a row: `"a0.h1->a2.h1<v>->logits"`.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        paths: Vec<String>,
        /// Every node of a kind, one a row, in place of `paths`.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        senders: Option<Senders>,
        /// Where the senders' direct edges lead, all at once; without it to the logits.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        receivers: Vec<String>,
        /// What is not frozen between the ends of an edge.
        #[serde(default)]
        through: Through,
        /// Which run is patched into which.
        #[serde(default)]
        direction: Direction,
        /// Positions at which senders are changed; empty is all.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        at: Vec<usize>,
    },
    /// Edges scored, the strongest kept, and the model run without the others.
    Circuit {
        /// How edges are scored.
        #[serde(default)]
        score: Score,
        /// Neurons that are nodes of their own.
        #[serde(default, skip_serializing_if = "Neurons::is_none")]
        neurons: Neurons,
        /// Whether nodes are of all positions together, or of each by itself.
        #[serde(default, skip_serializing_if = "Positions::are_together")]
        positions: Positions,
        /// Which are kept.
        select: Select,
        /// What of a score counts.
        #[serde(default)]
        by: Ranking,
        /// What an ablated edge brings: in scores, and in runs of the circuit where it is outside.
        #[serde(default)]
        ablate: Stand,
        /// How many random circuits it is held against.
        #[serde(default = "twenty")]
        random_circuits: usize,
        /// How many circuits of exchanged answers it is held against.
        #[serde(default = "twenty")]
        shuffled_answers: usize,
    },
    /// A circuit of learned masks: every edge and node has one, and all are fitted at once.
    EdgePruning {
        /// How many edges are to stay.
        target: Target,
        /// How many steps the masks are fitted by.
        #[serde(default = "fitted")]
        steps: usize,
        /// How far a step goes.
        #[serde(default = "rate")]
        learning_rate: f64,
        /// What the circuit is held against the whole model by.
        #[serde(default)]
        judge: Judge,
        /// What a pruned edge brings.
        #[serde(default)]
        ablate: Stand,
        /// How many times masks are fitted, each with draws of its own.
        #[serde(default = "three")]
        seeds: usize,
        /// How many random circuits it is held against.
        #[serde(default = "twenty")]
        random_circuits: usize,
    },
    /// Edges taken out one after the other, from the logits down, each for good where little is lost by it.
    Acdc {
        /// How little.
        threshold: Thresholds,
        /// What is lost.
        #[serde(default)]
        judge: Judge,
        /// What edges outside the circuit bring.
        #[serde(default)]
        ablate: Stand,
        /// How many random circuits each is held against.
        #[serde(default = "twenty")]
        random_circuits: usize,
    },
    /// A circuit from a file, run: one of another tool, of another model of the same shape, of an earlier run.
    EvaluateCircuit {
        /// Its JSON, this program's or what EAP-IG writes and MIB publishes; a relative path starts at the folder the
        /// program runs in or, where it leads nowhere, at the RON file's.
        file: PathBuf,
        /// Which of its edges are kept; without it those that the file says are in.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        select: Option<Select>,
        /// What of a score counts.
        #[serde(default)]
        by: Ranking,
        /// What edges outside the circuit bring.
        #[serde(default)]
        ablate: Stand,
        /// How many random circuits it is held against.
        #[serde(default = "twenty")]
        random_circuits: usize,
    },
    /// What can be told from states, and whether the model uses it.
    Probe(ProbeSpec),
    /// A concept taken out of states, what can still be told of it, and what the model does without it.
    Erase(EraseSpec),
    /// How states lie to each other, what predicts that, and which spaces are alike.
    Represent(RepresentSpec),
    /// Attention knockout on the clean prompts.
    Knockout {
        /// Keys that are no longer seen; empty is every position but the query itself.
        #[serde(default)]
        from: Vec<Spot>,
        /// Queries that no longer see them.
        #[serde(default = "at_answer")]
        to: Vec<Spot>,
        /// Layers that are cut at once, around the one that the row names.
        #[serde(default = "one")]
        window: usize,
        /// What the sweep goes over: `Layer`, `Head`, `Position` (of the key); all of the other axes is cut at once.
        over: Vec<Axis>,
        /// Indices that the sweep keeps to.
        #[serde(default)]
        only: Only,
    },
    /// States of the clean prompts, read in another prompt.
    Patchscope {
        /// The other prompt.
        prompt: Prompt,
        /// The position there that is given the state; without it the last.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        at: Option<usize>,
        /// The layer there before which the state is put in; without it the layer that it comes from.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        into: Option<usize>,
        /// Positions that states are taken from; empty is all.
        #[serde(default)]
        from: Vec<Spot>,
        /// Layers before which states are taken; empty is all.
        #[serde(default)]
        layers: Vec<usize>,
        /// How many tokens the other prompt is continued by.
        #[serde(default = "one")]
        tokens: usize,
    },
    /// Units picked by what prompts differ in, and lesioned.
    Localise(Localise),
    /// States moved along the direction in which prompts differ, by several amounts.
    Steer(Steer),
    /// Directions learned so that exchanging them between two runs exchanges the answer.
    Das(Das),
    /// Behavioural bias, measured on data sets as they are published.
    Measure(super::MeasureSpec),
    /// Reads the answer from every layer's residual stream through a translator learned for it.
    TunedLens(super::TunedLens),
    /// Weights of another model put into this one, part by part.
    PatchWeights(super::PatchWeights),
    /// Activations of another model put into this one.
    PatchModels(super::PatchModels),
    /// States of another model, mapped and put into this one.
    Stitch(super::Stitch),
    /// A head that tells a label of texts, and what it does to two groups.
    Classify(super::Classify),
    /// A bias cut out of the model, and what is lost with it.
    Cut(super::Cut),
}
