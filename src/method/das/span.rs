//! Orthonormal directions as plain numbers: drawn, kept orthonormal, found in differences without learning.

use ndarray::{Array1, Array2, ArrayView1, Axis};
use patchclamp_probes::Directions;
use rand_chacha::ChaCha8Rng;
use rand_distr::{Distribution, StandardNormal};

/// Directions, `[direction, width]`.
pub type Span = Array2<f64>;

/// So many directions, drawn evenly from all spans of that size.
pub fn drawn([count, width]: [usize; 2], random: &mut ChaCha8Rng) -> Span {
    orthonormal(Array2::from_shape_fn((count, width), |_| StandardNormal.sample(random)))
}

/// The same span by orthonormal directions (Gram and Schmidt, twice, so that rounding is no more than the numbers'); each
/// stays near where it was, so that steps go on from it. A direction that the others span becomes zero.
pub fn orthonormal(mut span: Span) -> Span {
    const NOTHING: f64 = 1e-12;
    for row in 0..span.nrows() {
        let before = length(span.row(row));
        for other in (0..row).chain(0..row) {
            let along = span.row(row).dot(&span.row(other));
            let other = span.row(other).to_owned();
            span.row_mut(row).scaled_add(-along, &other);
        }
        let left = length(span.row(row));
        let factor = if left > NOTHING * before { 1.0 / left } else { 0.0 };
        span.row_mut(row).mapv_inplace(|value| value * factor);
    }
    span
}

fn length(row: ArrayView1<f64>) -> f64 {
    row.dot(&row).sqrt()
}

/// What of a slope by orthonormal directions keeps them orthonormal to first order: G − ½ (G Qᵀ + Q Gᵀ) Q.
pub fn tangent(span: &Span, slope: &Span) -> Span {
    let cross = slope.dot(&span.t());
    let symmetric = (&cross + &cross.t()) / 2.0;
    slope - &symmetric.dot(span)
}

/// The directions that hold most of some differences `[row, width]`; a row of zeros, along which nothing is exchanged, where
/// there are none.
pub fn leading(differences: &Array2<f64>, count: usize) -> Span {
    let found = Directions::leading(differences.view(), count);
    found.map_or_else(|| Array2::zeros((1, differences.ncols())), |found| found.vectors().to_owned())
}

/// The direction of the mean of some differences.
pub fn mean(differences: &Array2<f64>) -> Span {
    let mean = differences.mean_axis(Axis(0)).unwrap_or_else(|| Array1::zeros(differences.ncols()));
    orthonormal(mean.insert_axis(Axis(0)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::SeedableRng;

    /// Far above rounding of f64, far below any step.
    const CLOSE: f64 = 1e-12;

    fn some(count: usize, seed: u64) -> Span {
        drawn([count, 7], &mut ChaCha8Rng::seed_from_u64(seed))
    }

    #[test]
    fn directions_are_orthonormal_and_span_what_they_did() {
        let rows = Array2::from_shape_fn((3, 7), |(row, column)| ((row * 5 + column * 3) % 11) as f64 - 4.0);
        let span = orthonormal(rows.clone());
        assert!((span.dot(&span.t()) - Array2::<f64>::eye(3)).iter().all(|gap| gap.abs() < CLOSE));
        assert!((rows.dot(&span.t()).dot(&span) - rows).iter().all(|gap| gap.abs() < 1e3 * CLOSE));
    }

    #[test]
    fn a_direction_that_the_others_span_becomes_zero() {
        let mut rows = some(3, 1);
        let sum = &rows.row(0) + &rows.row(1);
        rows.row_mut(2).assign(&sum);
        assert!(orthonormal(rows).row(2).iter().all(|value| *value == 0.0));
    }

    /// A step along the tangent changes what directions are to each other in second order only.
    #[test]
    fn steps_along_the_tangent_keep_directions_orthonormal() {
        let (span, slope) = (some(3, 1), some(3, 2));
        let along = tangent(&span, &slope);
        let gap = |step: f64| {
            let moved = &span + &(&along * step);
            (moved.dot(&moved.t()) - Array2::<f64>::eye(3)).iter().fold(0.0, |most: f64, gap| most.max(gap.abs()))
        };
        assert!(gap(1e-2) > 1e-6 && gap(1e-4) < 1.1e-4 * gap(1e-2), "{} {}", gap(1e-2), gap(1e-4));
        let outside = &span + &(&slope * 1e-4);
        assert!((outside.dot(&outside.t()) - Array2::<f64>::eye(3)).iter().any(|gap| gap.abs() > 1e-5));
    }
}
