//! Rotation of queries and keys by their positions.

use super::{Work, rows};

/// Angles of the positions, `[batch or 1, pos, half]`, and the lengths of what they rotate.
pub struct Rotation<'a> {
    /// Cosines.
    pub cos: &'a [f32],
    /// Sines.
    pub sin: &'a [f32],
    /// Heads, positions, width of a head.
    pub sizes: [usize; 3],
    /// Pairs that are rotated: channel i with channel `half + i`.
    pub half: usize,
}

impl Rotation<'_> {
    /// Rotates `[batch, head, pos, width]` in place.
    pub fn apply(&self, values: &mut [f32]) {
        rows(values, self.sizes[2], self);
    }
}

impl Work for Rotation<'_> {
    #[inline(always)]
    fn on(&self, start: usize, part: &mut [f32]) {
        let [heads, pos, width] = self.sizes;
        let shared = self.cos.len() == pos * self.half;
        for (number, row) in (start / width..).zip(part.chunks_exact_mut(width)) {
            let item = if shared { 0 } else { number / pos / heads };
            let angle = (item * pos + number % pos) * self.half;
            let (cos, sin) = (&self.cos[angle..angle + self.half], &self.sin[angle..angle + self.half]);
            let (first, second) = row[..2 * self.half].split_at_mut(self.half);
            for (((a, b), cos), sin) in first.iter_mut().zip(second).zip(cos).zip(sin) {
                (*a, *b) = (*a * cos - *b * sin, *b * cos + *a * sin);
            }
        }
    }
}
