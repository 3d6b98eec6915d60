//! The bytes of a stored tensor as numbers.

use half::{bf16, f16};
use rayon::prelude::*;
use safetensors::{Dtype, tensor::TensorView};

/// Numbers that a thread converts before it takes the next: a megabyte of f32.
pub(super) const PART: usize = 1 << 18;
/// The values of a tensor as f64, if its type is one of numbers: exact, whichever it is.
pub fn decode_exactly(view: &TensorView) -> Option<Vec<f64>> {
    match view.dtype() {
        Dtype::F64 => Some(each(view.data(), f64::from_le_bytes)),
        _ => Some(decode(view)?.into_iter().map(f64::from).collect()),
    }
}

/// The values of a tensor as f32, if its type is one of numbers.
pub fn decode(view: &TensorView) -> Option<Vec<f32>> {
    let data = view.data();
    Some(match view.dtype() {
        Dtype::F32 => each(data, f32::from_le_bytes),
        Dtype::F16 => each(data, |bytes| f16::from_le_bytes(bytes).to_f32()),
        Dtype::BF16 => each(data, |bytes| bf16::from_le_bytes(bytes).to_f32()),
        Dtype::F64 => each(data, |bytes| f64::from_le_bytes(bytes) as f32),
        _ => return None,
    })
}

fn each<const N: usize, T: Copy + Default + Send>(data: &[u8], value: impl Fn([u8; N]) -> T + Sync) -> Vec<T> {
    let mut values = vec![T::default(); data.len() / N];
    values.par_chunks_mut(PART).zip(data.par_chunks(PART * N)).for_each(|(values, data)| {
        values.iter_mut().zip(data.as_chunks::<N>().0).for_each(|(out, bytes)| *out = value(*bytes));
    });
    values
}
