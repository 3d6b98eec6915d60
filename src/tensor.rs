//! The tensors of burn under one name: the only file that names burn, so that a later burn is a change here.

use crate::kernel;
use crate::precision::Precision;
use burn::tensor::{AllocationProperty, Bytes, DType, FloatDType, TensorData};

pub use burn::tensor::activation;
pub use burn::tensor::{Bool, Float, Int};

/// A tensor of `D` dimensions on a [`Device`] chosen at run time.
pub type Tensor<const D: usize, K = Float> = burn::tensor::Tensor<burn::Dispatch, D, K>;
/// Where tensors live: CPU (flex), WebGPU, Vulkan or CUDA, with or without a tape for gradients.
pub type Device = burn::DispatchDevice;
/// What [`backward`] returns: the gradient of every leaf on the tape.
pub type Gradients = <burn::Dispatch as burn::tensor::backend::AutodiffBackend>::Gradients;
/// The Adam optimiser with decoupled weight decay (Loshchilov & Hutter 2019), as burn implements it.
pub use burn::optim::{AdamW, AdamWConfig, SimpleOptimizer};
/// The backend behind [`Tensor`].
pub type Backend = burn::Dispatch;

/// The NVIDIA GPU of this index, which must be there.
#[cfg(feature = "cuda")]
pub fn cuda(index: usize) -> Device {
    Device::Cuda(burn::backend::cuda::CudaDevice::new(index))
}

/// The processor.
pub fn cpu() -> Device {
    Device::Flex(Default::default())
}

/// Where, and in which numbers, something is computed.
#[derive(Clone, Debug)]
pub struct Setting {
    /// Where.
    pub device: Device,
    /// In which numbers.
    pub precision: Precision,
}

impl Setting {
    /// That of a tensor.
    pub fn of<const D: usize>(tensor: &Tensor<D>) -> Self {
        Setting { device: tensor.device(), precision: precision(tensor) }
    }

    /// Whether the device computes in these numbers, and does not merely store them.
    pub fn is_possible(&self) -> bool {
        use burn::tensor::backend::Backend as _;
        Backend::supports_dtype(&self.device, float(self.precision).into())
    }
}

/// In f32.
impl From<&Device> for Setting {
    fn from(device: &Device) -> Self {
        Setting { device: device.clone(), precision: Precision::F32 }
    }
}

impl From<&Setting> for Setting {
    fn from(setting: &Setting) -> Self {
        setting.clone()
    }
}

fn float(precision: Precision) -> FloatDType {
    match precision {
        Precision::F32 => FloatDType::F32,
        Precision::F64 => FloatDType::F64,
        Precision::F16 => FloatDType::F16,
        Precision::Bf16 => FloatDType::BF16,
    }
}

/// The numbers that a tensor holds.
pub fn precision<const D: usize>(tensor: &Tensor<D>) -> Precision {
    match tensor.dtype() {
        DType::F64 => Precision::F64,
        DType::F16 => Precision::F16,
        DType::BF16 => Precision::Bf16,
        _ => Precision::F32,
    }
}

/// The tensor rounded to other numbers; itself where it has them.
pub fn cast<const D: usize>(tensor: Tensor<D>, to: Precision) -> Tensor<D> {
    if precision(&tensor) == to { tensor } else { tensor.cast(float(to)) }
}

/// Half precision in f32, for sums and squares that would not fit: f16 ends at 65 504. All else stays as it is.
pub fn widen<const D: usize>(tensor: Tensor<D>) -> Tensor<D> {
    if precision(&tensor).is_half() { cast(tensor, Precision::F32) } else { tensor }
}

/// An f32 tensor of `shape` from its values, last dimension fastest.
pub fn from_floats<const D: usize>(values: Vec<f32>, shape: [usize; D], device: &Device) -> Tensor<D> {
    Tensor::from_data(TensorData::new(values, shape), device)
}

/// An f32 tensor of `shape` that lies in these bytes, aligned as f32 are: a CPU reads them there, and copies them before it
/// would write.
pub fn from_shared<const D: usize>(bytes: bytes::Bytes, shape: [usize; D], device: &Device) -> Tensor<D> {
    let bytes = Bytes::from_shared(bytes, AllocationProperty::File);
    Tensor::from_data(TensorData::from_bytes(bytes, shape, DType::F32), device)
}

/// A float tensor of `shape` in a setting's own numbers.
pub fn from_doubles<const D: usize>(values: Vec<f64>, shape: [usize; D], setting: &Setting) -> Tensor<D> {
    Tensor::from_data(TensorData::new(values, shape), (&setting.device, float(setting.precision).into()))
}

/// An integer tensor of `shape` from its values, last dimension fastest.
pub fn from_ints<const D: usize>(values: Vec<i32>, shape: [usize; D], device: &Device) -> Tensor<D, Int> {
    Tensor::from_data(TensorData::new(values, shape), device)
}

/// A tensor of `shape` of what is true and what is not, last dimension fastest.
pub fn from_bools<const D: usize>(values: Vec<bool>, shape: [usize; D], device: &Device) -> Tensor<D, Bool> {
    Tensor::from_data(TensorData::new(values, shape), device)
}

/// The values of a tensor, last dimension fastest.
pub fn to_floats<const D: usize>(tensor: &Tensor<D>) -> Vec<f32> {
    tensor.to_data().convert::<f32>().into_vec().expect("converted to f32 above")
}

/// The same as f64: exact, whatever the tensor holds.
pub fn to_doubles<const D: usize>(tensor: &Tensor<D>) -> Vec<f64> {
    tensor.to_data().convert::<f64>().into_vec().expect("converted to f64 above")
}

/// The same tensor with a tape, for gradients; it shares its memory with the original.
pub fn on_tape<const D: usize>(tensor: Tensor<D>) -> Tensor<D> {
    Tensor::from_inner(tensor)
}

/// The same tensor without a tape, where it has one.
pub fn off_tape<const D: usize>(tensor: Tensor<D>) -> Tensor<D> {
    if matches!(tensor.device(), Device::Autodiff(_)) { tensor.inner() } else { tensor }
}

/// A constant on a tape where what it is computed with is on one.
pub fn beside<const D: usize, const E: usize>(constant: Tensor<D>, other: &Tensor<E>) -> Tensor<D> {
    if matches!(other.device(), Device::Autodiff(_)) { on_tape(constant) } else { constant }
}

/// Gradients of the single number in `scalar` with respect to every leaf that it was computed from.
pub fn backward(scalar: &Tensor<1>) -> Gradients {
    scalar.backward()
}

/// Whether the numbers are f32, in the CPU's memory and off the tape, so that [`Floats`] can hold them.
pub fn is_plain<const D: usize>(x: &Tensor<D>) -> bool {
    matches!(x.device(), Device::Flex(_)) && x.dtype() == DType::F32
}

/// The numbers of a [plain](is_plain) tensor, to be worked on in place.
pub struct Floats<const D: usize> {
    data: TensorData,
    shape: [usize; D],
    device: Device,
}

impl<const D: usize> Floats<D> {
    /// The tensor's own memory where nobody shares it and it lies in order, else a copy.
    pub fn of(x: Tensor<D>) -> Self {
        let (shape, device) = (x.dims(), x.device());
        Floats { data: x.into_data(), shape, device }
    }

    /// Fresh numbers of this shape on the device of `self`, last dimension fastest.
    pub fn beside<const E: usize>(&self, values: Vec<f32>, shape: [usize; E]) -> Tensor<E> {
        from_floats(values, shape, &self.device)
    }

    /// The numbers, last dimension fastest.
    pub fn values(&self) -> &[f32] {
        self.data.as_slice().expect("plain tensors are f32")
    }

    /// The same, to be changed.
    pub fn values_mut(&mut self) -> &mut [f32] {
        self.data.as_mut_slice().expect("plain tensors are f32")
    }

    /// Lengths of the axes.
    pub fn shape(&self) -> [usize; D] {
        self.shape
    }

    /// The tensor again.
    pub fn into_tensor(self) -> Tensor<D> {
        Tensor::from_data(self.data, &self.device)
    }
}

/// A plain tensor after `work` on its numbers; the caller has made sure that it is plain.
pub fn in_place<const D: usize>(x: Tensor<D>, work: impl FnOnce(&mut [f32])) -> Tensor<D> {
    let mut floats = Floats::of(x);
    work(floats.values_mut());
    floats.into_tensor()
}

/// On a CPU tape in f32: the tensor `f(x)` whose gradient is `slope(x)`; `None` elsewhere.
///
/// With p the value of x off the tape, `(x − p)·slope(p) + f(p)` has the exact value and first derivative.
pub fn with_slope<const D: usize>(
    x: &Tensor<D>,
    f: impl Fn(f32) -> f32 + Sync,
    slope: impl Fn(f32) -> f32 + Sync,
) -> Option<Tensor<D>> {
    let Device::Autodiff(_) = x.device() else { return None };
    let p = x.clone().inner();
    if !is_plain(&p) {
        return None;
    }
    let value = on_tape(in_place(p.clone(), |values| kernel::map(values, f)));
    let slope = on_tape(in_place(p.clone(), |values| kernel::map(values, slope)));
    Some((x.clone() - on_tape(p)) * slope + value)
}
