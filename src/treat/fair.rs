//! Fair-GPTQ: GPTQ of weights that were first drawn to where they treat both of a pair alike.
//!
//! With H₀₁ = α (2/n) Σ (x₀ − x₁)(x₀ − x₁)ᵀ of stereotypes and anti-stereotypes, W − (H⁻¹ H₀₁ Wᵀ)ᵀ is where
//! ‖Ŵ X − W X‖² + α ‖Ŵ (X₀ − X₁)‖² is least, H being the sum of H₀₁ and what texts are together; rounding goes by that H,
//! too. Both sums are means over positions, so that α says the same of short pairs and long texts. At α = 0 it is GPTQ.
//!
//! Reference: Proskurina, Metzler & Velcin 2025, "Fair-GPTQ: bias-aware quantization for large language models".

use super::Matrix;
use super::dice::Dice;
use super::gptq::{Making, gptq};
use super::hessian::{Moments, factor};

/// The weights at levels.
pub fn fair_gptq(weights: Matrix, moments: &Moments, alpha: f64, how: &Making, dice: &Dice) -> Matrix {
    let apart = moments.fair(alpha);
    let hessian = moments.hessian() + &apart;
    let upper = factor(hessian.clone(), how.damping);
    let shift = upper.t().dot(&upper.dot(&apart.dot(&weights.t())));
    gptq(weights - shift.t(), hessian, how, dice)
}
