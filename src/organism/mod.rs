//! The built-in model: a grammar writes its corpus with a planted bias, it is trained here from scratch, and examined.

pub mod lexicon;
pub mod grammar;
pub mod corpus;
pub mod exam;
pub mod recipe;
pub mod batches;
pub mod fit;
pub mod save;
pub mod score;
