//! The rows of one site and position, read where they lie.

use super::States;
use super::mapped::Row;
use super::shard::dtype;
use crate::precision::Precision;
use half::{bf16, f16};
use patchclamp_probes::rows::Rows;

/// Rows of one state, read where they lie.
pub struct View<'a> {
    pub(super) states: &'a States,
    /// Which state of the index.
    pub(super) state: usize,
    /// Where in a row its numbers begin.
    pub(super) first: usize,
    pub(super) width: usize,
    pub(super) rows: Vec<Row>,
}

impl View<'_> {
    /// The item of each row.
    pub fn items(&self) -> Vec<usize> {
        self.rows.iter().map(|row| row.item as usize).collect()
    }

    /// The position of each row.
    pub fn positions(&self) -> Vec<usize> {
        self.rows.iter().map(|row| row.position as usize).collect()
    }

    /// The value of a label for each row, where its item has it.
    pub fn labels(&self, label: &str) -> Vec<Option<&str>> {
        let of = |row: &Row| self.states.index.items[row.item as usize].labels.get(label).map(String::as_str);
        self.rows.iter().map(of).collect()
    }

    /// The bytes of a row's numbers.
    fn bytes(&self, row: Row) -> &[u8] {
        let (file, size) = (&self.states.files[row.file as usize], dtype(self.states.index.numbers).1);
        let first = row.row as usize * self.states.index.states[self.state].numbers() + self.first;
        &file.source.bytes()[file.columns[self.state].clone()][first * size..(first + self.width) * size]
    }
}

impl Rows for View<'_> {
    fn count(&self) -> usize {
        self.rows.len()
    }

    fn width(&self) -> usize {
        self.width
    }

    fn copy(&self, row: usize, into: &mut [f64]) {
        assert_eq!(into.len(), self.width, "as many places as a row has values");
        let bytes = self.bytes(self.rows[row]);
        match self.states.index.numbers {
            Precision::F16 => fill(into, bytes, |bytes| f16::from_le_bytes(bytes).to_f64()),
            Precision::Bf16 => fill(into, bytes, |bytes| bf16::from_le_bytes(bytes).to_f64()),
            Precision::F32 | Precision::F64 => fill(into, bytes, |bytes| f64::from(f32::from_le_bytes(bytes))),
        }
    }
}

fn fill<const N: usize>(into: &mut [f64], bytes: &[u8], number: impl Fn([u8; N]) -> f64) {
    into.iter_mut().zip(bytes.as_chunks::<N>().0).for_each(|(place, bytes)| *place = number(*bytes));
}
