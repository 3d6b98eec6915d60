//! Weights on disk: one or many memory-mapped safetensors, read tensor by tensor.

use crate::precision::Precision;
use crate::tensor::{Device, Setting, Tensor, cast, from_doubles, from_floats};
use half::{bf16, f16};
use memmap2::Mmap;
use safetensors::{Dtype, SafeTensors, tensor::TensorView};
use sha2::{Digest, Sha256};
use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::path::{Path, PathBuf};

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

/// The tensors of a checkpoint, mapped into memory and copied once, when read.
pub struct Weights {
    files: Vec<(PathBuf, Source)>,
    holds: BTreeMap<String, usize>,
    setting: Setting,
}

enum Source {
    Mapped(Mmap),
    Embedded(&'static [u8]),
}

impl Source {
    fn bytes(&self) -> &[u8] {
        match self {
            Source::Mapped(map) => map,
            Source::Embedded(bytes) => bytes,
        }
    }
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
        let map = |path: PathBuf| Ok((path.clone(), Source::Mapped(map(&path)?)));
        Weights::new(paths.into_iter().map(map).collect::<Result<_, _>>()?, setting.into())
    }

    /// Weights that the program carries.
    pub fn embedded(bytes: &'static [u8], setting: impl Into<Setting>) -> Result<Self, WeightError> {
        Weights::new(vec![(PathBuf::from("built-in weights"), Source::Embedded(bytes))], setting.into())
    }

    fn new(files: Vec<(PathBuf, Source)>, setting: Setting) -> Result<Self, WeightError> {
        let mut holds = BTreeMap::new();
        for (number, (path, source)) in files.iter().enumerate() {
            let names =
                parse(path, source)?.names().into_iter().map(|name| (name.to_string(), number)).collect::<Vec<_>>();
            holds.extend(names);
        }
        Ok(Weights { files, holds, setting })
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
        let (path, source) = &self.files[*self.holds.get(name)?];
        Some(parse(path, source).ok()?.tensor(name).ok()?.data())
    }

    /// A tensor of exactly this shape: in f64 for a model that computes in f64, else in f32.
    pub fn read<const D: usize>(&self, name: &str, shape: [usize; D]) -> Result<Tensor<D>, WeightError> {
        let number = *self.holds.get(name).ok_or_else(|| WeightError::Missing(name.to_string()))?;
        let (path, source) = &self.files[number];
        let tensors = parse(path, source)?;
        let view = tensors.tensor(name).map_err(|error| broken(path, error))?;
        if view.shape() != shape {
            let (found, expected) = (view.shape().to_vec(), shape.to_vec());
            return Err(WeightError::Shape { name: name.to_string(), found, expected });
        }
        let single = floats(name, &view)?;
        Ok(match (self.setting.precision, view.dtype()) {
            (Precision::F64, Dtype::F64) => from_doubles(each(view.data(), f64::from_le_bytes), shape, &self.setting),
            (Precision::F64, _) => cast(from_floats(single, shape, self.device()), Precision::F64),
            _ => from_floats(single, shape, self.device()),
        })
    }

    /// SHA-256 over all files, in order of name: what a result was computed from.
    pub fn hash(&self) -> String {
        let mut hash = Sha256::new();
        for (_, source) in &self.files {
            hash.update(source.bytes());
        }
        hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
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

#[allow(unsafe_code)]
fn map(path: &Path) -> Result<Mmap, WeightError> {
    let unreadable = |source| WeightError::Unreadable { path: path.to_path_buf(), source };
    let file = File::open(path).map_err(unreadable)?;
    // SAFETY: sound as long as nobody shortens the file meanwhile, which no reader of a checkpoint can rule out.
    unsafe { Mmap::map(&file) }.map_err(unreadable)
}

fn parse<'a>(path: &Path, source: &'a Source) -> Result<SafeTensors<'a>, WeightError> {
    SafeTensors::deserialize(source.bytes()).map_err(|error| broken(path, error))
}

fn broken(path: &Path, error: safetensors::SafeTensorError) -> WeightError {
    WeightError::Broken { path: path.to_path_buf(), why: error.to_string() }
}

fn floats(name: &str, view: &TensorView) -> Result<Vec<f32>, WeightError> {
    let values = decode(view).ok_or_else(|| WeightError::Dtype { name: name.to_string(), dtype: view.dtype() })?;
    match values.iter().position(|value| !value.is_finite()) {
        Some(index) => Err(WeightError::NotFinite { name: name.to_string(), index, value: values[index] }),
        None => Ok(values),
    }
}

/// The values of a tensor as f64, if its type is one of numbers: exact, whichever it is.
pub fn decode_exactly(view: &TensorView) -> Option<Vec<f64>> {
    match view.dtype() {
        Dtype::F64 => Some(each(view.data(), f64::from_le_bytes)),
        _ => Some(decode(view)?.into_iter().map(f64::from).collect()),
    }
}

/// The values of a tensor as f32, if its type is one of numbers.
pub fn decode(view: &TensorView) -> Option<Vec<f32>> {
    let data = view.data();
    Some(match view.dtype() {
        Dtype::F32 => each(data, f32::from_le_bytes),
        Dtype::F16 => each(data, |bytes| f16::from_le_bytes(bytes).to_f32()),
        Dtype::BF16 => each(data, |bytes| bf16::from_le_bytes(bytes).to_f32()),
        Dtype::F64 => each(data, |bytes| f64::from_le_bytes(bytes) as f32),
        _ => return None,
    })
}

fn each<const N: usize, T>(data: &[u8], value: impl Fn([u8; N]) -> T) -> Vec<T> {
    data.chunks_exact(N).map(|chunk| value(chunk.try_into().expect("chunks of N"))).collect()
}
