//! Random directions: what it costs to take out as many dimensions, whichever they are.
//!
//! **What it measures.** Nothing of the data: an orthonormal basis of a span drawn evenly from all spans of its rank. The
//! effect of an erasure is what it does beyond what such projections of the same rank do.
//!
//! **What it cannot show.** A random direction of a space of thousands of dimensions hardly meets the few that hold most
//! of the variance, so that it moves states less than a direction of meaning does: compare
//! [`moved`](super::Eraser::moved) as well.
//!
//! **Reference.** Elazar et al. 2021, *Amnesic probing: behavioral explanation with amnesic counterfactuals*, TACL 9.
//!
//! **Example.**
//! ```
//! use ndarray::{Array1, array};
//! use patchclamp_probes::erase::random_directions;
//!
//! let control = random_directions(3, 2, Array1::zeros(3), 7)?;
//! let once = control.apply(array![[1.0, 2.0, 3.0]].view());
//! assert_eq!(control.rank(), 2);
//! assert!((control.apply(once.view()) - once).iter().all(|gap| gap.abs() < 1e-12));
//! # Ok::<(), patchclamp_probes::DataError>(())
//! ```

use super::eraser::Eraser;
use crate::data::{self, DataError};
use crate::directions::Directions;
use crate::draw::normal;
use ndarray::{Array1, Array2};
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;

/// The projection away from `rank` directions by chance of `width` dimensions, which leaves `mean` `[width]` where it is.
///
/// # Errors
/// If there are fewer dimensions than directions.
///
/// # Panics
/// If the mean is not as wide.
pub fn random_directions(width: usize, rank: usize, mean: Array1<f64>, seed: u64) -> Result<Eraser, DataError> {
    data::enough("dimensions of the states", width, rank)?;
    let drawn = normal((rank, width), &mut ChaCha8Rng::seed_from_u64(seed));
    let nothing = || Array2::zeros((0, width));
    let directions = Directions::spanned(drawn.view()).map_or_else(nothing, |span| span.vectors().to_owned());
    Ok(Eraser::orthogonal(directions, mean))
}
