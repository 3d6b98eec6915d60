//! Measures of bias: scores against `transformers`, one text at a time; planted biases; what is said of mistakes.

#[path = "../common/mod.rs"]
mod common;

mod figures;
mod halves;
mod parity;
mod planted;
mod readers;
mod ties;
mod words;

use patchclamp::model::Model;
use patchclamp::score::{Request, batches, score};

/// The log-probabilities of every request of every case, scored together.
fn together(model: &dyn Model, cases: &[Vec<Request>], rows: usize) -> Vec<Vec<Vec<f64>>> {
    let cases: Vec<&[Request]> = cases.iter().map(Vec::as_slice).collect();
    let mut found = vec![Vec::new(); cases.len()];
    for batch in batches(model, &cases, rows) {
        let texts: Vec<&[Request]> = batch.iter().map(|case| cases[*case]).collect();
        for (case, scores) in batch.iter().zip(score(model, &texts, rows).unwrap()) {
            found[*case] = scores;
        }
    }
    found
}
