//! Words for compiled programs: what they are asked, and where the true circuit is.

use crate::program::Task;
use serde::{Deserialize, Serialize};
use std::path::PathBuf;

/// Random texts for a program, each with another of the same length that it answers differently somewhere.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ProgramTexts {
    /// The program and its sizes; without it those of the model.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub of: Option<Task>,
    /// How many, or as many as there are.
    #[serde(default = "sixty_four")]
    pub items: usize,
    /// The fewest tokens of a text; without it texts are as long as the program takes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shortest: Option<usize>,
}

fn sixty_four() -> usize {
    64
}

/// The true circuit that those which are found are held against.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Truth {
    /// That of the model, a compiled program.
    Own,
    /// A circuit's JSON; a relative path starts at the folder the program runs in or, where it leads nowhere, at the RON
    /// file's.
    File(PathBuf),
}
