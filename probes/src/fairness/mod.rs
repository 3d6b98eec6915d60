//! Fairness: does a classifier, or an embedding, serve one group as it serves another?
//!
//! | module          | question it answers                                                               |
//! |-----------------|-----------------------------------------------------------------------------------|
//! | [`counts`]      | how often is which class predicted for which true class in which group?           |
//! | [`gaps`]        | how far apart are the rates of groups, class by class and over all classes?       |
//! | [`cells`]       | where do gaps stand: in rare classes, or in those that one group has to itself?   |
//! | [`tradeoff`]    | how far is a model from one that is both right and fair?                          |
//! | [`mod@weat`]    | are words of one kind nearer to one attribute than those of another?              |

pub mod cells;
pub mod counts;
pub mod gaps;
pub mod tradeoff;
pub mod weat;

pub use cells::{Cell, cells};
pub use counts::{Counts, Judged};
pub use tradeoff::{Standing, distance_to_optimum, relative_distance};
pub use weat::{Weat, associations, effect_size, partitions, weat};
