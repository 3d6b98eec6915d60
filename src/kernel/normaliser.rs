//! ln Σ exp of rows where they lie: what logits are normalised by, without a copy of them.

use super::function::exp_or_zero;
use super::{largest, sum};
use rayon::prelude::*;

/// Numbers whose exponentials are summed in f32 before the sum goes on in f64: few enough to lose no digit that counts.
const BLOCK: usize = 1 << 10;

/// ln Σ exp of each row of `values` `[row, width]`.
pub fn log_sum_exp(values: &[f32], width: usize) -> Vec<f64> {
    values.par_chunks_exact(width).map(|row| pulp::Arch::new().dispatch(Row(row))).collect()
}

struct Row<'a>(&'a [f32]);

impl pulp::NullaryFnOnce for Row<'_> {
    type Output = f64;

    #[inline(always)]
    fn call(self) -> f64 {
        let most = largest(self.0);
        let mut total = 0.0;
        let mut powers = [0.0; BLOCK];
        for block in self.0.chunks(BLOCK) {
            let powers = &mut powers[..block.len()];
            for (power, value) in powers.iter_mut().zip(block) {
                *power = exp_or_zero(value - most);
            }
            total += f64::from(sum(powers));
        }
        f64::from(most) + total.ln()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Of f32 sums over blocks, in nats.
    const ROUNDING: f64 = 1e-6;

    #[test]
    fn rows_are_normalised_as_in_doubles() {
        for width in [1, 3, 16, 1803, 50_257] {
            let values: Vec<f32> = (0..2 * width).map(|at| (at as f32 * 0.37).sin() * 12.0).collect();
            let exact = values.chunks_exact(width).map(|row| {
                let most = row.iter().copied().fold(f32::NEG_INFINITY, f32::max);
                let total: f64 = row.iter().map(|value| f64::from(value - most).exp()).sum();
                f64::from(most) + total.ln()
            });
            for (ours, exact) in log_sum_exp(&values, width).into_iter().zip(exact) {
                assert!((ours - exact).abs() < ROUNDING, "{width}: {ours}, {exact}");
            }
        }
    }
}
