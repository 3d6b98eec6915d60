//! What inputs are together, and the factor of its inverse that second-order methods go by.

use super::Matrix;
use ndarray::Array2;
use patchclamp_probes::inverse_factor;

/// Sums over the inputs of a map, and over the differences of paired inputs.
#[derive(Clone, Debug)]
pub struct Moments {
    /// Inputs summed over.
    pub count: usize,
    /// Σ x xᵀ.
    pub gram: Matrix,
    /// Σ |x|, a number each channel.
    pub sizes: Vec<f64>,
    /// Pairs of inputs summed over.
    pub pairs: usize,
    /// Σ (x₀ − x₁)(x₀ − x₁)ᵀ.
    pub apart: Matrix,
}

impl Moments {
    /// Of no inputs.
    pub fn new(width: usize) -> Self {
        let none = || Array2::zeros((width, width));
        Moments { count: 0, gram: none(), sizes: vec![0.0; width], pairs: 0, apart: none() }
    }

    /// H = (2/n) Σ x xᵀ, n the inputs.
    pub fn hessian(&self) -> Matrix {
        &self.gram * (2.0 / self.count.max(1) as f64)
    }

    /// H₀₁ = α (2/n) Σ (x₀ − x₁)(x₀ − x₁)ᵀ, n the pairs of inputs.
    pub fn fair(&self, alpha: f64) -> Matrix {
        &self.apart * (alpha * 2.0 / self.pairs.max(1) as f64)
    }

    /// ‖x‖ of each channel over all inputs.
    pub fn norms(&self) -> Vec<f64> {
        self.gram.diag().iter().map(|square| square.max(0.0).sqrt()).collect()
    }

    /// ‖W X‖² of all inputs.
    pub fn output(&self, weights: &Matrix) -> f64 {
        (weights.dot(&self.gram) * weights).sum()
    }
}

/// Times that the damping is made ten times stronger before inputs are given up for being as good as nothing together.
const STRONGER: usize = 8;

/// U, upper triangular, with H⁻¹ = Uᵀ U of H after its dead channels got 1 and its diagonal `damping` of its mean.
///
/// Where that has no inverse in these numbers the damping grows tenfold until it has. Inputs that are not numbers weigh
/// nothing: then U is the identity, and every weight is rounded by itself.
pub fn factor(mut hessian: Matrix, damping: f64) -> Matrix {
    hessian.diag_mut().iter_mut().filter(|own| **own == 0.0).for_each(|own| *own = 1.0);
    let mean = hessian.diag().mean().unwrap_or(1.0);
    let mut share = damping;
    for _ in 0..STRONGER {
        let mut damped = hessian.clone();
        damped.diag_mut().iter_mut().for_each(|own| *own += share * mean);
        if let Some(upper) = inverse_factor(damped.view()) {
            return upper;
        }
        share = (share * 10.0).max(1e-6);
    }
    Array2::eye(hessian.nrows())
}
