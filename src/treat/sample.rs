//! Texts that a model says itself, to calibrate it on.

use crate::hook::Hook;
use crate::model::{Model, Pass, Read};
use crate::tensor::{activation, to_doubles};
use crate::text::Tokens;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// Rows that go on together.
const TOGETHER: usize = 16;

/// So many rows of so many tokens, each begun with the token that begins texts, where one is given, else with any, and gone on with
/// by the model's own probabilities.
pub fn sample(model: &dyn Model, [rows, length]: [usize; 2], begin: Option<u32>, seed: u64) -> Vec<Vec<u32>> {
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    let vocabulary = model.dims().vocabulary as u32;
    let mut first = || begin.unwrap_or_else(|| random.random_range(0..vocabulary));
    let mut firsts: Vec<Vec<u32>> = (0..rows).map(|_| vec![first()]).collect();
    let mut texts = Vec::with_capacity(rows);
    for some in firsts.chunks_mut(TOGETHER) {
        let mut tokens = Tokens::new(some.to_vec());
        while tokens.width() < length {
            let next = next(model, &tokens, &mut random);
            tokens.push(&next);
        }
        texts.extend((0..tokens.rows()).map(|row| tokens.row(row).to_vec()));
    }
    texts
}

/// One token more of each row.
fn next(model: &dyn Model, tokens: &Tokens, random: &mut ChaCha8Rng) -> Vec<u32> {
    let last = Read { positions: Some(vec![tokens.width() - 1; tokens.rows()]), tokens: None };
    let hook: &mut dyn Hook = &mut ();
    let logits = model.pass(&Pass::whole(tokens).reading(last), hook);
    let vocabulary = logits.dims()[2];
    let probabilities = to_doubles(&activation::softmax(logits, 2));
    probabilities.chunks(vocabulary).map(|row| drawn(row, random.random())).collect()
}

/// The first place at which the sum passes `share`.
fn drawn(probabilities: &[f64], share: f64) -> u32 {
    let mut left = share;
    let place = probabilities.iter().position(|probability| {
        left -= probability;
        left < 0.0
    });
    place.unwrap_or(probabilities.len() - 1) as u32
}
