//! Scores by gradients: what each node's change adds to the metric by first order, port by port.

use super::slopes::Slopes;
use super::written::Written;
use super::{Scorer, product, spread};
use crate::hook::{Activation, Change, Differentiate, Edit, Edits, Record};
use crate::method::Side;
use crate::model::{HookError, Model, Pass, run};
use crate::site::{Place, Site};
use crate::spec::Stand;
use crate::tensor::{backward, off_tape, on_tape};

/// What is needed of one run of a batch of items.
struct Taken {
    written: Written,
    /// The state that gradients are taken on the way to.
    begun: Activation,
    slopes: Option<Slopes>,
}

impl Scorer<'_> {
    /// Scores of a batch of items, `[item][edge]`: (ablated − clean) of the source times the gradient at the port, which is the
    /// mean of those with the input at these fractions of the way from the ablated one to the clean one.
    pub fn between(&self, items: &[usize], fractions: &[f64]) -> Result<Vec<Vec<f64>>, HookError> {
        let mut scores = vec![vec![0.0; self.order.count()]; items.len()];
        self.integrated(items, fractions, |change, slopes, share| self.add(change, slopes, share, &mut scores))?;
        Ok(scores)
    }

    /// Hands what stands in for what nodes write less what they write after the clean prompt, and the gradients at each
    /// of some fractions of the way between, with its share in their mean, to `take`.
    pub fn integrated(
        &self,
        items: &[usize],
        fractions: &[f64],
        mut take: impl FnMut(&Written, &Slopes, f64),
    ) -> Result<(), HookError> {
        let end = |side: Side, at: f64| match fractions.contains(&at) {
            true => self.sloping(items, side, None),
            false => self.plain(items, side),
        };
        let clean = end(Side::Clean, 1.0)?;
        let ablated = match self.stand_ins.stand() {
            Stand::Corrupted => end(Side::Corrupt, 0.0)?,
            _ => self.constant(items)?,
        };
        let change = ablated.written.less(&clean.written);
        for fraction in fractions {
            let taken;
            let slopes = match (*fraction, &ablated.slopes, &clean.slopes) {
                (0.0, Some(slopes), _) | (1.0, _, Some(slopes)) => slopes,
                _ => {
                    let way = clean.begun.clone() - ablated.begun.clone();
                    taken = self.sloping(items, Side::Clean, Some(ablated.begun.clone() + way * *fraction))?;
                    taken.slopes.as_ref().expect("taken on a tape")
                }
            };
            take(&change, slopes, 1.0 / fractions.len() as f64);
        }
        Ok(())
    }

    /// Where the model is put on the way between the two: at its embeddings, or, where no other prompt has some, at what the
    /// input writes.
    fn beginning(&self) -> Site {
        if self.stand_ins.stand() == Stand::Corrupted { Site::Embed } else { Site::ResidPre(0) }
    }

    /// What stands in whatever the prompt is, with no run of its own.
    fn constant(&self, items: &[usize]) -> Result<Taken, HookError> {
        let states = self.stand_ins.states(items)?;
        Ok(Taken { begun: states[&Site::ResidPre(0)].clone(), written: Written::from_states(states), slopes: None })
    }

    /// A run off the tape.
    fn plain(&self, items: &[usize], side: Side) -> Result<Taken, HookError> {
        let (model, tokens) = (self.bench.model, self.bench.tokens(items, side));
        let mut record = Record::of(Written::sites(model).into_iter().chain([self.beginning()]));
        run(model, &Pass::whole(&tokens).reading(self.bench.read(items)), &mut record)?;
        Ok(self.taken(&record, model, None))
    }

    /// A run on the tape and back, perhaps from another beginning.
    fn sloping(&self, items: &[usize], side: Side, begun: Option<Activation>) -> Result<Taken, HookError> {
        let (model, tokens) = (self.taped, self.bench.tokens(items, side));
        let place = Place::all(self.beginning());
        let put = begun.map(|value| Edit { place, change: Change::Put(on_tape(value)) });
        let sites = Written::sites(model).into_iter().chain(Slopes::streams(model, 0)).chain([self.beginning()]);
        let watch = (Edits::new(put.into_iter().collect()), Record::of(sites));
        let mut hook = (watch, Differentiate::at(Slopes::sites(model, 0)));
        let logits = run(model, &Pass::whole(&tokens).reading(self.bench.read(items)), &mut hook)?;
        let gradients = backward(&self.bench.total(&logits, items));
        let record = &hook.0.1;
        Ok(self.taken(record, model, Some(Slopes::of(record, &hook.1, &gradients))))
    }

    /// Adds a share of each product of a source's change and a port's gradient to the scores.
    fn add(&self, change: &Written, slopes: &Slopes, share: f64, scores: &mut [Vec<f64>]) {
        let (model, items) = (self.bench.model, scores.len());
        let some = self.rows_at_once(change.positions(), items);
        for first in (0..items).step_by(some) {
            let rows = first..items.min(first + some);
            let added = change.added(model, rows.clone());
            slopes.each(model, self.order, rows.clone(), |at| {
                let reads = self.order.reads(at.ports[0]);
                let products = product(self.order, added.clone().narrow(1, 0, reads), at.slopes);
                let edge = |place: usize, node: usize, port: usize| self.order.edge_at(node, at.ports[port], place);
                spread(&products, share, &mut scores[rows.clone()], edge);
            });
        }
    }

    fn taken(&self, record: &Record, model: &dyn Model, slopes: Option<Slopes>) -> Taken {
        let begun = off_tape(record.at(self.beginning()).expect("asked for above").clone());
        Taken { written: Written::of(record, model), begun, slopes }
    }
}
