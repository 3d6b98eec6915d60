//! Circuits: the scored edges of a model, what is chosen of them, compared, exchanged and drawn. No forward pass.

mod blocks;
mod fault;
mod graph;
mod held;
mod vertex;

mod select;

mod algebra;
mod compare;
mod curve;
mod draw;
mod meaning;
mod parts;
mod path;
mod places;
mod portrait;
mod random;
mod recovery;
mod resample;
mod smallest;
mod unroll;

pub mod exchange;

pub use algebra::{Alignment, Different};
pub use blocks::Blocks;
pub use compare::{Agreement, Drawn};
pub use curve::{ALWAYS_RUN, Areas, BothRules, Ends, SHARES, Step, count, named_share, share_name};
pub use draw::{Caption, TOKENS};
pub use fault::{Fault, Faults};
pub use graph::{Circuit, Link};
pub use meaning::{Meaning, OF_LOSS, SIGN};
pub use parts::Part;
pub use path::Strength;
pub use places::{Heard, Places};
pub use portrait::{Portrait, Portraits, Seen, View};
pub use recovery::{Against, NoRecovery, Recovery};
pub use resample::{Items, ItemsError, Resampling, Stability, verdict};
pub use select::{By, Rule};
pub use smallest::Smallest;
pub use unroll::ends;
pub use vertex::{Vertex, looks_back};

#[cfg(test)]
mod tests;
