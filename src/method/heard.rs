//! What a model says to questions, left alone or changed: the metric, the prompt's own tokens, the next token.

use crate::hook::Hook;
use crate::metric::Metric;
use crate::model::{HookError, Model, Pass, Read, at_positions, run};
use crate::plan::Question;
use crate::tensor::{activation, from_ints, to_doubles, widen};
use crate::text::Tokens;
use serde::{Deserialize, Serialize};

/// What one run says, beside the run that was left alone.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Said {
    /// The metric at the answer.
    pub metric: f64,
    /// Mean ln p of the prompt's own tokens, nats: of those behind the first; where a model sees both ways, of all but the one
    /// that is asked for, each seen.
    pub own: f64,
    /// KL(left alone ‖ changed) of the distribution at the answer, nats.
    pub divergence: f64,
}

/// The runs of a batch.
pub struct Heard {
    metric: Vec<f64>,
    own: Vec<f64>,
    /// ln p at the answer, `[row, vocabulary]`.
    next: Vec<Vec<f64>>,
}

impl Heard {
    /// Runs questions of one length, a row each, under a hook.
    pub fn of(
        model: &dyn Model,
        metric: Metric,
        questions: &[&Question],
        hook: &mut dyn Hook,
    ) -> Result<Self, HookError> {
        let tokens = Tokens::new(questions.iter().map(|question| question.tokens.clone()).collect());
        let logits = run(model, &Pass::whole(&tokens), hook)?; // [row, pos, vocabulary]
        let at = questions.iter().map(|question| question.answers.at).collect();
        let answers = to_doubles(&at_positions(logits.clone(), &Read { positions: Some(at), tokens: None }, 0));
        let rows = || answers.chunks_exact(logits.dims()[2]).zip(questions);
        let value = |(logits, question): (&[f64], &&Question)| {
            metric.value(logits, &question.answers.right, &question.answers.wrong)
        };
        let (metric, next) = (rows().map(value).collect(), rows().map(|(logits, _)| log_softmax(logits)).collect());

        let targets: Vec<Vec<Option<u32>>> = questions.iter().map(|question| targets(question, model)).collect();
        let index: Vec<i32> = targets.iter().flatten().map(|token| token.map_or(0, |token| token as i32)).collect();
        let index = from_ints(index, [questions.len(), tokens.width(), 1], &logits.device());
        let own = to_doubles(&activation::log_softmax(widen(logits), 2).gather(2, index));
        let own =
            own.chunks_exact(tokens.width()).zip(&targets).map(|(own, targets)| mean_known(own, targets)).collect();
        Ok(Heard { metric, own, next })
    }

    /// What each row says beside the row of the same question that was left alone: row r's is `r % questions`.
    pub fn beside(&self, alone: &Heard) -> Vec<Said> {
        let said = |row: usize| Said {
            metric: self.metric[row],
            own: self.own[row],
            divergence: divergence(&alone.next[row % alone.next.len()], &self.next[row]),
        };
        (0..self.metric.len()).map(said).collect()
    }
}

/// The token of the prompt that is predicted at each position, where one is.
fn targets(question: &Question, model: &dyn Model) -> Vec<Option<u32>> {
    let target = |at: usize| match model.is_causal() {
        true => question.tokens.get(at + 1).copied(),
        false => Some(question.tokens[at]).filter(|_| at != question.answers.at),
    };
    (0..question.tokens.len()).map(target).collect()
}

fn mean_known(own: &[f64], targets: &[Option<u32>]) -> f64 {
    let known: Vec<f64> = own.iter().zip(targets).filter(|(_, target)| target.is_some()).map(|(own, _)| *own).collect();
    known.iter().sum::<f64>() / known.len() as f64
}

fn log_softmax(logits: &[f64]) -> Vec<f64> {
    let most = logits.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let total = most + logits.iter().map(|logit| (logit - most).exp()).sum::<f64>().ln();
    logits.iter().map(|logit| logit - total).collect()
}

/// Σ p (ln p − ln q).
fn divergence(p: &[f64], q: &[f64]) -> f64 {
    let part = |(p, q): (&f64, &f64)| if *p == f64::NEG_INFINITY { 0.0 } else { p.exp() * (p - q) };
    p.iter().zip(q).map(part).sum()
}

/// Indices in batches of one length and at most so many.
pub fn batches(questions: &[&Question], most: usize) -> Vec<Vec<usize>> {
    super::batches(questions.len(), most, |index| questions[index].tokens.len())
}
