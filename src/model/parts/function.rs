//! The non-linearities of MLPs, with a fast way on the CPU.

use crate::kernel::{function as kernel, map};
use crate::tensor::{Tensor, activation, in_place, is_plain, with_slope};
use std::f64::consts::PI;

/// The non-linearity of the neurons.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Function {
    /// `x Φ(x)` with the error function.
    Gelu,
    /// GELU by its tanh approximation (Hendrycks & Gimpel 2016): GPT-2's.
    GeluTanh,
    /// `x σ(1.702 x)`.
    QuickGelu,
    /// `x σ(x)`.
    Silu,
    /// `max(x, 0)`.
    Relu,
    /// `max(x, 0)²`.
    SquaredRelu,
    /// Hyperbolic tangent.
    Tanh,
}

impl Function {
    /// The function that a Hugging Face configuration calls `name`.
    pub fn named(name: &str) -> Option<Self> {
        Some(match name {
            "gelu" | "gelu_python" => Function::Gelu,
            "gelu_new" | "gelu_fast" | "gelu_pytorch_tanh" | "gelu_python_tanh" | "gelu_accurate" => Function::GeluTanh,
            "quick_gelu" => Function::QuickGelu,
            "silu" | "swish" => Function::Silu,
            "relu" => Function::Relu,
            "relu2" => Function::SquaredRelu,
            "tanh" => Function::Tanh,
            _ => return None,
        })
    }

    /// The function, element by element.
    pub fn apply<const D: usize>(self, x: Tensor<D>) -> Tensor<D> {
        match self {
            Function::Gelu => fast(x, kernel::gelu, kernel::gelu_slope, gelu_anywhere),
            Function::GeluTanh => fast(x, kernel::gelu_tanh, kernel::gelu_tanh_slope, gelu_tanh_anywhere),
            Function::QuickGelu => {
                fast(x, kernel::quick_gelu, kernel::quick_gelu_slope, |x| x.clone() * activation::sigmoid(x * 1.702))
            }
            Function::Silu => fast(x, kernel::silu, kernel::silu_slope, activation::silu),
            Function::Relu => activation::relu(x),
            Function::SquaredRelu => activation::relu(x).square(),
            Function::Tanh => x.tanh(),
        }
    }
}

/// `cap · tanh(x / cap)`: within ± `cap`, and nearly x where x is small (Gemma 2, Gemma Team 2024).
pub fn soft_cap<const D: usize>(x: Tensor<D>, cap: Option<f64>) -> Tensor<D> {
    match cap {
        Some(cap) => (x / cap).tanh() * cap,
        None => x,
    }
}

/// On the CPU one pass over the numbers, and with a tape the exact value and slope; elsewhere the library's operations.
fn fast<const D: usize>(
    x: Tensor<D>,
    value: impl Fn(f32) -> f32 + Sync,
    slope: impl Fn(f32) -> f32 + Sync,
    anywhere: impl FnOnce(Tensor<D>) -> Tensor<D>,
) -> Tensor<D> {
    if is_plain(&x) {
        return in_place(x, |values| map(values, value));
    }
    with_slope(&x, value, slope).unwrap_or_else(|| anywhere(x))
}

/// Written out, as the library's own has the gradient of the tanh approximation on GPUs (`burn-backend` 0.21).
fn gelu_anywhere<const D: usize>(x: Tensor<D>) -> Tensor<D> {
    x.clone() * ((x * std::f64::consts::FRAC_1_SQRT_2).erf() + 1.0) * 0.5
}

fn gelu_tanh_anywhere<const D: usize>(x: Tensor<D>) -> Tensor<D> {
    const CUBIC: f64 = 0.044715; // not that of f32, which is another number
    let u = (x.clone() * x.clone() * CUBIC + 1.0) * x.clone() * (2.0 / PI).sqrt();
    x * ((u.tanh() + 1.0) * 0.5)
}
