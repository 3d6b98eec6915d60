//! What a sweep's batch consists of: runs of one length, what is changed in all of them, and where each is read.

use crate::hook::{Edit, Edits};
use crate::method::{Bench, Side, reading};
use crate::metric::Metric;
use crate::model::{Model, Read};
use crate::plan::Answers;
use crate::site::Place;
use crate::tensor::Tensor;
use crate::text::Tokens;

/// Runs of one length that a sweep changes, cell by cell.
pub struct Runs<'a> {
    /// The model.
    pub model: &'a dyn Model,
    /// The most rows in a pass.
    pub most: usize,
    /// What is read.
    pub metric: Metric,
    /// The tokens, a row a run.
    pub tokens: Tokens,
    /// Where each run is read, equally many places for all: its value is the mean over them.
    pub answers: Vec<Vec<Answers>>,
    /// What makes the base run another than the plain one, each in one row and at the embeddings, so that rows that go on
    /// from a recorded stream have it in them.
    pub edits: Vec<Edit>,
    /// Runs that no cell is tried on.
    pub skipped: Vec<bool>,
}

impl<'a> Runs<'a> {
    /// One side of some items, read as the experiment says.
    pub fn of(bench: &Bench<'a>, items: &[usize], side: Side) -> Self {
        Runs {
            model: bench.model,
            most: bench.rows,
            metric: bench.metric,
            tokens: bench.tokens(items, side),
            answers: items.iter().map(|item| vec![bench.answers(*item).clone()]).collect(),
            edits: Vec::new(),
            skipped: vec![false; items.len()],
        }
    }

    /// What a pass of some rows reads.
    pub fn read(&self, rows: &[usize]) -> Read {
        reading::read(self.metric, &self.answers_of(rows))
    }

    /// The value of each row, from what the pass has read.
    pub fn values(&self, logits: &Tensor<3>, rows: &[usize]) -> Vec<f64> {
        reading::values(self.metric, logits, &self.answers_of(rows))
    }

    fn answers_of(&self, rows: &[usize]) -> Vec<Vec<Answers>> {
        rows.iter().map(|row| self.answers[*row].clone()).collect()
    }

    /// All rows.
    pub fn rows(&self) -> Vec<usize> {
        (0..self.answers.len()).collect()
    }

    /// The last position that a run is read at, and that a change must reach.
    pub fn last(&self, run: usize) -> usize {
        self.answers[run].iter().map(|answers| answers.at).max().expect("a run is read somewhere")
    }

    /// The edits of the base run for a pass whose row r is run `rows[r]`.
    pub fn edits_in(&self, rows: &[usize]) -> Vec<Edit> {
        let moved = |edit: &Edit| {
            let own = |run: &usize| edit.place.rows.as_ref().is_none_or(|edited| edited.contains(run));
            let rows: Vec<usize> = (0..rows.len()).filter(|row| own(&rows[*row])).collect();
            let place = Place { rows: Some(rows), ..edit.place.clone() };
            Edit { place, change: edit.change.clone() }
        };
        self.edits.iter().map(moved).collect()
    }

    /// The same as a hook of the whole batch.
    pub fn hook(&self) -> Edits {
        Edits::new(self.edits.clone())
    }
}
