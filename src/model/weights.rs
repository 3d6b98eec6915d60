//! Weights on disk: one or many memory-mapped safetensors, read tensor by tensor.

use super::decode::PART;
pub use super::decode::{decode, decode_exactly};
use super::hash::{Hash, Part};
use super::source::{Source, map};
use crate::kernel::copy::turned;
use crate::precision::Precision;
use crate::tensor::{Device, Setting, Tensor, from_doubles, from_floats, from_shared};
use rayon::prelude::*;
use safetensors::{Dtype, SafeTensors, tensor::TensorInfo, tensor::TensorView};
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// What is wrong with a checkpoint.
#[derive(Debug, thiserror::Error)]
pub enum WeightError {
    /// A file that is not there or cannot be read.
    #[error("{path}: {source}")]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// Not safetensors, or cut short, or its header does not fit its data.
    #[error("{path}: not a whole safetensors file ({why}); copy or download it again")]
    Broken {
        /// The file.
        path: PathBuf,
        /// What the library found.
        why: String,
    },
    /// The folder has no weights.
    #[error(
        "{0}: no model.safetensors and no model.safetensors.index.json; convert other formats with `save_pretrained(safe_serialization=True)`"
    )]
    NoWeights(PathBuf),
    /// The index is no JSON of the expected form.
    #[error("{path}: {why}")]
    Index {
        /// The index file.
        path: PathBuf,
        /// What is wrong.
        why: String,
    },
    /// A tensor that the architecture needs.
    #[error("the checkpoint has no tensor `{0}`, which its config.json asks for")]
    Missing(String),
    /// A tensor of another shape.
    #[error("tensor `{name}` has shape {found:?}, but config.json makes it {expected:?}")]
    Shape {
        /// The tensor.
        name: String,
        /// Its shape.
        found: Vec<usize>,
        /// What the configuration says.
        expected: Vec<usize>,
    },
    /// A number type that cannot be read.
    #[error("tensor `{name}` is of type {dtype:?}; f32, f16, bf16 and f64 can be read")]
    Dtype {
        /// The tensor.
        name: String,
        /// Its type.
        dtype: Dtype,
    },
    /// Not-a-number or infinity among the weights.
    #[error("tensor `{name}` holds {value} at index {index}; the checkpoint is damaged or its training diverged")]
    NotFinite {
        /// The tensor.
        name: String,
        /// Where, counted through the whole tensor.
        index: usize,
        /// NaN or an infinity.
        value: f32,
    },
}

/// The tensors of a checkpoint, mapped into memory: used where they lie, or copied once, when read in another form.
pub struct Weights {
    files: Vec<(PathBuf, Source)>,
    holds: BTreeMap<String, Stored>,
    hash: Arc<Hash>,
    setting: Setting,
}

/// Where a tensor lies: its file, and type, shape and place there.
struct Stored {
    file: usize,
    info: TensorInfo,
    /// Where the file's header ends, from which places are counted.
    start: usize,
}

impl Weights {
    /// The weights of a Hugging Face folder.
    pub fn open(folder: &Path, setting: impl Into<Setting>) -> Result<Self, WeightError> {
        let single = folder.join("model.safetensors");
        let index = folder.join("model.safetensors.index.json");
        let paths = match (index.is_file(), single.is_file()) {
            (true, _) => shards(&index)?.into_iter().map(|name| folder.join(name)).collect(),
            (false, true) => vec![single],
            (false, false) => return Err(WeightError::NoWeights(folder.to_path_buf())),
        };
        let map = |path: PathBuf| Ok((path.clone(), map(&path)?));
        Weights::new(paths.into_iter().map(map).collect::<Result<_, _>>()?, setting.into())
    }

    /// Weights that the program carries, or has made.
    pub fn carried(bytes: bytes::Bytes, setting: impl Into<Setting>) -> Result<Self, WeightError> {
        Weights::new(vec![(PathBuf::from("built-in weights"), Source::Carried(bytes))], setting.into())
    }

    fn new(files: Vec<(PathBuf, Source)>, setting: Setting) -> Result<Self, WeightError> {
        let mut holds = BTreeMap::new();
        for (file, (path, source)) in files.iter().enumerate() {
            let whole = SafeTensors::read_metadata(source.bytes());
            let (header, metadata) = whole.map_err(|error| broken(path, error))?;
            let start = header + HEADER_LENGTH;
            let stored = |(name, info): (String, &TensorInfo)| (name, Stored { file, info: info.clone(), start });
            holds.extend(metadata.tensors().into_iter().map(stored));
        }
        let part = |(path, source): &(PathBuf, Source)| match source {
            Source::Mapped(_) => Part::File(path.clone()),
            Source::Carried(bytes) => Part::Bytes(bytes.clone()),
        };
        let hash = Arc::new(Hash::of(files.iter().map(part).collect()));
        Ok(Weights { files, holds, hash, setting })
    }

    /// The device that tensors are read to.
    pub fn device(&self) -> &Device {
        &self.setting.device
    }

    /// Where the model will compute, and in which numbers.
    pub fn setting(&self) -> &Setting {
        &self.setting
    }

    /// How many tensors there are.
    pub fn count(&self) -> usize {
        self.holds.len()
    }

    /// Bits that a weight is stored in, on average; masks and counts, which are no weights, are left out.
    pub fn width(&self) -> f64 {
        let is_weight = |stored: &&Stored| WEIGHTS.contains(&stored.info.dtype);
        let weights = || self.holds.values().filter(is_weight);
        let numbers: usize = weights().map(|stored| stored.info.shape.iter().product::<usize>()).sum();
        let bytes: usize = weights().map(|stored| stored.place().len()).sum();
        8.0 * bytes as f64 / numbers.max(1) as f64
    }

    /// Every tensor in order of name: its type, shape and bytes.
    pub fn tensors(&self) -> impl Iterator<Item = (&str, Dtype, &[usize], &[u8])> {
        self.holds.iter().map(|(name, stored)| {
            let bytes = &self.files[stored.file].1.bytes()[stored.place()];
            (name.as_str(), stored.info.dtype, stored.info.shape.as_slice(), bytes)
        })
    }

    /// Whether there is a tensor of this name.
    pub fn has(&self, name: &str) -> bool {
        self.holds.contains_key(name)
    }

    /// Whether two tensors hold the very same bytes; false where one is absent.
    pub fn same(&self, one: &str, other: &str) -> bool {
        let (Some(one), Some(other)) = (self.bytes(one), self.bytes(other)) else { return false };
        one == other
    }

    fn bytes(&self, name: &str) -> Option<&[u8]> {
        let stored = self.holds.get(name)?;
        Some(&self.files[stored.file].1.bytes()[stored.place()])
    }

    /// A tensor of exactly this shape: in f64 for a model that computes in f64, else in f32; where the file holds just these
    /// bytes they are left there, and no memory is filled with them.
    pub fn read<const D: usize>(&self, name: &str, shape: [usize; D]) -> Result<Tensor<D>, WeightError> {
        if self.setting.precision != Precision::F64 {
            let stored = self.stored(name, &shape)?;
            if let Some(bytes) = self.in_place(stored) {
                finite(name, bytemuck::cast_slice(&bytes))?;
                return Ok(from_shared(bytes, shape, self.device()));
            }
            return Ok(from_floats(self.values(name, &shape, floats)?, shape, self.device()));
        }
        Ok(from_doubles(self.values(name, &shape, doubles)?, shape, &self.setting))
    }

    /// The matrix `[input, output]` of which the transpose is stored, its numbers put in that order: products of a few rows
    /// with it are several times as fast as with a transposed view.
    pub fn read_turned(&self, name: &str, [input, output]: [usize; 2]) -> Result<Tensor<2>, WeightError> {
        let (stored, shape) = ([output, input], [input, output]);
        if self.setting.precision != Precision::F64 {
            let turned = turned(&self.values(name, &stored, floats)?, output, input);
            return Ok(from_floats(turned, shape, self.device()));
        }
        let turned = turned(&self.values(name, &stored, doubles)?, output, input);
        Ok(from_doubles(turned, shape, &self.setting))
    }

    fn values<T>(
        &self,
        name: &str,
        shape: &[usize],
        decoded: impl Fn(&str, &TensorView) -> Result<Vec<T>, WeightError>,
    ) -> Result<Vec<T>, WeightError> {
        let stored = self.stored(name, shape)?;
        let (path, source) = &self.files[stored.file];
        let view = TensorView::new(stored.info.dtype, shape.to_vec(), &source.bytes()[stored.place()]);
        let values = decoded(name, &view.map_err(|error| broken(path, error))?)?;
        source.release(stored.place());
        Ok(values)
    }

    /// Where a tensor of this shape lies.
    fn stored(&self, name: &str, shape: &[usize]) -> Result<&Stored, WeightError> {
        let stored = self.holds.get(name).ok_or_else(|| WeightError::Missing(name.to_string()))?;
        if stored.info.shape != shape {
            let (found, expected) = (stored.info.shape.clone(), shape.to_vec());
            return Err(WeightError::Shape { name: name.to_string(), found, expected });
        }
        Ok(stored)
    }

    /// The mapped bytes of a tensor, where they are f32 as this machine has them.
    fn in_place(&self, stored: &Stored) -> Option<bytes::Bytes> {
        let bytes = self.files[stored.file].1.shared()?.slice(stored.place());
        let fits = stored.info.dtype == Dtype::F32 && cfg!(target_endian = "little");
        (fits && bytes.as_ptr().cast::<f32>().is_aligned()).then_some(bytes)
    }

    /// SHA-256 over all files, in order of name: what a result was computed from. Its thread began when they were opened.
    pub fn hash(&self) -> Arc<Hash> {
        self.hash.clone()
    }
}

/// Types that weights are stored in.
const WEIGHTS: [Dtype; 4] = [Dtype::F16, Dtype::BF16, Dtype::F32, Dtype::F64];

/// Bytes of the header's length, which stands before the header (the safetensors format).
const HEADER_LENGTH: usize = 8;

impl Stored {
    /// The bytes of the tensor in its file.
    fn place(&self) -> std::ops::Range<usize> {
        let (from, to) = self.info.data_offsets;
        self.start + from..self.start + to
    }
}

/// Names of the shards that an index names, in order.
pub fn shards(index: &Path) -> Result<BTreeSet<String>, WeightError> {
    #[derive(serde::Deserialize)]
    struct Index {
        weight_map: BTreeMap<String, String>,
    }
    let wrong = |why: String| WeightError::Index { path: index.to_path_buf(), why };
    let text =
        std::fs::read_to_string(index).map_err(|source| WeightError::Unreadable { path: index.into(), source })?;
    let index: Index = serde_json::from_str(&text).map_err(|error| wrong(error.to_string()))?;
    Ok(index.weight_map.into_values().collect())
}

fn broken(path: &Path, error: safetensors::SafeTensorError) -> WeightError {
    WeightError::Broken { path: path.to_path_buf(), why: error.to_string() }
}

fn floats(name: &str, view: &TensorView) -> Result<Vec<f32>, WeightError> {
    let values = decode(view).ok_or_else(|| WeightError::Dtype { name: name.to_string(), dtype: view.dtype() })?;
    finite(name, &values)?;
    Ok(values)
}

/// Nothing where all of them are finite.
fn finite(name: &str, values: &[f32]) -> Result<(), WeightError> {
    // without a stop in the middle this is a matter of vector instructions
    let finite = |values: &[f32]| values.iter().fold(true, |all, value| all & value.is_finite());
    if values.par_chunks(PART).all(finite) {
        return Ok(());
    }
    let index = values.iter().position(|value| !value.is_finite()).expect("one was found above");
    Err(WeightError::NotFinite { name: name.to_string(), index, value: values[index] })
}

/// As f64, where the f32 of the same are finite.
fn doubles(name: &str, view: &TensorView) -> Result<Vec<f64>, WeightError> {
    floats(name, view)?;
    Ok(decode_exactly(view).expect("of a type that could be read as f32"))
}
