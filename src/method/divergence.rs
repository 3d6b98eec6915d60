//! How far a changed model says something else than the whole one, on a tape: KL(model ‖ changed) at the answer.

use super::{Bench, Side};
use crate::model::{HookError, Pass, Read, run};
use crate::tensor::{Tensor, activation, on_tape};

/// What a pass of some items reads for it: every logit at the answer.
pub fn read(bench: &Bench, items: &[usize]) -> Read {
    Read { tokens: None, ..bench.read(items) }
}

/// ln p of every token after the clean prompts, `[item, 1, vocabulary]`, by the whole model.
pub fn whole(bench: &Bench, items: &[usize]) -> Result<Tensor<3>, HookError> {
    let tokens = bench.tokens(items, Side::Clean);
    let logits = run(bench.model, &Pass::whole(&tokens).reading(read(bench, items)), &mut ())?;
    Ok(activation::log_softmax(logits, 2))
}

/// Σ p (ln p − ln q) over items and vocabulary, nats: p the whole model's, q of these logits on a tape.
pub fn total(whole: &Tensor<3>, logits: Tensor<3>) -> Tensor<1> {
    let whole = on_tape(whole.clone());
    (whole.clone().exp() * (whole - activation::log_softmax(logits, 2))).sum()
}
