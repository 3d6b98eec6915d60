//! Attention of heads: scores, patterns and mixes, separately or in one go with the same bits.

use super::function::exp_or_zero;
use super::product::product;
use super::{Work, largest, parts, rows, sum};

/// Positions a task; their heads are worked on one after the other.
const POSITIONS: usize = 8;

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
    /// Keys the other way round, by [`turned`](super::copy::turned): `[batch, key_head, width, key]`.
    pub turned_key: &'a [f32],
    /// What the products are multiplied with.
    pub scale: f32,
    /// Added: `[batch or 1, pos, key]`.
    pub mask: &'a [f32],
}

/// Softmax of every row of `width` numbers, in place. A row whose numbers are all the least f32 becomes uniform.
pub fn softmax(values: &mut [f32], width: usize) {
    rows(values, width, &Softmax(width));
}

struct Softmax(usize);

impl Work for Softmax {
    #[inline(always)]
    fn on(&self, _: usize, part: &mut [f32]) {
        for row in part.chunks_exact_mut(self.0) {
            let most = largest(row);
            for x in row.iter_mut() {
                *x = exp_or_zero(*x - most);
            }
            let whole = sum(row);
            for x in row.iter_mut() {
                *x /= whole;
            }
        }
    }
}

impl Sizes {
    /// Masked scores, `[batch, head, pos, key]`.
    pub fn scores(&self, scoring: &Scoring) -> Vec<f32> {
        let size = self.pos * self.keys;
        let mut out = vec![0.0; self.batch * self.heads * size];
        parts(&mut out, size, &Scores { sizes: self, scoring });
        out
    }

    /// Values weighted by patterns `[batch, head, pos, key]`: `[batch, pos, head, width]`.
    pub fn mix(&self, pattern: &[f32], value: &[f32]) -> Vec<f32> {
        self.mixed(&Mix { sizes: self, patterns: Patterns::Given(pattern), value })
    }

    /// Scores, softmax and mix in one go: `[batch, pos, head, width]`.
    pub fn attend(&self, scoring: &Scoring, value: &[f32]) -> Vec<f32> {
        self.mixed(&Mix { sizes: self, patterns: Patterns::Of(scoring), value })
    }

    fn mixed(&self, mix: &Mix) -> Vec<f32> {
        let position = self.heads * self.width;
        let mut out = vec![0.0; self.batch * self.pos * position];
        parts(&mut out, POSITIONS * position, mix);
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
        product(&query, self.width, self.of(scoring.turned_key, batch, head), self.keys, out, (0, self.keys));
        let shared = scoring.mask.len() == self.pos * self.keys;
        let start = (if shared { 0 } else { batch * self.pos } + first) * self.keys;
        for (score, mask) in out.iter_mut().zip(&scoring.mask[start..]) {
            *score += mask;
        }
    }
}

struct Scores<'a> {
    sizes: &'a Sizes,
    scoring: &'a Scoring<'a>,
}

impl Work for Scores<'_> {
    #[inline(always)]
    fn on(&self, start: usize, part: &mut [f32]) {
        let head = start / (self.sizes.pos * self.sizes.keys);
        self.sizes.score(self.scoring, head / self.sizes.heads, head % self.sizes.heads, 0, part);
    }
}

enum Patterns<'a> {
    Given(&'a [f32]),
    Of(&'a Scoring<'a>),
}

struct Mix<'a> {
    sizes: &'a Sizes,
    patterns: Patterns<'a>,
    value: &'a [f32],
}

impl Work for Mix<'_> {
    /// A part is some positions, perhaps of several rows of tokens.
    #[inline(always)]
    fn on(&self, start: usize, part: &mut [f32]) {
        let Sizes { heads, pos, width, .. } = *self.sizes;
        let (mut at, mut part) = (start / (heads * width), part);
        while !part.is_empty() {
            let (batch, first) = (at / pos, at % pos);
            let positions = (pos - first).min(part.len() / (heads * width));
            let (now, later) = part.split_at_mut(positions * heads * width);
            self.row(batch, first, now);
            (at, part) = (at + positions, later);
        }
    }
}

impl Mix<'_> {
    /// Some positions of one row of tokens: `[position, head, width]`.
    #[inline(always)]
    fn row(&self, batch: usize, first: usize, out: &mut [f32]) {
        let Sizes { heads, pos, keys, width, .. } = *self.sizes;
        let mut own = vec![0.0; out.len() / (heads * width) * keys];
        for head in 0..heads {
            let pattern = match self.patterns {
                Patterns::Given(patterns) => {
                    let start = ((batch * heads + head) * pos + first) * keys;
                    &patterns[start..start + own.len()]
                }
                Patterns::Of(scoring) => {
                    self.sizes.score(scoring, batch, head, first, &mut own);
                    Softmax(keys).on(0, &mut own);
                    &own
                }
            };
            let value = self.sizes.of(self.value, batch, head);
            product(pattern, keys, value, width, out, (head * width, heads * width));
        }
    }
}
