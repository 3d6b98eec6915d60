//! What estimates rest on: what both runs hold, and gradients from a pass on a tape and back.

use super::through;
use crate::hook::{Activation, Change, Differentiate, Edit, Edits, Held, Record};
use crate::method::sweep::States;
use crate::method::{Bench, Side};
use crate::model::{HookError, Model, Pass, run};
use crate::plan::{Attribution, changed};
use crate::site::{Place, Site};
use crate::spec::Estimate;
use crate::spec::Fix;
use crate::tensor::{backward, off_tape, on_tape};

/// What one gradient is taken of.
#[derive(Clone, Copy, PartialEq, Debug)]
pub enum Way {
    /// The run that is patched.
    Plain,
    /// A run from embeddings so far on the way from the other run's to its own.
    Between(f64),
    /// The run that is patched, with what a layer adds to the stream held on the way back.
    Without(usize),
}

/// A run: what it holds, and its metric, item by item.
pub struct Taken {
    /// Activations by site, off the tape.
    pub states: States,
    /// The metric.
    pub values: Vec<f64>,
}

/// Which sites of both runs, and gradients at which, a plan needs.
pub struct Passes<'a> {
    bench: &'a Bench<'a>,
    taped: &'a dyn Model,
    states: Vec<Site>,
    slopes: Vec<Site>,
}

impl<'a> Passes<'a> {
    /// For the places of a plan; `taped` is the model of the bench on a tape.
    pub fn new(bench: &'a Bench<'a>, taped: &'a dyn Model, plan: &Attribution) -> Self {
        let (mut states, mut slopes) = (vec![Site::Embed], Vec::new());
        for site in changed(&plan.sweep.cells) {
            let layer = site.layer().filter(|_| plan.through_pattern(site));
            states.extend(layer.map_or(vec![site], |layer| through::sites(bench.model, layer).to_vec()));
            slopes.push(layer.map_or(site, Site::Pattern));
        }
        Passes { bench, taped, states, slopes }
    }

    /// A run off the tape.
    pub fn plain(&self, items: &[usize], side: Side) -> Result<Taken, HookError> {
        let mut record = Record::of(self.states.iter().copied());
        let tokens = self.bench.tokens(items, side);
        let logits = run(self.bench.model, &Pass::whole(&tokens).reading(self.bench.read(items)), &mut record)?;
        Ok(Taken { states: record.into_kept(), values: self.bench.values(&logits, items) })
    }

    /// A run on the tape and back: what it holds, and the gradients of the metric's sum, which are each item's own.
    pub fn sloping(
        &self,
        items: &[usize],
        side: Side,
        way: Way,
        embedded: Option<Activation>,
    ) -> Result<(Taken, States), HookError> {
        let tokens = self.bench.tokens(items, side);
        let put = embedded.map(|value| Edit { place: Place::all(Site::Embed), change: Change::Put(on_tape(value)) });
        let held = match way {
            Way::Without(layer) => Held::at([Site::AttnOut(layer), Site::MlpOut(layer)]),
            Way::Plain | Way::Between(_) => Held::default(),
        };
        let watch = (Edits::new(put.into_iter().collect()), Record::of(self.states.iter().copied()));
        // the leaf before what is held: what a layer adds has no gradient either where that is dropped
        let mut hook = (watch, (Differentiate::at(self.slopes.iter().copied()), held));
        let logits = run(self.taped, &Pass::whole(&tokens).reading(self.bench.read(items)), &mut hook)?;
        let gradients = backward(&self.bench.total(&logits, items));
        let values = self.bench.values(&off_tape(logits), items);
        let states = hook.0.1.into_kept().into_iter().map(|(site, state)| (site, off_tape(state))).collect();
        Ok((Taken { states, values }, hook.1.0.gradients(&gradients)))
    }
}

/// The gradients that an estimate needs.
pub fn ways(score: &Estimate, layers: usize) -> Vec<Way> {
    match score {
        Estimate::AtPIg { steps } => (0..*steps).map(|step| Way::Between(step as f64 / *steps as f64)).collect(),
        score if score.has(Fix::GradDrop) => (0..layers).map(Way::Without).collect(),
        _ => vec![Way::Plain],
    }
}
