//! Erasing: taking out of states what tells some property, and nothing else.
//!
//! | module            | what is taken out                                                            |
//! |-------------------|------------------------------------------------------------------------------|
//! | [`moments`]       | (before) means and covariances of states and properties, block by block      |
//! | [`eraser`]        | (the result) a map of low rank, to apply to rows or to give to a model       |
//! | [`mod@leace`]     | all that any linear probe could read, at the least change of the states      |
//! | [`oracle`]        | the same where the property of each item is known: a smaller change yet      |
//! | [`mean`]          | the directions between the means of classes, at right angles                 |
//! | [`mod@inlp`]      | the directions of one classifier after another, until none is left           |
//! | [`mod@random`]    | directions by chance: the control for how much an erasure costs anyway       |
//! | [`least_squares`] | (guard) the simplest linear classifier, which should find nothing afterwards |

pub mod eraser;
pub mod inlp;
pub mod least_squares;
pub mod mean;
pub mod moments;
pub mod random;
mod whitening;

pub mod leace;
pub mod oracle;

pub use eraser::Eraser;
pub use inlp::{Inlp, inlp};
pub use leace::{Covariance, Leace, leace};
pub use least_squares::LeastSquares;
pub use mean::mean_projection;
pub use moments::Moments;
pub use oracle::Oracle;
pub use random::random_directions;
