//! Programs over tokens that transformers can be compiled from: a language, programs by name, and questions to ask them.

mod evaluate;
mod expression;
mod library;
mod task;
mod value;

pub use evaluate::evaluate;
pub use expression::{Encoding, Operation, Selector, Sequence};
pub use library::{Answers, Name, Program, Reads};
pub use task::{BOUNDARY, Question, Setting, Task, TaskError};
pub use value::Value;

#[cfg(test)]
mod tests;
