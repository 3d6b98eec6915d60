//! States on disk: rows written to files as a run goes on, and read back where they lie.
//!
//! A recording is a folder of safetensors files and an index beside it, `states/NAME.json`. A file holds, for every site,
//! a tensor `[row, width]` (`[row, head, width]` where the site has heads), and for every row `item`, `position` and `side`
//! (0 clean, 1 corrupted), all in the order of the items. So a file alone can be read from anywhere, and all of them
//! together are one matrix a site and position without a copy in memory.

mod index;
mod mapped;
mod read;
mod shard;
mod store;
mod view;

pub use index::{FORM, File, Index, Item, Kept};
pub use mapped::StatesError;
pub use read::States;
pub use shard::Shard;
pub use store::Store;
pub use view::View;
