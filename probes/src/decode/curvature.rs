//! What is known of the curvature of a probe's loss beforehand: the second moments of the features.
//!
//! The Hessian of a logistic loss is `Σ_i p_i(1 − p_i) x_i x_iᵀ + λ`. With one number for all `p_i(1 − p_i)` it is the matrix
//! of second moments, which every class, fold and set of labels has in common: factored once for a penalty, it takes the
//! place of the identity in L-BFGS and so most of its steps away, which on states of language models are many, because a few
//! of their directions hold most of the variance (Böhning 1992, *Multinomial logistic regression algorithm*, for the bound).
//! It decides how soon the minimum is reached, never where it lies; so a sample of the rows will do.

use super::gram::gram;
use super::{DecodeError, Scale};
use crate::product::product;
use crate::rows::{Picked, Rows};
use faer::linalg::solvers::Llt;
use faer::prelude::Solve;
use faer::{MatMut, MatRef, Side};
use ndarray::{Array2, ArrayView2};

/// Rows a feature in the sample: at four, the eigenvalues are within a factor of (1 ± ½)² of those of all rows.
const ROWS_A_FEATURE: usize = 4;

/// Second moments of scaled rows, or the rows themselves where they are fewer than the features.
pub(crate) struct Curvature {
    moments: Moments,
    /// How many rows each row of the sample stands for.
    weight: f64,
}

enum Moments {
    /// `[feature, feature]`, the lower half and what lies near it.
    Features(Array2<f64>),
    /// The rows `[row, feature]`, and the products of each two `[row, row]`.
    Rows(Array2<f64>, Array2<f64>),
}

/// A curvature with its penalty, ready to be undone.
pub(crate) enum Factored<'a> {
    Features(Llt<f64>),
    /// By Woodbury's identity.
    Rows {
        rows: &'a Array2<f64>,
        factor: Llt<f64>,
        penalty: f64,
    },
}

impl Curvature {
    /// That of `rows`, scaled by `scale`.
    pub(crate) fn new(rows: &dyn Rows, scale: &Scale) -> Self {
        let (count, width) = (rows.count(), rows.width());
        let step = (count / (ROWS_A_FEATURE * width).max(1)).max(1);
        let sample: Vec<usize> = (0..count).step_by(step).collect();
        let weight = count as f64 / sample.len().max(1) as f64;
        let picked = Picked { rows, items: &sample };
        if sample.len() < width {
            let scaled = scale.apply(picked.block(0..sample.len(), &mut Vec::new()));
            let products = product(scaled.view(), scaled.t());
            return Self { moments: Moments::Rows(scaled, products), weight };
        }
        Self { moments: Moments::Features(gram(&picked, scale)), weight }
    }

    /// With `share` for all `p(1 − p)`, and `penalty`.
    ///
    /// # Errors
    /// [`DecodeError::Decomposition`].
    pub(crate) fn factored(&self, share: f64, penalty: f64) -> Result<Factored<'_>, DecodeError> {
        let weight = self.weight * share;
        let factor = |matrix: &Array2<f64>, times: f64, ridge: f64| {
            let mut whole = matrix * times;
            whole.diag_mut().iter_mut().for_each(|value| *value += ridge);
            let slice = whole.as_slice().expect("standard layout");
            let found = MatRef::from_row_major_slice(slice, whole.nrows(), whole.ncols()).llt(Side::Lower);
            found.map_err(|_| DecodeError::Decomposition)
        };
        Ok(match &self.moments {
            Moments::Features(moments) => Factored::Features(factor(moments, weight, penalty)?),
            Moments::Rows(rows, products) => {
                Factored::Rows { rows, factor: factor(products, 1.0, penalty / weight)?, penalty }
            }
        })
    }
}

impl Factored<'_> {
    /// The inverse, applied to each of `vectors` `[vector, feature]`.
    pub(crate) fn undo(&self, vectors: ArrayView2<f64>) -> Array2<f64> {
        match self {
            Self::Features(factor) => solved(factor, vectors.to_owned()),
            Self::Rows { rows, factor, penalty } => {
                let parts = solved(factor, product(vectors, rows.t())); // [vector, row]
                (&vectors - &product(parts.view(), rows.view())) / *penalty
            }
        }
    }
}

fn solved(factor: &Llt<f64>, vectors: Array2<f64>) -> Array2<f64> {
    let mut vectors = vectors.as_standard_layout().into_owned();
    let (count, width) = vectors.dim();
    let slice = vectors.as_slice_mut().expect("standard layout");
    factor.solve_in_place(MatMut::from_column_major_slice_mut(slice, width, count));
    vectors
}

#[cfg(test)]
mod tests {
    use super::*;

    fn states(count: usize, width: usize) -> Array2<f64> {
        Array2::from_shape_fn((count, width), |(row, column)| ((row * 37 + column * 11 + row * column) as f64).sin())
    }

    /// The matrix itself, multiplied back: with every row in the sample the inverse is that of the whole.
    #[test]
    fn undoing_a_curvature_gives_back_what_it_was_applied_to() {
        for (count, width) in [(400, 150), (20, 50)] {
            let states = states(count, width);
            let all: Vec<usize> = (0..count).collect();
            let scale = &Scale::of(&states.view(), &[&all]).unwrap()[0];
            let curvature = Curvature::new(&states.view(), scale);
            let vectors = Array2::from_shape_fn((2, width), |(row, place)| (place as f64 + row as f64).cos());
            let scaled = scale.apply(states.view());
            let applied = vectors.dot(&scaled.t()).dot(&scaled) * 0.25 + &vectors * 0.5;
            let again = curvature.factored(0.25, 0.5).unwrap().undo(applied.view());
            assert!((&again - &vectors).iter().all(|gap| gap.abs() < 1e-9), "{count} {width}");
        }
    }
}
