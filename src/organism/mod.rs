//! The built-in model: a grammar writes its corpus with a planted bias, it is trained here from scratch, and examined.

pub mod batches;
pub mod biography;
pub mod corpus;
pub mod exam;
pub mod fit;
pub mod grammar;
pub mod lexicon;
pub mod recipe;
pub mod save;
pub mod score;
pub mod sets;
