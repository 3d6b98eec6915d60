//! Times logistic probes of many cells (layers × positions): `cargo bench --bench probes -- FOLDER [--nested] [--save SAVED.json]`,
//! for a folder that `benches/probes.py` makes: `states.bin`, `f32` `[cell, item, width]`, `labels.bin`, `u32` `[cell, item]`,
//! and `sizes.json`.
//!
//! Prints one line of JSON: seconds of the probes (cells in parallel, states read from a memory map), and how many there are.
//! What is saved is, by cell, the weights of the probe, or with `--nested` the log-probabilities of items held out.

use clap::Parser;
use memmap2::Mmap;
use ndarray::{Array2, ArrayView2};
use patchclamp_probes::decode::{DecodeError, Design, Family, Labels, Logistic, Task, Training, held_out};
use rayon::prelude::*;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::time::Instant;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc; // as in the program

#[derive(Parser)]
struct Options {
    /// A folder with states, labels and sizes.
    folder: Option<PathBuf>,
    /// Items held out, and the penalty by inner folds, instead of one probe of all items.
    #[arg(long)]
    nested: bool,
    /// The penalties; the middle one is that of a probe of all items.
    #[arg(long, value_delimiter = ',', default_value = "0.01,0.1,1,10,100")]
    penalties: Vec<f64>,
    /// Outer folds.
    #[arg(long, default_value_t = 5)]
    folds: usize,
    /// Inner folds.
    #[arg(long, default_value_t = 4)]
    inner: usize,
    /// The largest magnitude that may remain in the gradient, in nats per item.
    #[arg(long, default_value_t = 1e-4)]
    tolerance: f64,
    /// Where weights, or log-probabilities, go.
    #[arg(long)]
    save: Option<PathBuf>,
    /// What `cargo bench` adds.
    #[arg(long, hide = true)]
    bench: bool,
}

#[derive(serde::Deserialize)]
struct Sizes {
    cells: usize,
    items: usize,
    width: usize,
    classes: usize,
}

/// The numbers of a file of 4 bytes each.
struct Numbers(Mmap);

impl Numbers {
    fn open(path: &Path) -> Self {
        let file = File::open(path).expect("a file of the folder");
        #[expect(unsafe_code, reason = "nothing else writes the file while this runs")]
        Self(unsafe { Mmap::map(&file) }.expect("a file that can be mapped"))
    }

    fn of<T: bytemuck::Pod>(&self) -> &[T] {
        bytemuck::cast_slice(&self.0)
    }
}

/// One probe of all items: its weights and intercepts, `[output, feature + 1]`; or what is told of items held out.
fn probe(options: &Options, states: ArrayView2<f32>, labels: &Labels) -> Result<Array2<f64>, DecodeError> {
    let family = Logistic { tolerance: options.tolerance, ..Logistic::default() };
    let items: Vec<usize> = (0..labels.count()).collect();
    if options.nested {
        let splits = Design::Items.splits(labels.of(), &items, options.folds, 0)?;
        let (penalties, design) = (options.penalties.as_slice(), Design::Items);
        let training = Training { family: &family, penalties, design, folds: options.inner, seed: 0 };
        return Ok(held_out(&states, &[labels], &splits, &training)?[0].log_probabilities().to_owned());
    }
    let penalty = options.penalties[options.penalties.len() / 2];
    let probe = family.fit(&states, Task { labels, items: &items }, penalty)?;
    let intercepts = probe.intercepts().insert_axis(ndarray::Axis(1));
    Ok(ndarray::concatenate![ndarray::Axis(1), probe.weights(), intercepts])
}

fn main() {
    let options = Options::parse();
    let Some(folder) = &options.folder else {
        return println!("probes: name a folder that benches/probes.py made: cargo bench --bench probes -- FOLDER");
    };
    let sizes = std::fs::read_to_string(folder.join("sizes.json")).expect("sizes.json");
    let sizes: Sizes = serde_json::from_str(&sizes).expect("cells, items, width and classes");
    let (states, labels) = (Numbers::open(&folder.join("states.bin")), Numbers::open(&folder.join("labels.bin")));
    let begun = Instant::now();
    let cell = |cell: usize| {
        let values = sizes.items * sizes.width;
        let states = &states.of::<f32>()[cell * values..][..values];
        let states =
            ArrayView2::from_shape((sizes.items, sizes.width), states).expect("as many values as items times width");
        let labels = labels.of::<u32>()[cell * sizes.items..][..sizes.items].iter().map(|label| *label as usize);
        let labels = Labels::new(labels.collect(), sizes.classes).expect("labels of each class");
        probe(&options, states, &labels).expect("states that can be decoded")
    };
    let found: Vec<Array2<f64>> = (0..sizes.cells).into_par_iter().map(cell).collect();
    let seconds = begun.elapsed().as_secs_f64();
    if let Some(path) = &options.save {
        let rows = |found: &Array2<f64>| found.rows().into_iter().map(|row| row.to_vec()).collect::<Vec<_>>();
        let found: Vec<_> = found.iter().map(rows).collect();
        std::fs::write(path, serde_json::to_string(&found).expect("numbers")).expect("a place to save to");
    }
    println!("{}", serde_json::json!({ "seconds": seconds, "cells": sizes.cells }));
}
