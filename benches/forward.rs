//! Times plain forward passes of a model folder: `cargo bench --bench forward -- FOLDER [--batch 8] [--positions 32]`.
//!
//! Prints one line of JSON: seconds to load, seconds of each pass, the most memory the process ever held, and the mean
//! difference of the two answers' logits at the last position, to compare with what `shared/peers` prints.

use clap::Parser;
use patchclamp::model::load::folder;
use patchclamp::model::{Pass, run};
use patchclamp::tensor::{Device, to_floats};
use patchclamp::text::Tokens;
use std::path::PathBuf;
use std::time::Instant;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc; // as in the program

#[derive(Parser)]
struct Options {
    /// A folder with `tokens.json`: corrupt `[row][pos]` and answers `[row][2]`.
    folder: Option<PathBuf>,
    /// Rows.
    #[arg(long, default_value_t = 8)]
    batch: usize,
    /// Tokens a row.
    #[arg(long, default_value_t = 32)]
    positions: usize,
    /// Passes that are timed, after one that is not.
    #[arg(long, default_value_t = 5)]
    times: usize,
    /// What `cargo bench` adds.
    #[arg(long, hide = true)]
    bench: bool,
}

#[derive(serde::Deserialize)]
struct Given {
    corrupt: Vec<Vec<u32>>,
    answers: Vec<[usize; 2]>,
}

fn main() {
    let begun = Instant::now();
    let options = Options::parse();
    let Some(path) = &options.folder else {
        return println!("forward: name a model folder: cargo bench --bench forward -- FOLDER");
    };
    let model = folder(path, &[], &Device::Flex(Default::default())).expect("a model folder").model;
    let load_seconds = begun.elapsed().as_secs_f64();
    let text = std::fs::read_to_string(path.join("tokens.json")).expect("tokens.json in the folder");
    let given: Given = serde_json::from_str(&text).expect("corrupt and answers in tokens.json");
    let rows = given.corrupt.iter().take(options.batch).map(|row| row[..options.positions].to_vec());
    let tokens = Tokens::new(rows.collect());
    let pass = || run(model.as_ref(), &Pass::whole(&tokens), &mut ()).expect("a pass without hooks");
    let logits = pass();
    let first_result = begun.elapsed().as_secs_f64();
    let [batch, pos, vocabulary] = logits.dims();
    let last = to_floats(&logits.narrow(1, pos - 1, 1));
    let effect = |(logits, [right, wrong]): (&[f32], &[usize; 2])| f64::from(logits[*right] - logits[*wrong]);
    let sum = last.chunks_exact(vocabulary).zip(&given.answers).map(effect).sum::<f64>() / batch as f64;
    let time = |_| {
        let begun = Instant::now();
        drop(pass());
        begun.elapsed().as_secs_f64()
    };
    let mut seconds: Vec<f64> = (0..options.times).map(time).collect();
    seconds.sort_by(f64::total_cmp);
    let report = serde_json::json!({
        "sweep": "forward", "seconds": seconds[seconds.len() / 2], "all_seconds": seconds, "load_seconds": load_seconds,
        "first_result_seconds": first_result, "peak_mib": peak_mib(), "sum": sum,
    });
    println!("{report}");
}

/// The most memory this process ever held, where the system tells.
fn peak_mib() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    Some(line.split_whitespace().next()?.parse::<u64>().ok()? / 1024)
}
