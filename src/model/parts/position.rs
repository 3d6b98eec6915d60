//! Where a token stands: rotation of queries and keys, and which keys a query may see.

use crate::kernel::rotary::Rotation;
use crate::precision::Precision;
use crate::tensor::{Setting, Tensor, cast, from_doubles, from_floats, in_place, is_plain, to_floats};
use crate::text::Tokens;

/// A masked score. The least number rather than −∞, as `transformers` does: a query that may see nothing (padding) gets
/// a uniform pattern and no NaN. In f64 it is that of f32.
///
/// Of f16 it is half of the least, so that a score added to it is no infinity.
pub fn masked(precision: Precision) -> f32 {
    match precision {
        Precision::F32 | Precision::F64 => f32::MIN,
        Precision::F16 => half::f16::MIN.to_f32() / 2.0,
        Precision::Bf16 => half::bf16::MIN.to_f32(),
    }
}

/// Whether a score is a masked one, whichever precision it is of, or −∞.
pub fn is_masked(score: f64) -> bool {
    // between the highest masked score, f16's −32 752, and the scores of models, which are hundreds at most
    const BOUND: f64 = -16_000.0;
    score < BOUND
}

/// Rotary embedding (Su et al. 2021), in the half-split layout of Hugging Face checkpoints.
#[derive(Clone, Debug, PartialEq)]
pub struct Rotary {
    /// Angle a position, one for each rotated pair: `[rotary_width / 2]`.
    pub frequencies: Vec<f64>,
    /// What cosines and sines are multiplied with.
    pub magnitude: f64,
    /// Other frequencies for long texts.
    pub long: Option<Long>,
}

/// The frequencies of texts of more than so many tokens (LongRoPE, Ding et al. 2024).
#[derive(Clone, Debug, PartialEq)]
pub struct Long {
    /// The most tokens of a text that is not long.
    pub above: usize,
    /// As [`Rotary::frequencies`].
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
        Rotary { frequencies: (0..width.div_ceil(2)).map(frequency).collect(), magnitude: 1.0, long: None }
    }

    /// Every position divided by `factor`.
    pub fn linear(self, factor: f64) -> Self {
        Rotary { frequencies: self.frequencies.iter().map(|f| f / factor).collect(), ..self }
    }

    /// Frequencies changed as in Llama 3.1.
    pub fn llama3(self, scaling: Llama3Scaling) -> Self {
        Rotary { frequencies: self.frequencies.iter().map(|&f| scaling.frequency(f)).collect(), ..self }
    }

    /// Each frequency divided by its own factor: by `short` in texts of up to `above` tokens, by `long` in longer ones.
    pub fn by_length(self, [short, long]: [&[f64]; 2], above: usize, magnitude: f64) -> Self {
        let divided = |factors: &[f64]| self.frequencies.iter().zip(factors).map(|(f, factor)| f / factor).collect();
        Rotary { frequencies: divided(short), magnitude, long: Some(Long { above, frequencies: divided(long) }) }
    }

    /// Whether a text of so many tokens is rotated as a long one.
    pub fn is_long(&self, tokens: usize) -> bool {
        self.long.as_ref().is_some_and(|long| tokens > long.above)
    }

    /// The frequencies of a text of so many tokens.
    fn frequencies_of(&self, tokens: usize) -> &[f64] {
        let long = self.long.as_ref().filter(|_| self.is_long(tokens));
        long.map_or(&self.frequencies, |long| &long.frequencies)
    }

    /// Cosines and sines `[batch, 1, pos, rotary_width / 2]` at positions `[batch][pos]`, up to the last of each row.
    pub fn angles(&self, positions: &[Vec<usize>], setting: &Setting) -> (Tensor<4>, Tensor<4>) {
        let shape = [positions.len(), 1, positions[0].len(), self.frequencies.len()];
        let pairs = || positions.iter().flat_map(|row| self.pairs_of(row));
        if setting.precision == Precision::F64 {
            let angles: Vec<f64> = pairs().map(|(position, frequency)| position as f64 * frequency).collect();
            let values = |f: fn(f64) -> f64| angles.iter().map(|angle| f(*angle) * self.magnitude).collect();
            return (from_doubles(values(f64::cos), shape, setting), from_doubles(values(f64::sin), shape, setting));
        }
        // transformers computes frequency and angle in f32; following it keeps long contexts in step
        let angles: Vec<f32> = pairs().map(|(position, frequency)| position as f32 * frequency as f32).collect();
        let magnitude = self.magnitude as f32;
        let table = |f: fn(f32) -> f32| {
            let values = angles.iter().map(|angle| f(*angle) * magnitude).collect();
            cast(from_floats(values, shape, &setting.device), setting.precision)
        };
        (table(f32::cos), table(f32::sin))
    }

    /// Position and frequency of every angle of one row, position after position.
    fn pairs_of<'a>(&'a self, positions: &'a [usize]) -> impl Iterator<Item = (usize, f64)> + 'a {
        let tokens = positions.iter().max().map_or(0, |last| last + 1);
        let frequencies = self.frequencies_of(tokens);
        positions.iter().flat_map(move |position| frequencies.iter().map(move |frequency| (*position, *frequency)))
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

/// How tokens are numbered where positions are learned.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Numbering {
    /// From 0 on.
    FromZero,
    /// Behind the number of the padding token, which that token keeps wherever it stands (RoBERTa).
    BehindPadding(u32),
}

impl Numbering {
    /// The number of every token, `[row][pos]`, from position `first` on; filled-up places get the padding token's.
    pub fn of(self, tokens: &Tokens, first: usize) -> Vec<Vec<usize>> {
        let Numbering::BehindPadding(padding) = self else { return tokens.positions(first) };
        let numbered = |row: usize| {
            let mut last = padding as usize;
            let number = |(position, id): (usize, &u32)| {
                if !tokens.is_real(row, position) || *id == padding {
                    return padding as usize;
                }
                last += 1;
                last
            };
            let all: Vec<usize> = tokens.row(row).iter().enumerate().map(number).collect();
            all[first..].to_vec()
        };
        (0..tokens.rows()).map(numbered).collect()
    }
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
    /// Whether a query may see a key.
    pub fn allows(self, query: usize, key: usize) -> bool {
        match self {
            Sight::Causal => key <= query,
            Sight::Window(width) => key <= query && query < key + width,
            Sight::Both => true,
        }
    }

    /// What is added to scores: 0 or [`masked`], `[batch or 1, 1, query, key]`, queries from `first` on.
    ///
    /// Rows share one mask where no token is padding.
    pub fn mask(self, tokens: &Tokens, first: usize, setting: &Setting) -> Tensor<4> {
        let (length, masked) = (tokens.width(), masked(setting.precision));
        let rows = if tokens.is_padded() { tokens.rows() } else { 1 };
        let mut mask = Vec::with_capacity(rows * (length - first) * length);
        for row in 0..rows {
            for query in first..length {
                let seen = (0..length).map(|key| self.allows(query, key) && tokens.is_real(row, key));
                mask.extend(seen.map(|seen| if seen { 0.0 } else { masked }));
            }
        }
        cast(from_floats(mask, [rows, 1, length - first, length], &setting.device), setting.precision)
    }
}
