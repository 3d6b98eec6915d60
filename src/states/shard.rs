//! The rows of one file while they are gathered: written in any order, each to its own place.

use super::Kept;
use crate::data::Side;
use crate::precision::Precision;
use half::{bf16, f16};
use safetensors::Dtype;
use safetensors::tensor::TensorView;

/// Rows for one file, in the numbers that they are kept in.
pub struct Shard {
    numbers: Precision,
    columns: Vec<(Kept, Vec<u8>)>,
    /// Item and position of each row.
    rows: Vec<(usize, usize)>,
    side: Side,
    beyond: usize,
}

/// The type and the bytes of a number as it is kept; plans keep states in no other.
pub(super) fn dtype(numbers: Precision) -> (Dtype, usize) {
    match numbers {
        Precision::F16 => (Dtype::F16, 2),
        Precision::Bf16 => (Dtype::BF16, 2),
        Precision::F32 | Precision::F64 => (Dtype::F32, 4),
    }
}

impl Shard {
    /// Room for `rows`, item and position each, of these states.
    pub fn new(states: &[Kept], rows: Vec<(usize, usize)>, side: Side, numbers: Precision) -> Self {
        let room = |kept: &Kept| vec![0; rows.len() * kept.numbers() * dtype(numbers).1];
        let columns = states.iter().map(|kept| (kept.clone(), room(kept))).collect();
        Shard { numbers, columns, rows, side, beyond: 0 }
    }

    /// How many rows there are.
    pub fn count(&self) -> usize {
        self.rows.len()
    }

    /// Which prompts they are of.
    pub fn side(&self) -> Side {
        self.side
    }

    /// How many finite values were too large for the numbers that they are kept in, and became infinite.
    pub fn beyond(&self) -> usize {
        self.beyond
    }

    /// Puts the values of a state into a row.
    ///
    /// # Panics
    /// If there is no such state or row, or it has another number of values.
    pub fn put(&mut self, state: usize, row: usize, values: &[f32]) {
        let (kept, bytes) = &mut self.columns[state];
        assert_eq!(values.len(), kept.numbers(), "as many values as a row has");
        let width = dtype(self.numbers).1 * values.len();
        let place = &mut bytes[row * width..(row + 1) * width];
        let fill = |place: &mut [u8], value: &f32| match self.numbers {
            Precision::F16 => place.copy_from_slice(&f16::from_f32(*value).to_le_bytes()),
            Precision::Bf16 => place.copy_from_slice(&bf16::from_f32(*value).to_le_bytes()),
            Precision::F32 | Precision::F64 => place.copy_from_slice(&value.to_le_bytes()),
        };
        place.chunks_exact_mut(dtype(self.numbers).1).zip(values).for_each(|(place, value)| fill(place, value));
        let infinite = |value: &&f32| match self.numbers {
            Precision::F16 => value.is_finite() && f16::from_f32(**value).is_infinite(),
            Precision::Bf16 => value.is_finite() && bf16::from_f32(**value).is_infinite(),
            Precision::F32 | Precision::F64 => false,
        };
        self.beyond += values.iter().filter(infinite).count();
    }

    /// What each row is, as the tensors `item`, `position` and `side`.
    pub(super) fn told(&self) -> [(&'static str, Vec<u8>); 3] {
        let column = |number: &dyn Fn(&(usize, usize)) -> usize| {
            self.rows.iter().flat_map(|row| (number(row) as i64).to_le_bytes()).collect()
        };
        let side = self.side as usize;
        [("item", column(&|row| row.0)), ("position", column(&|row| row.1)), ("side", column(&|_| side))]
    }

    /// Every tensor of the file, with what each row is.
    pub(super) fn views<'a>(&'a self, told: &'a [(&'static str, Vec<u8>)]) -> Vec<(&'a str, TensorView<'a>)> {
        let made = "as many bytes as the shape says";
        let state = |(kept, bytes): &'a (Kept, Vec<u8>)| {
            let shape = [&[self.count()], kept.shape.as_slice()].concat();
            (kept.name.as_str(), TensorView::new(dtype(self.numbers).0, shape, bytes).expect(made))
        };
        let row = |(name, bytes): &'a (&'static str, Vec<u8>)| {
            (*name, TensorView::new(Dtype::I64, vec![self.count()], bytes).expect(made))
        };
        self.columns.iter().map(state).chain(told.iter().map(row)).collect()
    }
}
