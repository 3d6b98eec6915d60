//! The non-linearities of MLPs, with a fast way on the CPU.

use crate::tensor::{Tensor, activation, map_on_cpu, with_slope};
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

/// √(2/π) of the tanh approximation.
const SLOPE: f32 = 0.797_884_6;
/// The cubic term of the tanh approximation.
const CUBIC: f32 = 0.044715;

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
            Function::Gelu => gelu_anywhere(x),
            Function::GeluTanh => fast(x, gelu_tanh, gelu_tanh_slope, gelu_tanh_anywhere),
            Function::QuickGelu => {
                fast(x, quick_gelu, quick_gelu_slope, |x| x.clone() * activation::sigmoid(x * 1.702))
            }
            Function::Silu => fast(x, silu, silu_slope, activation::silu),
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
    match with_slope(&x, &value, slope).or_else(|| map_on_cpu(&x, value)) {
        Some(y) => y,
        None => anywhere(x),
    }
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

/// x (1 + tanh u) / 2 = x σ(2u)
#[inline(always)]
fn gelu_tanh(x: f32) -> f32 {
    x * sigmoid(2.0 * SLOPE * x * (1.0 + CUBIC * x * x))
}

#[inline(always)]
fn gelu_tanh_slope(x: f32) -> f32 {
    let s = sigmoid(2.0 * SLOPE * x * (1.0 + CUBIC * x * x));
    s + x * s * (1.0 - s) * 2.0 * SLOPE * (1.0 + 3.0 * CUBIC * x * x)
}

#[inline(always)]
fn silu(x: f32) -> f32 {
    x * sigmoid(x)
}

#[inline(always)]
fn silu_slope(x: f32) -> f32 {
    let s = sigmoid(x);
    s + x * s * (1.0 - s)
}

#[inline(always)]
fn quick_gelu(x: f32) -> f32 {
    x * sigmoid(1.702 * x)
}

#[inline(always)]
fn quick_gelu_slope(x: f32) -> f32 {
    let s = sigmoid(1.702 * x);
    s + 1.702 * x * s * (1.0 - s)
}

#[inline(always)]
fn sigmoid(x: f32) -> f32 {
    1.0 / (1.0 + exp(-x))
}

/// `e^x` in f32, in a form that the compiler makes into vector instructions.
///
/// x = n ln 2 + r with |r| ≤ ln 2 / 2; e^r by its Taylor polynomial of degree 7 (its remainder, 0.35⁸/8! ≈ 5e-9, is below
/// the f32 rounding of 6e-8), 2ⁿ by its exponent bits.
#[inline(always)]
fn exp(x: f32) -> f32 {
    const LN2_HIGH: f32 = 0.693_145_75; // ln 2 in two parts, so that n ln 2 is subtracted exactly (Cody & Waite 1980)
    const LN2_LOW: f32 = 1.428_606_8e-6;
    const ROUND: f32 = 12_582_912.0; // 1.5 · 2²³: adding and subtracting it rounds to a whole number
    let x = x.clamp(-87.0, 88.0);
    let n = (x * std::f32::consts::LOG2_E + ROUND) - ROUND;
    let r = (x - n * LN2_HIGH) - n * LN2_LOW;
    let tail = 1.0 / 6.0 + r * (1.0 / 24.0 + r * (1.0 / 120.0 + r * (1.0 / 720.0 + r * (1.0 / 5040.0))));
    let e = 1.0 + r * (1.0 + r * (0.5 + r * tail));
    e * f32::from_bits(((n as i32 + 127) as u32) << 23)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exp_is_within_three_units_in_the_last_place() {
        for step in -8700..8800 {
            let x = step as f32 / 100.0;
            let (ours, exact) = (f64::from(exp(x)), f64::from(x).exp());
            assert!(((ours - exact) / exact).abs() < 3.0 * f64::from(f32::EPSILON), "exp({x}) = {ours}, {exact}");
        }
    }

    #[test]
    fn slopes_are_differences() {
        type Curve = fn(f32) -> f32;
        let pairs: [(Curve, Curve); 3] =
            [(gelu_tanh, gelu_tanh_slope), (silu, silu_slope), (quick_gelu, quick_gelu_slope)];
        for (value, slope) in pairs {
            for step in -40..40 {
                let x = step as f32 / 8.0;
                let difference = (value(x + 1e-2) - value(x - 1e-2)) / 2e-2;
                assert!((difference - slope(x)).abs() < 1e-3, "at {x}: {difference} {}", slope(x));
            }
        }
    }
}
