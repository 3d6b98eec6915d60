//! What a circuit is judged by: how far the next token is from that of the whole model, or the metric.

use crate::method::Bench;
use crate::model::Read;
use crate::spec::Judge;
use crate::tensor::{Tensor, to_doubles};
use rayon::prelude::*;

/// How circuits on some items are judged: a number an item, less is better.
pub enum Judged {
    /// By the divergence from these, an item each.
    Divergence(Vec<Reference>),
    /// By the metric.
    Metric,
}

/// The next token after the whole model.
pub struct Reference {
    /// Its probabilities.
    probabilities: Vec<f64>,
    /// Σ p ln p, nats.
    own: f64,
}

impl Judged {
    /// What a pass has to read for `judge`, of rows that belong to these items.
    pub fn read(judge: Judge, bench: &Bench, items: &[usize]) -> Read {
        match judge {
            Judge::Divergence => {
                Read { positions: Some(items.iter().map(|item| bench.answers(*item).at).collect()), tokens: None }
            }
            Judge::Metric => bench.read(items),
        }
    }

    /// From what the whole model makes of some items.
    pub fn new(judge: Judge, logits: &Tensor<3>) -> Self {
        if judge == Judge::Metric {
            return Judged::Metric;
        }
        let width = logits.dims()[2];
        Judged::Divergence(to_doubles(logits).par_chunks_exact(width).map(Reference::of).collect())
    }

    /// The number of every row of what [`Judged::read`] made a pass read; rows are the items over and over.
    pub fn values(&self, bench: &Bench, logits: &Tensor<3>, items: &[usize]) -> Vec<f64> {
        match self {
            Judged::Metric => bench.values(logits, items).into_iter().map(|value| -value).collect(),
            Judged::Divergence(references) => {
                let width = logits.dims()[2];
                let rows = to_doubles(logits);
                let value = |(row, logits): (usize, &[f64])| references[row % references.len()].divergence(logits);
                rows.par_chunks_exact(width).enumerate().map(value).collect()
            }
        }
    }
}

impl Reference {
    fn of(logits: &[f64]) -> Self {
        let total = log_sum_exp(logits);
        let probabilities: Vec<f64> = logits.iter().map(|logit| (logit - total).exp()).collect();
        let own = probabilities.iter().zip(logits).map(|(p, logit)| p * (logit - total)).sum();
        Reference { probabilities, own }
    }

    /// Σ p ln(p / q), q the next token of these logits.
    fn divergence(&self, logits: &[f64]) -> f64 {
        let cross: f64 = self.probabilities.iter().zip(logits).map(|(p, logit)| p * logit).sum();
        self.own - cross + log_sum_exp(logits)
    }
}

fn log_sum_exp(logits: &[f64]) -> f64 {
    let most = logits.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    most + logits.iter().map(|logit| (logit - most).exp()).sum::<f64>().ln()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_divergence_of_two_coins_is_that_of_the_textbook() {
        // p = (1/2, 1/2) and q = (1/4, 3/4): ½ ln 2 + ½ ln ⅔
        let own = Reference::of(&[3.0, 3.0]);
        let expected = 0.5 * 2f64.ln() + 0.5 * (2.0 / 3.0f64).ln();
        assert!((own.divergence(&[0.0, 3f64.ln()]) - expected).abs() < 1e-12);
        assert!(own.divergence(&[-7.0, -7.0]).abs() < 1e-12);
    }
}
