//! Decoding: what can be read from states, by which probe, and how much of it the probe itself brought along.
//!
//! | item              | question it answers                                            |
//! |-------------------|-----------------------------------------------------------------|
//! | [`Labels`]        | which item has which class?                                     |
//! | [`Scale`]         | in which units does a penalty see the features?                 |
//! | [`Family`]        | (the seam) how is a probe fitted?                               |
//! | [`Logistic`]      | what can be told by a linear function of the states?            |
//! | [`Hidden`]        | what can be told beyond that, not along a direction?            |
//! | [`ridge()`]       | which linear function of the states is nearest to a number?     |
//! | [`Design`]        | what is learnt from, what is held out, and does nothing leak?   |
//! | [`Training`]      | which penalty is chosen without a look at what is held out?     |
//! | [`held_out`]      | how right is a probe on items that it did not learn from?       |
//! | [`regress`]       | the same for numbers                                            |
//! | [`several()`]     | which maps lead to several sets of numbers, each penalised its own way? |
//! | [`reliability`]   | does a share p hold of what is said with probability p?         |
//! | [`anova`]         | which single features differ between classes?                   |
//! | [`sparse()`]      | how much do the k best features tell?                           |
//! | [`control()`]     | how much can the probe learn that is not there?                 |
//! | [`chance()`]      | how right would it be if the states knew nothing?               |
//! | [`online_code`]   | how many bits do the labels take, given the states?             |
//! | [`information()`] | how many bits does looking at the states save?                  |
//!
//! Data that cannot be decoded (NaN, one class, a class that a fold leaves out) give a [`DecodeError`] that says which and
//! what to do. Features that never vary get no weight; collinear ones share theirs.

mod calibration;
mod chance;
mod control;
mod curvature;
mod descent;
mod error;
mod family;
mod folds;
mod gram;
mod held;
mod hidden;
mod information;
mod labels;
mod learned;
mod linear;
mod logistic;
mod online;
mod perceptron;
mod ranking;
mod regress;
mod ridge;
mod scale;
mod several;
mod softmax;
mod sparse;
mod training;

pub use calibration::{Bins, Reliability, reliability};
pub use chance::{Chance, Exchange, chance, shuffled};
pub use control::{control, selectivity};
pub use error::DecodeError;
pub use family::{Family, Probe, Task};
pub use folds::{Design, Split};
pub use held::{Held, held_out, majority};
pub use hidden::{Hidden, Perceptron};
pub use information::information;
pub use labels::Labels;
pub use linear::Linear;
pub use logistic::Logistic;
pub use online::{OnlineCode, PORTIONS, online_code};
pub use ranking::{anova, mean_difference};
pub use regress::{Regressed, regress};
pub use ridge::{classify, images, ridge, signs};
pub use scale::{Scale, Units};
pub use several::several;
pub use sparse::{Choice, Sparse, sparse};
pub use training::{Chosen, Training};
