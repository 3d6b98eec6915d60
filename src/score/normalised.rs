//! From streams to log-probabilities: gathered, unembedded a block at a time, normalised where they lie.

use crate::hook::Activation;
use crate::kernel::normaliser::log_sum_exp;
use crate::model::{Model, Read};
use crate::tensor::{Floats, Tensor, from_ints, is_plain, to_doubles};

/// Logits that are held at once, numbers: 64 MiB in f32.
pub(crate) const LOGITS: usize = 1 << 24;

/// A position of a row and the tokens whose log-probabilities are asked for there.
pub(super) struct Asked {
    pub row: usize,
    pub at: usize,
    pub tokens: Vec<u32>,
}

/// The log-probabilities that are asked for, nats, from the stream behind the last block, `[row, 1, pos, d_model]`.
pub(super) fn log_probabilities(model: &dyn Model, stream: &Activation, asked: &[Asked]) -> Vec<Vec<f64>> {
    let [rows, _, pos, width] = stream.dims();
    let flat = stream.clone().reshape([rows * pos, width]);
    let vocabulary = model.dims().vocabulary;
    let block = |places: &[Asked]| {
        let index = places.iter().map(|place| (place.row * pos + place.at) as i32).collect();
        let chosen = flat.clone().select(0, from_ints(index, [places.len()], &flat.device()));
        let logits = model.read_out(chosen.reshape([1, places.len(), width]), &Read::default());
        normalised(logits, vocabulary, places)
    };
    asked.chunks((LOGITS / vocabulary).max(1)).flat_map(block).collect()
}

/// From logits `[1, place, vocabulary]`.
fn normalised(logits: Tensor<3>, vocabulary: usize, places: &[Asked]) -> Vec<Vec<f64>> {
    let of = |values: &dyn Fn(usize) -> f64, total: &[f64]| {
        let place = |(number, place): (usize, &Asked)| {
            let one = |token: &u32| values(number * vocabulary + *token as usize) - total[number];
            place.tokens.iter().map(one).collect()
        };
        places.iter().enumerate().map(place).collect()
    };
    if is_plain(&logits) {
        let floats = Floats::of(logits);
        let values = floats.values();
        return of(&|at| f64::from(values[at]), &log_sum_exp(values, vocabulary));
    }
    let values = to_doubles(&logits);
    let total: Vec<f64> = values.chunks_exact(vocabulary).map(crate::metric::log_sum_exp).collect();
    of(&|at| values[at], &total)
}
