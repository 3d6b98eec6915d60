//! Where a token stands: rotation of queries and keys, and which keys a query may see.

use crate::kernel::rotary::Rotation;
use crate::tensor::{Device, Tensor, from_floats, in_place, is_plain, to_floats};
use crate::text::Tokens;

/// A masked score. The least f32 rather than −∞, as `transformers` does: a query that may see nothing (padding) gets
/// a uniform pattern and no NaN.
pub const MASKED: f32 = f32::MIN;

/// Rotary embedding (Su et al. 2021), in the half-split layout of Hugging Face checkpoints.
#[derive(Clone, Debug, PartialEq)]
pub struct Rotary {
    /// Angle a position, one for each rotated pair: `[rotary_width / 2]`.
    pub frequencies: Vec<f64>,
}

/// The change of rotary frequencies that came with Llama 3.1.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Llama3Scaling {
    /// Divides the low frequencies.
    pub factor: f64,
    /// Wavelengths longer than `original / low_freq_factor` are low.
    pub low_freq_factor: f64,
    /// Wavelengths shorter than `original / high_freq_factor` are left alone.
    pub high_freq_factor: f64,
    /// The context the model was first trained with, positions.
    pub original: f64,
}

impl Rotary {
    /// Frequencies `theta^(-2i/width)`; an odd width is rounded up to pairs, as `transformers` does.
    pub fn new(width: usize, theta: f64) -> Self {
        let frequency = |i: usize| theta.powf(-2.0 * i as f64 / width as f64);
        Rotary { frequencies: (0..width.div_ceil(2)).map(frequency).collect() }
    }

    /// Every position divided by `factor`.
    pub fn linear(self, factor: f64) -> Self {
        Rotary { frequencies: self.frequencies.iter().map(|f| f / factor).collect() }
    }

    /// Frequencies changed as in Llama 3.1.
    pub fn llama3(self, scaling: Llama3Scaling) -> Self {
        Rotary { frequencies: self.frequencies.iter().map(|&f| scaling.frequency(f)).collect() }
    }

    /// Cosines and sines `[batch, 1, pos, rotary_width / 2]` at positions `[batch][pos]`.
    pub fn angles(&self, positions: &[Vec<usize>], device: &Device) -> (Tensor<4>, Tensor<4>) {
        // transformers computes frequency and angle in f32; following it keeps long contexts in step
        let angle = |position: usize| self.frequencies.iter().map(move |f| position as f32 * *f as f32);
        let angles: Vec<f32> = positions.iter().flatten().flat_map(|&position| angle(position)).collect();
        let shape = [positions.len(), 1, positions[0].len(), self.frequencies.len()];
        let table = |f: fn(f32) -> f32| from_floats(angles.iter().copied().map(f).collect(), shape, device);
        (table(f32::cos), table(f32::sin))
    }
}

impl Llama3Scaling {
    fn frequency(self, frequency: f64) -> f64 {
        let wavelength = 2.0 * std::f64::consts::PI / frequency;
        if wavelength < self.original / self.high_freq_factor {
            return frequency;
        }
        if wavelength > self.original / self.low_freq_factor {
            return frequency / self.factor;
        }
        let smooth =
            (self.original / wavelength - self.low_freq_factor) / (self.high_freq_factor - self.low_freq_factor);
        (1.0 - smooth) * frequency / self.factor + smooth * frequency
    }
}

/// `x` `[batch, head, pos, d_head]` with its first `rotary_width` channels rotated.
pub fn rotate(x: Tensor<4>, (cos, sin): &(Tensor<4>, Tensor<4>)) -> Tensor<4> {
    let (half, [_, heads, pos, width]) = (cos.dims()[3], x.dims());
    if is_plain(&x) {
        let [cos, sin] = [cos, sin].map(to_floats);
        let rotation = Rotation { cos: &cos, sin: &sin, sizes: [heads, pos, width], half };
        return in_place(x, |x| rotation.apply(x));
    }
    let (a, b) = (x.clone().narrow(3, 0, half), x.clone().narrow(3, half, half));
    let mut parts = vec![a.clone() * cos.clone() - b.clone() * sin.clone(), b * cos.clone() + a * sin.clone()];
    if width > 2 * half {
        parts.push(x.narrow(3, 2 * half, width - 2 * half));
    }
    Tensor::cat(parts, 3)
}

/// Which keys a query may see.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Sight {
    /// Itself and what came before.
    Causal,
    /// The last `usize` keys, itself among them.
    Window(usize),
    /// Every token.
    Both,
}

impl Sight {
    fn allows(self, query: usize, key: usize) -> bool {
        match self {
            Sight::Causal => key <= query,
            Sight::Window(width) => key <= query && query < key + width,
            Sight::Both => true,
        }
    }

    /// What is added to scores: 0 or [`MASKED`], `[batch or 1, 1, query, key]`, queries from `first` on.
    ///
    /// Rows share one mask where no token is padding.
    pub fn mask(self, tokens: &Tokens, first: usize, device: &Device) -> Tensor<4> {
        let length = tokens.width();
        let rows = if tokens.is_padded() { tokens.rows() } else { 1 };
        let mut mask = Vec::with_capacity(rows * (length - first) * length);
        for row in 0..rows {
            for query in first..length {
                let seen = (0..length).map(|key| self.allows(query, key) && tokens.is_real(row, key));
                mask.extend(seen.map(|seen| if seen { 0.0 } else { MASKED }));
            }
        }
        from_floats(mask, [rows, 1, length - first, length], device)
    }
}
