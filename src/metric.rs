//! From logits to one number an item.

use serde::{Deserialize, Serialize};
use std::fmt;

/// What is read from the logits at the answer's position; higher is more of the right answer.
///
/// An answer may be a set of tokens of which any counts. Its probability is the sum of theirs, so its logit is the ln Σ exp
/// of theirs: then `LogitDiff` is the log-odds of the two sets. For one token each this is what stands below, to the bit.
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

    /// Whether it turns its sign when right and wrong answer are exchanged.
    pub fn is_odd(self) -> bool {
        matches!(self, Metric::LogitDiff | Metric::ProbabilityDiff)
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

    /// The same where an answer is a set of tokens.
    pub fn sign_of_sets(self) -> &'static str {
        match self {
            Metric::LogitDiff => "ln Σ p(right) − ln Σ p(wrong), sums over the tokens of an answer",
            Metric::Logit => "ln Σ exp logit(right), the sum over the tokens of the answer",
            Metric::LogProb => "ln Σ p(right), the sum over the tokens of the answer",
            Metric::Probability => "Σ p(right), the sum over the tokens of the answer",
            Metric::ProbabilityDiff => "Σ p(right) − Σ p(wrong), sums over the tokens of an answer",
        }
    }

    /// The number for one item: `right` and `wrong` are indices of `logits`, those of the vocabulary or, where that is
    /// enough, of the answers alone.
    pub fn value(self, logits: &[f64], right: &[u32], wrong: &[u32]) -> f64 {
        let logit = |tokens: &[u32]| match tokens {
            [token] => logits[*token as usize],
            several => log_sum_exp(&several.iter().map(|token| logits[*token as usize]).collect::<Vec<_>>()),
        };
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

/// ln Σ exp, in doubles.
pub(crate) fn log_sum_exp(logits: &[f64]) -> f64 {
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
            let value = metric.value(&logits, &[1], &[0]);
            assert!((value - expected).abs() < 1e-12, "{metric}: {value}");
        };
        close(Metric::LogitDiff, 2f64.ln());
        close(Metric::Probability, 0.5);
        close(Metric::LogProb, 0.5f64.ln());
        close(Metric::ProbabilityDiff, 0.25);
    }

    #[test]
    fn metrics_of_sets() {
        let logits = [1f64.ln(), 2f64.ln(), 3f64.ln(), 4f64.ln()]; // probabilities .1, .2, .3, .4
        let close = |metric: Metric, expected: f64| {
            let value = metric.value(&logits, &[1, 3], &[0, 2]);
            assert!((value - expected).abs() < 1e-12, "{metric}: {value}");
        };
        close(Metric::Probability, 0.6);
        close(Metric::ProbabilityDiff, 0.6 - 0.4);
        close(Metric::LogProb, 0.6f64.ln());
        close(Metric::Logit, 6f64.ln());
        close(Metric::LogitDiff, 6f64.ln() - 4f64.ln());
    }
}
