//! What a pass reads for a metric, and the metric of what it read: rows may be read at several positions each.

use crate::metric::Metric;
use crate::model::Read;
use crate::plan::Answers;
use crate::tensor::{Tensor, to_doubles};

mod tape;

pub use tape::total;

/// What `metric` needs of rows with these answers, equally many each.
pub fn read(metric: Metric, rows: &[Vec<Answers>]) -> Read {
    Read {
        positions: Some(rows.iter().flatten().map(|answers| answers.at).collect()),
        tokens: (!metric.needs_vocabulary()).then(|| columns(rows)),
    }
}

/// The tokens of every row's answers, right and wrong, one answer after the other; shorter rows are filled up with their
/// first, as every row needs the same number.
fn columns(rows: &[Vec<Answers>]) -> Vec<Vec<u32>> {
    let tokens = |row: &Vec<Answers>| -> Vec<u32> {
        row.iter().flat_map(|answers| answers.right.iter().chain(&answers.wrong)).copied().collect()
    };
    let mut columns: Vec<Vec<u32>> = rows.iter().map(tokens).collect();
    let width = columns.iter().map(Vec::len).max().unwrap_or(0);
    columns.iter_mut().for_each(|row| row.resize(width, row[0]));
    columns
}

/// The metric of every row, the mean over its answers, from what [`read`] made a pass read:
/// `[rows, answers, tokens of the answers or vocabulary]`.
pub fn values(metric: Metric, logits: &Tensor<3>, rows: &[Vec<Answers>]) -> Vec<f64> {
    valued(metric, logits, rows, |logits, right, wrong| metric.value(logits, right, wrong))
}

/// The same with right and wrong answer exchanged.
pub fn exchanged(metric: Metric, logits: &Tensor<3>, rows: &[Vec<Answers>]) -> Vec<f64> {
    valued(metric, logits, rows, |logits, right, wrong| metric.value(logits, wrong, right))
}

fn valued(
    metric: Metric,
    logits: &Tensor<3>,
    rows: &[Vec<Answers>],
    of: impl Fn(&[f64], &[u32], &[u32]) -> f64,
) -> Vec<f64> {
    let [_, each, width] = logits.dims();
    let logits = to_doubles(logits);
    let value = |(row, answers): (&[f64], &Vec<Answers>)| {
        let mut before = 0;
        let found = row.chunks_exact(width).zip(answers).map(|(logits, Answers { right, wrong, .. })| {
            if metric.needs_vocabulary() {
                return of(logits, right, wrong);
            }
            let own = |first: usize, count: usize| (first as u32..(first + count) as u32).collect::<Vec<u32>>();
            let (first, middle) = (before, before + right.len());
            before = middle + wrong.len();
            of(logits, &own(first, right.len()), &own(middle, wrong.len()))
        });
        found.sum::<f64>() / each as f64
    };
    logits.chunks_exact(each * width).zip(rows).map(value).collect()
}
