//! The word (or sentence) embedding association test.
//!
//! **What it measures.** The association of a target word w is s(w) = mean cos(w, a) − mean cos(w, b) over two sets of
//! attribute words. The effect size is the mean of s over the targets X less that over Y, in standard deviations (n − 1) of s
//! over both. p is one-sided: the share of ways to part the targets into sets of these sizes whose difference of means is at
//! least as large as the observed one, so ties count against an effect. Where there are few enough ways all are tried, else
//! random ones and the observed one.
//!
//! **What it cannot show.** What a model does with its embeddings: associations in vectors and biases in behaviour go together
//! only loosely. The test takes the targets as exchangeable and the attributes as given; other attribute words may give
//! another answer. An effect size is bounded by 2 for sets of equal size, and depends on the spread of s, not on its size alone.
//!
//! **Reference.** Caliskan, Bryson & Narayanan 2017, Science 356; May et al. 2019 (sentences); Phipson & Smyth 2010 for
//! counting the observed partition among the random ones.
//!
//! **Example.**
//! ```
//! use ndarray::array;
//! use patchclamp_probes::fairness::weat;
//!
//! let (a, b) = (array![[1.0, 0.0]], array![[0.0, 1.0]]);
//! let (x, y) = (array![[2.0, 1.0], [3.0, 1.0]], array![[1.0, 2.0], [1.0, 3.0]]);
//! let found = weat([x.view(), y.view()], [a.view(), b.view()], 1000, 7).unwrap();
//! assert!(found.exact && found.p == 1.0 / 6.0 && found.effect > 1.5);
//! ```

use crate::data::{self, DataError};
use crate::draw::shuffle;
use crate::special::binomial;
use crate::unit::selectivity::{mean, variance};
use ndarray::{Array1, Array2, ArrayView2, Axis};
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;

/// Up to how many partitions all are tried: 8 and 8 words have 12,870.
const EXACT: f64 = 100_000.0;

/// Differences this close, relative to the associations' sizes, are tied: sums in another order differ by rounding.
const TIE: f64 = 1e-12;

/// What the test says.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Weat {
    /// In standard deviations of the associations; 0 where they do not vary.
    pub effect: f64,
    /// One-sided: of the first targets going with the first attributes.
    pub p: f64,
    /// Whether every partition was tried.
    pub exact: bool,
    /// How many partitions were.
    pub partitions: usize,
}

/// The test of target words `[x, y]`, each `[word, width]`, with attribute words `[a, b]`; `draws` and `seed` are idle where
/// every partition is tried.
///
/// # Errors
/// A set without words, widths that differ, a vector of zeros, or values that are not finite.
pub fn weat(
    [x, y]: [ArrayView2<f64>; 2],
    attributes: [ArrayView2<f64>; 2],
    draws: usize,
    seed: u64,
) -> Result<Weat, DataError> {
    let [x, y] = [associations("x", x, attributes)?, associations("y", y, attributes)?];
    Ok(partitions(&x, &y, draws, seed))
}

/// The same of associations that are known: of the targets `x` and of `y`.
pub fn partitions(x: &[f64], y: &[f64], draws: usize, seed: u64) -> Weat {
    let effect = effect_size(x, y).unwrap_or(0.0);
    let (p, exact, partitions) = partitioned(x, y, draws, seed);
    Weat { effect, p, exact, partitions }
}

/// How much nearer each word `[word, width]`, called `what` in errors, is to the first attributes than to the second, −2 to 2.
///
/// # Errors
/// A set without words, widths that differ, a vector of zeros, or values that are not finite.
pub fn associations(
    what: &'static str,
    words: ArrayView2<f64>,
    [a, b]: [ArrayView2<f64>; 2],
) -> Result<Vec<f64>, DataError> {
    data::count("columns of a", a.ncols(), words.ncols())?;
    data::count("columns of b", b.ncols(), words.ncols())?;
    let (words, a, b) = (directions(what, words)?, directions("a", a)?, directions("b", b)?);
    let towards = |attributes: Array2<f64>| attributes.mean_axis(Axis(0)).expect("there is a word");
    let axis: Array1<f64> = towards(a) - towards(b);
    Ok(words.dot(&axis).to_vec())
}

/// The mean of `x` less that of `y` in standard deviations (n − 1) of both together. `None` without items in one, or where
/// they do not vary.
pub fn effect_size(x: &[f64], y: &[f64]) -> Option<f64> {
    if x.is_empty() || y.is_empty() {
        return None;
    }
    let spread = variance(&[x, y].concat()).sqrt();
    (spread > 0.0).then(|| (mean(x) - mean(y)) / spread)
}

/// The rows as vectors of length one.
fn directions(what: &'static str, words: ArrayView2<f64>) -> Result<Array2<f64>, DataError> {
    if words.nrows() == 0 {
        return Err(DataError::TooFew { what, found: 0, needed: 1 });
    }
    data::finite(what, words)?;
    let lengths = words.map_axis(Axis(1), |word| word.dot(&word).sqrt());
    match lengths.iter().position(|length| *length == 0.0) {
        Some(row) => Err(DataError::Zero { what, row }),
        None => Ok(&words / &lengths.insert_axis(Axis(1))),
    }
}

/// The share of partitions that lie as far up, whether all were tried, and how many were.
fn partitioned(x: &[f64], y: &[f64], draws: usize, seed: u64) -> (f64, bool, usize) {
    let mut all = [x, y].concat();
    let sizes = all.iter().map(|value| value.abs()).sum::<f64>();
    // with the total fixed, the difference of means rises with the sum over the first set
    let bar = x.iter().sum::<f64>() - TIE * sizes;
    let exact = binomial(all.len(), x.len()) <= EXACT;
    let (mut as_far, mut tried) = (0, 0);
    let mut count = |sum: f64| {
        tried += 1;
        as_far += usize::from(sum >= bar);
    };
    if exact {
        each_sum(&all, x.len(), 0.0, &mut count);
    } else {
        count(x.iter().sum());
        let mut random = ChaCha8Rng::seed_from_u64(seed);
        for _ in 0..draws {
            shuffle(&mut all, &mut random);
            count(all[..x.len()].iter().sum());
        }
    }
    (as_far as f64 / tried as f64, exact, tried)
}

/// The sum of every choice of `left` of the values, added to `sum`.
fn each_sum(values: &[f64], left: usize, sum: f64, count: &mut impl FnMut(f64)) {
    if left == 0 {
        return count(sum);
    }
    for first in 0..=values.len() - left {
        each_sum(&values[first + 1..], left - 1, sum + values[first], count);
    }
}
