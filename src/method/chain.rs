//! Fits by gradients, kept some steps at a time, so that a killed run goes on with them as it would have.

use crate::model::HookError;
use crate::steps::{RunError, Steps};
use serde::Serialize;
use serde::de::DeserializeOwned;

/// How a fit is kept.
#[derive(Clone, Copy, Debug)]
pub struct Chain {
    /// Steps of the fit.
    pub count: usize,
    /// Steps that are kept together: what a killed run may lose.
    pub kept: usize,
    /// What a step counts for in the progress.
    pub work: usize,
    /// What follows the last step.
    pub behind: Behind,
}

/// What follows a fit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Behind {
    /// Another step that rests on it, and goes to the same shard.
    More,
    /// Nothing.
    Nothing,
}

impl Chain {
    /// A fit from its beginning to its end; `None` where it is another shard's.
    pub fn run<S: Serialize + DeserializeOwned>(
        self,
        begin: S,
        steps: &mut Steps,
        mut step: impl FnMut(&mut S) -> Result<(), HookError>,
    ) -> Result<Option<S>, RunError> {
        let mut state = Some(begin);
        for first in (0..self.count).step_by(self.kept.max(1)) {
            let until = self.count.min(first + self.kept.max(1));
            let before = state.take();
            let go_on = || {
                let mut state = before.expect("whoever goes on has what went before");
                (first..until).try_for_each(|_| step(&mut state))?;
                Ok(state)
            };
            let work = self.work * (until - first);
            let ends = until == self.count && self.behind == Behind::Nothing;
            state = if ends { steps.step(work, go_on)? } else { steps.link(work, go_on)? };
        }
        Ok(state)
    }
}
