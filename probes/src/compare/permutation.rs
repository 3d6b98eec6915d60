//! The permutation test of condition labels: would conditions named at random agree as well?
//!
//! **What it measures.** The share of orders of the conditions of one side under which the two agree at least as well as
//! they do: a one-sided p-value. Up to seven conditions every order is counted; above, random ones and the observed one.
//!
//! **What it cannot show.** Anything about conditions beyond those at hand. Dissimilarities share conditions and do not
//! vary independently, which is why conditions are exchanged and not dissimilarities.
//!
//! **Reference.** Mantel 1967, *The detection of disease clustering and a generalized regression approach*, Cancer Research
//! 27; Kriegeskorte, Mur & Bandettini 2008.
//!
//! **Example.**
//! ```
//! use patchclamp_probes::compare::{Dissimilarities, Similarity, condition_permutation};
//!
//! let far = Dissimilarities::new(3, vec![1.0, 2.0, 4.0])?;
//! // of the six orders only the one at hand agrees perfectly
//! assert_eq!(condition_permutation(&far, &far, Similarity::Spearman, 100, 7)?, 1.0 / 6.0);
//! # Ok::<(), patchclamp_probes::DataError>(())
//! ```

use super::dissimilarity::Dissimilarities;
use super::similarity::Similarity;
use crate::data::DataError;
use crate::draw::shuffle;
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;

/// Up to how many conditions every order is counted: 7! = 5040.
const EXHAUSTIVE_CONDITIONS: usize = 7;

/// Agreements this close are tied, and ties count against: equal sums in another order differ by rounding.
const TIE: f64 = 1e-12;

/// The one-sided p-value, above 0 and up to 1, of `x` and `y` agreeing no better than with conditions named at random,
/// exact up to seven conditions (`draws` and `seed` are then idle), else from `draws` random orders as
/// (1 + as good) / (1 + draws).
///
/// # Errors
/// As [`Similarity::of`].
pub fn condition_permutation(
    x: &Dissimilarities,
    y: &Dissimilarities,
    similarity: Similarity,
    draws: usize,
    seed: u64,
) -> Result<f64, DataError> {
    let observed = similarity.of(x, y)?;
    let as_good = |order: &[usize]| Ok(similarity.of(x, &y.reordered(order))? >= observed - TIE);
    let mut order: Vec<usize> = (0..y.conditions()).collect();
    let (mut orders, mut reached) = (1, 1); // the observed one
    if y.conditions() <= EXHAUSTIVE_CONDITIONS {
        while next(&mut order) {
            orders += 1;
            reached += usize::from(as_good(&order)?);
        }
    } else {
        let mut random = ChaCha8Rng::seed_from_u64(seed);
        for _ in 0..draws {
            shuffle(&mut order, &mut random);
            orders += 1;
            reached += usize::from(as_good(&order)?);
        }
    }
    Ok(reached as f64 / orders as f64)
}

/// The order that comes next in the dictionary; false after the last one.
fn next(order: &mut [usize]) -> bool {
    let Some(place) = order.windows(2).rposition(|pair| pair[0] < pair[1]) else { return false };
    let larger = order.iter().rposition(|value| *value > order[place]).expect("the one behind it is");
    order.swap(place, larger);
    order[place + 1..].reverse();
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_order_comes_once() {
        let mut order = vec![0, 1, 2, 3, 4];
        let mut seen = std::collections::BTreeSet::from([order.clone()]);
        while next(&mut order) {
            assert!(seen.insert(order.clone()));
        }
        assert_eq!(seen.len(), 120);
    }
}
