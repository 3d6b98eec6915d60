//! Non-linearities of one number, in forms that the compiler makes into vector instructions.

/// √(2/π) of the tanh approximation.
const SLOPE: f32 = 0.797_884_6;
/// The cubic term of the tanh approximation.
const CUBIC: f32 = 0.044715;

/// GELU by its tanh approximation (Hendrycks & Gimpel 2016): x (1 + tanh u) / 2 = x σ(2u).
#[inline(always)]
pub fn gelu_tanh(x: f32) -> f32 {
    x * sigmoid(2.0 * SLOPE * x * (1.0 + CUBIC * x * x))
}

/// The derivative of [`gelu_tanh`].
#[inline(always)]
pub fn gelu_tanh_slope(x: f32) -> f32 {
    let s = sigmoid(2.0 * SLOPE * x * (1.0 + CUBIC * x * x));
    s + x * s * (1.0 - s) * 2.0 * SLOPE * (1.0 + 3.0 * CUBIC * x * x)
}

/// `x σ(x)`.
#[inline(always)]
pub fn silu(x: f32) -> f32 {
    x * sigmoid(x)
}

/// The derivative of [`silu`].
#[inline(always)]
pub fn silu_slope(x: f32) -> f32 {
    let s = sigmoid(x);
    s + x * s * (1.0 - s)
}

/// `x σ(1.702 x)`.
#[inline(always)]
pub fn quick_gelu(x: f32) -> f32 {
    x * sigmoid(1.702 * x)
}

/// The derivative of [`quick_gelu`].
#[inline(always)]
pub fn quick_gelu_slope(x: f32) -> f32 {
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
    const ROUND: f32 = 12_582_912.0; // 1.5 · 2²³: adding it rounds to a whole number, which the low bits then hold
    let x = x.clamp(LEAST, 88.0);
    let shifted = x * std::f32::consts::LOG2_E + ROUND;
    let n = shifted - ROUND;
    let r = (x - n * LN2_HIGH) - n * LN2_LOW;
    let tail = 1.0 / 6.0 + r * (1.0 / 24.0 + r * (1.0 / 120.0 + r * (1.0 / 720.0 + r * (1.0 / 5040.0))));
    let e = 1.0 + r * (1.0 + r * (0.5 + r * tail));
    e * f32::from_bits(shifted.to_bits().wrapping_add(127) << 23)
}

/// `e^x`, and exactly 0 where it would be less than about 1e-38.
#[inline(always)]
pub fn exp_or_zero(x: f32) -> f32 {
    let e = exp(x); // computed either way, so that there is no branch in a loop
    if x < LEAST { 0.0 } else { e }
}

/// Where [`exp`] stops: `e^x` of less is no normal f32.
const LEAST: f32 = -87.0;

/// GELU with the error function: `x Φ(x)`.
#[inline(always)]
pub fn gelu(x: f32) -> f32 {
    let (tail, _) = normal_tail(x.abs());
    let (below, above) = (x * tail, x - x * tail);
    if x < 0.0 { below } else { above }
}

/// The derivative of [`gelu`]: `Φ(x) + x φ(x)`.
#[inline(always)]
pub fn gelu_slope(x: f32) -> f32 {
    const DENSITY: f32 = 0.398_942_3; // 1 / √(2π)
    let (tail, bell) = normal_tail(x.abs());
    let above = 1.0 - tail;
    (if x < 0.0 { tail } else { above }) + x * DENSITY * bell
}

/// The tail `Φ(−x)` of the normal distribution for x ≥ 0, and `e^(−x²/2)`.
///
/// `Φ(−x) = e^(−x²/2) t P(t)` with `t = 1 / (1 + 0.35 x)`: the form of Hastings (1955, sheet 43), here with coefficients of
/// `tests/golden/normal_tail.py`, whose relative error of 3.2e-8 up to x = 14 is below the f32 rounding of 6e-8. x² is
/// taken in two parts, the first of them exact, so that a large x keeps its digits.
#[inline(always)]
fn normal_tail(x: f32) -> (f32, f32) {
    const TAIL: [f32; 9] = [
        0.139_621_4,
        0.139_861_93,
        0.119_832_43,
        0.105_509_83,
        -0.023_114_324,
        0.159_180_9,
        -0.255_720_32,
        0.143_974_69,
        -0.029_146_56,
    ];
    let [a0, a1, a2, a3, a4, a5, a6, a7, a8] = TAIL;
    let t = 1.0 / (1.0 + 0.35 * x);
    let polynomial = a0 + t * (a1 + t * (a2 + t * (a3 + t * (a4 + t * (a5 + t * (a6 + t * (a7 + t * a8)))))));
    let short = f32::from_bits(x.to_bits() & 0xffff_f000); // 12 digits, whose square is exact
    let bell = exp_or_zero(-0.5 * short * short) * exp(-0.5 * (x - short) * (x + short));
    (t * polynomial * bell, bell)
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

    /// `Φ(−x)` in f64: `√(1/2π) e^(−x²/2)` over Laplace's continued fraction where x is large, else by the series of Φ
    /// (Abramowitz & Stegun 26.2.11 and 26.2.14).
    fn exact_tail(x: f64) -> f64 {
        let density = (-0.5 * x * x).exp() / (2.0 * std::f64::consts::PI).sqrt();
        if x > 3.0 {
            return density / (1..200).rev().fold(x, |below, n| x + f64::from(n) / below);
        }
        let terms = (1..200).scan(x, |term, n| {
            let now = *term;
            *term *= x * x / f64::from(2 * n + 1);
            Some(now)
        });
        0.5 - density * terms.sum::<f64>()
    }

    /// Units in the last place that GELU may be off: three of `exp` on either part of x², and a few roundings.
    const GELU_UNITS: f64 = 8.0;

    #[test]
    fn gelu_is_within_eight_units_in_the_last_place() {
        for step in -1240..1240 {
            let x = step as f32 / 100.0 + 0.003;
            let tail = exact_tail(f64::from(x.abs()));
            let exact = f64::from(x) * if x < 0.0 { tail } else { 1.0 - tail };
            let ours = f64::from(gelu(x));
            let units = ((ours - exact) / exact / f64::from(f32::EPSILON)).abs();
            assert!(units < GELU_UNITS, "gelu({x}) = {ours}, {exact}: {units}");
        }
        assert!(gelu(f32::NAN).is_nan());
        assert_eq!([gelu(-100.0), gelu(0.0), gelu(100.0)], [0.0, 0.0, 100.0]);
    }

    #[test]
    fn slopes_are_differences() {
        type Curve = fn(f32) -> f32;
        let pairs: [(Curve, Curve); 4] =
            [(gelu, gelu_slope), (gelu_tanh, gelu_tanh_slope), (silu, silu_slope), (quick_gelu, quick_gelu_slope)];
        for (value, slope) in pairs {
            for step in -40..40 {
                let x = step as f32 / 8.0;
                let difference = (value(x + 1e-2) - value(x - 1e-2)) / 2e-2;
                assert!((difference - slope(x)).abs() < 1e-3, "at {x}: {difference} {}", slope(x));
            }
        }
    }
}
