//! What a pass reads for a metric, and the metric of what it read: rows may be read at several positions each.

use crate::metric::Metric;
use crate::model::Read;
use crate::plan::Answers;
use crate::tensor::{Tensor, activation, from_ints, to_doubles};

/// What `metric` needs of rows with these answers, equally many each.
pub fn read(metric: Metric, rows: &[Vec<Answers>]) -> Read {
    let pairs = |row: &Vec<Answers>| row.iter().flat_map(|answers| [answers.right, answers.wrong]).collect();
    Read {
        positions: Some(rows.iter().flatten().map(|answers| answers.at).collect()),
        tokens: (!metric.needs_vocabulary()).then(|| rows.iter().map(pairs).collect()),
    }
}

/// The metric of every row, the mean over its answers, from what [`read`] made a pass read:
/// `[rows, answers, 2 · answers or vocabulary]`.
pub fn values(metric: Metric, logits: &Tensor<3>, rows: &[Vec<Answers>]) -> Vec<f64> {
    let [_, each, width] = logits.dims();
    let logits = to_doubles(logits);
    let value = |(row, answers): (&[f64], &Vec<Answers>)| {
        let found =
            row.chunks_exact(width).zip(answers).enumerate().map(|(index, (logits, Answers { right, wrong, .. }))| {
                match metric.needs_vocabulary() {
                    true => metric.value(logits, *right as usize, *wrong as usize),
                    false => metric.value(logits, 2 * index, 2 * index + 1),
                }
            });
        found.sum::<f64>() / each as f64
    };
    logits.chunks_exact(each * width).zip(rows).map(value).collect()
}

/// The sum of the metric over rows with an answer each, on the tape that the logits are on.
pub fn total(metric: Metric, logits: &Tensor<3>, rows: &[Vec<Answers>]) -> Tensor<1> {
    let tokens = |right: bool| {
        rows.iter().flatten().map(move |answers| match (metric.needs_vocabulary(), right) {
            (true, true) => answers.right as i32,
            (true, false) => answers.wrong as i32,
            (false, right) => i32::from(!right),
        })
    };
    let picked = |logits: &Tensor<3>, right: bool| {
        let index = from_ints(tokens(right).collect(), [rows.len(), 1, 1], &logits.device());
        logits.clone().gather(2, index).sum()
    };
    match metric {
        Metric::LogitDiff => picked(logits, true) - picked(logits, false),
        Metric::Logit => picked(logits, true),
        Metric::LogProb => picked(&activation::log_softmax(logits.clone(), 2), true),
        Metric::Probability => picked(&activation::softmax(logits.clone(), 2), true),
        Metric::ProbabilityDiff => {
            let probabilities = activation::softmax(logits.clone(), 2);
            picked(&probabilities, true) - picked(&probabilities, false)
        }
    }
}
