//! Random numbers, drawn alike on every platform: orders, normal values, orthonormal directions.

use ndarray::Array2;
use rand::Rng;
use rand_chacha::ChaCha8Rng;
use std::f64::consts::TAU;

/// Puts `places` into random order (Fisher and Yates), 32 bits a swap on every platform.
pub(crate) fn shuffle<T>(places: &mut [T], random: &mut ChaCha8Rng) {
    for last in (1..places.len()).rev() {
        let other = random.random_range(0..=last as u32);
        places.swap(last, other as usize);
    }
}

/// One of `count`, 32 bits a draw.
pub(crate) fn one_of(count: usize, random: &mut ChaCha8Rng) -> usize {
    random.random_range(0..u32::try_from(count).expect("fewer than 2^32")) as usize
}

/// A standard normal value, by the transform of Box & Muller 1958.
pub(crate) fn gauss(random: &mut ChaCha8Rng) -> f64 {
    let (radius, angle): (f64, f64) = (1.0 - random.random::<f64>(), random.random());
    (-2.0 * radius.ln()).sqrt() * (TAU * angle).cos()
}

/// Standard normal values, row by row.
pub(crate) fn normal(shape: (usize, usize), random: &mut ChaCha8Rng) -> Array2<f64> {
    Array2::from_shape_fn(shape, |_| gauss(random))
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::SeedableRng;

    #[test]
    fn normal_values_have_mean_zero_variance_one_and_no_skew() {
        let values = normal((100, 1000), &mut ChaCha8Rng::seed_from_u64(1));
        let moment = |power: i32| values.iter().map(|value| value.powi(power)).sum::<f64>() / 1e5;
        // four standard errors: √(1/n), √(2/n), √(15/n), √(96/n)
        assert!(moment(1).abs() < 0.013 && (moment(2) - 1.0).abs() < 0.018);
        assert!(moment(3).abs() < 0.05 && (moment(4) - 3.0).abs() < 0.124);
    }
}
