//! Layer normalisation and its root-mean-square kin, row by row.

use super::{each_row, sum};

/// A norm of rows as wide as its weight and bias.
pub struct Norm<'a> {
    /// Whether the mean is subtracted: LayerNorm does, RMSNorm does not.
    pub centre: bool,
    /// Added to the variance or mean square.
    pub eps: f32,
    /// What the normalised row is multiplied with.
    pub weight: Option<&'a [f32]>,
    /// What is added then.
    pub bias: Option<&'a [f32]>,
}

impl Norm<'_> {
    /// Normalises every row of `width` numbers, in place.
    pub fn apply(&self, values: &mut [f32], width: usize) {
        each_row(values, width, |_, row| {
            let mean = self.mean(row);
            self.write(row, mean, self.scale(row, mean));
        });
    }

    /// What every row of `width` numbers is divided by.
    pub fn scales(&self, values: &[f32], width: usize) -> Vec<f32> {
        let mut scales = vec![0.0; values.len() / width];
        each_row(&mut scales, 1, |row, scale| {
            let row = &values[row * width..(row + 1) * width];
            scale[0] = self.scale(row, self.mean(row));
        });
        scales
    }

    /// The same as [`Norm::apply`] with these scales, one a row.
    pub fn apply_scaled(&self, values: &mut [f32], width: usize, scales: &[f32]) {
        each_row(values, width, |number, row| {
            let mean = self.mean(row);
            self.write(row, mean, scales[number]);
        });
    }

    #[inline(always)]
    fn mean(&self, row: &[f32]) -> f32 {
        if self.centre { sum(row, |x| x) / row.len() as f32 } else { 0.0 }
    }

    #[inline(always)]
    fn scale(&self, row: &[f32], mean: f32) -> f32 {
        (sum(row, |x| (x - mean) * (x - mean)) / row.len() as f32 + self.eps).sqrt()
    }

    #[inline(always)]
    fn write(&self, row: &mut [f32], mean: f32, scale: f32) {
        let normalised = |x: f32| (x - mean) / scale;
        match (self.weight, self.bias) {
            (Some(weight), Some(bias)) => {
                let parts = row.iter_mut().zip(weight).zip(bias);
                parts.for_each(|((x, weight), bias)| *x = normalised(*x) * weight + bias);
            }
            (Some(weight), None) => row.iter_mut().zip(weight).for_each(|(x, weight)| *x = normalised(*x) * weight),
            (None, Some(bias)) => row.iter_mut().zip(bias).for_each(|(x, bias)| *x = normalised(*x) + bias),
            (None, None) => row.iter_mut().for_each(|x| *x = normalised(*x)),
        }
    }
}
