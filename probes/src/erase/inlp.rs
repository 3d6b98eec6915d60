//! INLP: one linear classifier after another is fitted, and what it reads is projected away.
//!
//! **What it measures.** Classifiers W₁, W₂, … each fitted on the states with the row spaces of those before it projected
//! away; P is the projection away from the row space of the sum of their row-space projections, which is the span of all.
//! It ends after `rounds`, or when a classifier reads nothing new.
//!
//! **What it cannot show.** Which of the directions matter: it takes out many more than [LEACE](mod@super::leace) does, and
//! each takes some of every other property with it. Its figure depends on the classifier and on the number of rounds.
//!
//! **Reference.** Ravfogel et al. 2020, *Null It Out: Guarding Protected Attributes by Iterative Nullspace Projection*,
//! ACL.
//!
//! **Example.** With least squares as the classifier one round is enough, since nothing linear is left after it:
//! ```
//! use ndarray::array;
//! use patchclamp_probes::erase::{LeastSquares, inlp};
//!
//! let states = array![[0.0, 1.0], [1.0, 3.0], [4.0, 1.0], [5.0, 2.0]];
//! let found = inlp(states.view(), &[0, 0, 1, 1], 5, |states, labels| {
//!     Ok(LeastSquares::fit(states, labels, 0.0)?.weights().to_owned())
//! })?;
//! assert!(found.eraser.rank() <= 2 && found.ranks[0] == 1);
//! # Ok::<(), patchclamp_probes::DataError>(())
//! ```

use super::eraser::Eraser;
use crate::data::{self, DataError};
use crate::directions::Directions;
use ndarray::{Array1, Array2, ArrayView2, Axis, concatenate};

/// What INLP found.
#[derive(Clone, Debug, PartialEq)]
pub struct Inlp {
    /// The projection, through the origin.
    pub eraser: Eraser,
    /// How many dimensions were taken out by the end of each round, `[round]`.
    pub ranks: Vec<usize>,
}

/// Of the largest weight of the first classifier, what a later one's may be at most to count as reading nothing.
const NOTHING: f64 = 1e-8;

/// Up to `rounds` classifiers of states `[item, width]` by `labels` `[item]`, each by `fit`, which gives weights
/// `[any, width]`.
///
/// # Errors
/// If the states are not finite, there are not two classes with items each, or `fit` fails, or gives weights of another
/// width or that are not finite.
pub fn inlp(
    states: ArrayView2<f64>,
    labels: &[usize],
    rounds: usize,
    fit: impl Fn(ArrayView2<f64>, &[usize]) -> Result<Array2<f64>, DataError>,
) -> Result<Inlp, DataError> {
    data::count("labels", labels.len(), states.nrows())?;
    data::labels("classes", labels)?;
    data::finite("states", states)?;
    let width = states.ncols();
    let (mut basis, mut ranks, mut first) = (Array2::zeros((0, width)), vec![], None);
    while ranks.len() < rounds && basis.nrows() < width {
        let left = Eraser::orthogonal(basis.clone(), Array1::zeros(width)).apply(states);
        let weights = fit(left.view(), labels)?;
        data::count("the classifier's columns", weights.ncols(), width)?;
        data::finite("the classifier's weights", weights.view())?;
        let largest = weights.iter().fold(0.0, |most: f64, weight| most.max(weight.abs()));
        if largest <= NOTHING * *first.get_or_insert(largest) {
            break;
        }
        let Some(read) = Directions::spanned(weights.view()) else { break };
        basis = spanned(concatenate![Axis(0), basis, read.vectors()]);
        ranks.push(basis.nrows());
    }
    Ok(Inlp { eraser: Eraser::orthogonal(basis, Array1::zeros(width)), ranks })
}

/// An orthonormal basis of what the rows span, of which the first ones are already one of what they span.
fn spanned(rows: Array2<f64>) -> Array2<f64> {
    let width = rows.ncols();
    let span = Directions::spanned(rows.view()).map(|span| span.vectors().to_owned());
    span.unwrap_or_else(|| Array2::zeros((0, width)))
}
