//! `patchclamp compile`: a program as a folder with its model and its true circuit.

use super::screen::say;
use crate::circuit::exchange::{self, Facts};
use crate::compile::{Compiled, SHARPNESS, compile as compiled};
use crate::program::{Name, Task};
use crate::report::Folder;
use anyhow::anyhow;
use clap::Args;
use std::path::{Path, PathBuf};

/// What to compile, and where it goes.
#[derive(Args)]
pub struct CompileArgs {
    /// A program: frac_prevs, reverse, sort_unique, sort, histogram, length, and, or, xor, adder, backup, gates
    program: Name,
    /// The symbols that texts are made of, 2 to 26 [default: 4; gates read bits]
    #[arg(long)]
    symbols: Option<usize>,
    /// The most tokens of a text, 2 to 16 [default: 5; gates read as many as they have inputs]
    #[arg(long)]
    length: Option<usize>,
    /// A program that is computed in the same model and that nobody reads the answer of; may stand several times
    #[arg(long, value_name = "PROGRAM")]
    beside: Vec<Name>,
    /// Where the model goes [default: runs/PROGRAM]
    #[arg(long)]
    to: Option<PathBuf>,
}

/// Compiles a program and writes `config.json`, `model.safetensors`, `tokenizer.json` and `circuit.json`.
pub fn compile(args: &CompileArgs) -> anyhow::Result<()> {
    let CompileArgs { program, symbols, length, beside, to } = args;
    let task = Task { program: *program, symbols: *symbols, length: *length, beside: beside.clone() };
    let found = compiled(&task).map_err(|error| anyhow!("{program} cannot be compiled:\n{error}"))?;
    let path = to.clone().unwrap_or_else(|| Path::new("runs").join(program.to_string()));
    let (folder, aside) = Folder::fresh(&path)?;
    if let Some(aside) = aside {
        say(&format!("What was there is kept as {}.", aside.display()))?;
    }
    write(&folder, &found, &facts(&task))?;
    let (held, all) = (found.truth.size(), found.truth.links().len());
    say(&format!("The model is in {}; its circuit, {held} of {all} edges, is circuit.json there.", path.display()))
}

fn write(folder: &Folder, found: &Compiled, facts: &Facts) -> anyhow::Result<()> {
    folder.write("config.json", found.config.as_bytes())?;
    folder.write("tokenizer.json", found.tokenizer.as_bytes())?;
    folder.write("model.safetensors", &found.weights)?;
    folder.write("circuit.json", exchange::write(&found.truth, facts).as_bytes())?;
    Ok(())
}

fn facts(task: &Task) -> Facts {
    let facts = [
        ("model", task.to_string()),
        ("score", "1 for an edge of the true circuit, 0 for another".to_string()),
        ("sharpness", format!("scores of selected keys are {SHARPNESS}, those of others 0")),
    ];
    facts.map(|(name, value)| (name.to_string(), value)).into()
}
