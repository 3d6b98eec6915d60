//! States of both models at the prompts that maps are learned from, and of the other at those that they are tried on.

use super::put::left;
use crate::hook::Record;
use crate::method::{Bench, batches};
use crate::model::random::twin;
use crate::model::{HookError, Model, Pass, Read, run};
use crate::plan::{Stitching, Twofold};
use crate::site::Site;
use crate::tensor::to_doubles;
use crate::text::Tokens;
use ndarray::{Array2, ArrayView, s};

/// What is recorded once for all maps; a row a position, in the order of the prompts.
pub struct Streams {
    /// This model's states at the prompts that are learned from, by stream.
    pub own: Vec<Array2<f64>>,
    /// Those of the other model, then of its twins.
    pub theirs: Vec<Theirs>,
    /// What this model says left alone: ln p of every token at the answer, by item that is tested on.
    pub left: Vec<Vec<f64>>,
}

/// The other model's states, by stream.
pub struct Theirs {
    /// At the prompts that are learned from.
    pub fit: Vec<Array2<f64>>,
    /// At those that are tested on.
    pub test: Vec<Array2<f64>>,
}

/// Whose tokens a prompt is read in.
#[derive(Clone, Copy)]
enum Whose {
    /// This model's.
    Own,
    /// The other's.
    Theirs,
}

impl Whose {
    fn tokens(self, prompt: &Twofold) -> &[u32] {
        match self {
            Whose::Own => &prompt.own,
            Whose::Theirs => &prompt.theirs,
        }
    }

    fn position(self, [own, theirs]: [usize; 2]) -> usize {
        match self {
            Whose::Own => own,
            Whose::Theirs => theirs,
        }
    }
}

impl Streams {
    /// One pass over all prompts of each model, and of each twin.
    pub fn record(bench: &Bench, plan: &Stitching) -> Result<Self, HookError> {
        let of = |model: &dyn Model| {
            let states = |prompts| recorded((model, bench.rows), prompts, Whose::Theirs, &plan.from);
            Ok::<_, HookError>(Theirs { fit: states(&plan.fit)?, test: states(&plan.test)? })
        };
        let guest = plan.guest.model.as_ref();
        let mut theirs = vec![of(guest)?];
        for number in 0..plan.random_models {
            theirs.push(of(twin(guest, bench.seed.wrapping_add(number as u64)).as_ref())?);
        }
        let own = recorded((bench.model, bench.rows), &plan.fit, Whose::Own, &plan.into)?;
        Ok(Streams { own, theirs, left: left(bench, plan)? })
    }
}

/// The states of a model at `sites`, `[row, d_model]` each.
fn recorded(
    (model, rows): (&dyn Model, usize),
    prompts: &[Twofold],
    whose: Whose,
    sites: &[Site],
) -> Result<Vec<Array2<f64>>, HookError> {
    let (firsts, width) = (firsts(prompts), model.dims().d_model);
    let mut found = vec![Array2::zeros((firsts[prompts.len()], width)); sites.len()];
    for batch in batches(prompts.len(), rows, |prompt| whose.tokens(&prompts[prompt]).len()) {
        let tokens = Tokens::new(batch.iter().map(|prompt| whose.tokens(&prompts[*prompt]).to_vec()).collect());
        let nothing = Read { positions: Some(vec![0; tokens.rows()]), tokens: Some(vec![vec![0]; tokens.rows()]) };
        let mut record = Record::of(sites.iter().copied());
        run(model, &Pass::whole(&tokens).reading(nothing), &mut record)?;
        for (site, found) in sites.iter().zip(&mut found) {
            let state = to_doubles(&record.kept()[site]); // [row, 1, pos, d_model]
            for (row, prompt) in batch.iter().enumerate() {
                for (number, at) in prompts[*prompt].at.iter().enumerate() {
                    let first = (row * tokens.width() + whose.position(*at)) * width;
                    let values = ArrayView::from(&state[first..first + width]);
                    found.slice_mut(s![firsts[*prompt] + number, ..]).assign(&values);
                }
            }
        }
    }
    Ok(found)
}

/// The first row of each prompt, and behind the last the number of rows.
pub(super) fn firsts(prompts: &[Twofold]) -> Vec<usize> {
    let ends = prompts.iter().scan(0, |rows, prompt| {
        *rows += prompt.at.len();
        Some(*rows)
    });
    std::iter::once(0).chain(ends).collect()
}
