//! Comparing: do two spaces of states have the same shape?
//!
//! | module             | question it answers                                                              |
//! |--------------------|----------------------------------------------------------------------------------|
//! | [`dissimilarity`]  | how far apart are the states of each two conditions?                             |
//! | [`noise`]          | how do the values of states vary together where the condition stays?             |
//! | [`similarity`]     | do two sets of dissimilarities agree?                                            |
//! | [`ceiling`]        | how well could any model agree with the data, given how they disagree?           |
//! | [`permutation`]    | would conditions named at random agree as well?                                  |
//! | [`mod@models`]     | which of several models agrees best, and is that more than the draw of the data? |
//! | [`cka`]            | are two spaces alike up to rotation and scale, item by item?                     |
//! | [`mod@cca`]        | are they alike up to any linear map?                                             |
//! | [`mod@procrustes`] | how far apart are they after the best rotation?                                  |
//! | [`dimension`]      | how many dimensions do the states fill?                                          |

pub mod dissimilarity;
pub mod noise;
pub mod similarity;

pub mod ceiling;
pub mod models;
pub mod permutation;

mod kernel;

pub mod cca;
pub mod cka;
pub mod dimension;
pub mod procrustes;

pub use cca::{Cca, cca, pwcca, svcca};
pub use ceiling::{Ceiling, noise_ceiling};
pub use cka::{debiased_cka, debiased_rbf_cka, linear_cka, rbf_cka};
pub use dimension::{participation_ratio, two_nn};
pub use dissimilarity::Dissimilarities;
pub use models::{Comparison, Resampled, compare_models};
pub use noise::{Noise, precision};
pub use permutation::condition_permutation;
pub use procrustes::procrustes;
pub use similarity::Similarity;
