//! Texts of a batch: filled up to one length, in part masked, with the places that count.

use crate::tensor::{Tensor, from_ints};
use crate::text::{Padding, Tokens};
use crate::treat::Texts;
use rand::Rng;
use rand::seq::index::sample;
use rand_chacha::ChaCha8Rng;

/// The share of a text's tokens that is masked (Devlin et al. 2019).
const MASKED: f64 = 0.15;

/// Texts as teacher and student read them.
pub(super) struct Batch {
    pub(super) tokens: Tokens,
    /// Numbers of positions that hold a token, counted through all rows; none where all do.
    real: Option<Vec<i32>>,
    /// Positions behind which, or at which, a token is asked for.
    asked: Vec<i32>,
    /// These tokens.
    pub(super) targets: Vec<i32>,
    count: usize,
}

impl Batch {
    /// Of texts by number. Of a causal model every next token is asked for; of another one, where it has a mask, some tokens
    /// are masked, at least one a text, and asked for.
    pub(super) fn new(numbers: &[usize], texts: &Texts, causal: bool, random: &mut ChaCha8Rng) -> Self {
        let mut rows: Vec<Vec<u32>> = numbers.iter().map(|number| texts.rows[*number].clone()).collect();
        let width = rows.iter().map(Vec::len).max().unwrap_or(0);
        let (mut asked, mut targets) = (Vec::new(), Vec::new());
        for (number, row) in rows.iter_mut().enumerate() {
            let places = if causal { next(row) } else { hidden(row, texts.mask, random) };
            for (place, target) in places {
                asked.push((number * width + place) as i32);
                targets.push(target as i32);
            }
        }
        let count = rows.iter().map(Vec::len).sum();
        let of_row = |(number, row): (usize, &Vec<u32>)| (0..row.len()).map(move |at| (number * width + at) as i32);
        let real = (count < rows.len() * width).then(|| rows.iter().enumerate().flat_map(of_row).collect());
        Batch { tokens: Tokens::padded(rows, Padding::Right, 0), real, asked, targets, count }
    }

    /// How many tokens there are.
    pub(super) fn count(&self) -> usize {
        self.count
    }

    /// The rows of `x` `[row · pos, width]` that hold a token.
    pub(super) fn real(&self, x: Tensor<2>) -> Tensor<2> {
        match &self.real {
            Some(real) => picked(x, real),
            None => x,
        }
    }

    /// The rows of `x` `[row · pos, width]` at which a token is asked for.
    pub(super) fn asked(&self, x: Tensor<2>) -> Tensor<2> {
        picked(x, &self.asked)
    }
}

fn picked(x: Tensor<2>, rows: &[i32]) -> Tensor<2> {
    let index = from_ints(rows.to_vec(), [rows.len()], &x.device());
    x.select(0, index)
}

/// Every position that has a next token, and that token.
fn next(row: &[u32]) -> Vec<(usize, u32)> {
    row.iter().skip(1).copied().enumerate().collect()
}

/// Masks some tokens of a text, none of which stands first or last where others do; where, and what stood there.
fn hidden(row: &mut [u32], mask: Option<u32>, random: &mut ChaCha8Rng) -> Vec<(usize, u32)> {
    let Some(mask) = mask else { return Vec::new() };
    let (first, last) = if row.len() > 2 { (1, row.len() - 1) } else { (0, row.len()) };
    let wanted = MASKED * (last - first) as f64;
    // rounded up or down by chance, so that the share holds in short texts too
    let count = (wanted.floor() as usize + usize::from(random.random::<f64>() < wanted.fract())).max(1);
    let mut places = sample(random, last - first, count.min(last - first)).into_vec();
    places.sort_unstable();
    let hide = |place: usize| (first + place, std::mem::replace(&mut row[first + place], mask));
    places.into_iter().map(hide).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::SeedableRng;

    fn texts(mask: Option<u32>) -> Texts {
        Texts { rows: vec![vec![5, 6, 7, 8], vec![9, 10]], mask, ..Texts::default() }
    }

    fn batch(mask: Option<u32>, causal: bool) -> Batch {
        Batch::new(&[0, 1], &texts(mask), causal, &mut ChaCha8Rng::seed_from_u64(3))
    }

    #[test]
    fn a_causal_model_is_asked_for_the_next_token() {
        let batch = batch(Some(1), true);
        assert_eq!((batch.asked, batch.targets), (vec![0, 1, 2, 4], vec![6, 7, 8, 10]));
        assert_eq!((batch.real, batch.count), (Some(vec![0, 1, 2, 3, 4, 5]), 6));
        assert_eq!(batch.tokens.row(0), [5, 6, 7, 8]);
    }

    #[test]
    fn another_one_is_asked_for_what_was_masked() {
        let batch = batch(Some(1), false);
        for (place, target) in batch.asked.iter().zip(&batch.targets) {
            let (row, at) = (*place as usize / 4, *place as usize % 4);
            assert_eq!(batch.tokens.row(row)[at], 1);
            assert_eq!(texts(None).rows[row][at] as i32, *target);
        }
        let masked = (0..2).flat_map(|row| batch.tokens.row(row)).filter(|token| **token == 1).count();
        assert_eq!((masked, batch.asked.len()), (2, 2));
        let plain = self::batch(None, false);
        assert!(plain.asked.is_empty() && plain.tokens.row(0) == [5, 6, 7, 8]);
    }
}
