//! A pattern whose scores move: what it brings by first order when it is computed anew, and not its scores.
//!
//! With p the pattern of a query, g the gradient at it, ḡ = Σ p g, and d_j what the score of key j moves by, the pattern
//! p' of moved scores gives Σ (p' − p) g = Σ_J c_j (g_j − ḡ) / (1 + Σ_J c_j) with c_j = p_j (exp d_j − 1), the sums over
//! the keys J that move. So each of T keys moved by itself costs one term, and all of them T and not T² (Kramár et al. 2024).

use crate::model::parts::position::is_masked;

/// Below this share of what the pattern was, the closed form is a small difference of large numbers.
const LEFT: f64 = 1e-3;

/// One query: its scores, pattern and gradient.
pub struct Query<'a> {
    scores: &'a [f64],
    slopes: &'a [f64],
    pattern: Vec<f64>,
    mean: f64,
}

impl<'a> Query<'a> {
    /// From scores with their mask, and gradients at the pattern, one a key.
    pub fn new(scores: &'a [f64], slopes: &'a [f64]) -> Self {
        let pattern = softmax(scores.iter().copied());
        let mean = pattern.iter().zip(slopes).map(|(p, slope)| p * slope).sum();
        Query { scores, slopes, pattern, mean }
    }

    /// Σ (pattern' − pattern) · gradient, where the scores of all keys move by so much each.
    pub fn all_moved(&self, by: &[f64]) -> f64 {
        self.anew(|key| by[key])
    }

    /// The same where those of some keys move; `by` is of all keys.
    pub fn moved(&self, keys: &[usize], by: &[f64]) -> f64 {
        let (mut above, mut left) = (0.0, 1.0);
        for key in keys.iter().filter(|key| !is_masked(self.scores[**key])) {
            let change = self.pattern[*key] * by[*key].exp_m1();
            above += change * (self.slopes[*key] - self.mean);
            left += change;
        }
        let fine = above.is_finite() && left.is_finite() && left > LEFT;
        if fine { above / left } else { self.anew(|key| if keys.contains(&key) { by[key] } else { 0.0 }) }
    }

    /// The same by the softmax itself.
    fn anew(&self, by: impl Fn(usize) -> f64) -> f64 {
        // a masked score stays so far below all others that it does not matter where it moves
        let moved = softmax(self.scores.iter().enumerate().map(|(key, score)| score + by(key)));
        let parts = moved.iter().zip(&self.pattern).zip(self.slopes);
        parts.map(|((moved, was), slope)| (moved - was) * slope).sum()
    }
}

fn softmax(scores: impl Iterator<Item = f64>) -> Vec<f64> {
    let scores: Vec<f64> = scores.collect();
    let most = scores.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let raised: Vec<f64> = scores.iter().map(|score| (score - most).exp()).collect();
    let sum: f64 = raised.iter().sum();
    raised.into_iter().map(|raised| raised / sum).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::{Rng, SeedableRng};
    use rand_chacha::ChaCha8Rng;

    /// Sums of a dozen terms of order one.
    const ROUNDING: f64 = 1e-12;

    fn numbers(random: &mut ChaCha8Rng, size: f64) -> Vec<f64> {
        (0..9).map(|_| random.random_range(-size..size)).collect()
    }

    #[test]
    fn the_closed_form_is_the_softmax_of_moved_scores() {
        let mut random = ChaCha8Rng::seed_from_u64(1);
        for size in [0.1, 1.0, 10.0, 40.0, 400.0] {
            let [scores, slopes, by] = [size, 1.0, size].map(|size| numbers(&mut random, size));
            let query = Query::new(&scores, &slopes);
            for keys in [vec![3], vec![0, 4, 8], (0..9).collect()] {
                let found = query.moved(&keys, &by);
                let expected = query.anew(|key| if keys.contains(&key) { by[key] } else { 0.0 });
                assert!((found - expected).abs() < ROUNDING / LEFT, "{size} {keys:?}: {found} {expected}");
            }
            assert_eq!(query.all_moved(&by), query.anew(|key| by[key]));
        }
    }

    #[test]
    fn a_small_move_is_the_gradient_of_the_softmax() {
        let mut random = ChaCha8Rng::seed_from_u64(2);
        let [scores, slopes] = [2.0, 1.0].map(|size| numbers(&mut random, size));
        let (query, small) = (Query::new(&scores, &slopes), 1e-7);
        for (key, slope) in slopes.iter().enumerate() {
            let slope = query.pattern[key] * (slope - query.mean);
            assert!((query.moved(&[key], &[small; 9]) / small - slope).abs() < 1e-6);
        }
    }

    #[test]
    fn all_scores_moved_alike_leave_the_pattern_as_it_was() {
        let mut random = ChaCha8Rng::seed_from_u64(3);
        let [scores, slopes] = [2.0, 1.0].map(|size| numbers(&mut random, size));
        let keys: Vec<usize> = (0..9).collect();
        for by in [-700.0, -60.0, 1.0, 60.0, 700.0] {
            assert!(Query::new(&scores, &slopes).moved(&keys, &[by; 9]).abs() < ROUNDING);
        }
    }

    #[test]
    fn masked_keys_do_not_count() {
        let scores = [0.5, f64::from(f32::MIN), -0.5];
        let query = Query::new(&scores, &[1.0, 5.0, 2.0]);
        assert_eq!(query.moved(&[1], &[0.0, 900.0, 0.0]), 0.0);
        let two = [0.5, -0.5];
        let alone = Query::new(&two, &[1.0, 2.0]);
        assert!((query.moved(&[0, 1], &[0.7, 900.0, 0.0]) - alone.moved(&[0], &[0.7, 0.0])).abs() < ROUNDING);
    }
}
