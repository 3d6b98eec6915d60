//! Circuits: the scored edges of a model, what is chosen of them, compared, exchanged and drawn. No forward pass.

mod blocks;
mod fault;
mod graph;

mod select;

mod algebra;
mod compare;
mod curve;
mod draw;
mod meaning;
mod parts;
mod path;
mod portrait;
mod random;
mod recovery;
mod resample;
mod smallest;

pub mod exchange;

pub use algebra::{Alignment, Different};
pub use blocks::{Blocks, Vertex};
pub use compare::{Agreement, Drawn};
pub use curve::{ALWAYS_RUN, Areas, BothRules, Ends, SHARES, Step, count, named_share, share_name};
pub use draw::Caption;
pub use fault::{Fault, Faults};
pub use graph::{Circuit, Link};
pub use meaning::{Meaning, OF_LOSS, SIGN};
pub use parts::Part;
pub use path::Strength;
pub use portrait::{Portrait, Portraits, Seen, View};
pub use recovery::{Against, NoRecovery, Recovery};
pub use resample::{Items, ItemsError, Resampling, Stability, verdict};
pub use select::{By, Rule};
pub use smallest::Smallest;

#[cfg(test)]
mod tests;
