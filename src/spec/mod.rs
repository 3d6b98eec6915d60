//! Exactly what a RON file says: no name is resolved here, and no value is judged.

mod answer;
mod attention;
mod attribution;
mod beside;
mod biographies;
mod by_chance;
mod calibration;
mod causal;
mod circuit;
mod classify;
mod cut;
mod das;
mod data;
mod defaults;
mod distil;
mod edit;
mod error;
mod fact;
mod feature;
mod held_out;
mod hub;
mod kinds;
mod localise;
mod measure;
mod memory;
mod method;
mod paths;
mod probed;
mod program;
mod prompt;
mod pruning;
mod published;
mod represented;
mod route;
mod set;
mod shards;
mod sites;
mod sparsity;
mod steer;
mod stitch;
mod structure;
mod sweep;
mod treat;
mod tuned_lens;
mod twin;
mod variant;
mod word_sets;

pub use answer::{Answer, AnswerSet, Word};
pub use attention::Weighting;
pub use attribution::{Estimate, Fix};
pub use beside::{PatchModels, PatchWeights};
pub use biographies::{Biographies, Grammar, Scrubbed, Written};
pub use by_chance::{Matched, Whichever};
pub use calibration::{Calibration, Pairs, Source};
pub use causal::{Facts, Mediators, Noise};
pub use circuit::{Judge, Neurons, Positions, Ranking, Score, Select, Stand, Thresholds};
pub use classify::{Classify, Pooled, Train, Whole};
pub use cut::{Cut, CutWay, Keep, Spare, Strongest};
pub use das::{Boundless, Das, Loss};
pub use data::{Both, Data, File, Pair, Templates};
pub use distil::{Beginning, Distil, Kept};
pub use edit::{ChangeSpec, EditSpec};
pub use error::SpecError;
pub use fact::{Fact, FactsFile, Subject};
pub use feature::Feature;
pub use held_out::HeldOut;
pub use hub::HubModel;
pub use localise::{Localise, Prefers, Units};
pub use measure::{CrowsPairs, Measure, MeasureSpec, SentencePairs, Shares};
pub use memory::Memory;
pub use method::Method;
pub use probed::{Apart, Concept, EraseSpec, Erasure, ProbeSpec, Use};
pub use program::{ProgramTexts, Truth};
pub use prompt::Prompt;
pub use pruning::Target;
pub use published::{Professions, WinoBias};
pub use represented::{Agreement, Alignment, Distance, RepresentSpec, Scatter};
pub use route::{Role, Senders, Spot, Through};
pub use set::set;
pub use shards::Shards;
pub use sites::{AllSites, Sites};
pub use sparsity::Sparsity;
pub use steer::{Heading, Operation, Reach, Steer};
pub use stitch::{Joined, Stitch};
pub use structure::{Heads, Merge};
pub use sweep::{Ablation, Axis, Direction, Only};
pub use treat::{
    Awq, FairGptq, Gptq, Mask, Nf4, Parts, Per, Round, Rounding, Scheme, SparseGpt, Treatment, Wanda, Within,
};
pub use tuned_lens::TunedLens;
pub use variant::Variant;
pub use word_sets::{Associations, TokensRead, WordSets};

use crate::metric::Metric;
use crate::model::process::Processing;
use crate::program::Task;
use crate::text::{Padding, SpecialTokens};
use indexmap::IndexMap;
use serde::{Deserialize, Serialize};
use std::path::{Path, PathBuf};

/// An experiment: a question, a model, data, a metric, and methods.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Experiment {
    /// What is asked, in a sentence.
    pub question: String,
    /// The model.
    pub model: ModelSpec,
    /// What is done to the weights before anything else: rounding, pruning.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub treat: Vec<Treatment>,
    /// Steps of weight processing that leave log-probabilities alone.
    #[serde(default)]
    pub process: Vec<Processing>,
    /// The device: `Cpu`, `WebGpu`, `Vulkan` or `Cuda(index)`.
    #[serde(default)]
    pub device: crate::device::Choice,
    /// The most memory that a run may take, for instance `"4GiB"`; none is as much as 64 rows at once take.
    #[serde(default)]
    pub memory: Option<Memory>,
    /// The numbers that the model computes in: `F32`, `F64`, `F16` or `Bf16`.
    #[serde(default)]
    pub precision: crate::precision::Precision,
    /// The prompts; none where every method brings its own texts.
    #[serde(default, skip_serializing_if = "Data::is_nothing")]
    pub data: Data,
    /// Which special tokens stand around a prompt.
    #[serde(default)]
    pub special_tokens: SpecialTokens,
    /// On which side shorter prompts are filled up, where a method batches prompts of several lengths.
    #[serde(default)]
    pub padding: Padding,
    /// What is done with a pair whose prompts have different numbers of tokens.
    #[serde(default, skip_serializing_if = "Uneven::is_refuse")]
    pub uneven: Uneven,
    /// Whether answers are shuffled, as a control that must find nothing.
    #[serde(default)]
    pub control: Control,
    /// What is read from the logits.
    #[serde(default)]
    pub metric: Metric,
    /// What is looked for in what nodes write and read.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub features: Vec<Feature>,
    /// The true circuit, which circuits that are found are held against.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub truth: Option<Truth>,
    /// What is done.
    pub methods: Vec<Method>,
    /// What its circuits are held against: the same with another model, other prompts or another metric.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub against: Vec<Variant>,
    /// Of every random draw.
    #[serde(default)]
    pub seed: u64,
    /// Intervals and tests.
    #[serde(default)]
    pub statistics: Statistics,
    /// What a finished run adds about itself; not read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub facts: Option<IndexMap<String, String>>,
    /// The tokens of each prompt, as a finished run adds them; not read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tokens: Option<Vec<IndexMap<String, Vec<String>>>>,
}

/// Where a model comes from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum ModelSpec {
    /// One that the program carries.
    Builtin(String),
    /// A Hugging Face folder; a relative path starts at the folder the program runs in or, where it leads nowhere, at
    /// the RON file's.
    Path(PathBuf),
    /// One of the hub, by its name.
    Hub(HubModel),
    /// A program as a transformer that computes it exactly.
    Compiled(Task),
}

/// What is done with pairs whose clean and corrupted prompt have different numbers of tokens.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Uneven {
    /// They are a mistake.
    #[default]
    Refuse,
    /// They are left out, as published data sets are cut down to what a tokenizer can take.
    LeaveOut,
}

impl Uneven {
    fn is_refuse(&self) -> bool {
        *self == Uneven::Refuse
    }
}

/// Controls that must find nothing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Control {
    /// The experiment itself.
    #[default]
    None,
    /// Right and wrong answer exchanged in a random half of the items.
    ShuffledAnswers,
}

/// Intervals and tests.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Statistics {
    /// Level of the intervals.
    pub level: f64,
    /// Bootstrap resamples of the items.
    pub resamples: usize,
    /// Random sign patterns of the permutation test, where not all can be tried.
    pub permutations: usize,
}

impl Default for Statistics {
    fn default() -> Self {
        Statistics { level: 0.95, resamples: 2000, permutations: 20_000 }
    }
}

impl Experiment {
    /// From a RON file; relative paths in it are looked for as [`Experiment::located`] says.
    pub fn read(path: &Path) -> Result<Self, SpecError> {
        Ok(Experiment::parse(path, &text(path)?)?.located(path))
    }

    /// From RON text; `path` is what errors call it.
    pub fn parse(path: &Path, text: &str) -> Result<Self, SpecError> {
        parse(path, text)
    }
}

/// The text of a RON file.
pub fn text(path: &Path) -> Result<String, SpecError> {
    std::fs::read_to_string(path).map_err(|source| SpecError::unreadable(path, source))
}

/// Any RON document, with errors that show path, line, column and a caret.
pub fn parse<T: serde::de::DeserializeOwned>(path: &Path, text: &str) -> Result<T, SpecError> {
    options().from_str(text).map_err(|error| SpecError::malformed(path, text, &error))
}

/// The dialect: an optional field is written without `Some`, and `Csv(path: …)` without a second pair of brackets.
pub fn options() -> ron::Options {
    use ron::extensions::Extensions;
    ron::Options::default().with_default_extension(Extensions::IMPLICIT_SOME | Extensions::UNWRAP_VARIANT_NEWTYPES)
}
