//! Statistics for interventions: slices and matrices in, numbers out; no model, no text, no file.
//!
//! Reading order is dependency order: a file uses only what stands above it.
//!
//! | module            | question it answers                                                 |
//! |-------------------|---------------------------------------------------------------------|
//! | [`affine`]        | which change of an activation is this? `x ↦ x Wᵀ + b`               |
//! | [`interval`]      | which range holds the middle of these draws?                        |
//! | [`directions`]    | along which few directions do these rows vary, or differ from zero? |
//! | [`correlation`]   | does what was measured follow what was planted?                     |
//! | `weights`         | (inside) sums of the same items under many weightings               |
//! | [`mod@bootstrap`] | how far could a figure move with other items?                       |
//! | [`permutation`]   | would chance alone give a mean, or a difference of means, so large? |
//! | [`multiple`]      | what is left after asking many questions at once?                   |
//! | [`roc`]           | does what scores high belong to those that are known?               |
//! | [`data`]          | what is wrong with a matrix or its labels?                          |
//! | `draw`, `matrix`, `special` | (inside) normal draws, large products, distributions      |
//! | [`erase`]         | what is left of states when a concept is taken out?                 |
//! | [`compare`]       | are two spaces the same up to what does not matter?                 |
//! | [`mod@unit`]      | what does a single unit respond to?                                 |
//! | [`bca`], [`effect`], [`power`] | intervals of skewed figures, sizes of effects, items needed |
//! | `product`         | (inside) products of the sizes that probes have                     |
//! | [`rows`]          | where do states come from, and how do they stay out of memory?      |
//! | [`decode`]        | what can be read from states, and what did the probe bring along?   |
//! | [`fairness`]      | does a classifier, or an embedding, serve all groups alike?         |
//! | [`null`]          | where does a figure stand among figures that chance alone gave?     |
//! | [`shapley`]       | which parts of a change carry its effect?                           |
//!
//! Three rules hold throughout:
//! - Numbers are `f64`. What cannot be said (too few items, a value that is not finite) is `None`, or where many things
//!   can be wrong with a matrix an error that says which, never NaN; a call that makes no sense (lengths that differ, a level
//!   of 95) panics and says so.
//! - No randomness but from the `seed` argument. Every draw is ChaCha8's and 32 bits wide, so that
//!   the same seed gives the same draws on every platform.
//! - What a sweep repeats for each cell can be drawn once: [`Resamples`] and [`Flips`] give the same
//!   figures as the one-shot functions.
#![deny(unsafe_code)] // not `forbid`: the slices of `ndarray` are a macro that allows it

pub mod affine;
pub mod interval;

pub mod correlation;
pub mod directions;
mod groups;
mod weights;

pub mod bootstrap;
pub mod permutation;

pub mod multiple;
pub mod roc;

pub mod data;
mod draw;
mod matrix;
mod special;

pub mod inverse;

pub mod erase;

pub mod compare;
pub mod unit;

pub mod bca;
pub mod effect;
pub mod power;

mod product;
pub mod rows;

pub mod decode;

pub mod fairness;
pub mod null;
pub mod shapley;

pub use affine::{Affine, AffineError};
pub use bca::{bca_clustered, bca_interval};
pub use bootstrap::{Resamples, bootstrap, bootstrap_clustered, bootstrap_interval, mean_interval};
pub use correlation::{pearson, slope, spearman};
pub use data::DataError;
pub use directions::Directions;
pub use interval::{Interval, quantile};
pub use inverse::inverse_factor;
pub use multiple::{benjamini_hochberg, benjamini_hochberg_known, holm, holm_known};
pub use permutation::{Flips, sign_flip, two_sample};
