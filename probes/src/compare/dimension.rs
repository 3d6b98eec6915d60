//! Intrinsic dimension: how many dimensions do the states fill?
//!
//! **What it measures.** [`participation_ratio`]: (Σλ)² / Σλ² of the eigenvalues of the covariance, the number of dimensions
//! if the variance were spread evenly over them. [`two_nn`]: from how much further the second nearest neighbour of each item
//! is than the nearest, for which curvature hardly matters: on a d-dimensional surface of any shape the ratio μ has
//! P(μ > m) = m^(−d).
//!
//! **What it cannot show.** The participation ratio counts a curved line as many dimensions; TwoNN looks at the finest
//! scale, where noise has all dimensions, and needs items for it: it is too low for high dimensions.
//!
//! **Reference.** Gao et al. 2017, *A theory of multineuronal dimensionality, dynamics and measurement*; Facco et al. 2017,
//! *Estimating the intrinsic dimension of datasets by a minimal neighborhood information*, Scientific Reports 7.
//!
//! **Example.**
//! ```
//! use ndarray::array;
//! use patchclamp_probes::compare::participation_ratio;
//!
//! let square = array![[1.0, 1.0, 5.0], [1.0, -1.0, 5.0], [-1.0, 1.0, 5.0], [-1.0, -1.0, 5.0]];
//! assert!((participation_ratio(square.view())? - 2.0).abs() < 1e-12);
//! # Ok::<(), patchclamp_probes::DataError>(())
//! ```

use crate::data::{self, DataError};
use crate::matrix::{Gram, centred, outer, view, whole};
use ndarray::{ArrayView1, ArrayView2, Axis};

/// The participation ratio of `states` `[item, width]`, 1 to the smaller of width and items less one.
///
/// # Errors
/// Below two items, if a value is not finite, or if they do not vary.
pub fn participation_ratio(states: ArrayView2<f64>) -> Result<f64, DataError> {
    checked(states, 2)?;
    let (states, _) = centred(states);
    let wide = states.ncols() > states.nrows();
    let rows = whole(states.view());
    // the eigenvalues of x xᵀ and xᵀx are the same but for zeros, and traces say all
    let mut gram = Gram::new(if wide { states.nrows() } else { states.ncols() });
    gram.add(if wide { view(&rows).transpose() } else { view(&rows) }, 1.0);
    Ok(gram.trace() * gram.trace() / gram.squares())
}

/// The dimension of `states` `[item, width]` by the two nearest neighbours: the slope of −log(1 − F) on log μ through zero,
/// without the share `discarded` of the items with the largest μ (0.1 as its authors do). Items that have a twin say
/// nothing and are left out.
///
/// # Errors
/// If a value is not finite, or fewer than three different items are left.
///
/// # Panics
/// If the share is not 0 or above and below 1.
pub fn two_nn(states: ArrayView2<f64>, discarded: f64) -> Result<f64, DataError> {
    assert!((0.0..1.0).contains(&discarded), "share {discarded} must be 0 or above, and below 1");
    checked(states, 3)?;
    let (states, _) = centred(states);
    let mut ratios: Vec<f64> = vec![];
    let lengths = states.map_axis(Axis(1), |row| row.dot(&row));
    for (place, block) in states.axis_chunks_iter(Axis(0), BLOCK).enumerate() {
        let products = outer(block, states.view());
        for (row, products) in products.rows().into_iter().enumerate() {
            let nearest = neighbours(states.view(), place * BLOCK + row, &(&lengths - &(&products * 2.0)).view());
            ratios.extend(nearest.map(|[first, second]| (second / first).ln() / 2.0)); // of squares
        }
    }
    data::enough("items without a twin", ratios.len(), 3)?;
    ratios.sort_by(f64::total_cmp);
    let count = ratios.len() as f64;
    let kept = ((1.0 - discarded) * count) as usize;
    let (mut above, mut below) = (0.0, 0.0);
    for (place, log_ratio) in ratios[..kept.max(2)].iter().enumerate() {
        above -= log_ratio * (1.0 - place as f64 / count).ln();
        below += log_ratio * log_ratio;
    }
    if below == 0.0 {
        Err(DataError::Constant { what: "the ratio of neighbours' distances" })
    } else {
        Ok(above / below)
    }
}

/// Items whose distances to all are held at once.
const BLOCK: usize = 512;

/// How many of the items that seem nearest are looked at again: distances from products are rounded where items are near.
const CANDIDATES: usize = 8;

/// The squared distances of the two nearest neighbours of one item; `None` if the nearest is the same. `seeming` orders
/// the items as their distances do, but for rounding.
fn neighbours(states: ArrayView2<f64>, item: usize, seeming: &ArrayView1<f64>) -> Option<[f64; 2]> {
    let mut others: Vec<usize> = (0..states.nrows()).filter(|other| *other != item).collect();
    let candidates = CANDIDATES.min(others.len());
    if candidates < others.len() {
        others.select_nth_unstable_by(candidates, |a, b| seeming[*a].total_cmp(&seeming[*b]));
    }
    let squared = |other: &usize| {
        let apart = &states.row(item) - &states.row(*other);
        apart.dot(&apart)
    };
    let mut distances: Vec<f64> = others[..candidates].iter().map(squared).collect();
    distances.sort_by(f64::total_cmp);
    (distances[0] > 0.0).then(|| [distances[0], distances[1]])
}

fn checked(states: ArrayView2<f64>, items: usize) -> Result<(), DataError> {
    data::enough("items", states.nrows(), items)?;
    data::finite("states", states)?;
    if states.rows().into_iter().all(|row| row == states.row(0)) {
        return Err(DataError::Constant { what: "states" });
    }
    Ok(())
}
