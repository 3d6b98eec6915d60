//! Training of the built-in models: next-token cross-entropy on the same forward pass that experiments run.

use super::batches::Batches;
use super::recipe::Training;
use crate::model::{Model, Pass};
use crate::tensor::Tensor;
use crate::text::Tokens;
use crate::train::{Trainer, losses};

/// Trains a model; `report` hears the loss (nats a token) of every step.
pub fn fit(model: &mut dyn Model, batches: &mut Batches, training: &Training, mut report: impl FnMut(usize, f32)) {
    let mut trainer = Trainer::new(training.weight_decay);
    for step in 0..training.steps {
        let rows = batches.take(training.rows);
        report(step, trainer.step(model, training.rate(step), |model| loss(model.as_ref(), rows)));
    }
}

/// Mean cross-entropy of every next token, nats.
fn loss(model: &dyn Model, rows: Vec<Vec<u32>>) -> Tensor<1> {
    let targets: Vec<i32> = rows.iter().flat_map(|row| &row[1..]).map(|id| *id as i32).collect();
    let inputs = Tokens::new(rows.into_iter().map(|row| row[..row.len() - 1].to_vec()).collect());
    let logits = model.pass(&Pass::whole(&inputs), &mut ());
    let [batch, pos, vocabulary] = logits.dims();
    losses::cross_entropy(logits.reshape([batch * pos, vocabulary]), targets)
}
