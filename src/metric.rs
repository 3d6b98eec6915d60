//! From logits to one number an item.

use serde::{Deserialize, Serialize};
use std::fmt;

/// What is read from the logits at the answer's position; higher is more of the right answer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Metric {
    /// logit(right) − logit(wrong).
    #[default]
    LogitDiff,
    /// logit(right).
    Logit,
    /// ln p(right), nats.
    LogProb,
    /// p(right).
    Probability,
    /// p(right) − p(wrong).
    ProbabilityDiff,
}

impl Metric {
    /// Whether it needs the logits of the whole vocabulary, and not those of the two answers alone.
    pub fn needs_vocabulary(self) -> bool {
        !matches!(self, Metric::LogitDiff | Metric::Logit)
    }

    /// How the number is formed, for the facts of a table.
    pub fn sign(self) -> &'static str {
        match self {
            Metric::LogitDiff => "logit(right) − logit(wrong)",
            Metric::Logit => "logit(right)",
            Metric::LogProb => "ln p(right)",
            Metric::Probability => "p(right)",
            Metric::ProbabilityDiff => "p(right) − p(wrong)",
        }
    }

    /// The number for one item: `logits` are those of the vocabulary or, where that is enough, of `[right, wrong]`.
    pub fn value(self, logits: &[f64], right: usize, wrong: usize) -> f64 {
        let logit = |token: usize| logits[token];
        match self {
            Metric::LogitDiff => logit(right) - logit(wrong),
            Metric::Logit => logit(right),
            Metric::LogProb => logit(right) - log_sum_exp(logits),
            Metric::Probability => (logit(right) - log_sum_exp(logits)).exp(),
            Metric::ProbabilityDiff => {
                let total = log_sum_exp(logits);
                (logit(right) - total).exp() - (logit(wrong) - total).exp()
            }
        }
    }
}

impl fmt::Display for Metric {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(match self {
            Metric::LogitDiff => "logit_diff",
            Metric::Logit => "logit",
            Metric::LogProb => "log_prob",
            Metric::Probability => "probability",
            Metric::ProbabilityDiff => "probability_diff",
        })
    }
}

fn log_sum_exp(logits: &[f64]) -> f64 {
    let most = logits.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let sum: f64 = logits.iter().map(|logit| (logit - most).exp()).sum();
    most + sum.ln()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn metrics_of_three_logits() {
        let logits = [0.0, 2f64.ln(), 1f64.ln()]; // probabilities 1/4, 1/2, 1/4
        let close = |metric: Metric, expected: f64| {
            let value = metric.value(&logits, 1, 0);
            assert!((value - expected).abs() < 1e-12, "{metric}: {value}");
        };
        close(Metric::LogitDiff, 2f64.ln());
        close(Metric::Probability, 0.5);
        close(Metric::LogProb, 0.5f64.ln());
        close(Metric::ProbabilityDiff, 0.25);
    }
}
