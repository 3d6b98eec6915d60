//! Exactly what a RON file says: nothing is resolved here.

mod error;
mod prompt;
mod set;

pub use error::SpecError;
pub use prompt::{Answer, Prompt};
pub use set::set;

use crate::metric::Metric;
use crate::model::process::Processing;
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
    /// Steps of weight processing that leave log-probabilities alone.
    #[serde(default)]
    pub process: Vec<Processing>,
    /// The device: `Cpu`, `WebGpu`, `Vulkan` or `Cuda(index)`.
    #[serde(default)]
    pub device: crate::device::Choice,
    /// The prompts.
    pub data: Data,
    /// Which special tokens stand around a prompt.
    #[serde(default)]
    pub special_tokens: SpecialTokens,
    /// On which side shorter prompts are filled up, where a method batches prompts of several lengths.
    #[serde(default)]
    pub padding: Padding,
    /// Whether answers are shuffled, as a control that must find nothing.
    #[serde(default)]
    pub control: Control,
    /// What is read from the logits.
    #[serde(default)]
    pub metric: Metric,
    /// What is done.
    pub methods: Vec<Method>,
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
    /// A Hugging Face folder.
    Path(PathBuf),
}

/// Where the prompts come from.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub enum Data {
    /// Clean and corrupted prompts with their answers.
    Pairs(Vec<Pair>),
    /// Prompts alone.
    Prompts(Vec<Prompt>),
    /// Raw tokens, taken as they are.
    Tokens(Vec<Vec<u32>>),
    /// Templates whose slots are filled from lists.
    Templates(Templates),
    /// A CSV file with a header.
    Csv(File),
    /// A file with one JSON object a line.
    Jsonl(File),
}

/// A clean prompt, its corrupted twin, and two answers.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Pair {
    /// The prompt whose answer is `right`.
    pub clean: Prompt,
    /// The prompt that differs in what is asked about.
    pub corrupt: Prompt,
    /// The answer to the clean prompt: one token.
    pub right: Answer,
    /// The answer to the corrupted prompt: one token.
    pub wrong: Answer,
    /// The position the answer is read at, counted from 0 with special tokens; default: the last, or the mask token.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at: Option<usize>,
    /// Labels of this item, for instance its template.
    #[serde(default, skip_serializing_if = "IndexMap::is_empty")]
    pub labels: IndexMap<String, String>,
}

/// Pairs written as templates: `{slot}` is filled.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Templates {
    /// The prompts, with slots in braces.
    pub templates: Vec<String>,
    /// What the clean prompt has in a slot; lists of one length, taken side by side.
    pub clean: IndexMap<String, Vec<String>>,
    /// What the corrupted prompt has in the same slots, item by item.
    pub corrupt: IndexMap<String, Vec<String>>,
    /// Slots that clean and corrupted prompt share: every combination.
    #[serde(default)]
    pub shared: IndexMap<String, Vec<String>>,
    /// The answer to the clean prompt.
    pub right: String,
    /// The answer to the corrupted prompt.
    pub wrong: String,
    /// Whether each pair is also asked the other way round, with the answers exchanged.
    #[serde(default)]
    pub both_ways: Both,
    /// The most items; a seeded sample is drawn where there are more.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub items: Option<usize>,
}

/// Whether pairs are asked both ways round.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Both {
    /// As written only.
    #[default]
    No,
    /// Also with clean and corrupted exchanged.
    Yes,
}

/// A file of pairs, and what its columns or keys are called.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct File {
    /// The file; relative paths start at the folder the program runs in.
    pub path: PathBuf,
    /// Column of the clean prompt.
    #[serde(default = "File::clean")]
    pub clean: String,
    /// Column of the corrupted prompt.
    #[serde(default = "File::corrupt")]
    pub corrupt: String,
    /// Column of the right answer.
    #[serde(default = "File::right")]
    pub right: String,
    /// Column of the wrong answer.
    #[serde(default = "File::wrong")]
    pub wrong: String,
    /// Columns kept as labels.
    #[serde(default)]
    pub labels: Vec<String>,
}

impl File {
    fn clean() -> String {
        "clean".into()
    }
    fn corrupt() -> String {
        "corrupt".into()
    }
    fn right() -> String {
        "right".into()
    }
    fn wrong() -> String {
        "wrong".into()
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

/// Sites, by name: `All`, or names with or without their layer.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Sites {
    /// `["hook_resid_pre", "blocks.0.attn.hook_z"]`.
    Named(Vec<String>),
    /// Every site of the model.
    All(AllSites),
}

/// The word `All`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum AllSites {
    /// Every site of the model.
    All,
}

/// An axis that a sweep goes over, index by index.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Axis {
    /// Layers.
    Layer,
    /// Heads.
    Head,
    /// Positions.
    Position,
    /// Neurons: channels of the site's width.
    Neuron,
}

/// Which run is patched into which.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Direction {
    /// Clean activations into the corrupted run: what suffices to restore the answer.
    #[default]
    Denoise,
    /// Corrupted activations into the clean run: what is needed for the answer.
    Noise,
}

/// What an ablation puts in place of an activation.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Ablation {
    /// Zero.
    Zero,
    /// The mean over all prompts and positions.
    #[default]
    Mean,
    /// The mean over all prompts, position by position.
    MeanPerPosition,
    /// The activation of another prompt, drawn by the seed.
    Resample,
}

/// Which attention patterns are shown.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Weighting {
    /// Probabilities.
    #[default]
    Plain,
    /// Norm of what each key's value writes to the stream through this head.
    ValueWeighted,
}

/// Indices that a sweep keeps to; an empty list is all.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Only {
    /// Layers.
    pub layers: Vec<usize>,
    /// Heads.
    pub heads: Vec<usize>,
    /// Positions.
    pub positions: Vec<usize>,
    /// Neurons.
    pub neurons: Vec<usize>,
}

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
}

fn no_sites() -> Sites {
    Sites::Named(Vec::new())
}

/// A change at a place, as it is written.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EditSpec {
    /// A site, with or without its layer.
    pub site: String,
    /// Items; empty is all.
    #[serde(default)]
    pub rows: Vec<usize>,
    /// Heads; empty is all.
    #[serde(default)]
    pub heads: Vec<usize>,
    /// Positions; empty is all, those that are generated among them.
    #[serde(default)]
    pub positions: Vec<usize>,
    /// Neurons; empty is all.
    #[serde(default)]
    pub neurons: Vec<usize>,
    /// What happens there.
    pub change: ChangeSpec,
}

/// A change, as it is written.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum ChangeSpec {
    /// Times 0.
    Zero,
    /// Times a number.
    Scale(f64),
    /// The mean activation over the data's clean prompts less that over the corrupted ones, times a number.
    AddContrast(f64),
    /// A vector from a safetensors file, times a number.
    Add {
        /// The file.
        file: PathBuf,
        /// The tensor in it: its length is the width of the site.
        tensor: String,
        /// The factor.
        times: f64,
    },
}

impl Experiment {
    /// From a RON file.
    pub fn read(path: &Path) -> Result<Self, SpecError> {
        let text = std::fs::read_to_string(path).map_err(|source| SpecError::unreadable(path, source))?;
        Experiment::parse(path, &text)
    }

    /// From RON text; `path` is what errors call it.
    pub fn parse(path: &Path, text: &str) -> Result<Self, SpecError> {
        parse(path, text)
    }
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
