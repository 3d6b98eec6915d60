//! Devices: which there are, and a tensor device from what the user asked for.
//!
//! The library panics when a driver is missing, so every device is looked for before it is used.

use crate::precision::Precision;
use crate::tensor::{Device, Setting};
use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;

/// A device as it is asked for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename = "Device")]
pub enum Choice {
    /// The processor, through burn's flex backend.
    #[default]
    Cpu,
    /// The best WebGPU adapter.
    WebGpu,
    /// The best Vulkan adapter.
    Vulkan,
    /// An NVIDIA GPU, by index.
    Cuda(usize),
}

impl fmt::Display for Choice {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Choice::Cpu => out.write_str("cpu"),
            Choice::WebGpu => out.write_str("webgpu"),
            Choice::Vulkan => out.write_str("vulkan"),
            Choice::Cuda(index) => write!(out, "cuda:{index}"),
        }
    }
}

impl FromStr for Choice {
    type Err = String;

    fn from_str(name: &str) -> Result<Self, String> {
        match (name, name.strip_prefix("cuda:").map(str::parse)) {
            ("cpu", _) => Ok(Choice::Cpu),
            ("webgpu", _) => Ok(Choice::WebGpu),
            ("vulkan", _) => Ok(Choice::Vulkan),
            ("cuda", _) => Ok(Choice::Cuda(0)),
            (_, Some(Ok(index))) => Ok(Choice::Cuda(index)),
            _ => Err(format!("{name:?} is no device; write cpu, webgpu, vulkan, cuda or cuda:1")),
        }
    }
}

/// A device that cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DeviceError {
    /// Not compiled in.
    #[error(
        "this program was built without {0}; build it again with `cargo build --release --features {1}`, or use `--device cpu`"
    )]
    NotBuilt(&'static str, &'static str),
    /// No driver, or no such device.
    #[error("no {0} device: {1}; `patchclamp devices` lists what is there")]
    Absent(String, String),
    /// A device without arithmetic for these numbers.
    #[error("{0} cannot compute in {1}; f32 goes everywhere, and `--device cpu` computes in f64, f16 and bf16 too")]
    Numbers(Choice, Precision),
}

/// A device and numbers that it computes in, if it is there and does.
pub fn setting(choice: Choice, precision: Precision) -> Result<Setting, DeviceError> {
    let setting = Setting { device: open(choice)?, precision };
    // shaders have arithmetic in f64 on some GPUs, but exp and tanh nowhere (GLSL.std.450 defines them to 32 bits)
    let shaders = matches!(choice, Choice::WebGpu | Choice::Vulkan);
    if setting.is_possible() && !(shaders && precision == Precision::F64) {
        Ok(setting)
    } else {
        Err(DeviceError::Numbers(choice, precision))
    }
}

/// A device for tensors, if it is there.
pub fn open(choice: Choice) -> Result<Device, DeviceError> {
    match choice {
        Choice::Cpu => Ok(Device::Flex(Default::default())),
        Choice::WebGpu => webgpu(),
        Choice::Vulkan => vulkan(),
        Choice::Cuda(index) => cuda(index),
    }
}

/// A kind of device, and what was found of it.
pub struct Found {
    /// Its name for `--device`.
    pub name: &'static str,
    /// The devices, or why there is none.
    pub devices: Result<Vec<String>, DeviceError>,
}

/// Every kind of device with what is there.
pub fn list() -> Vec<Found> {
    let threads = std::thread::available_parallelism().map_or(1, |threads| threads.get());
    vec![
        Found { name: "cpu", devices: Ok(vec![format!("{threads} threads")]) },
        Found { name: "webgpu", devices: webgpu_adapters() },
        Found { name: "vulkan", devices: vulkan_adapters() },
        Found { name: "cuda", devices: cuda_devices() },
    ]
}

#[cfg(feature = "webgpu")]
fn webgpu() -> Result<Device, DeviceError> {
    webgpu_adapters().map(|_| Device::Wgpu(Default::default()))
}

#[cfg(feature = "webgpu")]
fn webgpu_adapters() -> Result<Vec<String>, DeviceError> {
    adapters("WebGPU", wgpu::Backends::PRIMARY)
}

#[cfg(not(feature = "webgpu"))]
fn webgpu() -> Result<Device, DeviceError> {
    Err(DeviceError::NotBuilt("WebGPU", "webgpu"))
}

#[cfg(not(feature = "webgpu"))]
fn webgpu_adapters() -> Result<Vec<String>, DeviceError> {
    webgpu().map(|_| Vec::new())
}

#[cfg(feature = "vulkan")]
fn vulkan() -> Result<Device, DeviceError> {
    vulkan_adapters().map(|_| Device::Vulkan(Default::default()))
}

#[cfg(feature = "vulkan")]
fn vulkan_adapters() -> Result<Vec<String>, DeviceError> {
    adapters("Vulkan", wgpu::Backends::VULKAN)
}

#[cfg(not(feature = "vulkan"))]
fn vulkan() -> Result<Device, DeviceError> {
    Err(DeviceError::NotBuilt("Vulkan", "vulkan"))
}

#[cfg(not(feature = "vulkan"))]
fn vulkan_adapters() -> Result<Vec<String>, DeviceError> {
    vulkan().map(|_| Vec::new())
}

#[cfg(any(feature = "webgpu", feature = "vulkan"))]
fn adapters(kind: &str, backends: wgpu::Backends) -> Result<Vec<String>, DeviceError> {
    let instance = wgpu::Instance::new(wgpu::InstanceDescriptor {
        backends,
        ..wgpu::InstanceDescriptor::new_without_display_handle()
    });
    let adapters = pollster::block_on(instance.enumerate_adapters(backends));
    if adapters.is_empty() {
        return Err(DeviceError::Absent(kind.into(), "no adapter was found; is its driver installed?".into()));
    }
    Ok(adapters.iter().map(|adapter| adapter.get_info().name).collect())
}

#[cfg(feature = "cuda")]
fn cuda(index: usize) -> Result<Device, DeviceError> {
    let found = cuda_devices()?.len();
    if index < found {
        return Ok(crate::tensor::cuda(index));
    }
    Err(DeviceError::Absent(format!("cuda:{index}"), format!("there are {found}, counted from 0")))
}

/// The NVIDIA driver asked through its own library, which may not be there.
#[cfg(feature = "cuda")]
#[allow(unsafe_code)]
fn cuda_devices() -> Result<Vec<String>, DeviceError> {
    use libloading::{Library, Symbol};
    let absent = |why: String| DeviceError::Absent("CUDA".into(), why);
    let name = if cfg!(windows) { "nvcuda.dll" } else { "libcuda.so.1" };
    let mut count: i32 = 0;
    // SAFETY: cuInit and cuDeviceGetCount have these signatures in every CUDA driver (CUDA driver API reference).
    let status = unsafe {
        let library = Library::new(name).map_err(|_| absent(format!("the driver's library {name} is not there")))?;
        let init: Symbol<unsafe extern "C" fn(u32) -> i32> =
            library.get(b"cuInit").map_err(|error| absent(error.to_string()))?;
        let devices: Symbol<unsafe extern "C" fn(*mut i32) -> i32> =
            library.get(b"cuDeviceGetCount").map_err(|error| absent(error.to_string()))?;
        match init(0) {
            0 => devices(&mut count),
            failed => failed,
        }
    };
    match (status, count) {
        (0, 1..) => Ok((0..count).map(|index| format!("cuda:{index}")).collect()),
        (0, _) => Err(absent("the driver sees no GPU".into())),
        (code, _) => Err(absent(format!("the driver answers with error {code}"))),
    }
}

#[cfg(not(feature = "cuda"))]
fn cuda(_: usize) -> Result<Device, DeviceError> {
    Err(DeviceError::NotBuilt("CUDA", "cuda"))
}

#[cfg(not(feature = "cuda"))]
fn cuda_devices() -> Result<Vec<String>, DeviceError> {
    cuda(0).map(|_| Vec::new())
}
