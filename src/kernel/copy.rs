//! Copies in another order.

use super::TASK;
use rayon::prelude::*;

/// Channels that are turned together: what is read of a row fills a line of the cache.
const BLOCK: usize = 16;

/// Some heads out of rows that hold several side by side: `[batch, head, pos, width]` from `[batch, pos, across · width]`.
///
/// `heads` are the first and the number of heads taken.
pub fn split(rows: &[f32], [batch, pos, across, width]: [usize; 4], heads: (usize, usize)) -> Vec<f32> {
    let (first, heads) = heads;
    let mut out = vec![0.0; batch * heads * pos * width];
    each(&mut out, pos * width, |head, out| {
        let (batch, head) = (head / heads, first + head % heads);
        for (at, out) in out.chunks_exact_mut(width).enumerate() {
            let start = ((batch * pos + at) * across + head) * width;
            out.copy_from_slice(&rows[start..start + width]);
        }
    });
    out
}

/// Matrices the other way round: `[.., width, row]` from `[.., row, width]`.
pub fn turned<T: Copy + Default + Send + Sync>(values: &[T], rows: usize, width: usize) -> Vec<T> {
    let mut out = vec![T::default(); values.len()];
    let blocks = width.div_ceil(BLOCK);
    let matrices: Vec<&mut [T]> = out.chunks_exact_mut(rows * width).collect();
    let few = (TASK / (rows * width)).max(1);
    matrices.into_par_iter().with_min_len(few).zip(values.par_chunks_exact(rows * width)).for_each(|(out, values)| {
        let task = (TASK / (rows * BLOCK)).clamp(1, blocks) * BLOCK * rows;
        out.par_chunks_mut(task).enumerate().for_each(|(number, out)| turn(values, width, number * task / rows, out));
    });
    out
}

/// Channels of one matrix from `first` on, as many as `out` has rows for.
fn turn<T: Copy>(values: &[T], width: usize, first: usize, out: &mut [T]) {
    let rows = values.len() / width;
    for (block, out) in out.chunks_mut(BLOCK * rows).enumerate() {
        let (start, channels) = (first + block * BLOCK, out.len() / rows);
        for (row, values) in values.chunks_exact(width).enumerate() {
            for (channel, value) in values[start..start + channels].iter().enumerate() {
                out[channel * rows + row] = *value;
            }
        }
    }
}

/// Fills `size` numbers at a time, in parallel; `fill` gets how many such lie before.
fn each(out: &mut [f32], size: usize, fill: impl Fn(usize, &mut [f32]) + Sync) {
    let several = (TASK / size).max(1);
    out.par_chunks_mut(several * size).enumerate().for_each(|(task, part)| {
        part.chunks_exact_mut(size).enumerate().for_each(|(number, out)| fill(task * several + number, out));
    });
}
