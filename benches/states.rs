//! One logistic probe of states that lie in files: `cargo bench --bench states -- FOLDER [--items 100000] [--width 4096]`.
//!
//! Writes the files of a recording into the folder, unless they are there, with states that tell two classes apart along one
//! direction; then reads them back where they lie, and fits. Prints one line of JSON: seconds of opening, of the probe, its
//! accuracy on what it learned from, and on Linux the process's peak memory in MiB, mapped pages and all.

use clap::Parser;
use patchclamp::data::Side;
use patchclamp::precision::Precision;
use patchclamp::states::{FORM, Index, Item, Kept, Shard, States, Store};
use patchclamp_probes::decode::{Family, Labels, Logistic, Probe, Task};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rand_distr::StandardNormal;
use std::path::{Path, PathBuf};
use std::time::Instant;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc; // as in the program

/// The name of the states.
const SITE: &str = "blocks.0.hook_resid_post";

#[derive(Parser)]
struct Options {
    /// Where the recording lies, or goes.
    folder: Option<PathBuf>,
    #[arg(long, default_value_t = 100_000)]
    items: usize,
    #[arg(long, default_value_t = 4096)]
    width: usize,
    /// Items a file: 64 MiB of states of width 4,096.
    #[arg(long, default_value_t = 4096)]
    file: usize,
    /// The largest magnitude that may remain in the gradient, in nats per item.
    #[arg(long, default_value_t = 1e-4)]
    tolerance: f64,
    /// The memory that may be taken at the peak, MiB.
    #[arg(long, default_value_t = 4096)]
    most: u64,
    /// What `cargo bench` adds.
    #[arg(long, hide = true)]
    bench: bool,
}

/// The class of an item.
fn class(item: usize) -> usize {
    item % 2
}

/// States of unit noise, the classes one standard deviation apart along the first value.
fn write(options: &Options, folder: &Path) {
    let store = Store::new(folder, &[0; 32], "");
    let states = vec![Kept { name: SITE.into(), shape: vec![options.width] }];
    let files = (0..options.items).step_by(options.file).enumerate().map(|(number, first)| {
        let items = first..(first + options.file).min(options.items);
        let mut shard = Shard::new(&states, items.clone().map(|item| (item, 0)).collect(), Side::Clean, Precision::F32);
        for (row, item) in items.enumerate() {
            let mut random = ChaCha8Rng::seed_from_u64(item as u64);
            let mut values: Vec<f32> = (0..options.width).map(|_| random.sample(StandardNormal)).collect();
            values[0] += class(item) as f32;
            shard.put(0, row, &values);
        }
        store.write(&format!("01_record/{number:05}.safetensors"), &shard).expect("room on the disk")
    });
    let files = files.collect();
    let items = vec![Item { length: 1, ..Item::default() }; options.items];
    let (run, weights) = (store.run().to_string(), String::new());
    let index = Index { form: FORM, run, weights, numbers: Precision::F32, states, items, files };
    let text = serde_json::to_string(&index).expect("an index is JSON");
    std::fs::write(folder.join("states/01_record.json"), text).expect("room on the disk");
}

/// The most memory that this process had, MiB; 0 where the system does not say.
fn peak() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    line.and_then(|line| line.split_whitespace().next()?.parse::<u64>().ok()).unwrap_or(0) / 1024
}

fn main() {
    let options = Options::parse();
    let Some(folder) = &options.folder else {
        return println!("states: name a folder to write to: cargo bench --bench states -- FOLDER");
    };
    if !folder.join("states").is_dir() {
        write(&options, folder);
        return println!("states: written; the same command again measures");
    }
    let begun = Instant::now();
    let states = States::open(folder, None).expect("a recording");
    let rows = states.rows(SITE, Side::Clean, None, None).expect("the states that were written");
    let opened = begun.elapsed().as_secs_f64();
    let items: Vec<usize> = rows.items();
    let labels = Labels::new(items.iter().map(|item| class(*item)).collect(), 2).expect("two classes");
    let family = Logistic { tolerance: options.tolerance, ..Logistic::default() };
    let begun = Instant::now();
    let probe = family.fit(&rows, Task { labels: &labels, items: &items }, 1.0).expect("states that can be decoded");
    let (seconds, peak) = (begun.elapsed().as_secs_f64(), peak());
    let told = probe.log_probabilities(&rows);
    let right = items.iter().filter(|item| (told[[**item, 1]] > told[[**item, 0]]) == (class(**item) == 1)).count();
    let accuracy = right as f64 / items.len() as f64;
    let line = serde_json::json!({
        "items": items.len(), "opened": opened, "seconds": seconds, "accuracy": accuracy, "peak_mib": peak
    });
    println!("{line}");
    assert!(peak <= options.most, "{peak} MiB are more than {}", options.most);
}
