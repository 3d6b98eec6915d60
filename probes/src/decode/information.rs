//! V-information: how much a family of probes gains by looking at the states, in bits.
//!
//! **What it measures.** `I_V(X → Y) = H_V(Y) − H_V(Y | X)`: the bits an item that the family spends without the states less
//! those that it spends with them, on items held out; and item by item (pointwise V-information), which says which items the
//! states help with, and on which they mislead.
//!
//! **What it cannot show.** Shannon's information, which no probe can bound from above; and it may fall below zero, where a
//! probe learnt what does not hold outside. Without the states a family that has intercepts says the shares of the classes
//! ([`majority`](super::majority)); one that has none must be fitted to states of zeros for `H_V(Y)`.
//!
//! **Reference.** Xu et al. 2020, *A theory of usable information under computational constraints*, ICLR; Ethayarajh et al.
//! 2022, *Understanding dataset difficulty with V-usable information*, ICML, for the pointwise form.
//!
//! **Example.**
//! ```
//! use ndarray::array;
//! use patchclamp_probes::decode::{Held, Labels, information};
//!
//! let labels = Labels::new(vec![0, 1], 2)?;
//! let blind = Held::new(labels.clone(), array![[0.5_f64.ln(), 0.5_f64.ln()], [0.5_f64.ln(), 0.5_f64.ln()]])?;
//! let seeing = Held::new(labels, array![[0.0, f64::NEG_INFINITY], [0.5_f64.ln(), 0.5_f64.ln()]])?;
//! assert_eq!(information(&seeing, &blind), [1.0, 0.0]); // bits; their mean is I_V
//! # Ok::<(), patchclamp_probes::decode::DecodeError>(())
//! ```

use super::Held;

/// The pointwise V-information of each item in bits: what was spent without the states less what was spent with them.
///
/// # Panics
/// If the two are not of the same labels.
pub fn information(with: &Held, without: &Held) -> Vec<f64> {
    assert_eq!(with.labels(), without.labels(), "both must be of the same labels");
    without.item_bits().into_iter().zip(with.item_bits()).map(|(without, with)| without - with).collect()
}
