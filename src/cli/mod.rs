//! The command line: the only place that prints.

mod against;
mod circuit;
mod commands;
mod compile;
mod explain;
mod models;
mod open;
mod runs;
mod screen;
mod train;
mod treat;

use crate::steps::Shard;
use clap::{Args, Parser, Subcommand};
use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;

/// Interventions in language models and what they do to an outcome, with an interval.
#[derive(Parser)]
#[command(name = "patchclamp", version)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Run an experiment and write its folder
    Run {
        #[command(flatten)]
        experiment: FileArgs,
        /// Where results go [default: runs/NAME]
        #[arg(long)]
        out: Option<PathBuf>,
        /// Do only these steps, for instance 2/8 for the second of eight shards, and keep them for `merge`
        #[arg(long, value_name = "I/N")]
        shard: Option<Shard>,
        #[command(flatten)]
        voice: VoiceArgs,
    },
    /// Put the shards of a run together and write its tables and figures
    Merge {
        /// The folders that shards wrote to; results go to the first
        #[arg(required = true)]
        folders: Vec<PathBuf>,
        #[command(flatten)]
        voice: VoiceArgs,
    },
    /// Say what an experiment would do, or everything that is wrong with it
    Check {
        #[command(flatten)]
        experiment: FileArgs,
    },
    /// Say where the same forward pass begins to differ in two settings
    Explain {
        #[command(flatten)]
        experiment: FileArgs,
        /// What it is held against: a precision (f64), a device (vulkan), a model, another experiment, a run folder, or
        /// states in a .safetensors file
        against: String,
        #[command(flatten)]
        telling: explain::Telling,
    },
    /// List the sites of a model with their shapes
    Sites {
        /// A folder, the name of a built-in model, or one of the hub: hub:gpt2, OWNER/NAME@REVISION
        model: String,
    },
    /// List the built-in models and every family that can be loaded
    Models,
    /// List the devices that are there
    Devices,
    /// Draw the figures and the page of a run folder again, without the model
    Report {
        /// A folder that `patchclamp run` wrote
        folder: PathBuf,
    },
    /// Choose the edges of a circuit in a file, draw it, and write it for other programs
    Circuit(circuit::CircuitArgs),
    /// Compile a program to a transformer that computes it exactly, with its true circuit
    Compile(compile::CompileArgs),
    /// Write the weights that an experiment treats as a checkpoint that other programs load
    Treat(treat::TreatArgs),
    /// Train a model from scratch on the corpus of the built-in grammar
    Train {
        /// A training file, for instance experiments/organism.ron
        file: PathBuf,
        /// Change a value of the file
        #[arg(long, value_name = "PATH=VALUE")]
        set: Vec<String>,
        /// Where the model goes [default: runs/NAME]
        #[arg(long)]
        out: Option<PathBuf>,
    },
}

/// A file and what is changed of it.
#[derive(Args)]
struct FileArgs {
    /// An experiment, for instance experiments/quickstart.ron
    file: PathBuf,
    /// Change a value of the file: --set seed=3, --set 'methods[0].over=[Layer]'
    #[arg(long, value_name = "PATH=VALUE")]
    set: Vec<String>,
    /// Another model: a folder, the name of a built-in one, or one of the hub: hub:gpt2, OWNER/NAME@REVISION
    #[arg(long)]
    model: Option<String>,
    /// Another device: cpu, webgpu, vulkan, cuda, cuda:1
    #[arg(long)]
    device: Option<crate::device::Choice>,
    /// The most memory that the run may take: 4GiB, 512MiB
    #[arg(long)]
    memory: Option<crate::spec::Memory>,
    /// Other numbers to compute in: f32, f64, f16, bf16
    #[arg(long)]
    precision: Option<crate::precision::Precision>,
}

/// Who listens.
#[derive(Args)]
struct VoiceArgs {
    /// Print nothing but errors
    #[arg(short, long)]
    quiet: bool,
    /// Print one JSON object with the folder and all tables
    #[arg(long, conflicts_with = "quiet")]
    json: bool,
}

impl VoiceArgs {
    fn voice(&self) -> screen::Voice {
        match (self.quiet, self.json) {
            (true, _) => screen::Voice::Quiet,
            (_, true) => screen::Voice::Json,
            _ => screen::Voice::Terminal,
        }
    }
}

/// Runs the command line of this process.
pub fn main() -> ExitCode {
    match carry_out(Cli::parse().command) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) if is_closed_pipe(&error) => ExitCode::SUCCESS,
        Err(error) => {
            // whoever reads errors may have gone, too
            let _ = writeln!(std::io::stderr(), "error: {error}");
            ExitCode::FAILURE
        }
    }
}

/// Whoever read our output has stopped: `patchclamp sites gpt2 | head`.
fn is_closed_pipe(error: &anyhow::Error) -> bool {
    let kind = |error: &std::io::Error| error.kind() == std::io::ErrorKind::BrokenPipe;
    error.downcast_ref::<std::io::Error>().is_some_and(kind)
}

fn carry_out(command: Command) -> anyhow::Result<()> {
    match command {
        Command::Run { experiment, out, shard: None, voice } => runs::run(&experiment, out, voice.voice()),
        Command::Run { experiment, out, shard: Some(shard), voice } => {
            runs::shard(&experiment, out, shard, voice.voice())
        }
        Command::Merge { folders, voice } => runs::merge(&folders, voice.voice()),
        Command::Check { experiment } => commands::check(&experiment),
        Command::Explain { experiment, against, telling } => explain::explain(&experiment, &against, &telling),
        Command::Sites { model } => commands::sites(&model),
        Command::Models => models::models(),
        Command::Devices => commands::devices(),
        Command::Report { folder } => commands::report(&folder),
        Command::Circuit(args) => circuit::circuit(&args),
        Command::Compile(args) => compile::compile(&args),
        Command::Treat(args) => treat::treat(&args),
        Command::Train { file, set, out } => train::train(&file, &set, out),
    }
}
