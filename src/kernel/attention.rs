//! Attention of heads: scores, patterns and mixes, separately or in one go with the same bits.

use super::function::exp_or_zero;
use super::{each_row, largest, sum, vectorised};
use rayon::prelude::*;

/// Positions a task; their heads are worked on one after the other.
const POSITIONS: usize = 8;
/// Rows that a product works on at once, so that each number of the other matrix is read once for all of them.
const ROWS: usize = 4;

/// The sizes of an attention.
#[derive(Clone, Copy)]
pub struct Sizes {
    /// Rows of tokens.
    pub batch: usize,
    /// Heads of queries.
    pub heads: usize,
    /// Heads of keys and values; each serves `heads / key_heads` heads.
    pub key_heads: usize,
    /// Queries.
    pub pos: usize,
    /// Keys.
    pub keys: usize,
    /// Width of a head.
    pub width: usize,
}

/// What scores are made of, besides the keys.
pub struct Scoring<'a> {
    /// `[batch, head, pos, width]`.
    pub query: &'a [f32],
    /// Keys the other way round, by [`turned`]: `[batch, key_head, width, key]`.
    pub turned_key: &'a [f32],
    /// What the products are multiplied with.
    pub scale: f32,
    /// Added: `[batch or 1, pos, key]`.
    pub mask: &'a [f32],
}

/// Some heads out of rows that hold several side by side: `[batch, head, pos, width]` from `[batch, pos, across · width]`.
///
/// `heads` are the first and the number of heads taken.
pub fn split(rows: &[f32], [batch, pos, across, width]: [usize; 4], heads: (usize, usize)) -> Vec<f32> {
    let (first, heads) = heads;
    let mut out = vec![0.0; batch * heads * pos * width];
    each_row(&mut out, pos * width, |head, out| {
        let (batch, head) = (head / heads, first + head % heads);
        for (at, out) in out.chunks_exact_mut(width).enumerate() {
            let start = ((batch * pos + at) * across + head) * width;
            out.copy_from_slice(&rows[start..start + width]);
        }
    });
    out
}

/// Keys the other way round: `[.., width, key]` from `[.., key, width]`.
pub fn turned(key: &[f32], keys: usize, width: usize) -> Vec<f32> {
    let mut out = vec![0.0; key.len()];
    each_row(&mut out, keys * width, |head, out| {
        let from = &key[head * keys * width..(head + 1) * keys * width];
        for (at, key) in from.chunks_exact(width).enumerate() {
            key.iter().enumerate().for_each(|(channel, value)| out[channel * keys + at] = *value);
        }
    });
    out
}

/// Softmax of every row of `width` numbers, in place. A row whose numbers are all the least f32 becomes uniform.
pub fn softmax(values: &mut [f32], width: usize) {
    each_row(values, width, |_, row| softmax_row(row));
}

#[inline(always)]
fn softmax_row(row: &mut [f32]) {
    let most = largest(row);
    row.iter_mut().for_each(|x| *x = exp_or_zero(*x - most));
    let whole = sum(row, |x| x);
    row.iter_mut().for_each(|x| *x /= whole);
}

impl Sizes {
    /// Masked scores, `[batch, head, pos, key]`.
    pub fn scores(&self, scoring: &Scoring) -> Vec<f32> {
        let mut out = vec![0.0; self.batch * self.heads * self.pos * self.keys];
        let size = self.pos * self.keys;
        out.par_chunks_mut(size.max(1)).enumerate().for_each(|(number, out)| {
            vectorised(|| self.score(scoring, number / self.heads, number % self.heads, 0, out));
        });
        out
    }

    /// Values weighted by patterns `[batch, head, pos, key]`: `[batch, pos, head, width]`.
    pub fn mix(&self, pattern: &[f32], value: &[f32]) -> Vec<f32> {
        self.each_task(|batch, first, out| {
            let positions = out.len() / (self.heads * self.width);
            for head in 0..self.heads {
                let start = ((batch * self.heads + head) * self.pos + first) * self.keys;
                self.weigh(&pattern[start..start + positions * self.keys], self.of(value, batch, head), head, out);
            }
        })
    }

    /// Scores, softmax and mix in one go: `[batch, pos, head, width]`.
    pub fn attend(&self, scoring: &Scoring, value: &[f32]) -> Vec<f32> {
        self.each_task(|batch, first, out| {
            let positions = out.len() / (self.heads * self.width);
            let mut pattern = vec![0.0; positions * self.keys];
            for head in 0..self.heads {
                self.score(scoring, batch, head, first, &mut pattern);
                pattern.chunks_exact_mut(self.keys).for_each(softmax_row);
                self.weigh(&pattern, self.of(value, batch, head), head, out);
            }
        })
    }

    /// Fills `[batch, pos, head, width]` a few positions a task: `work` gets the row of tokens, the first position, the memory.
    fn each_task(&self, work: impl Fn(usize, usize, &mut [f32]) + Sync) -> Vec<f32> {
        let position = self.heads * self.width;
        let mut out = vec![0.0; self.batch * self.pos * position];
        out.par_chunks_mut(self.pos * position).enumerate().for_each(|(batch, row)| {
            row.par_chunks_mut(POSITIONS * position).enumerate().for_each(|(task, out)| {
                vectorised(|| work(batch, task * POSITIONS, out));
            });
        });
        out
    }

    /// The part of keys or values that a head reads.
    fn of<'a>(&self, keys: &'a [f32], batch: usize, head: usize) -> &'a [f32] {
        let size = self.keys * self.width;
        let number = batch * self.key_heads + head / (self.heads / self.key_heads);
        &keys[number * size..(number + 1) * size]
    }

    /// Masked scores of a head for the queries from `first` on, as many as `out` has rows for.
    #[inline(always)]
    fn score(&self, scoring: &Scoring, batch: usize, head: usize, first: usize, out: &mut [f32]) {
        let start = (batch * self.heads + head) * self.pos + first;
        let positions = out.len() / self.keys;
        let query = &scoring.query[start * self.width..(start + positions) * self.width];
        let query: Vec<f32> = query.iter().map(|x| x * scoring.scale).collect();
        product(&query, self.width, self.of(scoring.turned_key, batch, head), out, self.keys, 0, self.keys);
        let shared = scoring.mask.len() == self.pos * self.keys;
        let start = (if shared { 0 } else { batch * self.pos } + first) * self.keys;
        out.iter_mut().zip(&scoring.mask[start..]).for_each(|(score, mask)| *score += mask);
    }

    /// Writes a head's mix for a few positions into `[position, head, width]`.
    #[inline(always)]
    fn weigh(&self, pattern: &[f32], value: &[f32], head: usize, out: &mut [f32]) {
        product(pattern, self.keys, value, out, self.heads * self.width, head * self.width, self.width);
    }
}

/// `a b` for `a` `[n, inner]` and `b` `[inner, width]`, into rows of `out` that lie `stride` apart and begin at `start`.
///
/// Every number is summed from the first inner index to the last, wherever it stands.
#[inline(always)]
fn product(a: &[f32], inner: usize, b: &[f32], out: &mut [f32], stride: usize, start: usize, width: usize) {
    let rows = a.len() / inner;
    let mut row = 0;
    while row + ROWS <= rows {
        let a: [&[f32]; ROWS] = std::array::from_fn(|i| &a[(row + i) * inner..(row + i + 1) * inner]);
        across(a, b, &mut out[row * stride..], stride, start, width);
        row += ROWS;
    }
    while row < rows {
        across([&a[row * inner..(row + 1) * inner]], b, &mut out[row * stride..], stride, start, width);
        row += 1;
    }
}

/// Some rows of a product, a few columns at a time.
#[inline(always)]
fn across<const R: usize>(a: [&[f32]; R], b: &[f32], out: &mut [f32], stride: usize, start: usize, width: usize) {
    let mut column = 0;
    let mut write = |column: usize, sums: &[f32], row: usize| {
        let at = row * stride + start + column;
        out[at..at + sums.len()].copy_from_slice(sums);
    };
    while column + 32 <= width {
        tile::<R, 32>(a, b, width, column).iter().enumerate().for_each(|(row, sums)| write(column, sums, row));
        column += 32;
    }
    while column + 8 <= width {
        tile::<R, 8>(a, b, width, column).iter().enumerate().for_each(|(row, sums)| write(column, sums, row));
        column += 8;
    }
    while column < width {
        tile::<R, 1>(a, b, width, column).iter().enumerate().for_each(|(row, sums)| write(column, sums, row));
        column += 1;
    }
}

/// `R` rows and `C` columns of a product, kept in registers.
#[inline(always)]
fn tile<const R: usize, const C: usize>(a: [&[f32]; R], b: &[f32], width: usize, column: usize) -> [[f32; C]; R] {
    let mut sums = [[0.0; C]; R];
    for (inner, b) in b.chunks_exact(width).enumerate() {
        let b: &[f32; C] = b[column..column + C].try_into().expect("C columns");
        for (sums, a) in sums.iter_mut().zip(a) {
            let a = a[inner];
            sums.iter_mut().zip(b).for_each(|(sum, b)| *sum += a * b);
        }
    }
    sums
}
