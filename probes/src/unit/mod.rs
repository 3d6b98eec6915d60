//! Single units: what one value of the states, a neuron or a direction, responds to.
//!
//! | module              | question it answers                                                               |
//! |---------------------|-----------------------------------------------------------------------------------|
//! | [`mod@tuning`]      | how does each unit respond to each condition?                                     |
//! | [`selectivity`]     | by how much does it prefer one set of items to another?                           |
//! | [`mod@information`] | how many bits does its response tell about the condition?                         |
//! | [`mixed`]           | does it respond to one property, to the other, or to their combination?           |
//! | [`localise`]        | which units respond to a contrast, and do they on items that did not choose them? |

pub mod information;
pub mod localise;
pub mod mixed;
pub mod selectivity;
pub mod tuning;

pub use information::{Bias, information};
pub use localise::{Found, Localiser, Prefers, halves, overlap};
pub use mixed::{Shares, mixed_selectivity};
pub use selectivity::{Contrast, d_prime, selectivity_index, welch};
pub use tuning::{Tuning, tuning};
