//! Treated weights written back as a checkpoint has them: under its names, in its layouts.
//!
//! What a family does when it builds a model (turns, parts, puts side by side) is not written down a second time the other way
//! round. The model is built once more of a checkpoint of the same names and shapes whose elements are numbered: what then
//! stands at a place of the model is the number of the element that belongs there. A second numbering, from the other end,
//! shows what the family adds to an element.

use crate::model::family::{self, Config};
use crate::model::load::LoadError;
use crate::model::weights::Weights;
use crate::model::{Model, Visitor};
use crate::precision::Precision;
use crate::tensor::{Setting, Tensor, to_doubles};
use safetensors::{Dtype, tensor::TensorView};
use std::collections::{BTreeMap, BTreeSet};

/// Why weights cannot be written back.
#[derive(Debug, thiserror::Error)]
pub enum SaveError {
    /// The numbered twin cannot be built.
    #[error(transparent)]
    Load(#[from] LoadError),
    /// An element of the model is none of the checkpoint's.
    #[error(
        "`{0}` is computed from the checkpoint's weights and no copy of them, so what became of it cannot be written back; leave it out of the treatment"
    )]
    Computed(String),
    /// The library refuses.
    #[error("the weights cannot be written: {0}")]
    Format(#[from] safetensors::SafeTensorError),
}

/// A checkpoint's tensors after a treatment.
pub struct Written {
    /// As safetensors.
    pub bytes: Vec<u8>,
    /// Tensors that were changed.
    pub changed: Vec<String>,
    /// What the widest of those are written as that need more bits than the checkpoint's own numbers have.
    pub widened: Option<Dtype>,
}

/// The checkpoint `weights` with what became of a model, `before` and `after` the treatment; `notes` go into the file's header.
pub fn write(
    config: &Config,
    weights: &Weights,
    [before, after]: [&dyn Model; 2],
    notes: &[(&str, String)],
) -> Result<Written, SaveError> {
    let stored = Stored::of(weights);
    let models =
        [stored.numbered(config, |number, _| number)?, stored.numbered(config, |number, all| all - 1 - number)?];
    let [before, after] = [before, after].map(values);
    let numbers = models.each_ref().map(|model| values(model.as_ref()));
    let mut new = vec![f64::NAN; stored.count]; // what is no number was not changed
    let mut read = BTreeSet::new();
    for (name, was) in &before {
        let [up, down] = [&numbers[0], &numbers[1]].map(|numbers| numbers.get(name));
        let (Some(up), Some(down)) = (up, down) else { return Err(SaveError::Computed(name.clone())) };
        let places = up.iter().zip(down).map(|(up, down)| stored.place(*up, *down));
        stored.mark(places.flatten(), &mut read);
        let is = &after[name];
        if was.iter().zip(is).all(|(was, is)| was.to_bits() == is.to_bits()) {
            continue;
        }
        for ((up, down), value) in up.iter().zip(down).zip(is) {
            let place = stored.place(*up, *down).ok_or_else(|| SaveError::Computed(name.clone()))?;
            new[place] = value - (up - place as f64);
        }
    }
    stored.written(&new, &read, after_is_wide(&after), notes)
}

/// Refuses a model any of whose weights could not be written back, whatever became of it: of such nothing should be trained.
pub fn writable(config: &Config, weights: &Weights, model: &dyn Model) -> Result<(), SaveError> {
    let stored = Stored::of(weights);
    let models =
        [stored.numbered(config, |number, _| number)?, stored.numbered(config, |number, all| all - 1 - number)?];
    let [up, down] = models.each_ref().map(|model| values(model.as_ref()));
    for name in values(model).into_keys() {
        let both = up.get(&name).zip(down.get(&name));
        let known = |(up, down): (&f64, &f64)| stored.place(*up, *down).is_some();
        if !both.is_some_and(|(up, down)| up.iter().zip(down).all(known)) {
            return Err(SaveError::Computed(name));
        }
    }
    Ok(())
}

/// Whether the model computes in f64, whose numbers f32 does not hold.
fn after_is_wide(after: &Values) -> bool {
    after.values().flatten().any(|value| f64::from(*value as f32).to_bits() != value.to_bits())
}

/// Every weight of a model, by name.
type Values = BTreeMap<String, Vec<f64>>;

fn values(model: &dyn Model) -> Values {
    struct Read(Values);
    impl Visitor for Read {
        fn matrix(&mut self, name: &str, weight: &mut Tensor<2>) {
            self.0.insert(name.to_string(), to_doubles(weight));
        }
        fn vector(&mut self, name: &str, weight: &mut Tensor<1>) {
            self.0.insert(name.to_string(), to_doubles(weight));
        }
    }
    let mut read = Read(Values::new());
    model.parted(&[]).visit(&mut read);
    read.0
}

/// The tensors of a checkpoint, their elements numbered through.
struct Stored<'a> {
    tensors: Vec<Kept<'a>>,
    count: usize,
}

struct Kept<'a> {
    name: &'a str,
    dtype: Dtype,
    shape: &'a [usize],
    bytes: &'a [u8],
    first: usize,
    count: usize,
}

impl<'a> Stored<'a> {
    fn of(weights: &'a Weights) -> Self {
        let (mut tensors, mut first) = (Vec::new(), 0);
        for (name, dtype, shape, bytes) in weights.tensors() {
            let count = shape.iter().product();
            tensors.push(Kept { name, dtype, shape, bytes, first, count });
            first += count;
        }
        Stored { tensors, count: first }
    }

    /// The element that both numberings of a place of the model tell of, less what the family adds; none where it is computed.
    fn place(&self, up: f64, down: f64) -> Option<usize> {
        let added = (up + down - (self.count as f64 - 1.0)) / 2.0;
        let place = up - added;
        (place.fract() == 0.0 && (0.0..self.count as f64).contains(&place)).then_some(place as usize)
    }

    /// Marks the tensors of elements: a matrix of the model may be several of them.
    fn mark(&self, places: impl Iterator<Item = usize>, read: &mut BTreeSet<usize>) {
        let mut last = 0..0;
        for place in places {
            if last.contains(&place) {
                continue;
            }
            let tensor = self.tensors.partition_point(|tensor| tensor.first <= place).saturating_sub(1);
            last = self.tensors[tensor].first..self.tensors[tensor].first + self.tensors[tensor].count;
            read.insert(tensor);
        }
    }

    /// The model of a checkpoint whose elements are numbers, of how many there are.
    fn numbered(&self, config: &Config, number: impl Fn(usize, usize) -> usize) -> Result<Box<dyn Model>, SaveError> {
        let values = |tensor: &Kept| -> Vec<u8> {
            let numbers = tensor.first..tensor.first + tensor.count;
            numbers.flat_map(|at| (number(at, self.count) as f64).to_le_bytes()).collect()
        };
        let bytes: Vec<Vec<u8>> = self.tensors.iter().map(values).collect();
        let views = self
            .tensors
            .iter()
            .zip(&bytes)
            .map(|(tensor, bytes)| Ok((tensor.name, TensorView::new(Dtype::F64, tensor.shape.to_vec(), bytes)?)));
        let views = views.collect::<Result<Vec<_>, safetensors::SafeTensorError>>()?;
        let setting = Setting { device: crate::tensor::cpu(), precision: Precision::F64 };
        let weights = Weights::carried(safetensors::serialize(views, None)?.into(), setting).map_err(build)?;
        let family = family::of(config).map_err(build)?;
        Ok((family.build)(config, &weights).map_err(LoadError::from)?.into_model())
    }

    /// The file; a tensor that the model does not `read` and that was the same as one that is goes with it (tied heads).
    fn written(
        &self,
        new: &[f64],
        read: &BTreeSet<usize>,
        wide: bool,
        notes: &[(&str, String)],
    ) -> Result<Written, SaveError> {
        let mut parts: Vec<(Dtype, Vec<u8>)> =
            self.tensors.iter().map(|tensor| (tensor.dtype, tensor.bytes.to_vec())).collect();
        let mut changed = Vec::new();
        for (index, tensor) in self.tensors.iter().enumerate() {
            let own = &new[tensor.first..tensor.first + tensor.count];
            if own.iter().all(|value| value.is_nan()) {
                continue;
            }
            let part = replaced(tensor, own, wide)?;
            let twin = |(other, twin): &(usize, &Kept)| {
                let form = (twin.dtype, twin.shape) == (tensor.dtype, tensor.shape);
                !read.contains(other) && form && twin.bytes == tensor.bytes
            };
            for (other, _) in self.tensors.iter().enumerate().filter(twin) {
                parts[other] = part.clone();
                changed.push(self.tensors[other].name.to_string());
            }
            parts[index] = part;
            changed.push(tensor.name.to_string());
        }
        let wider =
            parts.iter().zip(&self.tensors).filter(|(part, tensor)| part.0 != tensor.dtype).map(|(part, _)| part.0);
        let widened = wider.max_by_key(|dtype| *dtype == Dtype::F64);
        let views =
            self.tensors.iter().zip(&parts).map(|(tensor, (dtype, bytes))| {
                Ok((tensor.name, TensorView::new(*dtype, tensor.shape.to_vec(), bytes)?))
            });
        let views = views.collect::<Result<Vec<_>, safetensors::SafeTensorError>>()?;
        // what loads checkpoints into torch asks for this word
        let format = [("format".to_string(), "pt".to_string())];
        let header = notes.iter().map(|(name, value)| (name.to_string(), value.clone())).chain(format).collect();
        Ok(Written { bytes: safetensors::serialize(views, Some(header))?, changed, widened })
    }
}

fn build(error: impl Into<family::BuildError>) -> SaveError {
    SaveError::Load(LoadError::Build(error.into()))
}

/// A tensor with new elements, where there are some: in its own numbers where they hold all of them exactly, else in f32, or f64 where `wide`.
fn replaced(tensor: &Kept, own: &[f64], wide: bool) -> Result<(Dtype, Vec<u8>), SaveError> {
    let view = TensorView::new(tensor.dtype, tensor.shape.to_vec(), tensor.bytes)?;
    let mut values = crate::model::weights::decode_exactly(&view).unwrap_or_default();
    let changed = values.iter_mut().zip(own).filter(|(_, value)| !value.is_nan());
    changed.for_each(|(stored, value)| *stored = *value);
    let narrow = encoded(tensor.dtype, &values);
    let exact = TensorView::new(tensor.dtype, tensor.shape.to_vec(), &narrow)
        .ok()
        .and_then(|view| crate::model::weights::decode_exactly(&view))
        .is_some_and(|back| back.iter().zip(&values).all(|(back, value)| back.to_bits() == value.to_bits()));
    let dtype = match (exact, wide) {
        (true, _) => return Ok((tensor.dtype, narrow)),
        (_, true) => Dtype::F64,
        _ => Dtype::F32,
    };
    Ok((dtype, encoded(dtype, &values)))
}

fn encoded(dtype: Dtype, values: &[f64]) -> Vec<u8> {
    match dtype {
        Dtype::F64 => values.iter().flat_map(|value| value.to_le_bytes()).collect(),
        Dtype::F16 => values.iter().flat_map(|value| half::f16::from_f64(*value).to_le_bytes()).collect(),
        Dtype::BF16 => values.iter().flat_map(|value| half::bf16::from_f64(*value).to_le_bytes()).collect(),
        _ => values.iter().flat_map(|value| (*value as f32).to_le_bytes()).collect(),
    }
}
