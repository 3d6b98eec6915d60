//! States that another program computed, from a safetensors file.

use crate::model::weights::decode_exactly;
use crate::site::Site;
use crate::text::Tokens;
use safetensors::{Dtype, SafeTensors, tensor::TensorView};
use std::collections::BTreeMap;
use std::path::Path;

/// States by the names of TransformerLens, in its shapes, as `Record` writes them too.
pub struct Reference {
    states: BTreeMap<String, State>,
    tokens: Option<State>,
}

/// One tensor: its shape, and its values with the last axis fastest.
pub struct State {
    shape: Vec<usize>,
    values: Vec<f64>,
}

/// A file that no pass can be held against.
#[derive(Debug, thiserror::Error)]
pub enum ReferenceError {
    /// It is no safetensors file, or cannot be read.
    #[error("{0}: {1}; give states in the safetensors format, named as `patchclamp sites MODEL` lists them")]
    Unreadable(String, String),
    /// None of its tensors has the name of a site.
    #[error("{0}: no tensor of it is named as a site; it has {1}; `patchclamp sites MODEL` lists the names")]
    NoSite(String, String),
    /// It was computed from other prompts.
    #[error("{0}: its `tokens` are neither those of the clean prompts nor those of the corrupted ones")]
    OtherPrompts(String),
}

impl Reference {
    /// All states of a file but gradients, which no pass without a tape has.
    pub fn read(path: &Path) -> Result<Self, ReferenceError> {
        let name = || path.display().to_string();
        let unreadable = |why: String| ReferenceError::Unreadable(name(), why);
        let bytes = std::fs::read(path).map_err(|error| unreadable(error.to_string()))?;
        let tensors = SafeTensors::deserialize(&bytes).map_err(|error| unreadable(error.to_string()))?;
        let mut states: BTreeMap<String, State> =
            tensors.tensors().into_iter().filter_map(|(name, view)| Some((name, State::of(&view)?))).collect();
        let tokens = states.remove("tokens");
        states.retain(|name, _| name != "attention_mask" && !name.starts_with("grad."));
        if states.keys().all(|name| name.parse::<Site>().is_err()) {
            let names: Vec<&str> = states.keys().map(String::as_str).take(8).collect();
            return Err(ReferenceError::NoSite(name(), names.join(", ")));
        }
        Ok(Reference { states, tokens })
    }

    /// Which of the two batches of prompts these states are of: the first unless their `tokens` say otherwise. `path` is
    /// what the error calls the file.
    pub fn prompts<'a>(
        &self,
        path: &Path,
        clean: &'a Tokens,
        corrupt: &'a Tokens,
    ) -> Result<&'a Tokens, ReferenceError> {
        let Some(tokens) = &self.tokens else { return Ok(clean) };
        let same = |batch: &&Tokens| {
            let ids = (0..batch.rows()).flat_map(|row| batch.row(row).iter().map(|id| f64::from(*id)));
            tokens.shape == [batch.rows(), batch.width()] && ids.eq(tokens.values.iter().copied())
        };
        let other = || ReferenceError::OtherPrompts(path.display().to_string());
        [clean, corrupt].into_iter().find(same).ok_or_else(other)
    }

    /// The state of a site.
    pub fn state(&self, site: Site) -> Option<&State> {
        self.states.get(&site.to_string())
    }

    /// All names.
    pub fn names(&self) -> Vec<String> {
        self.states.keys().cloned().collect()
    }
}

impl State {
    fn of(view: &TensorView) -> Option<Self> {
        let values = match view.dtype() {
            Dtype::I64 => {
                let number = |bytes: &[u8]| Some(i64::from_le_bytes(bytes.try_into().ok()?) as f64);
                view.data().chunks_exact(8).map(number).collect::<Option<_>>()
            }
            _ => decode_exactly(view),
        };
        Some(State { shape: view.shape().to_vec(), values: values? })
    }

    /// Some rows, which follow each other, with their shape; where the state has other rows, all of it.
    pub(super) fn rows(&self, rows: &[usize]) -> (Vec<usize>, Vec<f64>) {
        let row: usize = self.shape.iter().skip(1).product();
        let part = self.values.get(rows[0] * row..(rows[0] + rows.len()) * row);
        match (part, self.shape.split_first()) {
            (Some(part), Some((_, inner))) => ([&[rows.len()], inner].concat(), part.to_vec()),
            _ => (self.shape.clone(), self.values.clone()),
        }
    }
}
