//! Layer normalisation and its root-mean-square kin, row by row.

use super::{LANES, Work, rows};

/// A norm of rows as wide as its weight and bias.
pub struct Norm<'a> {
    /// Whether the mean is subtracted: LayerNorm does, RMSNorm does not.
    pub centre: bool,
    /// Added to the variance or mean square.
    pub eps: f64,
    /// What the normalised row is multiplied with.
    pub weight: Option<&'a [f32]>,
    /// What is added then.
    pub bias: Option<&'a [f32]>,
}

impl Norm<'_> {
    /// Normalises every row of `width` numbers, in place.
    pub fn apply(&self, values: &mut [f32], width: usize) {
        rows(values, width, &Apply { norm: self, width, scales: None });
    }

    /// What every row of `width` numbers is divided by.
    pub fn scales(&self, values: &[f32], width: usize) -> Vec<f32> {
        let mut scales = vec![0.0; values.len() / width];
        rows(&mut scales, 1, &Scales { norm: self, width, values });
        scales
    }

    /// The same as [`Norm::apply`] with these scales, one a row.
    pub fn apply_scaled(&self, values: &mut [f32], width: usize, scales: &[f32]) {
        rows(values, width, &Apply { norm: self, width, scales: Some(scales) });
    }

    /// Mean and scale are summed in f64, which costs little here: what a norm gets wrong, a whole row gets wrong.
    #[inline(always)]
    fn mean(&self, row: &[f32]) -> f32 {
        if self.centre { (sum(row, |x| x) / row.len() as f64) as f32 } else { 0.0 }
    }

    #[inline(always)]
    fn scale(&self, row: &[f32], mean: f32) -> f32 {
        let mean = f64::from(mean);
        (sum(row, |x| (x - mean) * (x - mean)) / row.len() as f64 + self.eps).sqrt() as f32
    }

    #[inline(always)]
    fn write(&self, row: &mut [f32], mean: f32, scale: f32) {
        match (self.weight, self.bias) {
            (Some(weight), Some(bias)) => {
                for ((x, weight), bias) in row.iter_mut().zip(weight).zip(bias) {
                    *x = ((*x - mean) / scale).mul_add(*weight, *bias);
                }
            }
            (Some(weight), None) => {
                for (x, weight) in row.iter_mut().zip(weight) {
                    *x = (*x - mean) / scale * weight;
                }
            }
            (None, _) => {
                for x in row.iter_mut() {
                    *x = (*x - mean) / scale;
                }
                for (x, bias) in row.iter_mut().zip(self.bias.unwrap_or_default()) {
                    *x += bias;
                }
            }
        }
    }
}

struct Apply<'a> {
    norm: &'a Norm<'a>,
    width: usize,
    scales: Option<&'a [f32]>,
}

impl Work for Apply<'_> {
    #[inline(always)]
    fn on(&self, start: usize, part: &mut [f32]) {
        for (number, row) in (start / self.width..).zip(part.chunks_exact_mut(self.width)) {
            let mean = self.norm.mean(row);
            let scale = match self.scales {
                Some(scales) => scales[number],
                None => self.norm.scale(row, mean),
            };
            self.norm.write(row, mean, scale);
        }
    }
}

struct Scales<'a> {
    norm: &'a Norm<'a>,
    width: usize,
    values: &'a [f32],
}

impl Work for Scales<'_> {
    #[inline(always)]
    fn on(&self, start: usize, part: &mut [f32]) {
        for (scale, row) in part.iter_mut().zip(self.values[start * self.width..].chunks_exact(self.width)) {
            *scale = self.norm.scale(row, self.norm.mean(row));
        }
    }
}

/// The sum of `term` over a row, in [`LANES`] partial sums.
#[inline(always)]
fn sum(row: &[f32], term: impl Fn(f64) -> f64) -> f64 {
    let mut lanes = [0.0; LANES];
    let (blocks, rest) = row.as_chunks::<LANES>();
    for block in blocks {
        for (lane, value) in lanes.iter_mut().zip(block) {
            *lane += term(f64::from(*value));
        }
    }
    for (lane, value) in lanes.iter_mut().zip(rest) {
        *lane += term(f64::from(*value));
    }
    lanes.iter().sum()
}
