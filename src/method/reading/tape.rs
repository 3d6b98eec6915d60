//! The metric on the tape that the logits are on, for gradients.

use crate::metric::Metric;
use crate::plan::Answers;
use crate::tensor::{Setting, Tensor, activation, from_doubles, from_ints};

/// The sum of the metric over rows with an answer each, from what [`read`](super::read) made a pass read:
/// `[rows, 1, tokens of the answers or vocabulary]`.
pub fn total(metric: Metric, logits: &Tensor<3>, rows: &[Vec<Answers>]) -> Tensor<1> {
    let (right, wrong) = places(metric, rows);
    let any = |logits: &Tensor<3>, answers: &[Vec<u32>]| Members::of(logits, answers).log_sum_exp().sum();
    let sum = |logits: &Tensor<3>, answers: &[Vec<u32>]| Members::of(logits, answers).sum().sum();
    match metric {
        Metric::LogitDiff => any(logits, &right) - any(logits, &wrong),
        Metric::Logit => any(logits, &right),
        Metric::LogProb => any(&activation::log_softmax(logits.clone(), 2), &right),
        Metric::Probability => sum(&activation::softmax(logits.clone(), 2), &right),
        Metric::ProbabilityDiff => {
            let probabilities = activation::softmax(logits.clone(), 2);
            sum(&probabilities, &right) - sum(&probabilities, &wrong)
        }
    }
}

/// Where each row's right and wrong answers stand among what was read: tokens of the vocabulary, or columns.
fn places(metric: Metric, rows: &[Vec<Answers>]) -> (Vec<Vec<u32>>, Vec<Vec<u32>>) {
    let place = |answers: &Answers| {
        if metric.needs_vocabulary() {
            return (answers.right.clone(), answers.wrong.clone());
        }
        let (middle, end) = (answers.right.len() as u32, (answers.right.len() + answers.wrong.len()) as u32);
        ((0..middle).collect(), (middle..end).collect())
    };
    rows.iter().flatten().map(place).unzip()
}

/// What stands at the places of each row's answer, `[row, 1, place]`.
struct Members {
    values: Tensor<3>,
    /// 1 at a place of the answer, 0 where a shorter one was filled up; none where all have one token.
    kept: Option<Tensor<3>>,
}

impl Members {
    fn of(values: &Tensor<3>, answers: &[Vec<u32>]) -> Self {
        let most = answers.iter().map(Vec::len).max().unwrap_or(1);
        let shape = [answers.len(), 1, most];
        let filled =
            |places: &Vec<u32>| (0..most).map(|at| places[at.min(places.len() - 1)] as i32).collect::<Vec<_>>();
        let index = from_ints(answers.iter().flat_map(filled).collect(), shape, &values.device());
        let own = |places: &Vec<u32>| (0..most).map(|at| f64::from(u8::from(at < places.len()))).collect::<Vec<_>>();
        let kept = || from_doubles(answers.iter().flat_map(own).collect(), shape, &Setting::of(values));
        Members { values: values.clone().gather(2, index), kept: (most > 1).then(kept) }
    }

    /// The sum over each answer, `[row, 1, 1]`.
    fn sum(self) -> Tensor<3> {
        match self.kept {
            Some(kept) => (self.values * kept).sum_dim(2),
            None => self.values,
        }
    }

    /// ln Σ exp over each answer, `[row, 1, 1]`.
    fn log_sum_exp(self) -> Tensor<3> {
        let Some(kept) = self.kept else { return self.values };
        // what is filled in is a token of the answer again, so the largest is among those kept
        let most = self.values.clone().detach().max_dim(2);
        ((self.values - most.clone()).exp() * kept).sum_dim(2).log() + most
    }
}
