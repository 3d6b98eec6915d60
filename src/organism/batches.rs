//! Documents packed into rows of one width, in an order of their own.

use tokenizers::Tokenizer;

/// An endless supply of batches: rows filled with whole documents, the last one cut, each row beginning with one.
pub struct Batches {
    rows: Vec<Vec<u32>>,
    taken: usize,
}

impl Batches {
    /// Packs documents, which the tokenizer begins with their boundary, into rows of `width` tokens.
    pub fn new(documents: &[String], tokenizer: &Tokenizer, width: usize) -> tokenizers::Result<Self> {
        let encoded = tokenizer.encode_batch(documents.to_vec(), true)?;
        let mut rows = Vec::new();
        let mut row: Vec<u32> = Vec::new();
        for document in encoded {
            row.extend(document.get_ids());
            if row.len() > width {
                row.truncate(width);
                rows.push(std::mem::take(&mut row));
            }
        }
        Ok(Batches { rows, taken: 0 })
    }

    /// Rows in all.
    pub fn len(&self) -> usize {
        self.rows.len()
    }

    /// Whether there is no row.
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// The next `count` rows, from the beginning again after the last.
    pub fn take(&mut self, count: usize) -> Vec<Vec<u32>> {
        let next = |at: usize| self.rows[(self.taken + at) % self.rows.len()].clone();
        let batch = (0..count).map(next).collect();
        self.taken += count;
        batch
    }
}
