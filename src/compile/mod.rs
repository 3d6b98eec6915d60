//! Programs as the weights of transformers that compute them exactly, with the circuit that does it.
//!
//! *What it makes.* Every sequence of a program gets directions of its own in the stream: one a value where it is
//! categorical, one in all where it is numerical. A selection with what is made of it becomes a head, whose scores are
//! [`SHARPNESS`] where a key is selected and 0 where not; a function becomes neurons of an MLP with ReLU. There are no norms.
//! As each direction has one writer, the edges of the true circuit are known: from the node that writes a direction to
//! every port that reads it with a weight other than 0, where what is made there leads to the answer.
//!
//! *What is exact.* In exact arithmetic a softmax leaves e^−100 to a key that is not selected; everything else is exact. What
//! is left is rounding.
//!
//! *Reference.* Weiss et al. 2021, "Thinking like transformers"; Lindner et al. 2023, "Tracr: compiled transformers as a
//! laboratory for interpretability".
//!
//! *Example.* `compile(&Task { program: Name::Reverse, symbols: None, length: Some(5), beside: vec![] })?.load(..)`

mod boundary;
mod files;
mod layout;
mod lower;
mod parts;
mod truth;
mod variable;

use crate::circuit::Circuit;
use crate::model::load::{Fresh, LoadError, Loaded, fresh_carried};
use crate::model::process::Processing;
use crate::program::{self, Task, TaskError};
use crate::tensor::Setting;

/// What scores are multiplied with: the inverse temperature of the softmax. Tracr's is 100 too.
pub const SHARPNESS: f64 = 100.0;

/// How much more the logit of the answer is than those of others, at the least: its probability is then above 0.99 among
/// fewer than 200 tokens.
pub const MARGIN: f64 = 10.0;

/// A compiled program: what a folder with the model holds, and the true circuit.
pub struct Compiled {
    /// `config.json`.
    pub config: String,
    /// `tokenizer.json`.
    pub tokenizer: String,
    /// `model.safetensors`.
    pub weights: Vec<u8>,
    /// Every edge of the model, those of the true circuit with score 1, the others with 0.
    pub truth: Circuit,
}

/// The transformer that computes a program.
///
/// # Errors
/// Sizes that make no sense, each with its field.
pub fn compile(task: &Task) -> Result<Compiled, TaskError> {
    in_sizes(&task.setting()?, task)
}

fn in_sizes(setting: &program::Setting, task: &Task) -> Result<Compiled, TaskError> {
    let variables = lower::lower(setting)?;
    let layout = layout::Layout::new(&variables);
    let parts = parts::parts(&variables, &layout);
    let truth = truth::truth(&variables, &layout, &parts);
    Ok(files::files(task, setting, (&variables, &layout, &parts), truth))
}

impl Compiled {
    /// The model in memory, read as its files would be.
    pub fn load(&self, process: &[Processing], setting: impl Into<Setting>) -> Result<Loaded, LoadError> {
        self.fresh(setting)?.finish(process)
    }

    /// The same, as it was built.
    pub fn fresh(&self, setting: impl Into<Setting>) -> Result<Fresh, LoadError> {
        fresh_carried([&self.config, &self.tokenizer], self.weights.clone().into(), setting)
    }
}

#[cfg(test)]
mod tests;
