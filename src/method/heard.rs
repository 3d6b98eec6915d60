//! What a model says to questions, left alone or changed: the metric, the prompt's own tokens, the next token.

use super::Bench;
use crate::hook::Hook;
use crate::metric::Metric;
use crate::model::{HookError, Model, Pass, Read, at_positions, run};
use crate::plan::{Question, Task};
use crate::steps::{RunError, Steps};
use crate::tensor::{activation, from_ints, to_doubles, widen};
use crate::text::Tokens;
use serde::{Deserialize, Serialize};

/// What one run says, beside the run that was left alone.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Said {
    /// The metric at the answer.
    pub metric: f64,
    /// The same with right and wrong answer exchanged.
    pub exchanged: f64,
    /// Mean ln p of the prompt's own tokens, nats: of those behind the first; where a model sees both ways, of all but the one
    /// that is asked for, each seen.
    pub own: f64,
    /// KL(left alone ‖ changed) of the distribution at the answer, nats.
    pub divergence: f64,
}

/// What is read of what a run says.
pub type Reading = fn(&Said) -> f64;

/// The runs of a batch.
pub struct Heard {
    /// As asked, and with the answers exchanged.
    metric: Vec<[f64; 2]>,
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
            let (right, wrong) = (&question.answers.right, &question.answers.wrong);
            [metric.value(logits, right, wrong), metric.value(logits, wrong, right)]
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
            metric: self.metric[row][0],
            exchanged: self.metric[row][1],
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

/// ln p of every token.
pub fn log_softmax(logits: &[f64]) -> Vec<f64> {
    let most = logits.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let total = most + logits.iter().map(|logit| (logit - most).exp()).sum::<f64>().ln();
    logits.iter().map(|logit| logit - total).collect()
}

/// Σ p (ln p − ln q).
pub fn divergence(p: &[f64], q: &[f64]) -> f64 {
    let part = |(p, q): (&f64, &f64)| if *p == f64::NEG_INFINITY { 0.0 } else { p.exp() * (p - q) };
    p.iter().zip(q).map(part).sum()
}

/// Indices in batches of one length and at most so many.
pub fn batches(questions: &[&Question], most: usize) -> Vec<Vec<usize>> {
    super::batches(questions.len(), most, |index| questions[index].tokens.len())
}

/// The held-out questions of a batch.
pub struct Batch<'a> {
    /// The task.
    pub task: &'a Task,
    /// Their numbers in it.
    pub own: Vec<usize>,
    /// The questions, of one length.
    pub questions: Vec<&'a Question>,
}

/// Several conditions under which questions are asked.
pub trait Conditions {
    /// What a batch needs once for all conditions.
    type Ready;
    /// How many.
    fn count(&self) -> usize;
    /// Whether a condition changes anything; one that does not is not run.
    fn changes(&self, condition: usize) -> bool;
    /// Makes a batch ready.
    fn ready(&self, batch: &Batch) -> Result<Self::Ready, HookError>;
    /// The hook of a pass that has a copy of the batch's rows for each of `conditions`, in their order.
    fn hook(&self, ready: &Self::Ready, batch: &Batch, conditions: &[usize]) -> impl Hook;
}

/// What a task's questions say, left alone and under each condition.
#[derive(Clone)]
pub struct Outcomes {
    /// `[question]`.
    pub alone: Vec<Said>,
    /// `[condition][question]`.
    pub changed: Vec<Vec<Said>>,
}

/// Asks all questions of a task: those of each half under the conditions that the other half has made, `[half that made
/// them]`, equally many of both.
pub fn held_out<C: Conditions>(
    bench: &Bench,
    task: &Task,
    made_by: [&C; 2],
    steps: &mut Steps,
) -> Result<Outcomes, RunError> {
    let (count, conditions) = (task.questions.len(), made_by[0].count());
    let mut found =
        Outcomes { alone: vec![Said::default(); count], changed: vec![vec![Said::default(); count]; conditions] };
    for (half, made) in made_by.into_iter().enumerate() {
        let own: Vec<usize> = (0..count).filter(|question| task.half(*question) != half).collect();
        let questions: Vec<&Question> = own.iter().map(|question| &task.questions[*question]).collect();
        for some in batches(&questions, (bench.rows / 2).max(1)) {
            let own: Vec<usize> = some.iter().map(|index| own[*index]).collect();
            let batch = Batch { task, questions: some.iter().map(|index| questions[*index]).collect(), own };
            let Some(said) = steps.step(batch.own.len() * conditions, || ask(bench, &batch, made))? else { continue };
            let spread = |all: &mut [Said], said: &[Said]| {
                batch.own.iter().zip(said).for_each(|(question, said)| all[*question] = *said);
            };
            spread(&mut found.alone, &said[0]);
            found.changed.iter_mut().zip(&said[1..]).for_each(|(all, said)| spread(all, said));
        }
    }
    Ok(found)
}

/// What a batch says, alone and then under every condition: `[1 + condition][question]`.
fn ask<C: Conditions>(bench: &Bench, batch: &Batch, made: &C) -> Result<Vec<Vec<Said>>, HookError> {
    let (model, metric, each) = (bench.model, bench.metric, batch.questions.len());
    let ready = made.ready(batch)?;
    let alone = Heard::of(model, metric, &batch.questions, &mut ())?;
    let mut said = vec![alone.beside(&alone); 1 + made.count()];
    let some: Vec<usize> = (0..made.count()).filter(|condition| made.changes(*condition)).collect();
    for chunk in some.chunks((bench.rows / each).max(1)) {
        let rows: Vec<&Question> = chunk.iter().flat_map(|_| batch.questions.iter().copied()).collect();
        let heard = Heard::of(model, metric, &rows, &mut made.hook(&ready, batch, chunk))?.beside(&alone);
        chunk.iter().zip(heard.chunks_exact(each)).for_each(|(condition, found)| said[1 + condition] = found.to_vec());
    }
    Ok(said)
}
