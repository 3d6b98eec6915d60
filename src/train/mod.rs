//! Training: weights on a tape, and steps of AdamW down the slope of a loss.
//!
//! What is trained is a [`Learner`]: a model, or a model with something on top. A step puts a copy of it on a tape, asks for its
//! loss, and moves the weights themselves; nothing of the tape is left behind. Which loss, over which texts, at which rate is
//! the caller's to say: the built-in models, students of [`crate::treat`] and classifiers are trained by the same step.

pub mod losses;
mod optimiser;
mod order;
mod schedule;

pub use order::Order;
pub use schedule::Schedule;

use crate::model::{Model, Visitor};
use crate::tensor::{Tensor, backward, to_floats};
use optimiser::{Leaves, Optimiser, Update};

/// What has weights that can be trained.
pub trait Learner {
    /// The same on a tape.
    type Taped: Learner;
    /// A copy on a tape, which shares the weights.
    fn taped(&self) -> Self::Taped;
    /// Shows every weight to a visitor, which may change it; names are the same each time.
    fn show(&mut self, visitor: &mut dyn Visitor);
}

impl Learner for dyn Model + '_ {
    type Taped = Box<dyn Model>;
    fn taped(&self) -> Box<dyn Model> {
        self.on_tape()
    }
    fn show(&mut self, visitor: &mut dyn Visitor) {
        self.visit(visitor);
    }
}

impl Learner for Box<dyn Model> {
    type Taped = Self;
    fn taped(&self) -> Self {
        self.on_tape()
    }
    fn show(&mut self, visitor: &mut dyn Visitor) {
        self.visit(visitor);
    }
}

/// What goes on from step to step: the means of AdamW, and which weights are trained.
pub struct Trainer {
    optimiser: Optimiser,
    chosen: Box<dyn Fn(&str) -> bool>,
}

impl Trainer {
    /// Before the first step; the weights of matrices decay, those of norms and biases do not.
    pub fn new(weight_decay: f32) -> Self {
        Trainer { optimiser: Optimiser::new(weight_decay), chosen: Box::new(|_| true) }
    }

    /// The same where only weights with some names are trained; the others stay as they are, to the bit.
    pub fn only(self, chosen: impl Fn(&str) -> bool + 'static) -> Self {
        Trainer { chosen: Box::new(chosen), ..self }
    }

    /// One step at this rate; the loss before it.
    pub fn step<L: Learner + ?Sized>(
        &mut self,
        learner: &mut L,
        rate: f64,
        loss: impl FnOnce(&L::Taped) -> Tensor<1>,
    ) -> f32 {
        let mut taped = learner.taped();
        let mut leaves = Leaves::of(self.chosen.as_ref());
        taped.show(&mut leaves);
        let loss = loss(&taped);
        let gradients = backward(&loss);
        learner.show(&mut Update { optimiser: &mut self.optimiser, leaves: &leaves, gradients: &gradients, rate });
        to_floats(&loss)[0]
    }
}

#[cfg(test)]
mod tests;
